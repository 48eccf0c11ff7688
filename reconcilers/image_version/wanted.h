#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reconcilers/image_version/ranks.h"

// What one version should look like, with the cause of every wish: its document, a tier, a rule of the policy, or
// simply what Azure has (then nothing is compared).
namespace galleryd::image_version {

struct WantedRegion {
    TargetRegion region;
    std::string cause;  // "spec", "policy standard/tier archive", "azure"
    bool storage_type_counts =
        false;  // declared by the version itself: a difference is a conflict. A tier says where and how many.
};

struct Wanted {
    std::map<std::string, WantedRegion> regions;  // by name; never without the source region
    bool regions_from_tier = false;
    bool regions_from_azure = false;  // nobody asks for any: they are left as they are
    int replica_count = 1;
    bool exclude_from_latest = false;
    std::string exclude_cause;  // "spec", "hold_latest", "policy standard/deprecate.olderThan", "azure"
    std::optional<TimePoint> end_of_life;
    std::string end_of_life_cause;
    bool block_deletion = false, allow_region_deletion = false;
    Tags tags;  // ours
    std::vector<std::string> notices;
};

// For a version to be made (observed == nullptr) or one that is there.
Wanted wanted_version(const Facts& facts, const VersionFacts& version, const Standing& standing);

// Is every wanted region there and Completed? nullopt: the replication status was not read.
std::optional<bool> is_fully_replicated(const Wanted& wanted, const ObservedVersion& observed);

}  // namespace galleryd::image_version
