#pragma once
#include "reconcilers/image_version/regions.h"

// A region whose replication failed (behaviour §4, azure-facts §4.1): the same set is written again with back-off; with
// `regionRetry: RemoveAndAdd`, after two plain retries, the region is taken away and added again, at most three times;
// then a person has to look. Counting is the executor's (lifecycle/record_update.h).
namespace galleryd::image_version {

inline constexpr int plain_retries = 2;
inline constexpr int region_readds_max = 3;

struct Repair {
    std::vector<std::string> retry;    // regions whose retry is due now
    std::vector<std::string> remove;   // failed regions to take away, in order to add them again
    std::vector<std::string> waiting;  // notices about regions whose retry is not due yet
    std::vector<Conflict> conflicts;   // given up
    std::vector<Blocked> blocked;
};
// Declared, or published by others under a policy with governs: All and usable somewhere. A publication by others that
// failed everywhere is theirs to repeat. Without a document nothing is removed and added again.
bool is_ours_to_repair(const VersionFacts& version);
Repair plan_repair(const RegionContext& context);

// Works the repair into the steps: another write in the same plan repeats the set anyway.
void apply_repair(const RegionContext& context, const Repair& repair, RegionSteps& steps);

}  // namespace galleryd::image_version
