#include "controller/adapters/telemetry/metrics_registry.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <mutex>
#include <set>
#include <unordered_map>

#include "controller/adapters/telemetry/exposition.h"
#include "controller/adapters/telemetry/gauge_parts.h"
#include "controller/adapters/telemetry/metric_catalogue.h"
#include "controller/core/check.h"

namespace galleryd::telemetry {

namespace {

constexpr std::size_t unknown_names_max = 100;
constexpr std::string_view dropped_metric = "galleryd_metrics_series_dropped";

// One metric of the catalogue with its living series. Exactly one of the families is set.
struct FamilyState {
    const MetricDefinition* definition = nullptr;
    std::vector<std::string> labels;  // sorted
    prometheus::Family<prometheus::Counter>* counters = nullptr;
    prometheus::Family<prometheus::Gauge>* gauges = nullptr;
    prometheus::Family<prometheus::Histogram>* histograms = nullptr;
    std::map<MetricLabels, void*> series;
    std::set<MetricLabels> dropped;  // bounded by series_max as well: the gauge tells how many of them at least
};

class PrometheusMetrics : public MetricsRegistry {
  public:
    explicit PrometheusMetrics(MetricsOptions options) : options_(options), parts_(options.part_series_max) {
        for (const MetricDefinition& definition : metric_catalogue()) register_family(definition);
    }

    void add(std::string_view counter, MetricLabels labels, double amount) override {
        const std::lock_guard guard(mutex_);
        FamilyState* family = find(counter, MetricType::counter, labels);
        if (family == nullptr || !(amount >= 0)) return;  // a counter never falls (NaN included)
        const auto make = [&] { return &family->counters->Add(labels); };
        if (auto* series = find_or_make<prometheus::Counter>(*family, labels, make)) series->Increment(amount);
    }

    void set(std::string_view gauge, MetricLabels labels, double value) override {
        const std::lock_guard guard(mutex_);
        set_locked(gauge, std::move(labels), value);
    }

    void observe(std::string_view histogram, MetricLabels labels, double value) override {
        const std::lock_guard guard(mutex_);
        FamilyState* family = find(histogram, MetricType::histogram, labels);
        if (family == nullptr) return;
        const auto& buckets = family->definition->buckets;
        const auto make = [&] {
            return &family->histograms->Add(labels,
                                            prometheus::Histogram::BucketBoundaries(buckets.begin(), buckets.end()));
        };
        if (auto* series = find_or_make<prometheus::Histogram>(*family, labels, make)) series->Observe(value);
    }

    void forget(std::string_view gauge, MetricLabels match) override {
        const std::lock_guard guard(mutex_);
        const auto found = families_.find(std::string(gauge));
        if (found == families_.end() || found->second.gauges == nullptr) {
            unknown(gauge, "");
            return;
        }
        FamilyState& family = found->second;
        for (auto& [name, value] : match) value = clean_label_value(value);
        const auto is_match = [&](const MetricLabels& labels) {
            return std::all_of(match.begin(), match.end(), [&](const auto& wanted) {
                const auto label = labels.find(wanted.first);
                return label != labels.end() && label->second == wanted.second;
            });
        };
        for (auto series = family.series.begin(); series != family.series.end();) {
            if (!is_match(series->first)) {
                ++series;
                continue;
            }
            family.gauges->Remove(static_cast<prometheus::Gauge*>(series->second));
            series = family.series.erase(series);
        }
        if (std::erase_if(family.dropped, is_match) > 0) report_dropped(family);
    }

    std::string serialise(MetricsFormat format) override {
        std::map<std::string, std::string> lines;
        {
            const std::lock_guard guard(mutex_);
            lines = parts_.lines();
        }
        std::vector<prometheus::MetricFamily> families = registry_.Collect();
        for (auto& family : read_process_metrics()) families.push_back(std::move(family));
        for (const auto& [name, text] : lines) {
            if (std::ranges::find(families, name, &prometheus::MetricFamily::name) != families.end()) continue;
            families.push_back({.name = name,
                                .help = std::string(find_metric(name)->help),
                                .type = prometheus::MetricType::Gauge,
                                .metric = {}});
        }
        return print_exposition(std::move(families), lines, format);
    }

    void replace_part(const std::string& part, std::vector<GaugeSample> samples) override {
        const std::lock_guard guard(mutex_);
        std::erase_if(samples, [this](const GaugeSample& sample) {
            if (GaugeParts::is_known(sample)) return false;
            unknown(sample.gauge, sample.labels.substr(0, sample.labels.find('\x1f')));
            return true;
        });
        for (const std::string& gauge : parts_.replace(part, samples))
            set_locked(dropped_metric, {{"metric", gauge}}, static_cast<double>(parts_.dropped(gauge)));
    }

    std::size_t unknown_uses() const override {
        const std::lock_guard guard(mutex_);
        return unknown_uses_;
    }

  private:
    void register_family(const MetricDefinition& definition) {
        const std::string name(definition.name);
        const std::string help(definition.help);
        FamilyState& family = families_[name];
        family.definition = &definition;
        family.labels = label_names(definition);
        std::sort(family.labels.begin(), family.labels.end());
        switch (definition.type) {
            case MetricType::counter:
                family.counters = &prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
                break;
            case MetricType::gauge:
                family.gauges = &prometheus::BuildGauge().Name(name).Help(help).Register(registry_);
                break;
            case MetricType::histogram:
                family.histograms = &prometheus::BuildHistogram().Name(name).Help(help).Register(registry_);
                break;
        }
    }

    // The family, when name, type and labels are those of the catalogue. Label values are cleaned; missing ones become
    // "".
    FamilyState* find(std::string_view name, MetricType type, MetricLabels& labels) {
        const auto found = families_.find(std::string(name));
        if (found == families_.end() || found->second.definition->type != type) {
            unknown(name, "");
            return nullptr;
        }
        FamilyState& family = found->second;
        for (auto& [label, value] : labels) {
            if (!std::binary_search(family.labels.begin(), family.labels.end(), label)) {
                unknown(name, label);
                return nullptr;
            }
            value = clean_label_value(value);
        }
        for (const std::string& label : family.labels) {
            if (labels.try_emplace(label).second) unknown(name, label);
        }
        return &family;
    }

    template <class Series, class Make>
    Series* find_or_make(FamilyState& family, const MetricLabels& labels, const Make& make) {
        const auto found = family.series.find(labels);
        if (found != family.series.end()) return static_cast<Series*>(found->second);
        if (family.series.size() >= options_.series_max) {
            if (family.dropped.size() < options_.series_max && family.dropped.insert(labels).second)
                report_dropped(family);
            return nullptr;
        }
        Series* series = make();
        family.series.emplace(labels, series);
        return series;
    }

    void set_locked(std::string_view gauge, MetricLabels labels, double value) {
        FamilyState* family = find(gauge, MetricType::gauge, labels);
        if (family == nullptr) return;
        const auto make = [&] { return &family->gauges->Add(labels); };
        if (auto* series = find_or_make<prometheus::Gauge>(*family, labels, make)) series->Set(value);
    }

    void report_dropped(const FamilyState& family) {
        if (family.definition->name == dropped_metric) return;
        set_locked(dropped_metric, {{"metric", std::string(family.definition->name)}},
                   static_cast<double>(family.dropped.size()));
    }

    void unknown(std::string_view name, std::string_view label) {
        GALLERYD_CHECK(
            !options_.strict,
            ("metric or label outside the catalogue: " + std::string(name) + " " + std::string(label)).c_str());
        ++unknown_uses_;
        std::string key = std::string(name) + " " + std::string(label);
        if (unknown_names_.size() >= unknown_names_max || !unknown_names_.insert(std::move(key)).second ||
            options_.log == nullptr)
            return;
        options_.log->warning("metric outside the catalogue",
                              {{"metric", std::string(name)}, {"label", std::string(label)}});
    }

    MetricsOptions options_;
    mutable std::mutex mutex_;
    GaugeParts parts_;
    prometheus::Registry registry_;
    std::unordered_map<std::string, FamilyState> families_;
    std::size_t unknown_uses_ = 0;
    std::set<std::string> unknown_names_;
};

// Length of the UTF-8 sequence at `at` (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF); 0 when there is
// none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const unsigned first = byte(at);
    const unsigned second = byte(at + 1);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return follows(at + 1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F);
        return !wrong && follows(at + 1) && follows(at + 2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const bool wrong = (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
        return !wrong && follows(at + 1) && follows(at + 2) && follows(at + 3) ? 4 : 0;
    }
    return 0;
}

// Weight of a media type in an Accept header; -1 when it is not named.
double weight_of(std::string_view accept, std::string_view media_type) {
    for (std::size_t from = 0; from < accept.size();) {
        const std::size_t end = std::min(accept.find(',', from), accept.size());
        std::string_view part = accept.substr(from, end - from);
        from = end + 1;
        part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
        if (!part.starts_with(media_type)) continue;
        const std::size_t q = part.find("q=");
        if (q == std::string_view::npos) return 1;
        double weight = 0;
        const auto parsed = std::from_chars(part.data() + q + 2, part.data() + part.size(), weight);
        return parsed.ec == std::errc() ? weight : 0;
    }
    return -1;
}

}  // namespace

std::unique_ptr<MetricsRegistry> make_metrics(MetricsOptions options) {
    return std::make_unique<PrometheusMetrics>(options);
}

std::string clean_label_value(std::string_view text) {
    std::string clean;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = sequence_length(text, i);
        const bool is_control = length == 1 && (static_cast<unsigned char>(text[i]) < ' ' || text[i] == 0x7F);
        const std::string_view piece = length == 0  ? std::string_view("\xEF\xBF\xBD")
                                       : is_control ? std::string_view(" ")
                                                    : text.substr(i, length);
        if (clean.size() + piece.size() > label_value_bytes_max) break;
        clean += piece;
        i += std::max<std::size_t>(length, 1);
    }
    return clean;
}

MetricsFormat negotiate_metrics_format(std::string_view accept) {
    const double open = weight_of(accept, "application/openmetrics-text");
    return open > 0 && open >= weight_of(accept, "text/plain") ? MetricsFormat::open_metrics
                                                               : MetricsFormat::prometheus_text;
}

std::string_view content_type(MetricsFormat format) {
    return format == MetricsFormat::open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                                 : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace galleryd::telemetry
