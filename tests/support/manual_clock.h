#pragma once
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>

#include "controller/ports/clock.h"

namespace galleryd {

// Time that stands still until a test moves it. `advance` lets an hour of back-off pass at once, in order.
// Requires: nobody sleeps any more when it is destroyed.
class ManualClock : public Clock {
  public:
    static constexpr TimePoint default_start = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};

    explicit ManualClock(boost::asio::io_context& io, TimePoint start = default_start);
    ~ManualClock() override;

    TimePoint now() const override;
    std::chrono::nanoseconds monotonic() const override { return monotonic_; }
    boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds duration) override;

    // Resumes sleepers in order of their deadlines (equal ones in order of arrival), each at its own time, and runs the
    // io_context until it is idle between any two. Not from inside a coroutine.
    void advance(std::chrono::nanoseconds duration);
    // Moves to the next deadline; false when nobody sleeps or it is further than `limit`.
    bool advance_to_next(std::chrono::nanoseconds limit = std::chrono::nanoseconds::max());
    std::size_t sleepers() const { return sleepers_.size(); }
    std::optional<std::chrono::nanoseconds> next_deadline() const;  // from now
    void set_wall(TimePoint now);  // the wall clock jumps (NTP, an operator); monotonic time does not

  private:
    struct Sleeper;
    using Key = std::pair<std::chrono::nanoseconds, std::size_t>;  // deadline, arrival

    boost::asio::io_context& io_;
    TimePoint wall_at_zero_;
    std::chrono::nanoseconds monotonic_{0};
    std::map<Key, Sleeper*> sleepers_;
    std::size_t arrivals_ = 0;
};

}  // namespace galleryd
