#include <algorithm>
#include <nlohmann/json.hpp>

#include "controller/adapters/telemetry/exposition.h"
#include "controller/adapters/telemetry/log.h"
#include "controller/adapters/telemetry/metrics_registry.h"
#include "tests/fuzz/target.h"

// Names that others chose, on their way into metrics and log lines: they cannot forge a line, and a secret does not
// pass.
namespace galleryd::fuzz {
namespace {

using namespace galleryd::telemetry;

std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            plain += text[i];
        } else {
            const char c = text[++i];
            plain += c == 'n' ? '\n' : c;
        }
    }
    return plain;
}

void check_label(std::string_view bytes) {
    const std::string escaped = escaped_label(bytes);
    require(!escaped.contains('\n'), "a label stays on its line");
    require(unescaped(escaped) == bytes, "a label can be told from every other");
    bool open = false;  // a quote without an odd run of backslashes before it would end the label
    for (const char c : escaped) {
        require(open || c != '"', "a label does not end early");
        open = c == '\\' && !open;
    }
    require(!open, "the closing quote closes");
    const std::string clean = clean_label_value(bytes);
    require(clean.size() <= label_value_bytes_max, "a label is short");
    require(!nlohmann::json(clean).dump().empty(), "a label is UTF-8");  // dump throws when it is not
    require(clean_label_value(clean) == clean, "cleaning twice changes nothing");
}

void check_exposition(std::string_view bytes) {
    prometheus::ClientMetric metric;
    metric.label = {{"name", clean_label_value(bytes)}};
    metric.gauge.value = static_cast<double>(bytes.size());
    prometheus::MetricFamily family{"galleryd_fuzz", std::string(bytes), prometheus::MetricType::Gauge, {metric}};
    for (const MetricsFormat format : {MetricsFormat::prometheus_text, MetricsFormat::open_metrics}) {
        const std::string text = print_exposition({family}, {}, format);
        const auto lines = std::ranges::count(text, '\n');
        require(lines == (format == MetricsFormat::open_metrics ? 4 : 3), "a metric is three lines");
        require(text.starts_with("# HELP galleryd_fuzz ") && text.contains("\ngalleryd_fuzz{name=\""), "of our making");
    }
    (void)negotiate_metrics_format(bytes);
}

void check_redaction(std::string_view bytes) {
    require(redact(bytes).size() <= 2 * bytes.size() + 64, "redacting makes little longer");
    constexpr std::string_view canary = "eyJjYW5hcnkiOiJjYW5hcnkifQ.eyJjYW5hcnkiOiJjYW5hcnkifQ.c2ln";
    const std::string text(bytes);
    require(!redact(text + "\n" + std::string(canary)).contains(canary), "a token on a line of its own is not shown");
    if (text.contains("canary~secret")) return;  // there it has no name
    require(!redact(text + "\nclient_secret=canary~secret&x").contains("canary~secret"), "nor is a secret with a name");
}

void run(std::string_view bytes) {
    check_label(bytes);
    check_exposition(bytes);
    check_redaction(bytes);
}

const Registered registered({.name = "telemetry", .run = run, .mutations = 3000});

}  // namespace
}  // namespace galleryd::fuzz
