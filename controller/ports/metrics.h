#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace galleryd {

using MetricLabels = std::map<std::string, std::string>;

// A gauge's series with its value, small and quick to compare: ten thousand versions have as many series, and a label
// map of each would weigh more than the version.
struct GaugeSample {
    std::string_view gauge;  // a literal
    std::string labels;      // "name\x1fvalue\x1f…", names sorted; no value holds \x1f
    double value = 0;
    friend bool operator==(const GaugeSample&, const GaugeSample&) = default;
};

// Named metrics from the one catalogue in adapters/telemetry (names, types, labels, help texts, buckets). A name that
// the catalogue does not hold aborts in tests. Safe from any thread. Label values are sanitised there.
class Metrics {
  public:
    virtual ~Metrics() = default;
    virtual void add(std::string_view counter, MetricLabels labels, double amount = 1) = 0;
    virtual void set(std::string_view gauge, MetricLabels labels, double value) = 0;
    virtual void observe(std::string_view histogram, MetricLabels labels, double value) = 0;
    // Removes every series of that gauge whose labels include `match`: an object that went must not leave series
    // behind.
    virtual void forget(std::string_view gauge, MetricLabels match) = 0;
    // In place of everything that this part said before; none takes a part back. A part is what changes together (a
    // gallery), and no two parts, nor `set`, write one series. Samples of a gauge stand together.
    virtual void replace_part(const std::string& part, std::vector<GaugeSample> samples) = 0;
};

}  // namespace galleryd
