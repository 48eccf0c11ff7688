#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reconcilers/image_version/facts.h"

// Rank, tier and deprecation (behaviour §5). Rank 1 is the newest usable version within `per`, by number, never by
// date.
//
// Usable: provisioned (Succeeded, or Updating: a version that is being changed still serves, and ranks must not jump
// meanwhile) and not excluded from latest by hand. Excluded by hand means: its document says so; or, without a
// document, Azure says so and neither our record nor the policy's own deprecation explains it. What deprecation or
// holdLatestUntilReplicated excluded still counts.
namespace galleryd::image_version {

struct Standing {
    std::string group;  // of `per`: "", "1", "1.8"
    bool usable = false;
    bool certainly_usable =
        false;  // Succeeded, and nobody can have meant to exclude it: the only ones keep rules count
    bool excluded_by_hand = false;
    std::optional<int> rank;  // of usable ones
    int place = 1;            // rank it has or would have: 1 + usable newer ones; counts versions yet to be made too,
                              // for one that is itself yet to be made
    int certain_newer = 0;    // newer ones of its group that are certainly usable
    bool newest_usable = false;  // of the whole definition
    const Tier* tier = nullptr;  // governed, Full mode, and usable or yet to be made
    bool is_last_tier = false;
    std::string deprecated_by;  // "standard/deprecate.beyondNewest"; "" = not deprecated
};

// One for each of facts.versions, in that order.
std::vector<Standing> rank_versions(const Facts& facts);

// "Preview" | "Active" | "Deprecated" | "Retired" | "Deleted"
std::string lifecycle_state(const VersionFacts& version, const Standing& standing);

}  // namespace galleryd::image_version
