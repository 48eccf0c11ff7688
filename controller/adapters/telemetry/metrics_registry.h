#pragma once
#include <cstddef>
#include <memory>
#include <string>

#include "controller/ports/log.h"
#include "controller/ports/metrics.h"

// The Metrics port on prometheus-cpp's core, restricted to the catalogue, and its text for a scrape.
namespace galleryd::telemetry {

struct MetricsOptions {
    bool strict =
        false;  // a name or label outside the catalogue aborts (tests); otherwise it is counted and logged once
    std::size_t series_max = 2000;        // per metric (reliability A8); further ones are dropped and counted
    std::size_t part_series_max = 20000;  // the same for gauges that come in parts: bounded by what is declared
    Log* log = nullptr;                   // for unknown names; may be null, must outlive the registry
};

enum class MetricsFormat : std::uint8_t { prometheus_text, open_metrics };
// What an Accept header asks for: OpenMetrics when it is named with at least the weight of text/plain.
MetricsFormat negotiate_metrics_format(std::string_view accept);
std::string_view content_type(MetricsFormat format);

inline constexpr std::size_t label_value_bytes_max = 256;  // longer ones are cut

class MetricsRegistry : public Metrics {
  public:
    // All series sorted by name and labels, of gauges that came in parts by name and part; the process metrics are read
    // from /proc at this moment.
    virtual std::string serialise(MetricsFormat format) = 0;
    // Uses of names or labels that the catalogue does not hold (never in strict mode).
    virtual std::size_t unknown_uses() const = 0;
};

std::unique_ptr<MetricsRegistry> make_metrics(MetricsOptions options);

// "\xFF" and other bytes that are not UTF-8 become U+FFFD; control characters become blanks; cut to
// label_value_bytes_max.
std::string clean_label_value(std::string_view text);

}  // namespace galleryd::telemetry
