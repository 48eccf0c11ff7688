#pragma once
#include <iosfwd>
#include <string>
#include <vector>

#include "controller/core/plan.h"
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

// Counts over all plans, as the last lines and the JSON summary show them.
struct PlanCounts {
    int create = 0, update = 0, remove = 0, adopt = 0, mark = 0, unmark = 0, share = 0, assign = 0, unassign = 0;
    int blocked = 0, conflict = 0, unchanged = 0, waiting = 0;
    int later = 0;  // of the waiting ones: creations that come after those of their parents
    int regions_added = 0, regions_removed = 0;
    int arm_writes = 0;
    int changes() const { return create + update + remove + adopt + mark + unmark + share + assign + unassign; }
};
PlanCounts count(const std::vector<Plan>& plans);

// The oldest look that the plans rest on; scopes that could not be read at all do not count.
TimePoint oldest_look(const std::vector<Plan>& plans);

// Without control characters (Azure's texts go to a terminal); `limit` 0 = any length, else cut with "…".
std::string printable(const std::string& text, std::size_t limit = 0);

}  // namespace galleryd
