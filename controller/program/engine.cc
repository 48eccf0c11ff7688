#include "controller/program/engine.h"

#include <algorithm>

#include "controller/adapters/documents/reader.h"
#include "controller/core/steps.h"
#include "reconcilers/lifecycle/report.h"

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

template <class Object>
const Object* find(const std::map<ObjectKey, Object>& objects, const std::optional<ObjectKey>& key) {
    if (!key) return nullptr;
    const auto found = objects.find(*key);
    return found == objects.end() ? nullptr : &found->second;
}

}  // namespace

Engine::Engine(GalleryApi& api, Journal& journal, Clock& clock, Log& log, Metrics& metrics, EngineOptions options)
    : journal_(journal),
      clock_(clock),
      options_(std::move(options)),
      events_(journal, clock, log, metrics),
      memory_(journal),
      observer_(api, clock),
      executor_(api, journal, memory_, clock, events_),
      follower_(api, journal, memory_, clock, events_) {}

Status Engine::load() {
    if (const Status loaded = memory_.load(); !loaded) return loaded;
    auto documents = journal_.good_documents();
    if (!documents) return std::unexpected(documents.error());
    for (GoodDocument& document : *documents) good_documents_[document.source].push_back(std::move(document));
    return {};
}

Result<std::vector<OperationRecord>> Engine::operations_in_flight() { return journal_.operations(); }

Result<std::set<std::string>> Engine::accept(Snapshot snapshot) {
    SnapshotContext context{
        .now = clock_.now(), .approvals = {}, .remember = options_.remember_documents && journal_.writable()};
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
    rebuild_scopes();
    std::set<std::string> names;
    if (is_new) {
        for (const auto& [name, scope] : scopes_) names.insert(name);
    }
    return names;
}

void Engine::note_missing(const AcceptedSnapshot& accepted, TimePoint now) {
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

// Gone for as long as both clocks say; the journal's wall time counts for what was gone when this process started.
RemovedDocument Engine::aged(RemovedDocument removed) const {
    const auto since = missing_since_.find(removed.key);
    if (since == missing_since_.end()) return removed;
    const auto gone_for = std::chrono::duration_cast<Duration>(clock_.monotonic() - since->second);
    removed.first_missing = std::max(removed.first_missing, clock_.now() - gone_for);
    return removed;
}

void Engine::rebuild_scopes() {
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
    std::erase_if(plans_, [&](const auto& entry) { return !scopes_.contains(entry.first); });
    std::erase_if(definition_views_, [&](const auto& entry) { return !scopes_.contains(entry.first); });
    std::erase_if(statuses_, [&](const auto& entry) {
        const ObjectKey& key = entry.first;
        return !objects().galleries.contains(key) && !objects().definitions.contains(key) &&
               !objects().versions.contains(key) && !objects().policies.contains(key);
    });
    for (const auto& [key, policy] : objects().policies) {
        ObjectStatus status;
        status.key = key;
        status.manifest = policy.meta.where;
        status.observed_generation = policy.meta.generation;
        status.conditions.push_back(Condition{"Ready",
                                              ConditionStatus::true_,
                                              "Reconciled",
                                              "The policy is valid and in force where definitions name it.",
                                              {}});
        const auto before = statuses_.find(key);
        carry_transitions(status, before == statuses_.end() ? nullptr : &before->second, clock_.now());
        statuses_.insert_or_assign(key, std::move(status));
    }
}

// Two sources that claim one object, or one Azure resource: neither is written, and nothing is taken away anywhere
// meanwhile, because what the other document says of it is not known to be wrong (behaviour §2; reliability S6).
void Engine::refuse_double_claims() {
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

bool Engine::looked_everywhere() const {
    return !sources_.empty() &&
           std::ranges::all_of(scopes_, [&](const auto& entry) { return looked_.contains(entry.first); });
}

Task<Engine::Look> Engine::look(std::string name) {
    const auto found = scopes_.find(name);
    if (found == scopes_.end()) co_return fail(ErrorKind::conflict, "ScopeGone", name + " is no longer declared");
    const Scope before = found->second;
    Look result;
    if (before.kind == ScopeKind::gallery) {
        const GalleryLook what = gallery_look(before);
        const auto view = co_await observer_.look(what);
        if (!view) co_return std::unexpected(view.error());
        const auto now_declared = scopes_.find(name);  // documents may have changed while Azure answered
        if (now_declared == scopes_.end())
            co_return fail(ErrorKind::conflict, "ScopeGone", name + " is no longer declared");
        result.plan = plan_gallery(now_declared->second, *view);
    } else {
        const ImageDefinition* definition = find(objects().definitions, before.definition);
        const DefinitionLook what{.id = before.definition_id,
                                  .wants_role_assignments = definition != nullptr && !definition->access.empty()};
        auto view = co_await observer_.look(what);
        if (!view) co_return std::unexpected(view.error());
        const auto now_declared = scopes_.find(name);
        if (now_declared == scopes_.end())
            co_return fail(ErrorKind::conflict, "ScopeGone", name + " is no longer declared");
        result.plan = plan_definition(now_declared->second, *view);
        result.definition_view = std::move(*view);
    }
    last_look_ = clock_.now();
    co_return result;
}

Task<Plan> Engine::plan_scope(std::string name) {
    auto result = co_await look(name);
    if (!result) co_return std::unexpected(result.error());
    co_return std::move(result->plan);
}

std::string Engine::revision() const {
    std::string text;
    for (const AcceptedSnapshot& source : sources_) text += (text.empty() ? "" : " ") + source.revision;
    return text;
}

void Engine::confirm_only(const std::vector<Plan>& plans) {
    confirmed_.emplace();
    for (const Plan& plan : plans) {
        for (const Change& change : plan.changes) {
            // A region is taken away in steps: who saw the first one, which raises the flag, saw the removal that it
            // announces.
            if (change.destructive || change.reason == "region_removal") confirmed_->insert(change_key(change));
        }
    }
}

ApplyContext Engine::apply_context(const Scope& scope) const {
    ApplyContext context;
    context.scope = scope.name;
    context.asked_by = options_.asked_by;
    context.instance = options_.instance;
    // Nothing destructive before every scope has been looked at once since the start (a lost journal, a lagging view).
    context.allow_deletes = options_.allow_deletes && looked_everywhere();
    context.deletes_per_hour_max = options_.deletes_per_hour_max;
    context.revision = revision();
    context.confirmed = confirmed_;
    context.is_ending = [this] { return stopping_; };
    context.is_current = [this, planned = context.revision] { return !stopping_ && revision() == planned; };
    const auto add = [&](const auto* object) {
        if (object != nullptr) context.document_digests.emplace(to_string(object->meta.key), object->meta.digest);
    };
    add(find(objects().galleries, scope.gallery));
    add(find(objects().definitions, scope.definition));
    for (const ObjectKey& key : scope.versions) add(find(objects().versions, std::optional(key)));
    return context;
}

void Engine::remember_locks(const ApplyReport& report, const Plan& plan) {
    for (const ChangeOutcome& outcome : report.outcomes) {
        if (!outcome.error || outcome.error->reason != "ResourceLocked") continue;
        for (const Change& change : plan.changes) {
            if (change.address == outcome.address) locked_[change.arm_id.key()] = clock_.now();
        }
    }
}

std::chrono::nanoseconds Engine::next_look(const PassResult& result) const {
    if (result.error || !result.plan) return options_.progress_interval;
    const Plan& plan = *result.plan;
    bool soon = !plan.waiting.empty();
    for (const ChangeOutcome& outcome : result.applied.outcomes) {
        const bool passing = outcome.error && (outcome.error->kind == ErrorKind::conflict ||
                                               outcome.error->kind == ErrorKind::transient);
        soon = soon || passing || outcome.result == ChangeResult::done || outcome.result == ChangeResult::accepted;
    }
    return soon ? std::min(options_.progress_interval, options_.drift_interval) : options_.drift_interval;
}

Task<PassResult> Engine::pass(std::string name) {
    PassResult result;
    result.scope = name;
    auto seen = co_await look(name);
    const auto found = scopes_.find(name);
    if (found == scopes_.end()) {
        result.error =
            Error{.kind = ErrorKind::conflict, .reason = "ScopeGone", .message = name + " is no longer declared"};
        co_return result;
    }
    const Scope scope = found->second;
    looked_.insert(name);
    if (!seen) {
        result.error = seen.error();
        report(scope, result, nullptr);
        result.look_again_after = next_look(result);
        co_return result;
    }
    const Plan plan = std::move(seen->plan);
    result.plan = plan;
    if (!options_.observe) {
        const ApplyContext context = apply_context(scope);
        auto applied = co_await executor_.apply(plan, context);
        if (!applied) {
            result.error = applied.error();
        } else {
            result.applied = std::move(*applied);
            remember_locks(result.applied, plan);
        }
    }
    const auto current = scopes_.find(name);  // documents may have changed while Azure was written
    if (current == scopes_.end()) co_return result;
    const Scope now_declared = current->second;
    if (const Status purged = purge_removed(now_declared, plan); !purged && !result.error)
        result.error = purged.error();
    if (scopes_.contains(name))
        report(scopes_.at(name), result, seen->definition_view ? &*seen->definition_view : nullptr);
    plans_.insert_or_assign(name, plan);
    if (seen->definition_view) definition_views_.insert_or_assign(name, std::move(*seen->definition_view));
    result.look_again_after = next_look(result);
    co_return result;
}

// A removed document has nothing left to say once its resource is gone, or when it was orphaned.
Status Engine::purge_removed(const Scope& scope, const Plan& plan) {
    if (!plan.complete || scope.removed.empty()) return {};
    for (const RemovedDocument& removed : scope.removed) {
        const auto names_it = [&](const auto& entry) { return entry.arm_id == removed.id; };
        const bool is_orphan = removed.deletion_policy == DeletionPolicy::orphan && removed.snapshots_missing >= 2;
        const bool is_planned = std::ranges::any_of(plan.changes, names_it) ||
                                std::ranges::any_of(plan.blocked, names_it) ||
                                std::ranges::any_of(plan.conflicts, names_it);
        const bool in_flight = memory_.get(removed.id.key()).operation_in_flight || !plan.waiting.empty();
        const bool is_gone = removed.snapshots_missing >= 2 && !is_planned && !in_flight &&
                             memory_.get(removed.id.key()).deleted_at.has_value();
        if (!is_orphan && !is_gone) continue;
        for (auto& [source, documents] : good_documents_) {
            if (std::erase_if(documents,
                              [&](const GoodDocument& d) { return d.key == removed.key && d.first_missing; }) == 0)
                continue;
            if (const Status stored = journal_.put_good_documents(source, documents); !stored) return stored;
        }
        for (AcceptedSnapshot& source : sources_)
            std::erase_if(source.removed, [&](const RemovedDocument& r) { return r.key == removed.key; });
        if (is_gone) {
            if (const Status forgotten = memory_.forget(removed.id.key()); !forgotten) return forgotten;
        }
    }
    rebuild_scopes();
    return {};
}

void Engine::report(const Scope& scope, const PassResult& result, const DefinitionView* view) {
    ReportInput input{.scope = &scope,
                      .objects = &objects(),
                      .plan = result.plan ? &*result.plan : nullptr,
                      .applied = &result.applied,
                      .look_error = result.error,
                      .definition_view = view,
                      .document_problems = {},
                      .now = clock_.now()};
    for (const AcceptedSnapshot& source : sources_)
        input.document_problems.insert(source.problems.begin(), source.problems.end());
    for (ObjectStatus& status : report_scope(input)) {
        const auto before = statuses_.find(status.key);
        carry_transitions(status, before == statuses_.end() ? nullptr : &before->second, input.now);
        statuses_.insert_or_assign(status.key, std::move(status));
    }
}

Task<std::string> Engine::follow(OperationRecord operation) {
    const std::string scope = operation.scope;
    const auto ended = co_await follower_.follow(operation);
    if (!ended) co_return std::unexpected(ended.error());
    observer_.forget(ResourceId(operation.resource));
    co_return scope;
}

}  // namespace galleryd
