#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Every metric that galleryd exports, once: the registry, the reference in the documentation and the tests read this
// table.
namespace galleryd::telemetry {

enum class MetricType : std::uint8_t { counter, gauge, histogram };
std::string_view to_string(MetricType type);

struct MetricDefinition {
    std::string_view name;
    MetricType type;
    std::string_view labels;          // names, separated by one blank; "" = none
    std::string_view help;            // one line: promtool refuses others, and prometheus-cpp does not escape it
    std::span<const double> buckets;  // histograms: upper bounds, ascending
};

std::span<const MetricDefinition> metric_catalogue();
const MetricDefinition* find_metric(std::string_view name);
std::vector<std::string> label_names(const MetricDefinition& definition);
std::string metric_reference_markdown();  // a table for the documentation

}  // namespace galleryd::telemetry
