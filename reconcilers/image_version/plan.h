#pragma once
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/observed.h"
#include "controller/core/plan.h"
#include "controller/core/policy.h"

// Plans every version of one image definition together, because a lifecycle policy ranks them against each other. Pure:
// no clock, no I/O; the same input gives the same plan.
namespace galleryd {

struct DefinitionScopeInput {
    const Gallery* gallery = nullptr;             // null when the definition names its gallery by armId
    const ImageDefinition* definition = nullptr;  // null: not declared; the versions refer to it by armId
    std::vector<const ImageVersion*> versions;    // the declared ones of this definition, in any order
    const LifecyclePolicy* policy = nullptr;
    const DefinitionView* view = nullptr;  // must be given
};

// Adds changes, blocks, conflicts, verdicts, region states, cost and latest of the versions to `plan`; the definition's
// own come from plan_definition. `plan.scope` is the prefix of the addresses ("images/golden/ubuntu-2404"); it is
// filled in when empty. Guarantees: nothing at all from an incomplete view; no write to a version in transition or of
// unknown state, nor to one that is not ours; nothing destructive that did not pass the interlock; at most one change
// for each version. `plan.waiting` also names versions that wait for their definition, for a retry, or for a
// replication status not read yet.
void plan_image_versions(const DefinitionScopeInput& input, const Policy& policy, TimePoint now, Plan& plan);

}  // namespace galleryd
