#include <algorithm>

#include "controller/adapters/telemetry/metric_catalogue.h"

// The catalogue as people read it.
namespace galleryd::telemetry {

std::vector<std::string> label_names(const MetricDefinition& definition) {
    std::vector<std::string> names;
    for (std::string_view rest = definition.labels; !rest.empty();) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        names.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return names;
}

std::string_view to_string(MetricType type) {
    switch (type) {
        case MetricType::counter: return "counter";
        case MetricType::gauge: return "gauge";
        case MetricType::histogram: return "histogram";
    }
    return "gauge";
}

std::string metric_reference_markdown() {
    std::string text = "| Metric | Type | Labels | Meaning |\n| --- | --- | --- | --- |\n";
    for (const MetricDefinition& definition : metric_catalogue()) {
        std::string labels;
        for (const std::string& name : label_names(definition)) labels += (labels.empty() ? "`" : ", `") + name + "`";
        text += "| `" + std::string(definition.name) + "` | " + std::string(to_string(definition.type)) + " | " +
                (labels.empty() ? "–" : labels) + " | " + std::string(definition.help) + " |\n";
    }
    return text;
}

}  // namespace galleryd::telemetry
