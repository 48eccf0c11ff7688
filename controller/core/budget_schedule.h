#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "controller/core/budget_limits.h"

namespace galleryd {

// `limit` requests in each `length`; the first window begins with the first request, the others follow it.
struct ScheduleWindow {
    std::int64_t limit = 0;
    std::chrono::nanoseconds length{0};
};
// The two windows of a policy, of which we may use `share` (0 < share <= 1; at least one request each).
std::vector<ScheduleWindow> schedule_windows(const PolicyLimits& policy, double share = 1.0);

// When the last of `requests` may leave at the earliest, counted from the first: at each instant as many as the fullest
// window still lets through, then on to the moment at which the blocking one starts anew (performance §3.3). 0 for no
// requests. Requires: at least one window, limits and lengths above 0.
std::chrono::nanoseconds ideal_schedule(std::int64_t requests, std::span<const ScheduleWindow> windows);

}  // namespace galleryd
