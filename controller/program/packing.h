#pragma once
#include <string>
#include <vector>

#include "controller/core/packed_map.h"
#include "controller/core/plan.h"
#include "controller/core/status.h"
#include "controller/ports/journal.h"

// What the engine keeps of each scope and seldom looks at lies packed (controller/decisions/0032).
namespace galleryd {

// What metrics say of a live version; the rest of what was seen is not kept.
struct VersionGlance {
    std::string name;
    ProvisioningState state = ProvisioningState::unknown;
    bool excluded = false;  // from latest, everywhere or in a region
    std::optional<TimePoint> published, end_of_life;
};

template <>
std::string Packing<Plan>::pack(const Plan& value);
template <>
Plan Packing<Plan>::unpack(const std::string& bytes);
template <>
std::string Packing<std::vector<ObjectStatus>>::pack(const std::vector<ObjectStatus>& value);
template <>
std::vector<ObjectStatus> Packing<std::vector<ObjectStatus>>::unpack(const std::string& bytes);
template <>
std::string Packing<std::vector<VersionGlance>>::pack(const std::vector<VersionGlance>& value);
template <>
std::vector<VersionGlance> Packing<std::vector<VersionGlance>>::unpack(const std::string& bytes);
template <>
std::string Packing<DesiredObjects>::pack(const DesiredObjects& value);
template <>
DesiredObjects Packing<DesiredObjects>::unpack(const std::string& bytes);
template <>
std::string Packing<std::vector<GoodDocument>>::pack(const std::vector<GoodDocument>& value);
template <>
std::vector<GoodDocument> Packing<std::vector<GoodDocument>>::unpack(const std::string& bytes);

}  // namespace galleryd
