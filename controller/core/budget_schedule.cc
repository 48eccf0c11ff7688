#include "controller/core/budget_schedule.h"

#include <algorithm>

#include "controller/core/check.h"

namespace galleryd {
namespace {

using std::chrono::nanoseconds;

struct Progress {
    nanoseconds started{0};
    std::int64_t used = 0;
};

}  // namespace

std::vector<ScheduleWindow> schedule_windows(const PolicyLimits& policy, double share) {
    const auto part = [share](int limit) {
        return std::max<std::int64_t>(1, static_cast<std::int64_t>(share * static_cast<double>(limit)));
    };
    return {{.limit = part(policy.per_3_minutes), .length = window_short},
            {.limit = part(policy.per_30_minutes), .length = window_long}};
}

nanoseconds ideal_schedule(std::int64_t requests, std::span<const ScheduleWindow> windows) {
    GALLERYD_CHECK(!windows.empty(), "a schedule needs a window");
    std::vector<Progress> progress(windows.size());
    nanoseconds at{0};
    while (requests > 0) {
        std::int64_t sendable = requests;
        nanoseconds next = at;
        for (std::size_t i = 0; i < windows.size(); ++i) {
            const ScheduleWindow& window = windows[i];
            GALLERYD_CHECK(window.limit > 0 && window.length.count() > 0, "a window lets something through");
            if (at - progress[i].started >= window.length)
                progress[i] = {.started = at - (at - progress[i].started) % window.length, .used = 0};
            const std::int64_t left = window.limit - progress[i].used;
            if (left == 0) next = std::max(next, progress[i].started + window.length);
            sendable = std::min(sendable, left);
        }
        if (sendable == 0) {
            at = next;
            continue;
        }
        for (Progress& one : progress) one.used += sendable;
        requests -= sendable;
    }
    return at;
}

}  // namespace galleryd
