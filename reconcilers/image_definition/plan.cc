#include "reconcilers/image_definition/plan.h"

#include <utility>

#include "controller/core/fingerprint.h"
#include "reconcilers/image_definition/definition.h"
#include "reconcilers/lifecycle/plan_digest.h"
#include "reconcilers/lifecycle/subject.h"

namespace galleryd {
namespace {

std::string scope_of(const DefinitionScopeInput& input, const Policy& policy) {
    if (input.definition != nullptr) return definition_address(*input.definition);
    for (const RemovedDocument& removed : policy.removed) {
        if (removed.key.kind == Kind::image_definition) return removed_address(removed);
    }
    return {};  // plan_image_versions takes it from the versions
}

std::vector<std::string> fingerprints(const DefinitionView& view) {
    std::vector<std::string> all;
    if (view.definition) all.push_back(view.definition->id.key() + " " + fingerprint(*view.definition));
    for (const ObservedVersion& version : view.versions) all.push_back(version.id.key() + " " + fingerprint(version));
    if (view.role_assignments) {
        for (const ObservedRoleAssignment& assignment : *view.role_assignments) all.push_back(assignment.id.key());
    }
    return all;
}

}  // namespace

Plan plan_definition_scope(const DefinitionScopeInput& input, const Policy& policy, TimePoint now) {
    const DefinitionView& view = *input.view;
    Plan plan;
    plan.scope = scope_of(input, policy);
    plan.observed_at = view.at;
    plan.complete = view.complete;
    if (!plan.complete) {
        plan.notices.push_back(plan.scope + ": the look at Azure was not complete; nothing is planned from it");
    } else {
        if (input.definition != nullptr && input.definition->governance.mode == Mode::suspend) {
            plan.notices.push_back(plan.scope +
                                   ": suspended (spec.mode: Suspend); the definition is neither compared nor written");
        }
        plan_definition(plan, input.definition, input.gallery, view, policy, now);
        plan_image_versions(input, policy, now, plan);
        if (input.definition == nullptr) plan_definition_removal(plan, input.gallery, view, policy, now);
    }
    finish_plan(plan, fingerprints(view));
    return plan;
}

}  // namespace galleryd
