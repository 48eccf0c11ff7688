#pragma once
#include <string>
#include <vector>

#include "controller/core/plan.h"

namespace galleryd {

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
