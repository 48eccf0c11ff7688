#include "controller/adapters/azure/arm_metrics.h"

#include <algorithm>
#include <charconv>

#include "controller/adapters/azure/decode.h"
#include "controller/core/resource_id.h"

namespace galleryd::azure {
namespace {

constexpr std::size_t buckets_max = 256;
constexpr std::size_t bucket_name_max = 80;

double in_seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

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

void ArmMetrics::set_remaining(const std::string& subscription, const std::string& bucket, std::string_view left) {
    long long count = 0;
    const auto [end, problem] = std::from_chars(left.data(), left.data() + left.size(), count);
    if (problem != std::errc{} || end != left.data() + left.size() || bucket.empty() || bucket.size() > bucket_name_max)
        return;
    const std::string series = subscription + "/" + bucket;
    if (!buckets_.contains(series)) {
        if (buckets_.size() >= buckets_max) return;
        buckets_.insert(series);
    }
    metrics_.set("galleryd_arm_ratelimit_remaining", {{"subscription_id", subscription}, {"bucket", bucket}},
                 static_cast<double>(count));
}

// "x-ms-ratelimit-remaining-subscription-reads: 249", and "…-resource:
// Microsoft.Compute/GetGallery3Min;349,Microsoft.Compute/…;2499".
void ArmMetrics::learn(const std::string& subscription, const http::Headers& headers) {
    constexpr std::string_view prefix = "x-ms-ratelimit-remaining-";
    for (const auto& [name, value] : headers.fields()) {
        const std::string folded = fold_case(name);
        if (!folded.starts_with(prefix)) continue;
        const std::string bucket = folded.substr(prefix.size());
        if (bucket != "resource") {
            set_remaining(subscription, bucket, trimmed(value));
            continue;
        }
        std::string_view rest = value;
        while (!rest.empty()) {
            const std::size_t comma = rest.find(',');
            const std::string_view entry = trimmed(rest.substr(0, comma));
            rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
            const std::size_t semicolon = entry.find(';');
            if (semicolon == std::string_view::npos) continue;
            const std::string_view policy = entry.substr(0, semicolon);
            const std::size_t slash = policy.rfind('/');
            set_remaining(subscription,
                          std::string(slash == std::string_view::npos ? policy : policy.substr(slash + 1)),
                          entry.substr(semicolon + 1));
        }
    }
}

}  // namespace galleryd::azure
