#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

// How many queries are left until when, from the headers of the answers (azure-facts §7.3): a fixed window that belongs
// to the identity. Queries on their way count as used. Internal to this folder; pure.
namespace galleryd::azure {

class GraphQuota {
  public:
    using Time = std::chrono::nanoseconds;  // monotonic

    // How long to wait before a query may leave; zero when it may now.
    Time wait(Time now) const {
        if (!left_ || now >= ends_ || *left_ > 0) return Time{0};
        return ends_ - now;
    }
    void sent(Time now) {
        if (left_ && now >= ends_) left_ = most_;  // a new window has begun
        if (left_ && *left_ > 0) --*left_;
        ++in_flight_;
    }
    void ended() { --in_flight_; }
    // `left` after the answered query, in the server's count. Call after ended().
    void learn(std::size_t left, std::chrono::seconds resets_after, Time now) {
        most_ = std::max(most_, left + 1);
        const std::size_t minus_flying = left > in_flight_ ? left - in_flight_ : 0;
        const bool same_window = left_ && now < ends_;
        left_ = same_window ? std::min(*left_, left) : minus_flying;
        ends_ = now + resets_after;
    }

  private:
    std::optional<std::size_t> left_;  // nullopt: nothing was learnt yet
    std::size_t most_ = 1, in_flight_ = 0;
    Time ends_{0};
};

}  // namespace galleryd::azure
