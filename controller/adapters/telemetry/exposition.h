#pragma once
#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "controller/adapters/telemetry/metrics_registry.h"

namespace galleryd::telemetry {

// Prometheus text 0.0.4 or OpenMetrics 1.0, sorted; prometheus-cpp's own serialiser knows only the first, does not sort
// and does not escape HELP.
std::string print_exposition(std::vector<prometheus::MetricFamily> families, MetricsFormat format);

// process_* of this process from /proc; what cannot be read is left out.
std::vector<prometheus::MetricFamily> read_process_metrics();

}  // namespace galleryd::telemetry
