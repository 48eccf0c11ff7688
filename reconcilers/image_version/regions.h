#pragma once
#include <map>
#include <string>
#include <vector>

#include "reconcilers/image_version/changes.h"
#include "reconcilers/image_version/immutable.h"
#include "reconcilers/image_version/wanted.h"

// The steps from the regions that a version has to those it should have (behaviour §4):
//  - additions and more replicas go at once;
//  - what takes capacity away (a region, or replicas) asks the interlock first, and waits until everything that is
//  added is there
//    and Completed, and until every better-ranked version is Completed when a tier asks for it: make before break;
//  - a region goes in steps: raise allowDeletionOfReplicatedLocations (a PUT without that removal), take the region
//  away, put the
//    flag back; a blocked, waiting or failed removal puts the flag back first;
//  - the source region is never taken away.
namespace galleryd::image_version {

struct RegionSteps {
    std::vector<TargetRegion> regions;   // the whole list to write
    bool allow_region_deletion = false;  // the flag to write
    std::vector<FieldChange> fields;
    bool destructive = false;     // this write takes capacity away
    bool removes_region = false;  // … by leaving a region out
    bool raises_flag = false;
    bool asks_usage = false;            // planned because nobody uses the version
    bool readds_failed_region = false;  // what goes is a failed region, to be added again
    std::string rule, follow_up;
    std::vector<Blocked> blocked;
    std::vector<std::string> waiting;  // why something waits, for a notice
};

// What removal of regions is under way in the whole plan, so that the brake can be asked for each.
struct RegionBrake {
    int versions = 0;    // that would start to lose a region, everything but the brake permitting
    std::string digest;  // over those
};

struct RegionContext {
    const Facts& facts;
    const VersionFacts& version;
    const Standing& standing;
    const Wanted& wanted;
    const ImmutableFindings& immutable;
    bool newer_ones_settled = true;  // every better-ranked version is Completed in all its wanted regions
    RegionBrake brake;
};

// Would the removal of a region start now if no brake was asked? For the pre-pass that counts.
bool would_start_removal(const RegionContext& context);
RegionSteps plan_region_steps(const RegionContext& context);

}  // namespace galleryd::image_version
