#pragma once
#include "controller/core/plan.h"
#include "controller/core/policy.h"
#include "reconcilers/image_version/plan.h"

// One image definition with all its versions: the scope of one plan (behaviour §1). This folder includes its sibling
// image_version, the only arrow between reconcilers, because a policy ranks the versions of a definition against each
// other and approval covers the deletions of both together (controller/decisions/0020).
namespace galleryd {

// The definition itself (definition.h), then its versions, then the definition's own removal, then the digests.
// Guarantees: no change from an incomplete view; see plan_definition and plan_image_versions for the rest.
Plan plan_definition_scope(const DefinitionScopeInput& input, const Policy& policy, TimePoint now);

}  // namespace galleryd
