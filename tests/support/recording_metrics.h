#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "controller/adapters/telemetry/metric_catalogue.h"
#include "controller/core/check.h"
#include "controller/ports/metrics.h"

namespace galleryd {

// Values by name and labels, for assertions. Checks names, types and labels against the catalogue: a wrong one aborts
// the test.
class RecordingMetrics : public Metrics {
  public:
    using Series = std::map<std::pair<std::string, MetricLabels>, double>;

    void add(std::string_view counter, MetricLabels labels, double amount) override {
        check(counter, telemetry::MetricType::counter, labels);
        values[{std::string(counter), std::move(labels)}] += amount;
    }
    void set(std::string_view gauge, MetricLabels labels, double value) override {
        check(gauge, telemetry::MetricType::gauge, labels);
        values[{std::string(gauge), std::move(labels)}] = value;
    }
    void observe(std::string_view histogram, MetricLabels labels, double value) override {
        check(histogram, telemetry::MetricType::histogram, labels);
        observations[{std::string(histogram), std::move(labels)}].push_back(value);
    }
    void forget(std::string_view gauge, MetricLabels match) override {
        std::erase_if(
            values, [&](const auto& item) { return item.first.first == gauge && is_match(item.first.second, match); });
    }

    void replace_part(const std::string& part, std::vector<GaugeSample> samples) override {
        std::vector<GaugeSample>& before = parts_[part];
        if (before == samples) return;
        for (const GaugeSample& sample : before) forget(sample.gauge, labels_of(sample));
        for (const GaugeSample& sample : samples) set(sample.gauge, labels_of(sample), sample.value);
        before = std::move(samples);
    }

    bool has(const std::string& name, const MetricLabels& labels) const { return values.contains({name, labels}); }
    double value(const std::string& name, const MetricLabels& labels = {}) const {  // 0 when there is no such series
        const auto found = values.find({name, labels});
        return found == values.end() ? 0 : found->second;
    }
    // Sum over every series whose labels include `match`.
    double sum(const std::string& name, const MetricLabels& match = {}) const {
        double total = 0;
        for (const auto& [key, value] : values) {
            if (key.first == name && is_match(key.second, match)) total += value;
        }
        return total;
    }

    Series values;
    std::map<std::pair<std::string, MetricLabels>, std::vector<double>> observations;

  private:
    static MetricLabels labels_of(const GaugeSample& sample) {
        MetricLabels labels;
        std::string_view rest = sample.labels;
        const auto next = [&rest] {
            const std::size_t end = rest.find('\x1f');
            GALLERYD_CHECK(end != std::string_view::npos, "labels end with a separator");
            const std::string text(rest.substr(0, end));
            rest.remove_prefix(end + 1);
            return text;
        };
        while (!rest.empty()) {
            std::string name = next();
            labels.emplace(std::move(name), next());
        }
        return labels;
    }
    static bool is_match(const MetricLabels& labels, const MetricLabels& match) {
        return std::all_of(match.begin(), match.end(), [&](const auto& wanted) {
            const auto found = labels.find(wanted.first);
            return found != labels.end() && found->second == wanted.second;
        });
    }
    std::map<std::string, std::vector<GaugeSample>> parts_;

    static void check(std::string_view name, telemetry::MetricType type, const MetricLabels& labels) {
        const telemetry::MetricDefinition* definition = telemetry::find_metric(name);
        GALLERYD_CHECK(definition != nullptr && definition->type == type, std::string(name).c_str());
        std::vector<std::string> names = telemetry::label_names(*definition);
        std::sort(names.begin(), names.end());
        std::vector<std::string> given;
        for (const auto& [label, value] : labels) given.push_back(label);
        GALLERYD_CHECK(given == names, std::string(name).c_str());
    }
};

}  // namespace galleryd
