#include "controller/core/retry.h"

#include <algorithm>

namespace galleryd {

std::optional<std::chrono::milliseconds> retry_delay(ErrorKind kind, int failures, double random_unit,
                                                     std::optional<std::chrono::seconds> retry_after) {
    using namespace std::chrono_literals;
    std::chrono::milliseconds delay = 0ms;
    switch (kind) {
        case ErrorKind::transient: {
            const int doublings = std::clamp(failures - 1, 0, 16);
            const auto full = std::min<std::chrono::milliseconds>(1000ms * (1L << doublings), 5min);
            const double share = 1.0 - 0.5 * std::clamp(random_unit, 0.0, 1.0);
            delay = std::chrono::milliseconds{static_cast<long long>(static_cast<double>(full.count()) * share)};
            break;
        }
        case ErrorKind::throttled: delay = retry_after ? 1s : 60s; break;
        case ErrorKind::conflict: delay = 1s; break;
        case ErrorKind::not_ready: delay = 15s; break;
        case ErrorKind::invalid: return std::nullopt;
        case ErrorKind::denied: delay = 10min; break;
        case ErrorKind::bug: delay = 5min; break;
    }
    if (retry_after)
        delay = std::max<std::chrono::milliseconds>(delay, std::min<std::chrono::seconds>(*retry_after, 1h));
    return delay;
}

}  // namespace galleryd
