#pragma once
#include <nlohmann/json_fwd.hpp>

#include "tests/plans/case_file.h"

namespace galleryd::plans {

// The case's `policy` key into Policy, with the defaults that case_file.h promises. `objects` and `azure` are there
// already.
void read_policy(Case& into, const nlohmann::json& policy);

}  // namespace galleryd::plans
