#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controller/adapters/telemetry/metric_catalogue.h"
#include "controller/core/packed_map.h"
#include "controller/ports/metrics.h"

namespace galleryd::telemetry {

// Of one gauge in one part: its lines as a scrape prints them.
struct PartLines {
    std::string gauge, lines;
    std::uint64_t series = 0, dropped = 0;  // dropped: beyond the bound
};

}  // namespace galleryd::telemetry

namespace galleryd {
template <>
std::string Packing<std::vector<telemetry::PartLines>>::pack(const std::vector<telemetry::PartLines>& value);
template <>
std::vector<telemetry::PartLines> Packing<std::vector<telemetry::PartLines>>::unpack(const std::string& bytes);
}  // namespace galleryd

namespace galleryd::telemetry {

// The gauges of the engine's state, part by part, as text that lies packed until somebody scrapes it: a registry's
// object for each of ten thousand series weighs more than everything else that is known of ten thousand versions. Not
// for several threads at once.
class GaugeParts {
  public:
    explicit GaugeParts(std::size_t series_max) : series_max_(series_max) {}  // of one gauge, over all parts

    // Whether that sample is of a gauge of the catalogue and carries its labels.
    static bool is_known(const GaugeSample& sample);
    // All of them known. The gauges whose number of dropped series is another than before.
    std::vector<std::string> replace(const std::string& part, const std::vector<GaugeSample>& samples);
    std::uint64_t dropped(const std::string& gauge) const;
    // By gauge, its lines; within a gauge by part.
    std::map<std::string, std::string> lines() const;

  private:
    struct Count {
        std::uint64_t series = 0, dropped = 0;
    };
    std::size_t series_max_;
    PackedMap<std::string, std::vector<PartLines>> parts_;
    std::map<std::string, Count> counts_;  // by gauge
};

}  // namespace galleryd::telemetry
