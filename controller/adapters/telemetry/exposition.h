#pragma once
#include <prometheus/metric_family.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controller/adapters/telemetry/metrics_registry.h"

namespace galleryd::telemetry {

// Prometheus text 0.0.4 or OpenMetrics 1.0, sorted; prometheus-cpp's own serialiser knows only the first, does not sort
// and does not escape HELP.
// `lines` by name of a family: printed as they are, after its own.
std::string print_exposition(std::vector<prometheus::MetricFamily> families,
                             const std::map<std::string, std::string>& lines, MetricsFormat format);
std::string print_number(double value);
std::string escaped_label(std::string_view value);

// process_* of this process from /proc; what cannot be read is left out.
std::vector<prometheus::MetricFamily> read_process_metrics();

}  // namespace galleryd::telemetry
