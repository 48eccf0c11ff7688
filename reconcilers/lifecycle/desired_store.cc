#include "reconcilers/lifecycle/desired_store.h"

#include <algorithm>

#include "controller/core/desired_objects.h"
#include "controller/core/source_freeze.h"
#include "reconcilers/lifecycle/interlock.h"

namespace galleryd {
namespace {

struct BrokenDocuments {
    std::set<ObjectKey> keys;                                // invalid, but we know which object it is
    std::set<ObjectKey> dependent;                           // of these: nothing is wrong with them but what they name
    std::map<std::string, std::string> files;                // files that are unreadable or did not parse: why
    bool unknown_content() const { return !files.empty(); }  // some file could hold anything
    const std::string* why(const std::string& file) const;
};

// A folder that could not be read holds files, too ("./" everything).
const std::string* BrokenDocuments::why(const std::string& file) const {
    for (const auto& [name, text] : files) {
        const bool is_folder = name.ends_with('/');
        if (name == file || (is_folder && (name == "./" || file.starts_with(name)))) return &text;
    }
    return nullptr;
}

// "images.yaml:12: GD1012 replicas 0".
std::string text_of(const DocumentRecord& document) {
    if (document.problems.empty()) return std::string(to_string(document.state));
    const auto is_error = [](const Diagnostic& problem) { return problem.severity == Severity::error; };
    const auto error = std::ranges::find_if(document.problems, is_error);
    const Diagnostic& problem = error == document.problems.end() ? document.problems.front() : *error;
    const std::string file = problem.where.file.empty() ? document.file : problem.where.file;
    const std::string line = problem.where.line > 0 ? ":" + std::to_string(problem.where.line) : "";
    return file + line + ": " + problem.code + " " + problem.message;
}

// GD1033: what it names is invalid. GD1032: what it names is in no file that can be read.
bool is_dependent(const DocumentRecord& document, bool unknown_content) {
    return std::ranges::all_of(document.problems, [&](const Diagnostic& problem) {
        return problem.severity != Severity::error || problem.code == "GD1033" ||
               (problem.code == "GD1032" && unknown_content);
    });
}

bool is_missing_reference(const DocumentRecord& document) {
    return std::ranges::any_of(document.problems, [](const Diagnostic& problem) { return problem.code == "GD1032"; });
}

BrokenDocuments broken_documents(const Snapshot& snapshot, AcceptedSnapshot& accepted) {
    BrokenDocuments broken;
    for (const DocumentRecord& document : snapshot.documents) {
        if (document.state == DocumentState::present) {
            ++accepted.valid;
            continue;
        }
        ++accepted.invalid;
        accepted.broken.push_back(document);
        const std::string text = text_of(document);
        if (document.key) {
            broken.keys.insert(*document.key);
            accepted.problems.emplace(*document.key, text);
        } else {
            broken.files.emplace(document.file, text);
            accepted.source_problems.push_back(text);
        }
    }
    const auto unreadable = std::ranges::find(accepted.broken, DocumentState::unreadable, &DocumentRecord::state);
    for (const DocumentRecord& document : accepted.broken) {
        if (!document.key || document.problems.empty() || !is_dependent(document, broken.unknown_content())) continue;
        broken.dependent.insert(*document.key);
        // The reader was not given that file, and says "there is no …".
        if (unreadable != accepted.broken.end() && is_missing_reference(document))
            accepted.problems[*document.key] =
                document.file + ": what it names may be declared in " + unreadable->file + ", which cannot be read";
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

DesiredObjects parse_together(const std::vector<GoodDocument>& kept, const std::vector<GoodDocument>& valid,
                              const std::map<ObjectKey, GoodDocument>& removed, const ParseDocuments& parse) {
    std::vector<GoodDocument> all = kept;
    all.insert(all.end(), valid.begin(), valid.end());
    for (const auto& [key, document] : removed) all.push_back(document);
    return parse(all);
}

bool holds_all(const DesiredObjects& objects, const std::set<ObjectKey>& keys) {
    return std::ranges::all_of(keys, [&](const ObjectKey& key) { return contains(objects, key); });
}

// Only what is lacking: a document that is gone may stand in the way of the one that has its name in Azure now.
void add_what_is_named(DesiredObjects& parsed, DesiredObjects with_removed, const std::set<ObjectKey>& held_back,
                       const std::map<ObjectKey, GoodDocument>& removed) {
    const auto add = [&](const ObjectKey& key) {
        if (!contains(parsed, key)) move_object(parsed, with_removed, key);
    };
    for (const ObjectKey& key : held_back) add(key);
    for (const auto& [key, document] : removed) add(key);
}

// The documents that this one names.
std::vector<ObjectKey> named_by(const DesiredObjects& objects, const ObjectKey& key) {
    std::vector<ObjectKey> names;
    const auto add_policy = [&](const std::string& name) {
        if (!name.empty()) names.push_back({Kind::lifecycle_policy, key.namespace_name, name});
    };
    if (const auto* gallery = find_object(objects.galleries, std::optional(key))) add_policy(gallery->lifecycle_policy);
    if (const auto* definition = find_object(objects.definitions, std::optional(key))) {
        add_policy(definition->lifecycle_policy);
        if (definition->gallery) names.push_back(*definition->gallery);
    }
    if (const auto* version = find_object(objects.versions, std::optional(key))) {
        if (version->definition) names.push_back(*version->definition);
    }
    return names;
}

std::string gone_and_named(const GoodDocument& document, const ObjectKey& by) {
    return document.file + ": its document is gone, and " + to_string(by) +
           " names it; bring it back, or take its name out there";
}

// What stands on its last good content stands on what that names, too: a document that is gone and is named by it is
// not removed, but stays in force with it. Otherwise a policy that goes would take a whole gallery out of sight. At
// every look, also at one that brings the objects of the look before: what is held in force then is gone again.
void hold_what_is_named(AcceptedSnapshot& accepted, const DesiredObjects& parsed, std::vector<GoodDocument>& kept,
                        std::map<ObjectKey, GoodDocument>& removed) {
    std::vector<ObjectKey> open(accepted.held_back.begin(), accepted.held_back.end());
    for (std::size_t i = 0; i < open.size(); ++i) {  // galleries first: definitions name their gallery's policy, too
        const ObjectKey key = open[i];
        for (const ObjectKey& name : named_by(parsed, key)) {
            const auto gone = removed.find(name);
            if (gone == removed.end() || !contains(parsed, name)) continue;
            accepted.problems.emplace(name, gone_and_named(gone->second, key));
            accepted.held_back.insert(name);
            kept.push_back(std::move(gone->second));
            kept.back().first_missing.reset();
            kept.back().snapshots_missing = 0;
            removed.erase(gone);
            open.push_back(name);
        }
    }
}

// Whose fault it is that something stands on its last good content: its own file's, or that of what it names.
void blame(AcceptedSnapshot& accepted, const BrokenDocuments& broken, const std::vector<GoodDocument>& kept) {
    std::map<ObjectKey, ObjectKey> named;  // by documents that are not valid
    for (const ObjectKey& key : broken.keys) {
        for (const ObjectKey& name : named_by(accepted.objects, key)) named.emplace(name, key);
    }
    for (const GoodDocument& document : kept) {
        const ObjectKey& key = document.key;
        const bool is_gone = !broken.keys.contains(key) && broken.why(document.file) == nullptr;
        if (is_gone && accepted.frozen) {
            const auto by = named.find(key);
            if (by != named.end()) accepted.problems.emplace(key, gone_and_named(document, by->second));
            else accepted.notes.emplace(key, document.file + ": its document is gone; " + *accepted.frozen);
        } else if (broken.dependent.contains(key) && contains(accepted.objects, key)) {
            const auto problem = accepted.problems.extract(key);
            if (!problem.empty()) accepted.notes.emplace(key, problem.mapped());
        } else if (!broken.keys.contains(key) && !accepted.problems.contains(key)) {
            if (const std::string* why = broken.why(document.file)) accepted.problems.emplace(key, *why);
            else if (broken.unknown_content())
                accepted.notes.emplace(key, document.file + ": its document is gone, and may have moved into a file " +
                                                "that cannot be read: " + broken.files.begin()->second);
        }
    }
}

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
        // What a file that cannot be read holds is not known: nothing counts as gone before it is mended.
        if (contains(accepted.objects, document.key) || broken.keys.contains(document.key) || broken.unknown_content())
            ++still_there;
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
        const bool is_broken = broken.keys.contains(document.key) || broken.why(document.file) != nullptr;
        // One that comes back broken is not gone: what it says is unknown, so its removal is off.
        const bool is_back = broken.keys.contains(document.key);
        const bool was_removed =
            !is_back && (accepted.frozen ? is_settled(document) : document.first_missing.has_value());
        if (!was_removed && (is_broken || broken.unknown_content() || accepted.frozen)) {
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
        if (!accepted.frozen && !broken.unknown_content() && !is_broken && is_apart && !is_settled(gone))
            ++gone.snapshots_missing;
        removed.emplace(gone.key, gone);
    }
    if (!kept.empty()) {  // read together with the valid ones, so that references resolve
        std::vector<GoodDocument> valid;
        for (const auto& [key, document] : good_documents_of(accepted, known, print)) valid.push_back(document);
        DesiredObjects parsed = parse_together(kept, valid, {}, parse);
        if (!holds_all(parsed, accepted.held_back))
            add_what_is_named(parsed, parse_together(kept, valid, removed, parse), accepted.held_back, removed);
        hold_what_is_named(accepted, parsed, kept, removed);
        for (const ObjectKey& key : accepted.held_back) move_object(accepted.objects, parsed, key);
        blame(accepted, broken, kept);
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
        const bool declares_nothing = source.readable && source.declared == 0 && !source.released;
        const bool is_empty = declares_nothing && source.broken.empty();
        if (declares_nothing && !is_empty) {
            health.complete = false;
            health.problems.push_back(source.source + ": no document is valid");
        }
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
