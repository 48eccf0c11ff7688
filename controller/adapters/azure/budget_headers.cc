#include "controller/adapters/azure/budget_headers.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "controller/adapters/azure/decode.h"
#include "controller/adapters/azure/retry_after.h"
#include "controller/core/resource_id.h"

namespace galleryd::azure {
namespace {

constexpr std::string_view prefix = "x-ms-ratelimit-remaining-";
constexpr std::size_t counts_max = 64;
constexpr std::size_t bucket_name_max = 80;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

std::optional<std::int64_t> parse_count(std::string_view text) {
    text = trimmed(text);
    std::int64_t count = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (problem != std::errc{} || end != text.data() + text.size() || count < 0) return std::nullopt;
    return count;
}

void add(std::vector<RemainingCount>& counts, std::string_view bucket, std::string_view left, bool policy) {
    const auto count = parse_count(left);
    if (!count || bucket.empty() || bucket.size() > bucket_name_max || counts.size() >= counts_max) return;
    counts.push_back({.bucket = std::string(bucket), .left = *count, .policy = policy});
}

BudgetAnswer::Refuser refuser_of(const http::Response& answer, std::string_view code) {
    using Refuser = BudgetAnswer::Refuser;
    if (answer.status != 429) return Refuser::nobody;
    if (code == "subscriptionrequeststhrottled") return Refuser::subscription;
    if (code == "tenantrequeststhrottled") return Refuser::tenant;
    if (code == "resourcecollectionrequeststhrottled") return Refuser::collection;
    if (code == "ratelimiting") return Refuser::resource_graph;
    // The provider: its own body says OperationNotAllowed, and only the status tells it from a quota that is used up.
    const bool provider = code == "operationnotallowed" || code == "resourcerequeststhrottled" ||
                          answer.headers.find("x-ms-ratelimit-remaining-resource") != nullptr;
    return provider ? Refuser::policy : Refuser::unnamed;
}

}  // namespace

std::vector<RemainingCount> remaining_counts(const http::Headers& headers) {
    std::vector<RemainingCount> counts;
    for (const auto& [name, value] : headers.fields()) {
        const std::string folded = fold_case(name);
        if (!folded.starts_with(prefix)) continue;
        const std::string bucket = folded.substr(prefix.size());
        if (bucket != "resource") {
            add(counts, bucket, value, false);
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
            add(counts, slash == std::string_view::npos ? policy : policy.substr(slash + 1),
                entry.substr(semicolon + 1), true);
        }
    }
    return counts;
}

BudgetAnswer read_budgets(const http::Response& answer, RequestKind kind, TimePoint now) {
    BudgetAnswer budgets;
    const std::string wanted(to_string(kind));
    for (const RemainingCount& count : remaining_counts(answer.headers)) {
        if (count.policy) {
            budgets.policies_left.push_back({.policy = count.bucket, .left = count.left});
        } else if (count.bucket == "subscription-" + wanted || count.bucket == "tenant-" + wanted) {
            budgets.own_left = count.left;
        } else if (count.bucket == "subscription-global-" + wanted) {
            budgets.global_left = count.left;
        }
    }
    budgets.graph_left = parse_count(answer.headers.get("x-ms-user-quota-remaining"));
    if (budgets.graph_left) {
        const auto resets = find_quota_reset(answer.headers);
        if (resets) budgets.graph_resets_in = *resets;
    }
    if (answer.status != 429) return budgets;
    const auto body = decode_error_body(answer.body);
    const std::string code = body ? fold_case(body->code) : "";
    budgets.refuser = refuser_of(answer, code);
    budgets.wait = find_retry_after(answer.headers, body ? body->message : "", now).value_or(default_hold(code));
    return budgets;
}

}  // namespace galleryd::azure
