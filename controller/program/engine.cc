#include "controller/program/engine.h"

#include <algorithm>

#include "controller/adapters/documents/reader.h"
#include "controller/core/steps.h"
#include "controller/runtime/side_by_side.h"
#include "reconcilers/lifecycle/interlock.h"
#include "reconcilers/lifecycle/record_update.h"

namespace galleryd {
Engine::Engine(GalleryApi& api, Journal& journal, Clock& clock, Log& log, Metrics& metrics, EngineOptions options)
    : api_(api),
      journal_(journal),
      clock_(clock),
      log_(log),
      options_(std::move(options)),
      events_(journal, clock, log, metrics),
      declared_(journal, clock, events_,
                {.remember = options_.remember_documents, .reconcile_held_back = options_.reconcile_held_back}),
      memory_(journal),
      observer_(api, clock, run_side_by_side),
      executor_(api, journal, memory_, clock, events_),
      follower_(api, journal, memory_, clock, events_, metrics) {
    own_desk().setting = usage_setting;
}

Status Engine::load() {
    const auto whose = options_.remember_documents ? ResourceMemory::Owner::ours : ResourceMemory::Owner::another;
    if (const Status loaded = memory_.load(whose); !loaded) return loaded;
    if (journal_.writable() && options_.remember_documents) {
        if (const Status pruned = memory_.forget_long_gone(clock_.now()); !pruned) return pruned;
    }
    load_usage(own_desk());
    if (credentials_ != nullptr) {
        const auto saved = journal_.setting(gallery_credentials_setting);
        if (!saved) return std::unexpected(saved.error());
        credentials_->load(*saved);
    }
    return declared_.load();
}

Result<std::vector<OperationRecord>> Engine::operations_in_flight() { return journal_.operations(); }

Result<std::set<std::string>> Engine::accept(Snapshot snapshot) {
    auto moved = declared_.accept(std::move(snapshot));
    if (moved && moved->nothing && untold_.empty() && !credentials_unsaved_) return std::set<std::string>{};
    // Also when the journal failed: the documents may have been taken over before it did.
    const Status chosen = declare_credentials();
    if (moved) untold_.merge(moved->edited);
    if (!moved || !chosen) {
        drop_what_is_not_declared();
        return std::unexpected(moved ? chosen.error() : moved.error());
    }
    moved->edited = std::exchange(untold_, {});
    for (const std::string& name : moved->edited) {
        to_tell_.insert(name);
        quiet_.doubt(name);
        read_at_.erase(name);
        drop_statuses_beyond(name);
    }
    drop_what_is_not_declared();
    report_policies();
    if (moved->health_changed) {
        for (const auto& [name, scope] : scopes()) {
            moved->edited.insert(name);
            to_tell_.insert(name);
        }
    }
    return std::move(moved->edited);
}

void Engine::drop_what_is_not_declared() {
    quiet_.keep_only(scopes());
    keep_removed_absences();
    troubles_.keep_only([this](const std::string& name) { return scopes().contains(name); });
    std::erase_if(silent_, [&](const std::string& name) { return !scopes().contains(name); });
    std::erase_if(told_conflicts_, [&](const auto& entry) { return !scopes().contains(entry.first); });
    std::erase_if(looked_, [&](const std::string& name) { return !scopes().contains(name); });
    std::erase_if(to_tell_, [&](const std::string& name) { return !scopes().contains(name); });
    std::erase_if(read_at_, [&](const auto& entry) { return !scopes().contains(entry.first); });
    const auto is_gone = [this](const std::string& scope) { return !scopes().contains(scope); };
    plans_.erase_keys_if(is_gone);
    live_versions_.erase_keys_if(is_gone);
    statuses_.keep_scopes_if([&](const std::string& scope) { return !is_gone(scope); });
}

// A document is gone and its scope is not.
void Engine::drop_statuses_beyond(const std::string& scope) {
    const Scope* found = declared_.find_scope(scope);
    if (found == nullptr) return;
    const std::vector<ObjectKey> keys = documents_of(*found);
    statuses_.keep_only(scope, {keys.begin(), keys.end()});
}

bool Engine::looked_everywhere() const {
    // Asked four times a second and before every pass. Only declared scopes are in looked_, see
    // drop_what_is_not_declared.
    return !sources().empty() && all_sources_read() && looked_.size() == scopes().size();
}

namespace {

std::unexpected<Error> scope_gone(const std::string& name) {
    return fail(ErrorKind::conflict, "ScopeGone", name + " is no longer declared");
}

}  // namespace

Task<Engine::Look> Engine::look(std::string name) {
    const Scope* found = declared_.find_scope(name);
    if (found == nullptr) co_return scope_gone(name);
    Scope scope = *found;
    if (auto unclear = unclear_credential(scope)) co_return std::unexpected(std::move(*unclear));
    auto hint = hint_of(scope);
    if (hint) {
        const auto learnt = co_await learns_usage(scope, hint->plan);
        const Scope* still_declared = declared_.find_scope(name);
        if (still_declared == nullptr) co_return scope_gone(name);
        scope = *still_declared;  // documents may have changed meanwhile, and hide now who is to be asked
        if (auto unclear = unclear_credential(scope)) co_return std::unexpected(std::move(*unclear));
        if (learnt && *learnt) hint = hint_of(scope);
    }
    if (hint) {
        hint->by = needs_reads_of_removed(scope, *hint) ? Trust::nothing : trust(scope, *hint);
        std::optional<Plan> last = hint->by == Trust::hint ? std::nullopt : plans_.get(name);
        if (hint->by == Trust::nothing && last && only_waits(scope, *hint, *last)) hint->by = Trust::last_look;
        if (hint->by == Trust::last_look && (!last || is_overtaken(scope.name, *last, *hint)))
            hint->by = Trust::nothing;
        if (hint->by == Trust::last_look) {
            tell_usage(*last, hint->plan);
            hint->plan = std::move(*last);
        }
        if (!hint->was_read()) {
            last_look_ = clock_.now();
            co_return std::move(*hint);
        }
    }
    auto seen = co_await read_and_plan(scope);
    if (!seen) {
        quiet_.forget(name);
        co_return std::unexpected(seen.error());
    }
    read_at_.insert_or_assign(name, clock_.monotonic());
    quiet_.note_look(name, hint ? &hint->plan : nullptr, seen->plan, clock_.monotonic());
    last_look_ = clock_.now();
    co_return std::move(*seen);
}

Task<Engine::Look> Engine::read_and_plan(Scope before) {
    Look result;
    if (before.kind == ScopeKind::gallery) {
        const GalleryLook what = gallery_look(before);
        auto view = co_await observer_.look(what);
        if (!view) co_return std::unexpected(view.error());
        const Scope* now_declared = declared_.find_scope(before.name);  // documents may have changed meanwhile
        if (now_declared == nullptr) co_return scope_gone(before.name);
        note_assignments(view->role_assignments);
        result.plan = plan_gallery(*now_declared, *view);
        result.gallery_id = before.gallery_id;
        result.gallery = std::move(view->gallery);
    } else {
        DefinitionLook what{.id = before.definition_id, .wants_role_assignments = declares_access(before)};
        if (follower_.in_bulk()) {
            for (const auto& [address, key] : follower_.running_in(before.name)) what.not_expanded.insert(key);
        }
        auto view = co_await observer_.look(what);
        if (!view) co_return std::unexpected(view.error());
        const Scope* now_declared = declared_.find_scope(before.name);
        if (now_declared == nullptr) co_return scope_gone(before.name);
        note_assignments(view->role_assignments);
        result.plan = plan_definition(*now_declared, *view);
        const auto learnt = co_await learns_usage(before, result.plan);
        now_declared = declared_.find_scope(before.name);
        if (now_declared == nullptr) co_return scope_gone(before.name);
        if (learnt && *learnt) result.plan = plan_definition(*now_declared, *view);
        result.definition_view = std::move(*view);
    }
    co_return result;
}

Task<Plan> Engine::plan_scope(std::string name) {
    auto result = co_await look(name);
    if (!result) co_return std::unexpected(result.error());
    co_return std::move(result->plan);
}

void Engine::confirm_only(const std::vector<Plan>& plans) {
    confirmed_.emplace();
    for (const Plan& plan : plans) {
        for (const Change& change : plan.changes) {
            // A region is taken away in steps: who saw the first one, which raises the flag, saw the removal that it
            // announces.
            if (takes_away(change)) confirmed_->insert(change_key(change));
        }
    }
}

ApplyContext Engine::apply_context(const Scope& scope) const {
    ApplyContext context;
    context.scope = scope.name;
    context.gallery = scope.gallery_id;
    context.asked_by = options_.asked_by;
    context.instance = options_.instance;
    // Nothing destructive before every scope has been looked at once since the start (a lost journal, a lagging view).
    context.allow_deletes = options_.allow_deletes && looked_everywhere();
    context.deletes_per_hour_max = options_.deletes_per_hour_max;
    context.revision = revision();
    context.confirmed = confirmed_;
    context.is_ending = [this] { return stopping_; };
    context.is_current = [this, planned = context.revision] { return revision() == planned; };
    const auto add = [&](const auto* object) {
        if (object != nullptr) context.document_digests.emplace(to_string(object->meta.key), object->meta.digest);
    };
    const auto objects = declared_.objects_of(scope);
    add(find_object(objects->galleries, scope.gallery));
    add(find_object(objects->definitions, scope.definition));
    for (const ObjectKey& key : scope.versions) add(find_object(objects->versions, std::optional(key)));
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
    if (silent_.contains(result.scope)) return options_.drift_interval;  // what is told has to change when that ends
    const Plan& plan = *result.plan;
    if (!result.was_read && !plan.waiting.empty()) return progress_in_bulk;
    if (waits_for_agreement(result.scope)) return std::min(options_.progress_interval, options_.drift_interval);
    if (!result.was_read) {  // what a change in Azure needs, the inventory tells; what time brings is planned again
        const bool is_timed = !plan.blocked.empty() || std::ranges::any_of(plan.verdicts, [](const VersionVerdict& v) {
            return v.candidate || v.delete_after.has_value();
        });
        return is_timed ? options_.drift_interval : std::max(options_.full_interval, options_.drift_interval);
    }
    bool soon = !plan.waiting.empty();
    for (const ChangeOutcome& outcome : result.applied.outcomes) {
        const bool passing = outcome.error && (outcome.error->kind == ErrorKind::conflict ||
                                               outcome.error->kind == ErrorKind::transient);
        soon = soon || passing || outcome.result == ChangeResult::done || outcome.result == ChangeResult::accepted ||
               outcome.result == ChangeResult::unconfirmed;
    }
    return soon ? std::min(options_.progress_interval, options_.drift_interval) : options_.drift_interval;
}

Task<PassResult> Engine::pass(std::string name) {
    PassResult result;
    result.scope = name;
    auto seen = co_await look(name);
    const Scope* found = declared_.find_scope(name);
    if (found == nullptr) {
        result.error = scope_gone(name).error();
        co_return result;
    }
    const Scope scope = *found;
    looked_.insert(name);
    if (!seen) {
        result.error = seen.error();
        result.is_told = LookTroubles::tells(seen.error());
        tell_troubles(scope, result);
        const bool is_silence = silence_ && !result.is_told && !statuses_.of(name).empty();
        result.is_news = is_silence ? report_silence(scope) : report(scope, result, nullptr);
        result.look_again_after = next_look(result);
        co_return result;
    }
    const Plan plan = std::move(seen->plan);
    if (seen->definition_view && seen->was_read()) follow_usage(*seen->definition_view, plan);
    remember_usage(false);
    result.plan = plan;
    if (!options_.observe && seen->was_read()) {
        if (const Status noted = note_sightings(*seen); !noted) result.error = noted.error();
    }
    if (auto unclear = unclear_credential(scope)) result.error = std::move(*unclear);  // since the look began
    if (!options_.observe && seen->was_read() && all_sources_read() && !result.error) {
        ApplyContext context = apply_context(scope);
        const auto* versions = seen->definition_view ? &seen->definition_view->versions : nullptr;
        context.usage_now = [this, versions](ResourceId version) { return usage_now(std::move(version), versions); };
        context.usage_is_fresh = [this](const ResourceId& gallery) {
            return desk_of(gallery).book.is_fresh(gallery, UsageFor::request, instant());
        };
        auto applied = co_await executor_.apply(plan, context);
        if (!applied) {
            result.error = applied.error();
        } else {
            result.applied = std::move(*applied);
            remember_locks(result.applied, plan);
        }
    }
    const Scope* current = declared_.find_scope(name);  // documents may have changed while Azure was written
    if (current == nullptr) co_return result;
    const Scope now_declared = *current;
    if (const Status purged = purge_removed(now_declared, plan, *seen); !purged && !result.error)
        result.error = purged.error();
    result.was_read = seen->was_read();
    if (result.was_read) {  // what the inventory knows says nothing about rights, and leaves fields out
        tell_troubles(now_declared, result);
        tell_conflicts(name, plan);
    }
    if (const Scope* left = declared_.find_scope(name)) remember(*left, result, std::move(*seen));
    result.look_again_after = next_look(result);
    co_return result;
}

namespace {

std::vector<VersionGlance> glance_at(const DefinitionView& view) {
    std::vector<VersionGlance> glances;
    glances.reserve(view.versions.size());
    for (const ObservedVersion& version : view.versions) {
        const bool excluded =
            version.exclude_from_latest || std::ranges::any_of(version.target_regions, [](const TargetRegion& region) {
                return region.exclude_from_latest.value_or(false);
            });
        glances.push_back({version.name, version.state, excluded, version.published, version.end_of_life});
    }
    return glances;
}

// But for the time at which it was made.
bool is_other_plan(std::optional<Plan> before, const Plan& now) {
    if (!before) return true;
    before->observed_at = now.observed_at;
    return Packing<Plan>::pack(*before) != Packing<Plan>::pack(now);
}

}  // namespace

// A hint knows less than the look before it, so it replaces nothing that is still known.
void Engine::remember(const Scope& scope, PassResult& result, Look seen) {
    const bool is_whole = !seen.definition_view ||
                          std::ranges::all_of(seen.definition_view->versions, &ObservedVersion::replication_known);
    if (!seen.was_read() && is_silent()) {
        result.is_news = report_silence(scope);
        return;
    }
    const bool was_silent = silent_.erase(scope.name) > 0;
    if (seen.by == Trust::last_look || (!seen.was_read() && !is_whole && plans_.contains(scope.name))) {
        if (was_silent || to_tell_.contains(scope.name))
            result.is_news = report_again(scope, seen.definition_view ? &*seen.definition_view : nullptr);
        return;
    }
    const bool told = report(scope, result, seen.definition_view ? &*seen.definition_view : nullptr);
    const bool planned = is_other_plan(plans_.get(scope.name), *result.plan);
    plans_.insert_or_assign(scope.name, *result.plan);
    const bool glanced =
        seen.definition_view && live_versions_.insert_or_assign(scope.name, glance_at(*seen.definition_view));
    result.is_news = told || planned || glanced;
}

Task<std::string> Engine::follow(OperationRecord operation) {
    const std::string scope = operation.scope;
    const ResourceId resource(operation.resource);
    const auto ended = co_await follower_.follow(std::move(operation));
    if (!ended) co_return std::unexpected(ended.error());
    if (ended->seen) observer_.note(*ended->seen);  // the next look need not read it again
    else observer_.forget(resource);
    read_at_.erase(scope);
    co_return scope;
}

}  // namespace galleryd
