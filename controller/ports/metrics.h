#pragma once
#include <map>
#include <string>
#include <string_view>

namespace galleryd {

using MetricLabels = std::map<std::string, std::string>;

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
};

}  // namespace galleryd
