#pragma once
#include <string>

#include "controller/core/plan.h"
#include "tests/plans/case_file.h"

namespace galleryd::plans {

// The plan in the compact form of the golden cases: every row with everything that a person would act on, nothing that
// moves by itself (no digests). "No changes." when there is no row at all.
std::string print_plan(const Plan& plan, const Case& test);

// Lines of two texts side by side: "  " both, "- " only expected, "+ " only actual.
std::string line_diff(const std::string& expected, const std::string& actual);

}  // namespace galleryd::plans
