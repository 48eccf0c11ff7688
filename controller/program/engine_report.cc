#include <algorithm>

#include "controller/program/engine.h"
#include "reconcilers/lifecycle/report.h"

// What the engine tells people of what it saw: conditions of objects, events of looks that fail.
namespace galleryd {

std::vector<Condition> Engine::conditions_of_policy(const ObjectKey& key) const {
    for (const AcceptedSnapshot& source : sources()) {
        const auto problem = source.problems.find(key);
        if (problem == source.problems.end()) continue;
        const std::string text = "The document is not valid and stands on its last good content: " + problem->second;
        return {{"Ready", ConditionStatus::false_, "InvalidSpec", text, {}},
                {"Stalled", ConditionStatus::true_, "InvalidSpec", text, {}}};
    }
    const auto notes = declared_.notes_on({key});
    return {{"Ready",
             ConditionStatus::true_,
             "Reconciled",
             notes.empty() ? "The policy is valid and in force where definitions name it."
                           : "The last good content is in force where definitions name it: " + notes.at(key),
             {}}};
}

void Engine::report_policies() {
    std::vector<ObjectStatus> statuses;
    for (const auto& [key, policy] : declared_.policies()) {
        ObjectStatus status;
        status.key = key;
        status.manifest = policy.meta.where;
        status.observed_generation = policy.meta.generation;
        status.conditions = conditions_of_policy(key);
        statuses.push_back(std::move(status));
    }
    statuses_.put(StatusBook::policies, std::move(statuses), clock_.now());
}

// Only a pass without an error says that something is over: what can be read again may still not be written.
void Engine::tell_troubles(const Scope& scope, const PassResult& result) {
    std::vector<LookTroubles::Event> events;
    const bool is_denied = std::ranges::any_of(result.applied.outcomes, [](const ChangeOutcome& outcome) {
        if (!outcome.error || outcome.error->kind != ErrorKind::denied) return false;
        // Between two attempts the right is still missing; a policy's denial of one version is no trouble of the scope.
        const bool lacks_right =
            outcome.error->reason == "AuthorizationFailed" || outcome.error->reason == "AuthenticationFailed";
        return outcome.result == ChangeResult::failed || (outcome.result == ChangeResult::paused && lacks_right);
    });
    if (result.is_told) {
        events = troubles_.failed(
            {.scope = scope.name, .gallery = scope.gallery_id, .credential = credential_of(scope)}, *result.error);
    } else if (!result.error && !is_denied) {
        events = troubles_.succeeded(scope.name);
    }
    for (const LookTroubles::Event& event : events) {
        if (event.warning) events_.warning(event.reason, event.object, event.message);
        else events_.normal(event.reason, event.object, event.message);
    }
}

// What Azure cannot change waits for a person, so it is told when it begins; the condition stays.
void Engine::tell_conflicts(const std::string& scope, const Plan& plan) {
    if (!plan.complete) return;
    std::set<std::string> now;
    const auto told = told_conflicts_.find(scope);
    for (const Conflict& conflict : plan.conflicts) {
        const std::string which = conflict.address + " " + conflict.kind + " " + conflict.code + " " + conflict.path +
                                  " " + conflict.before + " -> " + conflict.after;
        if (!now.insert(which).second || (told != told_conflicts_.end() && told->second.contains(which))) continue;
        events_.warning(conflict.reason, conflict.address, text_of(conflict) + " (" + conflict.code + ")");
    }
    if (now.empty()) told_conflicts_.erase(scope);
    else told_conflicts_.insert_or_assign(scope, std::move(now));
}

bool Engine::report(const Scope& scope, const PassResult& result, const DefinitionView* view) {
    const auto objects = declared_.objects_of(scope);
    ReportInput input{.scope = &scope,
                      .objects = objects.get(),
                      .plan = result.plan ? &*result.plan : nullptr,
                      .applied = &result.applied,
                      .look_error = result.error,
                      .definition_view = view,
                      .document_problems = {},
                      .document_notes = declared_.notes_on(documents_of(scope)),
                      .overdue = follower_.overdue(),
                      .now = clock_.now()};
    for (const AcceptedSnapshot& source : sources())
        input.document_problems.insert(source.problems.begin(), source.problems.end());
    if (result.error) to_tell_.insert(scope.name);
    else to_tell_.erase(scope.name);
    return statuses_.put(scope.name, report_scope(input), input.now);
}

}  // namespace galleryd
