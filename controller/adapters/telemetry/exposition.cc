#include "controller/adapters/telemetry/exposition.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace galleryd::telemetry {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

// OpenMetrics wants floats as bucket bounds: "1.0", so that le="1" and le="1.0" are not two series.
std::string print_bound(double value, MetricsFormat format) {
    std::string text = print_number(value);
    if (format == MetricsFormat::open_metrics && text.find_first_not_of("0123456789") == std::string::npos)
        text += ".0";
    return text;
}

std::string escaped(std::string_view text, bool quotes) {
    std::string result;
    for (const char c : text) {
        if (c == '\\') result += "\\\\";
        else if (c == '\n') result += "\\n";
        else if (c == '"' && quotes) result += "\\\"";
        else result += c;
    }
    return result;
}

void print_sample(std::string& out, const std::string& name, const ClientMetric& metric, const std::string& bound,
                  const std::string& value) {
    out += name;
    char separator = '{';
    for (const auto& label : metric.label) {
        out += separator + label.name + "=\"" + escaped(label.value, true) + '"';
        separator = ',';
    }
    if (!bound.empty()) {
        out += separator + std::string("le=\"") + bound + '"';
        separator = ',';
    }
    if (separator == ',') out += '}';
    out += ' ' + value + '\n';
}

void print_histogram(std::string& out, const std::string& name, const ClientMetric& metric, MetricsFormat format) {
    for (const auto& bucket : metric.histogram.bucket) {
        print_sample(out, name + "_bucket", metric, print_bound(bucket.upper_bound, format),
                     std::to_string(bucket.cumulative_count));
    }
    print_sample(out, name + "_sum", metric, "", print_number(metric.histogram.sample_sum));
    print_sample(out, name + "_count", metric, "", std::to_string(metric.histogram.sample_count));
}

}  // namespace

std::string print_number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
    return {buffer, end.ptr};
}

std::string escaped_label(std::string_view value) { return escaped(value, true); }

std::string print_exposition(std::vector<MetricFamily> families, const std::map<std::string, std::string>& lines,
                             MetricsFormat format) {
    std::sort(families.begin(), families.end(),
              [](const MetricFamily& a, const MetricFamily& b) { return a.name < b.name; });
    std::string out;
    for (MetricFamily& family : families) {
        const auto more = lines.find(family.name);
        if (family.metric.empty() && more == lines.end()) continue;
        std::sort(family.metric.begin(), family.metric.end(),
                  [](const ClientMetric& a, const ClientMetric& b) { return a.label < b.label; });
        std::string title = family.name;
        // In OpenMetrics the family of a counter has no suffix; its sample has.
        if (format == MetricsFormat::open_metrics && family.type == prometheus::MetricType::Counter &&
            title.ends_with("_total")) {
            title.resize(title.size() - 6);
        }
        const std::string_view type = family.type == prometheus::MetricType::Counter     ? "counter"
                                      : family.type == prometheus::MetricType::Histogram ? "histogram"
                                                                                         : "gauge";
        // OpenMetrics escapes quotes in HELP as well, the older format does not.
        out += "# HELP " + title + ' ' + escaped(family.help, format == MetricsFormat::open_metrics) + '\n';
        out += "# TYPE " + title + ' ' + std::string(type) + '\n';
        for (const ClientMetric& metric : family.metric) {
            switch (family.type) {
                case prometheus::MetricType::Counter:
                    print_sample(out, family.name, metric, "", print_number(metric.counter.value));
                    break;
                case prometheus::MetricType::Histogram: print_histogram(out, family.name, metric, format); break;
                default: print_sample(out, family.name, metric, "", print_number(metric.gauge.value));
            }
        }
        if (more != lines.end()) out += more->second;
    }
    if (format == MetricsFormat::open_metrics) out += "# EOF\n";
    return out;
}

}  // namespace galleryd::telemetry
