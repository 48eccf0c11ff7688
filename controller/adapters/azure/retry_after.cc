#include "controller/adapters/azure/retry_after.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "controller/core/resource_id.h"

namespace galleryd::azure {
namespace {

using std::chrono::seconds;

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// Beyond any time that could be meant, and small enough to be counted with.
constexpr long long number_max = 1'000'000'000'000;

// Decimal with an optional sign; numbers too large become the largest of their sign ("10^9 and more" is a mistake, not
// an absence).
std::optional<long long> parse_number(std::string_view text) {
    text = trimmed(text);
    if (text.starts_with('+')) text.remove_prefix(1);
    if (const std::size_t point = text.find('.'); point != std::string_view::npos && point > 0)
        text = text.substr(0, point);
    long long value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size() || text.empty()) return std::nullopt;
    if (problem == std::errc::result_out_of_range) return text.starts_with('-') ? -number_max : number_max;
    if (problem != std::errc{}) return std::nullopt;
    return std::clamp(value, -number_max, number_max);
}

seconds bounded(long long count) {
    return seconds{std::clamp<long long>(count, retry_after_min.count(), retry_after_max.count())};
}

std::optional<seconds> from_retry_after(const http::Headers& headers, TimePoint now) {
    const std::string* value = headers.find("Retry-After");
    if (value == nullptr) return std::nullopt;
    if (const auto count = parse_number(*value)) return bounded(*count);
    const auto at = parse_http_date(trimmed(*value));
    if (!at) return std::nullopt;
    const TimePoint from = parse_http_date(headers.get("Date")).value_or(now);
    return bounded(std::chrono::ceil<seconds>(*at - from).count());
}

std::optional<seconds> from_milliseconds(const http::Headers& headers) {
    for (const std::string_view name : {"x-ms-retry-after-ms", "retry-after-ms"}) {
        const std::string* value = headers.find(name);
        if (value == nullptr) continue;
        if (const auto count = parse_number(*value)) return bounded((*count + 999) / 1000);
    }
    return std::nullopt;
}

// "00:00:05"; only read when the quota is used up (the header comes with every answer of Resource Graph).
std::optional<seconds> from_user_quota(const http::Headers& headers) {
    const std::string* value = headers.find("x-ms-user-quota-resets-after");
    if (value == nullptr || value->size() != 8 || (*value)[2] != ':' || (*value)[5] != ':') return std::nullopt;
    const auto h = parse_number(value->substr(0, 2));
    const auto m = parse_number(value->substr(3, 2));
    const auto s = parse_number(value->substr(6, 2));
    if (!h || !m || !s) return std::nullopt;
    return bounded(*h * 3600 + *m * 60 + *s);
}

std::optional<seconds> from_message(std::string_view message) {
    const std::string text = fold_case(message);
    constexpr std::string_view phrase = "try again after";
    const std::size_t start = text.find(phrase);
    if (start == std::string::npos) return std::nullopt;
    std::size_t at = start + phrase.size();
    while (at < text.size() && (text[at] == ' ' || text[at] == '\'' || text[at] == '"')) ++at;
    std::size_t end = at;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    const auto count = parse_number(std::string_view(text).substr(at, end - at));
    if (!count) return std::nullopt;
    const bool is_minutes = std::string_view(text).substr(end, 12).contains("minute");
    return bounded(is_minutes && *count < 100000 ? *count * 60 : *count);
}

}  // namespace

std::optional<seconds> find_retry_after(const http::Headers& headers, std::string_view message, TimePoint now) {
    std::optional<seconds> longest;
    for (const auto& hint : {from_retry_after(headers, now), from_milliseconds(headers), from_user_quota(headers),
                             from_message(message)}) {
        if (hint && (!longest || *hint > *longest)) longest = hint;
    }
    return longest;
}

std::optional<seconds> find_quota_reset(const http::Headers& headers) { return from_user_quota(headers); }

seconds default_hold(std::string_view code) {
    return fold_case(code) == "resourcecollectionrequeststhrottled" ? seconds{120} : seconds{60};
}

}  // namespace galleryd::azure
