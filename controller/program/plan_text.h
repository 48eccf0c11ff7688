#pragma once
#include <iosfwd>
#include <string>
#include <vector>

#include "controller/core/plan.h"
#include "controller/program/plan_counts.h"
#include "controller/program/plan_header.h"

// The plan for people (experience §1.4.1). Glyphs are ASCII and come first, colour only repeats them; names are never
// cut; text that comes from Azure is printed without control characters. The counts come last and always.
namespace galleryd {

struct TextOptions {
    bool colour = false;
    bool wide = false;          // long values in full
    bool summary_only = false;  // counts, and every deletion by name
};

// When nothing would be done and nothing is under way: exactly "No changes. Azure matches the manifests.", the time of
// observation, and then, where there are any, what is blocked or in conflict. A plan that only waits says what is in
// progress.
void print_plan_text(std::ostream& out, const std::vector<Plan>& plans, const PlanHeader& header,
                     const TextOptions& options);

// The notice of a plan whose scope nobody could look at begins so; scopes with the same one are printed together.
inline constexpr std::string_view unseen_notice = "could not be looked at: ";
std::string some_of(const std::vector<std::string>& names);  // "a, b, c and 9 more"

// One line a version: rank, tier, state, keep or delete, the rule that decided, why. For `plan --explain` and
// `retention preview`.
void print_versions_text(std::ostream& out, const std::vector<Plan>& plans, const TextOptions& options);

}  // namespace galleryd
