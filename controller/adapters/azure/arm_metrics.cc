#include "controller/adapters/azure/arm_metrics.h"

#include "controller/adapters/azure/budget_headers.h"
#include "controller/adapters/azure/decode.h"
#include "controller/core/resource_id.h"

namespace galleryd::azure {
namespace {

constexpr std::size_t buckets_max = 256;

double in_seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// Which wall was hit: the provider answers with its own counters, ARM names subscription or tenant in the code
// (azure-facts §7).
std::string throttling_layer(const http::Response& answer) {
    const auto body = decode_error_body(answer.body);
    const std::string code = body ? fold_case(body->code) : "";
    if (code.starts_with("tenant")) return "tenant";
    if (answer.headers.find("x-ms-ratelimit-remaining-resource") != nullptr || code == "operationnotallowed" ||
        code.starts_with("resource")) {
        return "compute";
    }
    return "subscription";
}

}  // namespace

void ArmMetrics::answered(const Request& request, const http::Response& answer) {
    metrics_.add("galleryd_arm_requests_total", {{"subscription_id", request.subscription},
                                                 {"resource_type", request.resource_type},
                                                 {"method", request.method},
                                                 {"code", std::to_string(answer.status)}});
    metrics_.observe("galleryd_arm_request_duration_seconds",
                     {{"resource_type", request.resource_type}, {"method", request.method}}, in_seconds(request.took));
    if (answer.status == 429) {
        metrics_.add("galleryd_arm_throttled_requests_total",
                     {{"subscription_id", request.subscription}, {"layer", throttling_layer(answer)}});
    }
    learn(request.subscription, answer.headers);
}

void ArmMetrics::unanswered(const Request& request) {
    metrics_.add("galleryd_arm_requests_total", {{"subscription_id", request.subscription},
                                                 {"resource_type", request.resource_type},
                                                 {"method", request.method},
                                                 {"code", "<error>"}});
}

void ArmMetrics::waited(const std::string& subscription, std::chrono::nanoseconds time) {
    metrics_.observe("galleryd_arm_limiter_wait_seconds", {{"subscription_id", subscription}}, in_seconds(time));
}

void ArmMetrics::held(const std::string& subscription, std::chrono::seconds until_unix_time) {
    metrics_.set("galleryd_arm_held_until_timestamp_seconds", {{"subscription_id", subscription}},
                 static_cast<double>(until_unix_time.count()));
}

void ArmMetrics::released(const std::string& subscription) {
    metrics_.forget("galleryd_arm_held_until_timestamp_seconds", {{"subscription_id", subscription}});
}

void ArmMetrics::refused(const std::string& credential) {
    metrics_.add("galleryd_arm_auth_failures_total", {{"credential", credential}});
}

void ArmMetrics::learn(const std::string& subscription, const http::Headers& headers) {
    for (const RemainingCount& count : remaining_counts(headers)) {
        const std::string series = subscription + "/" + count.bucket;
        if (!buckets_.contains(series)) {
            if (buckets_.size() >= buckets_max) continue;
            buckets_.insert(series);
        }
        metrics_.set("galleryd_arm_ratelimit_remaining", {{"subscription_id", subscription}, {"bucket", count.bucket}},
                     static_cast<double>(count.left));
    }
}

}  // namespace galleryd::azure
