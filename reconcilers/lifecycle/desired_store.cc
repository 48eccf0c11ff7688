#include "reconcilers/lifecycle/desired_store.h"

#include <algorithm>

#include "controller/core/desired_objects.h"
#include "controller/core/source_freeze.h"
#include "reconcilers/lifecycle/interlock.h"

namespace galleryd {
namespace {

struct BrokenDocuments {
    std::set<ObjectKey> keys;      // invalid, but we know which object it is
    std::set<std::string> files;   // files that are unreadable or did not parse
    bool unknown_content = false;  // some file could hold anything
};

BrokenDocuments broken_documents(const Snapshot& snapshot, AcceptedSnapshot& accepted) {
    BrokenDocuments broken;
    for (const DocumentRecord& document : snapshot.documents) {
        if (document.state == DocumentState::present) {
            ++accepted.valid;
            continue;
        }
        ++accepted.invalid;
        accepted.broken.push_back(document);
        const std::string text = document.problems.empty()
                                     ? std::string(to_string(document.state))
                                     : document.problems.front().code + " " + document.problems.front().message;
        if (document.key) {
            broken.keys.insert(*document.key);
            accepted.problems.emplace(*document.key, text);
        } else {
            broken.files.insert(document.file);
            broken.unknown_content = true;
            accepted.source_problems.push_back(document.file + ": " + text);
        }
    }
    return broken;
}

template <class Object>
GoodDocument good_document(const Object& object, const AcceptedSnapshot& accepted, const PrintDocument& print) {
    GoodDocument document;
    document.key = object.meta.key;
    document.file = object.meta.where.file;
    document.source = accepted.source;
    document.digest = object.meta.digest;
    document.content = print(accepted.objects, object.meta.key);
    document.hold = object.meta.hold.value_or("");
    if constexpr (requires { object.governance; }) {
        document.azure_id = object.id.text();
        document.deletion_policy = to_string(object.governance.deletion_policy);
        document.mode = to_string(object.governance.mode);
    }
    return document;
}

std::map<ObjectKey, GoodDocument> good_documents_of(const AcceptedSnapshot& accepted,
                                                    const std::map<ObjectKey, const GoodDocument*>& known,
                                                    const PrintDocument& print) {
    std::map<ObjectKey, GoodDocument> documents;
    const auto add = [&](const auto& objects) {
        for (const auto& [key, object] : objects) {
            const auto before = known.find(key);
            if (before != known.end() && before->second->digest == object.meta.digest &&
                before->second->hold == object.meta.hold.value_or("") &&
                before->second->file == object.meta.where.file) {
                GoodDocument same = *before->second;  // printing 10,000 documents again for nothing would cost a second
                same.first_missing.reset();
                same.snapshots_missing = 0;
                documents.emplace(key, std::move(same));
            } else {
                documents.emplace(key, good_document(object, accepted, print));
            }
        }
    };
    add(accepted.objects.galleries);
    add(accepted.objects.definitions);
    add(accepted.objects.versions);
    add(accepted.objects.policies);
    return documents;
}

RemovedDocument removed_document(const GoodDocument& document) {
    RemovedDocument removed;
    removed.key = document.key;
    removed.id = ResourceId(document.azure_id);
    removed.deletion_policy =
        document.deletion_policy == to_string(DeletionPolicy::remove) ? DeletionPolicy::remove : DeletionPolicy::orphan;
    removed.mode = document.mode == to_string(Mode::manage)    ? Mode::manage
                   : document.mode == to_string(Mode::observe) ? Mode::observe
                                                               : Mode::suspend;
    removed.first_missing = document.first_missing.value_or(TimePoint::max());
    removed.snapshots_missing = document.snapshots_missing;
    if (!document.hold.empty()) removed.hold = document.hold;
    return removed;
}

// Its removal is proven (interlock 3). Until then it counts among what was there, so that a folder that is emptied
// slowly, less than a fifth at each look, freezes like one that is emptied at once.
bool is_settled(const GoodDocument& document) { return document.snapshots_missing >= removed_snapshots_min; }

}  // namespace

AcceptedSnapshot accept_snapshot(Snapshot snapshot, const std::vector<GoodDocument>& before,
                                 const SnapshotContext& context, const ParseDocuments& parse,
                                 const PrintDocument& print) {
    AcceptedSnapshot accepted;
    accepted.source = snapshot.source;
    accepted.revision = snapshot.revision;
    accepted.readable = snapshot.readable;
    accepted.unreadable_reason = snapshot.unreadable_reason;
    if (!snapshot.readable) {  // gone is not empty: everything stands on its last good content
        std::vector<GoodDocument> standing;
        for (const GoodDocument& document : before) {
            if (document.first_missing) continue;  // was taken away for good before the source went: not declared again
            accepted.held_back.insert(document.key);
            standing.push_back(document);
        }
        accepted.objects = parse(standing);
        accepted.declared = count_of(accepted.objects);
        accepted.documents = before;
        return accepted;
    }
    accepted.objects = std::move(snapshot.objects);
    const BrokenDocuments broken = broken_documents(snapshot, accepted);

    // Documents that were there and have been taken away for good stay in the set with their removal dates; they don't
    // count as content.
    std::size_t known_before = 0, still_there = 0;
    for (const GoodDocument& document : before) {
        if (is_settled(document)) continue;
        ++known_before;
        if (contains(accepted.objects, document.key) || broken.keys.contains(document.key)) ++still_there;
    }
    accepted.released = context.approvals.contains(snapshot.revision);
    if (!accepted.released) {
        accepted.frozen = freeze_reason(known_before, still_there, count_of(accepted.objects));
    }

    std::map<ObjectKey, const GoodDocument*> known;
    std::vector<GoodDocument> kept;
    std::map<ObjectKey, GoodDocument> removed;
    for (const GoodDocument& document : before) {
        known.emplace(document.key, &document);
        if (contains(accepted.objects, document.key)) continue;
        const bool is_broken = broken.keys.contains(document.key) || broken.files.contains(document.file);
        // One that comes back broken is not gone: what it says is unknown, so its removal is off.
        const bool is_back = broken.keys.contains(document.key);
        const bool was_removed =
            !is_back && (accepted.frozen ? is_settled(document) : document.first_missing.has_value());
        if (!was_removed && (is_broken || broken.unknown_content || accepted.frozen)) {
            accepted.held_back.insert(document.key);
            kept.push_back(document);
            kept.back().first_missing.reset();
            kept.back().snapshots_missing = 0;
            continue;
        }
        GoodDocument gone = document;
        if (!gone.first_missing) gone.first_missing = context.now;
        // The second one counts from 15 minutes on: two looks within a second and then none (a mount that hangs) settle
        // nothing.
        const bool is_apart = gone.snapshots_missing == 0 || context.now - *gone.first_missing >= removed_age_min;
        // Not counted on once it is proven: a count that moves for ever would make its scope look edited for ever.
        if (!accepted.frozen && !broken.unknown_content && !is_broken && is_apart && !is_settled(gone))
            ++gone.snapshots_missing;
        removed.emplace(gone.key, gone);
    }
    if (!kept.empty()) {  // read together with the valid ones, so that references resolve
        std::vector<GoodDocument> all = kept;
        for (const auto& [key, document] : good_documents_of(accepted, known, print)) all.push_back(document);
        DesiredObjects parsed = parse(all);
        for (const ObjectKey& key : accepted.held_back) move_object(accepted.objects, parsed, key);
    }
    accepted.declared = count_of(accepted.objects);
    if (!context.remember && before.empty()) return accepted;
    std::map<ObjectKey, GoodDocument> documents = good_documents_of(accepted, known, print);
    for (const GoodDocument& document : kept) documents.insert_or_assign(document.key, document);
    for (const auto& [key, document] : removed) {
        if (document.azure_id.empty() && is_settled(document)) continue;  // a policy: nothing in Azure hangs on it
        documents.insert_or_assign(key, document);
        if (!document.azure_id.empty()) accepted.removed.push_back(removed_document(document));
    }
    accepted.documents.reserve(documents.size());
    for (auto& [key, document] : documents) accepted.documents.push_back(std::move(document));
    return accepted;
}

SourceHealth source_health(const std::vector<AcceptedSnapshot>& sources, const Scope& scope) {
    SourceHealth health;
    if (sources.empty()) {
        health.complete = false;
        health.problems.emplace_back("no source has been read yet");
    }
    const std::vector<ObjectKey> keys = documents_of(scope);
    for (const AcceptedSnapshot& source : sources) {
        if (!source.readable) {
            health.complete = false;
            health.problems.push_back(source.source + ": " + source.unreadable_reason);
        }
        const bool is_empty = source.readable && source.declared == 0 && !source.released;
        if ((source.frozen || is_empty) && health.revision.empty()) health.revision = source.revision;
        if (source.frozen && !health.frozen)
            health.frozen = *source.frozen + " (release: galleryd approve " + source.revision + ")";
        for (const auto* problems : {&source.source_problems, &source.double_claims}) {
            if (!problems->empty()) health.complete = false;
            health.problems.insert(health.problems.end(), problems->begin(), problems->end());
        }
        for (const ObjectKey& key : keys) {
            if (!source.held_back.contains(key) && !source.problems.contains(key)) continue;
            health.complete = false;
            const auto problem = source.problems.find(key);
            health.problems.push_back(
                to_string(key) + ": " +
                (problem == source.problems.end() ? "stands on its last good content" : problem->second));
        }
        if (is_empty) health.empty = true;
    }
    return health;
}

}  // namespace galleryd
