#pragma once
#include "reconcilers/image_version/deletion.h"
#include "reconcilers/image_version/regions.h"

namespace galleryd::image_version {

// Everything decided about one version so far.
struct VersionPlan {
    const VersionFacts& version;
    const Standing& standing;
    const Wanted& wanted;
    const Fate& fate;
    const Latest& latest;
    bool newer_ones_settled = true;
    RegionBrake brake;
};

// One version that Azure has: conflicts, adoption, or one UpdateVersion with everything that differs (its mark among
// it). Returns the regions as they are after the planned write.
std::vector<TargetRegion> plan_existing_version(const Facts& facts, const VersionPlan& input, Plan& plan);

// One declared version that Azure does not have. Returns the regions that it is planned to have; empty when it is not
// made now.
std::vector<TargetRegion> plan_missing_version(const Facts& facts, const VersionPlan& input, Plan& plan);

}  // namespace galleryd::image_version
