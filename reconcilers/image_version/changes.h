#pragma once
#include <string>

#include "reconcilers/image_version/latest.h"

// How rows of the plan are made, so that every change, block and notice about a version reads the same.
namespace galleryd::image_version {

// The complete writable set as Azure has it now: what every update starts from.
VersionWrite write_from(const ObservedVersion& observed);

Change change_about(const Facts& facts, const VersionFacts& version, Action action, Step step);
Blocked blocked_about(const Facts& facts, const VersionFacts& version, Action action, std::string rule,
                      std::vector<BlockReason> reasons);

// Adds the change; or, where nothing may be written (mode Observe, --observe, not the leader), lists it as blocked with
// its fields.
void propose(const Facts& facts, const VersionFacts& version, Plan& plan, Change change);

void add_waiting(Plan& plan, const VersionFacts& version, const std::string& notice);

// "x2 Standard_ZRS"
std::string print(const TargetRegion& region);

}  // namespace galleryd::image_version
