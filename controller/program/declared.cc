#include "controller/program/declared.h"

#include <algorithm>

#include "controller/adapters/documents/reader.h"

namespace galleryd {
namespace {

DesiredObjects parse_good_documents(const std::vector<GoodDocument>& documents) {
    std::vector<DocumentFile> files;
    files.reserve(documents.size());
    for (const GoodDocument& document : documents) files.push_back(DocumentFile{document.file, document.content});
    return read_documents(files, ReadOptions{}).objects;
}

template <class Object>
void merge(std::map<ObjectKey, Object>& into, const std::map<ObjectKey, Object>& from) {
    into.insert(from.begin(), from.end());
}

}  // namespace

Status Declared::load() {
    auto documents = journal_.good_documents();
    if (!documents) return std::unexpected(documents.error());
    for (GoodDocument& document : *documents) good_documents_[document.source].push_back(std::move(document));
    return {};
}

Result<std::set<std::string>> Declared::accept(Snapshot snapshot) {
    SnapshotContext context{.now = clock_.now(), .approvals = {}, .remember = remember_ && journal_.writable()};
    const auto approvals = journal_.approvals();
    if (!approvals) return std::unexpected(approvals.error());
    for (const auto& [digest, expires] : *approvals) {
        if (expires > context.now) context.approvals.insert(digest);
    }
    std::vector<GoodDocument>& before = good_documents_[snapshot.source];
    AcceptedSnapshot accepted =
        accept_snapshot(std::move(snapshot), before, context, parse_good_documents, to_json_text);
    const auto slot = std::ranges::find(sources_, accepted.source, &AcceptedSnapshot::source);
    const AcceptedSnapshot* old = slot == sources_.end() ? nullptr : &*slot;
    tell(accepted, old);
    const bool is_new = old == nullptr || old->revision != accepted.revision || old->readable != accepted.readable ||
                        old->removed.size() != accepted.removed.size();
    if (context.remember) {
        if (const Status stored = journal_.put_good_documents(accepted.source, accepted.documents); !stored)
            return std::unexpected(stored.error());
    }
    before = std::move(accepted.documents);
    accepted.documents.clear();
    note_missing(accepted, context.now);
    if (slot == sources_.end()) {
        sources_.push_back(std::move(accepted));
    } else {
        *slot = std::move(accepted);
    }
    rebuild();
    std::set<std::string> names;
    if (is_new) {
        for (const auto& [name, scope] : scopes_) names.insert(name);
    }
    return names;
}

// Events for what is new since the look before.
void Declared::tell(const AcceptedSnapshot& accepted, const AcceptedSnapshot* old) {
    if (accepted.frozen && (old == nullptr || !old->frozen)) {
        events_.warning(
            "BrakeEngaged", accepted.source,
            *accepted.frozen + "; deletions are frozen. Release this revision: galleryd approve " + accepted.revision);
    }
    if (!accepted.readable && (old == nullptr || old->readable))
        events_.warning("SourceFetchFailed", accepted.source, accepted.unreadable_reason);
    for (const auto& [key, problem] : accepted.problems) {
        if (old == nullptr || !old->problems.contains(key))
            events_.warning("ValidationFailed", to_string(key), problem);
    }
    for (const std::string& problem : accepted.source_problems) {
        if (old == nullptr || std::ranges::find(old->source_problems, problem) == old->source_problems.end()) {
            events_.warning("ValidationFailed", accepted.source, problem);
        }
    }
}

void Declared::note_missing(const AcceptedSnapshot& accepted, TimePoint now) {
    if (!accepted.readable) return;
    std::erase_if(missing_since_, [&](const auto& entry) {
        const ObjectKey& key = entry.first;
        return accepted.objects.galleries.contains(key) || accepted.objects.definitions.contains(key) ||
               accepted.objects.versions.contains(key);
    });
    for (const RemovedDocument& removed : accepted.removed) {
        missing_since_.try_emplace(removed.key,
                                   clock_.monotonic() - std::chrono::nanoseconds(now - removed.first_missing));
    }
}

RemovedDocument Declared::aged(RemovedDocument removed) const {
    const auto since = missing_since_.find(removed.key);
    if (since == missing_since_.end()) return removed;
    const auto gone_for = std::chrono::duration_cast<Duration>(clock_.monotonic() - since->second);
    removed.first_missing = std::max(removed.first_missing, clock_.now() - gone_for);
    return removed;
}

void Declared::rebuild() {
    merged_ = {};
    std::vector<RemovedDocument> removed;
    for (const AcceptedSnapshot& source : sources_) {
        if (sources_.size() > 1) {
            merge(merged_.galleries, source.objects.galleries);
            merge(merged_.definitions, source.objects.definitions);
            merge(merged_.versions, source.objects.versions);
            merge(merged_.policies, source.objects.policies);
        }
        removed.insert(removed.end(), source.removed.begin(), source.removed.end());
    }
    if (sources_.size() > 1) refuse_double_claims();
    scopes_ = index_scopes(objects(), removed);
}

// Two sources that claim one object, or one Azure resource: neither is written, and nothing is taken away anywhere
// meanwhile, because what the other document says of it is not known to be wrong (behaviour §2; reliability S6).
void Declared::refuse_double_claims() {
    std::map<ObjectKey, int> claims;
    std::map<std::string, std::set<ObjectKey>> claims_by_id;
    const auto count = [&](const auto& objects) {
        for (const auto& [key, object] : objects) {
            ++claims[key];
            claims_by_id[object.id.key()].insert(key);
        }
    };
    for (const AcceptedSnapshot& source : sources_) {
        count(source.objects.galleries);
        count(source.objects.definitions);
        count(source.objects.versions);
        for (const auto& [key, policy] : source.objects.policies) ++claims[key];
    }
    std::set<ObjectKey> refused;
    for (const auto& [key, number] : claims) {
        if (number > 1) refused.insert(key);
    }
    for (const auto& [id, keys] : claims_by_id) {
        if (keys.size() > 1) refused.insert(keys.begin(), keys.end());
    }
    for (const ObjectKey& key : refused) {
        merged_.galleries.erase(key);
        merged_.definitions.erase(key);
        merged_.versions.erase(key);
        merged_.policies.erase(key);
        const std::string problem =
            to_string(key) + " is claimed by two sources; neither is written. Remove it from one of them.";
        for (AcceptedSnapshot& source : sources_) {
            if (std::ranges::find(source.source_problems, problem) == source.source_problems.end())
                source.source_problems.push_back(problem);
        }
    }
}

const Scope* Declared::find_scope(const std::string& name) const {
    const auto found = scopes_.find(name);
    return found == scopes_.end() ? nullptr : &found->second;
}

std::string Declared::revision() const {
    std::string text;
    for (const AcceptedSnapshot& source : sources_) text += (text.empty() ? "" : " ") + source.revision;
    return text;
}

Status Declared::forget_removed(const ObjectKey& key) {
    for (auto& [source, documents] : good_documents_) {
        if (std::erase_if(documents, [&](const GoodDocument& d) { return d.key == key && d.first_missing; }) == 0)
            continue;
        if (const Status stored = journal_.put_good_documents(source, documents); !stored) return stored;
    }
    for (AcceptedSnapshot& source : sources_)
        std::erase_if(source.removed, [&](const RemovedDocument& removed) { return removed.key == key; });
    rebuild();
    return {};
}

}  // namespace galleryd
