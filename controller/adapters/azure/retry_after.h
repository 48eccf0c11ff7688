#pragma once
#include <chrono>
#include <optional>
#include <string_view>

#include "controller/adapters/http/message.h"
#include "controller/core/time.h"

namespace galleryd::azure {

inline constexpr std::chrono::seconds retry_after_min{
    1};  // 0, negative numbers and past dates mean "at once": one second
inline constexpr std::chrono::seconds retry_after_max{
    3600};  // Azure asks for up to 20 minutes (azure-facts §7.2); 10^9 is a mistake

// How long Azure wants to be left alone: the longest of Retry-After (seconds or HTTP date, counted from the answer's
// own Date, else from `now`), x-ms-retry-after-ms / retry-after-ms, x-ms-user-quota-resets-after ("00:00:05", Resource
// Graph), and "try again after 'N' seconds" in `message`. Between retry_after_min and retry_after_max. nullopt: no
// readable hint.
std::optional<std::chrono::seconds> find_retry_after(const http::Headers& headers, std::string_view message,
                                                     TimePoint now);

// x-ms-user-quota-resets-after alone, which comes with every answer of Resource Graph.
std::optional<std::chrono::seconds> find_quota_reset(const http::Headers& headers);

// What a 429 without any hint means: 120 s for collection reads of galleries (reliability B14), else 60 s.
std::chrono::seconds default_hold(std::string_view code);

}  // namespace galleryd::azure
