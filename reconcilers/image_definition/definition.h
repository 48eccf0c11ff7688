#pragma once
#include "controller/core/desired.h"
#include "controller/core/observed.h"
#include "controller/core/plan.h"
#include "controller/core/policy.h"

// The image definition alone, without its versions: creation, the fields that Azure lets change, the fields it does not
// (conflicts), access, and removal.
namespace galleryd {

// Adds to the plan. `definition` is nullptr when its document is gone, `gallery` when it is not declared: what is taken
// away goes by the stricter mode of both. Requires: view.complete.
// Guarantees: only a definition that is ours is written; while an immutable field differs nothing of it is written; a
// declaration that is silent about a field leaves that field as it is.
void plan_definition(Plan& plan, const ImageDefinition* definition, const Gallery* gallery, const DefinitionView& view,
                     const Policy& policy, TimePoint now);

// Deletion of a definition whose document is gone: only with no version left in it. Comes last, after the versions' own
// deletions.
void plan_definition_removal(Plan& plan, const Gallery* gallery, const DefinitionView& view, const Policy& policy,
                             TimePoint now);

}  // namespace galleryd
