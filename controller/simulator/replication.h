#pragma once
#include <string>
#include <vector>

#include "controller/simulator/world.h"

// Internal: how long things take (azure-facts §4, measured durations) and how copies of a version come into being.
namespace galleryd::simulator {

Duration quick_length(World& world);      // gallery and definition writes and deletions: 0.1 to 0.4 s
Duration removal_length(World& world);    // version deletion: 91 to 180 s, median about two minutes
double size_gb(const Resource& version);  // disks, arrived or arriving; 30 when unknown

// Sets the version's copies to exactly `regions` (short names): new ones start, others stay as they are, missing ones
// go. Returns how long the operation takes; the last region may complete after it. `id` names the operation for forced
// lengths.
Duration plan_copies(World& world, Resource& version, const std::vector<std::string>& regions, bool creating,
                     const std::string& method);

}  // namespace galleryd::simulator
