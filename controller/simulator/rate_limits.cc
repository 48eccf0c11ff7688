#include "controller/simulator/rate_limits.h"

#include <array>
#include <cmath>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/rules.h"

namespace galleryd::simulator {
namespace {

std::string region_of(const World& world, const Call& call) {
    if (const Resource* const resource = world.find(call.path.key)) return normalise_region(resource->location());
    if (call.path.type == "microsoft.compute/locations/capsoperations") return fold_case(call.path.names.front());
    const Resource* const parent = world.find(version_parent(call.path.key));
    if (parent != nullptr && parent->type != "resourcegroups") return normalise_region(parent->location());
    return normalise_region(text_of(call.body, "location"));
}

}  // namespace

const PolicyLimits* policy_of(const std::string& method, const Path& path) {
    return galleryd::policy_of(RequestTarget{
        .method = method, .type = path.type, .collection = path.collection, .resource_group = !path.group.empty()});
}

double RateLimits::take(Bucket& bucket, double capacity, double refill, TimePoint now, int& left) {
    if (!bucket.used) {
        bucket = {.tokens = capacity, .filled = now, .blocked_until = now, .used = true};
    }
    const double passed = std::chrono::duration<double>(now - bucket.filled).count();
    bucket.tokens = std::min(capacity, bucket.tokens + passed * refill);
    bucket.filled = now;
    if (bucket.tokens < 1 || now < bucket.blocked_until) {
        // Asking before the wait is over restarts it (azure-facts §7.1).
        const double wait = std::max(1.0, std::ceil((capacity * 0.1 - bucket.tokens) / refill));
        bucket.blocked_until = now + std::chrono::seconds(static_cast<std::int64_t>(wait));
        left = 0;
        return wait;
    }
    bucket.tokens -= 1;
    left = static_cast<int>(bucket.tokens);
    return 0;
}

std::optional<Answer> RateLimits::charge_arm(World& world, const Call& call, http::Headers& headers) {
    const std::string& method = call.method();
    const RequestKind request = request_kind(method);
    const std::string kind(to_string(request));
    const auto [capacity, refill] = arm_limits(request);
    const bool tenant = call.path.subscription.empty();
    const std::string scope = tenant ? "tenant" : "subscription";
    const std::string owner = kind + "/" + fold_case(call.path.subscription);
    int left = 0;
    double wait = take(buckets_[owner + "/" + call.principal], capacity, refill, world.now, left);
    if (wait == 0) headers.add("x-ms-ratelimit-remaining-" + scope + "-" + kind, std::to_string(left));
    if (wait == 0 && !tenant) {
        wait = take(buckets_[owner], capacity * arm_principals, refill * arm_principals, world.now, left);
        if (wait == 0) headers.add("x-ms-ratelimit-remaining-subscription-global-" + kind, std::to_string(left));
    }
    if (wait == 0) return std::nullopt;
    const int seconds = retry_after_seconds(world, std::chrono::seconds(static_cast<std::int64_t>(wait)), 3600);
    Answer refused =
        error_answer(429, "SubscriptionRequestsThrottled",
                     "Number of requests for subscription '" + call.path.subscription + "' and operation '" + method +
                         "/" + call.path.type + "' exceeded the backend storage limit. Please try again after '" +
                         std::to_string(seconds) + "' seconds.");
    refused.headers.add("Retry-After", std::to_string(seconds));
    refused.headers.add("x-ms-ratelimit-remaining-" + scope + "-" + kind, "0");
    return refused;
}

std::optional<Answer> RateLimits::charge_policy(World& world, const Call& call, const PolicyLimits& policy,
                                                http::Headers& headers) {
    const std::string base =
        fold_case(call.path.subscription) + "/" + region_of(world, call) + "/" + std::string(policy.stem);
    struct Span {
        std::string_view name;
        std::chrono::minutes length;
        int limit;
    };
    const std::array<Span, 2> spans{
        {{"3Min", window_short, policy.per_3_minutes}, {"30Min", window_long, policy.per_30_minutes}}};
    std::string remaining;
    for (const Span& span : spans) {
        Window& window = windows_[base + std::string(span.name)];
        if (window.used == 0 || world.now >= window.start + span.length) window = {.start = world.now, .used = 0};
    }
    for (const Span& span : spans) {
        Window& window = windows_[base + std::string(span.name)];
        const std::string full = std::string(policy.stem) + std::string(span.name);
        if (window.used < span.limit) continue;
        const TimePoint end = window.start + span.length;
        const int seconds = retry_after_seconds(world, end - world.now, 1800);
        Answer refused;
        if (policy.collection) {  // the form that lists of galleries answer with
            refused = error_answer(429, "ResourceCollectionRequestsThrottled",
                                   "Number of requests for action '" + type_display(call.path.type) +
                                       "/read' exceeded the limit of '" + std::to_string(span.limit) +
                                       "' for time interval '00:" + (span.limit == policy.per_3_minutes ? "03" : "30") +
                                       ":00'. Please try again after '" + std::to_string(seconds) + "' seconds.");
        } else {  // the provider's own body has no outer "error" in the documentation; both forms occur
            const Json numbers{{"operationGroup", full},
                               {"startTime", world.timestamp(window.start)},
                               {"endTime", world.timestamp(end)},
                               {"allowedRequestCount", span.limit},
                               {"measuredRequestCount", window.used + 1}};
            Json detail{{"code", "TooManyRequests"}, {"target", full}, {"message", numbers.dump()}};
            Json body{
                {"code", "OperationNotAllowed"},
                {"message",
                 "The server rejected the request because too many requests have been received for this subscription."},
                {"details", Json::array({detail})}};
            refused.status = 429;
            if (world.id_random.next() % 2 == 0) refused.body = std::move(body);
            else refused.body["error"] = std::move(body);
        }
        refused.headers.add("Retry-After", std::to_string(seconds));
        refused.headers.add("x-ms-ratelimit-remaining-resource", "Microsoft.Compute/" + full + ";0");
        return refused;
    }
    for (const Span& span : spans) {
        Window& window = windows_[base + std::string(span.name)];
        remaining += (remaining.empty() ? "" : ",") + std::string("Microsoft.Compute/") + std::string(policy.stem) +
                     std::string(span.name) + ";" + std::to_string(span.limit - ++window.used);
    }
    headers.add("x-ms-ratelimit-remaining-resource", remaining);
    return std::nullopt;
}

RateLimits::Verdict RateLimits::charge(World& world, const Call& call) {
    Verdict verdict;
    const PolicyLimits* const policy = policy_of(call.method(), call.path);
    if (policy != nullptr) verdict.policy = policy->stem;
    if (!world.options.limits) return verdict;
    verdict.refused = charge_arm(world, call, verdict.headers);
    if (!verdict.refused && policy != nullptr) verdict.refused = charge_policy(world, call, *policy, verdict.headers);
    return verdict;
}

}  // namespace galleryd::simulator
