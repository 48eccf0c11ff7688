#pragma once
#include <map>
#include <set>

#include "reconcilers/image_version/changes.h"
#include "reconcilers/image_version/retention.h"

// Which versions go, and how far each of them is: mark, wait for its grace, delete (behaviour §5, §6).
namespace galleryd::image_version {

enum class MarkStep : std::uint8_t { none, mark, unmark };

struct Fate {
    Judgement judgement;
    std::vector<BlockReason> blocked_by;    // of a candidate that cannot go
    std::optional<TimePoint> delete_after;  // a mark that counts, or the one that this plan makes
    MarkStep mark = MarkStep::none;
    std::string mark_why;      // for unmark; "" = the judgement says it
    bool deleted_now = false;  // a DeleteVersion is in the plan: nothing else is planned for it
};

// Adds deletions and their blocks to the plan, and its deletions_digest. Result: one for each of facts.versions, in
// that order.
std::vector<Fate> plan_deletions(const Facts& facts, const std::vector<Standing>& standings, const Latest& latest,
                                 Plan& plan);

}  // namespace galleryd::image_version
