#include <doctest/doctest.h>

#include <set>
#include <sstream>

#include "controller/adapters/telemetry/metric_catalogue.h"
#include "controller/adapters/telemetry/metrics_registry.h"
#include "tests/support/recording_log.h"

using namespace galleryd;
using namespace galleryd::telemetry;

namespace {

std::unique_ptr<MetricsRegistry> strict_metrics() {
    MetricsOptions options;
    options.strict = true;
    return make_metrics(options);
}

// The lines of one metric, without HELP and TYPE.
std::vector<std::string> samples(const std::string& text, const std::string& prefix) {
    std::vector<std::string> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(prefix)) found.push_back(line);
    }
    return found;
}

}  // namespace

TEST_CASE(
    "the catalogue is sound: legal unique names, one-line help, ascending buckets, no label that a ServiceMonitor "
    "renames") {
    std::set<std::string_view> names;
    const std::set<std::string> renamed{"namespace", "pod", "job", "instance", "service", "endpoint", "container"};
    for (const MetricDefinition& m : metric_catalogue()) {
        CAPTURE(m.name);
        CHECK(names.insert(m.name).second);
        CHECK(m.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos);
        CHECK((m.type == MetricType::counter) == m.name.ends_with("_total"));
        CHECK_FALSE(m.help.empty());
        CHECK(m.help.find('\n') == std::string_view::npos);
        CHECK((m.type == MetricType::histogram) == !m.buckets.empty());
        CHECK(std::is_sorted(m.buckets.begin(), m.buckets.end()));
        std::set<std::string> labels;
        for (const std::string& label : label_names(m)) {
            CHECK(labels.insert(label).second);
            CHECK_FALSE(renamed.contains(label));
        }
    }
    CHECK(find_metric("controller_runtime_reconcile_time_seconds")->buckets.size() == 40);
    CHECK(find_metric("workqueue_queue_duration_seconds")->buckets.size() == 12);
    CHECK(find_metric("galleryd_arm_requests_total")->labels == "subscription_id resource_type method code");
    CHECK(find_metric("nothing") == nullptr);
    CHECK(metric_reference_markdown().find("| `galleryd_resources` | gauge | `kind`, `gallery`, `status` |") !=
          std::string::npos);
}

TEST_CASE("the text is sorted, escaped and complete") {
    const auto metrics = strict_metrics();
    metrics->set("galleryd_source_ready", {{"source", "dir:b"}}, 1);
    metrics->set("galleryd_source_ready", {{"source", "dir:\"a\"\\\n"}}, 0.5);
    metrics->add("galleryd_events_total", {{"type", "Warning"}, {"reason", "ForeignWrite"}}, 2);
    metrics->add("galleryd_events_total", {{"type", "Warning"}, {"reason", "ForeignWrite"}}, 1);
    metrics->observe("galleryd_arm_limiter_wait_seconds", {{"subscription_id", "s"}}, 0.2);
    const std::string text = metrics->serialise(MetricsFormat::prometheus_text);
    CHECK(samples(text, "galleryd_source_ready") ==
          std::vector<std::string>{R"(galleryd_source_ready{source="dir:\"a\"\\ "} 0.5)",
                                   R"(galleryd_source_ready{source="dir:b"} 1)"});
    CHECK(
        samples(text, "# HELP galleryd_events_total") ==
        std::vector<std::string>{"# HELP galleryd_events_total Events emitted by type (Normal, Warning) and reason."});
    CHECK(samples(text, "# TYPE galleryd_events_total") ==
          std::vector<std::string>{"# TYPE galleryd_events_total counter"});
    CHECK(samples(text, "galleryd_events_total") ==
          std::vector<std::string>{R"(galleryd_events_total{reason="ForeignWrite",type="Warning"} 3)"});
    const auto buckets = samples(text, "galleryd_arm_limiter_wait_seconds");
    REQUIRE(buckets.size() == 11);
    CHECK(buckets[1] == R"(galleryd_arm_limiter_wait_seconds_bucket{subscription_id="s",le="0.1"} 0)");
    CHECK(buckets[2] == R"(galleryd_arm_limiter_wait_seconds_bucket{subscription_id="s",le="0.5"} 1)");
    CHECK(buckets[8] == R"(galleryd_arm_limiter_wait_seconds_bucket{subscription_id="s",le="+Inf"} 1)");
    CHECK(buckets[9] == R"(galleryd_arm_limiter_wait_seconds_sum{subscription_id="s"} 0.2)");
    CHECK(buckets[10] == R"(galleryd_arm_limiter_wait_seconds_count{subscription_id="s"} 1)");
    CHECK(text.find("galleryd_quota_used") == std::string::npos);  // no series, no family
}

TEST_CASE("OpenMetrics names counters without their suffix, bounds as floats, and ends with EOF") {
    const auto metrics = strict_metrics();
    metrics->add("galleryd_foreign_writes_total", {{"gallery", "images/golden"}}, 1);
    metrics->observe("galleryd_convergence_seconds", {{"kind", "Gallery"}}, 3);
    const std::string text = metrics->serialise(MetricsFormat::open_metrics);
    CHECK(samples(text, "# TYPE galleryd_foreign_writes") ==
          std::vector<std::string>{"# TYPE galleryd_foreign_writes counter"});
    CHECK(samples(text, "galleryd_foreign_writes") ==
          std::vector<std::string>{R"(galleryd_foreign_writes_total{gallery="images/golden"} 1)"});
    CHECK(samples(text, "galleryd_convergence_seconds_bucket").front() ==
          R"(galleryd_convergence_seconds_bucket{kind="Gallery",le="1.0"} 0)");
    CHECK(text.ends_with("\n# EOF\n"));
}

TEST_CASE("the format follows the Accept header") {
    CHECK(negotiate_metrics_format("") == MetricsFormat::prometheus_text);
    CHECK(negotiate_metrics_format("*/*") == MetricsFormat::prometheus_text);
    CHECK(negotiate_metrics_format(
              "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1") ==
          MetricsFormat::open_metrics);
    CHECK(negotiate_metrics_format("text/plain;q=0.9, application/openmetrics-text;q=0.2") ==
          MetricsFormat::prometheus_text);
    CHECK(negotiate_metrics_format("application/openmetrics-text;q=0") == MetricsFormat::prometheus_text);
    CHECK(negotiate_metrics_format("application/openmetrics-text") == MetricsFormat::open_metrics);
}

TEST_CASE("a forgotten object leaves no series") {
    const auto metrics = strict_metrics();
    for (const char* state : {"succeeded", "failed"}) {
        metrics->set("galleryd_image_versions", {{"gallery", "g"}, {"definition", "d1"}, {"state", state}}, 1);
        metrics->set("galleryd_image_versions", {{"gallery", "g"}, {"definition", "d2"}, {"state", state}}, 1);
    }
    metrics->forget("galleryd_image_versions", {{"definition", "d1"}});
    const auto left = samples(metrics->serialise(MetricsFormat::prometheus_text), "galleryd_image_versions{");
    REQUIRE(left.size() == 2);
    CHECK(left[0].find("d2") != std::string::npos);
    metrics->forget("galleryd_image_versions", {{"definition", "absent"}});
    metrics->set("galleryd_image_versions", {{"gallery", "g"}, {"definition", "d1"}, {"state", "failed"}}, 7);
    CHECK(samples(metrics->serialise(MetricsFormat::prometheus_text), "galleryd_image_versions{").size() == 3);
}

TEST_CASE("a bomb of label values is capped, and the dropped ones are counted") {
    MetricsOptions options;
    options.strict = true;
    options.series_max = 10;
    const auto metrics = make_metrics(options);
    for (int i = 0; i < 15; ++i) metrics->set("galleryd_source_ready", {{"source", std::to_string(i)}}, 1);
    metrics->set("galleryd_source_ready", {{"source", "3"}}, 0);  // known ones go on
    std::string text = metrics->serialise(MetricsFormat::prometheus_text);
    CHECK(samples(text, "galleryd_source_ready{").size() == 10);
    CHECK(samples(text, "galleryd_source_ready{source=\"3\"}") ==
          std::vector<std::string>{"galleryd_source_ready{source=\"3\"} 0"});
    CHECK(samples(text, "galleryd_metrics_series_dropped{") ==
          std::vector<std::string>{"galleryd_metrics_series_dropped{metric=\"galleryd_source_ready\"} 5"});
    metrics->forget("galleryd_source_ready", {});
    text = metrics->serialise(MetricsFormat::prometheus_text);
    CHECK(samples(text, "galleryd_metrics_series_dropped{") ==
          std::vector<std::string>{"galleryd_metrics_series_dropped{metric=\"galleryd_source_ready\"} 0"});
}

TEST_CASE("label values are made UTF-8, one line, and short") {
    CHECK(clean_label_value("plain ü") == "plain ü");
    CHECK(clean_label_value("a\xFF\xC0\x80z") == "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
    CHECK(clean_label_value("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
    CHECK(clean_label_value("a\nb\tc\x7F") == "a b c ");
    CHECK(clean_label_value(std::string_view("\0x", 2)) == " x");
    const std::string cut = clean_label_value(std::string(255, 'a') + "üü");
    CHECK(cut == std::string(255, 'a'));
}

TEST_CASE("outside strict mode an unknown metric is counted and logged once") {
    RecordingLog log;
    MetricsOptions options;
    options.log = &log;
    const auto metrics = make_metrics(options);
    for (int i = 0; i < 3; ++i) metrics->add("galleryd_typo_total", {}, 1);
    metrics->set("galleryd_events_total", {{"type", "Normal"}, {"reason", "x"}}, 1);  // a counter is not a gauge
    metrics->set("galleryd_source_ready", {{"sauce", "x"}}, 1);
    metrics->add("galleryd_foreign_writes_total", {{"gallery", "g"}}, -1);  // never falls
    CHECK(metrics->unknown_uses() == 5);
    CHECK(log.count("metric outside the catalogue") == 3);
    const std::string text = metrics->serialise(MetricsFormat::prometheus_text);
    CHECK(text.find("typo") == std::string::npos);
    CHECK(samples(text, "galleryd_events_total").empty());
    CHECK(samples(text, "galleryd_foreign_writes_total").empty());
}

TEST_CASE("the process reports itself") {
    const std::string text = strict_metrics()->serialise(MetricsFormat::prometheus_text);
    const auto value = [&](const std::string& name) {
        const auto found = samples(text, name + " ");
        return found.size() == 1 ? std::stod(found[0].substr(name.size())) : -1.0;
    };
    CHECK(value("process_resident_memory_bytes") > 1e6);
    CHECK(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
    CHECK(value("process_open_fds") >= 3);
    CHECK(value("process_max_fds") > 3);
    CHECK(value("process_cpu_seconds_total") >= 0);
    CHECK(value("process_start_time_seconds") > 1.6e9);
}

namespace {

GaugeSample pending(const std::string& definition, double value) {
    return {.gauge = "galleryd_retention_deletions_pending",
            .labels = "definition\x1f" + definition + "\x1fgallery\x1fimages/g\x1f",
            .value = value};
}

}  // namespace

TEST_CASE("what comes in parts replaces what its part said, stands under one HELP, and is escaped") {
    const auto metrics = strict_metrics();
    metrics->replace_part("b", {pending("two", 2)});
    metrics->replace_part("a", {pending("on\"e\\", 0.5), pending("z", 1)});
    const std::string text = metrics->serialise(MetricsFormat::prometheus_text);
    CHECK(
        samples(text, "galleryd_retention_deletions_pending") ==
        std::vector<std::string>{R"(galleryd_retention_deletions_pending{definition="on\"e\\",gallery="images/g"} 0.5)",
                                 R"(galleryd_retention_deletions_pending{definition="z",gallery="images/g"} 1)",
                                 R"(galleryd_retention_deletions_pending{definition="two",gallery="images/g"} 2)"});
    CHECK(samples(text, "# HELP galleryd_retention_deletions_pending").size() == 1);
    CHECK(samples(text, "# TYPE galleryd_retention_deletions_pending") ==
          std::vector<std::string>{"# TYPE galleryd_retention_deletions_pending gauge"});

    metrics->replace_part("a", {pending("z", 3)});
    metrics->replace_part("b", {});
    const std::string later = metrics->serialise(MetricsFormat::open_metrics);
    CHECK(samples(later, "galleryd_retention_deletions_pending") ==
          std::vector<std::string>{R"(galleryd_retention_deletions_pending{definition="z",gallery="images/g"} 3)"});
    metrics->replace_part("a", {});
    CHECK(metrics->serialise(MetricsFormat::prometheus_text).find("deletions_pending") == std::string::npos);
}

TEST_CASE("parts are bounded, and what is left out is counted and comes when there is room") {
    MetricsOptions options;
    options.strict = true;
    options.part_series_max = 3;
    const auto metrics = make_metrics(options);
    metrics->replace_part("a", {pending("a1", 1), pending("a2", 1)});
    metrics->replace_part("b", {pending("b1", 1), pending("b2", 1), pending("b3", 1)});
    std::string text = metrics->serialise(MetricsFormat::prometheus_text);
    CHECK(samples(text, "galleryd_retention_deletions_pending").size() == 3);
    const std::string dropped = R"(galleryd_metrics_series_dropped{metric="galleryd_retention_deletions_pending"})";
    CHECK(samples(text, dropped) == std::vector<std::string>{dropped + " 2"});
    metrics->replace_part("a", {});
    metrics->replace_part("b", {pending("b1", 1), pending("b2", 1), pending("b3", 1)});
    text = metrics->serialise(MetricsFormat::prometheus_text);
    CHECK(samples(text, "galleryd_retention_deletions_pending").size() == 3);
    CHECK(samples(text, dropped) == std::vector<std::string>{dropped + " 0"});
}

TEST_CASE("a sample outside the catalogue, or with other labels, is left out and counted") {
    const auto metrics = make_metrics({});
    GaugeSample other_labels = pending("d", 1);
    other_labels.labels = "gallery\x1fimages/g\x1f";
    metrics->replace_part("a", {{.gauge = "nobody_knows", .labels = {}, .value = 1}, other_labels, pending("d", 7)});
    CHECK(metrics->unknown_uses() == 2);
    const std::string text = metrics->serialise(MetricsFormat::prometheus_text);
    CHECK(samples(text, "galleryd_retention_deletions_pending").size() == 1);
    CHECK(text.find("nobody_knows") == std::string::npos);
}
