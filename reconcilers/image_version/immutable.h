#pragma once
#include <set>
#include <string>
#include <vector>

#include "reconcilers/image_version/wanted.h"

// What Azure does not let change after creation (azure-facts §3.4): source, disks and LUNs, location, replication mode,
// storage account type and encryption of an existing region, and the region and replicas of a Shallow version. A
// difference is a conflict with two ways out; nothing is ever deleted and made again because of one.
namespace galleryd::image_version {

struct ImmutableFindings {
    std::vector<Conflict> conflicts;
    std::set<std::string> frozen_regions;  // not written differently: a conflict is inside
    bool all_regions_frozen = false;       // the conflict concerns the version as a whole
};

ImmutableFindings find_immutable_differences(const Facts& facts, const VersionFacts& version, const Wanted& wanted);

// A conflict about this version with what every one of them says; path "/targetRegions/eastus/storageAccountType".
Conflict conflict_about(const Facts& facts, const VersionFacts& version, std::string code, std::string reason,
                        std::string path);

}  // namespace galleryd::image_version
