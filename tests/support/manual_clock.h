#pragma once
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "controller/ports/clock.h"

namespace galleryd {

// Time that stands still until a test moves it. `advance` lets an hour of back-off pass at once, in order.
// Coroutines that still sleep when it is destroyed never wake up.
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
    std::size_t sleepers() const;
    std::uint64_t woken() const { return woken_; }                  // timers that fired so far
    std::optional<std::chrono::nanoseconds> next_deadline() const;  // from now
    void set_wall(TimePoint now);  // the wall clock jumps (NTP, an operator); monotonic time does not

  private:
    struct Sleeper;
    struct Sleepers;

    boost::asio::io_context& io_;
    TimePoint wall_at_zero_;
    std::chrono::nanoseconds monotonic_{0};
    std::uint64_t woken_ = 0;
    std::shared_ptr<Sleepers> sleepers_;  // shared with the sleeping frames, which may die after the clock
};

}  // namespace galleryd
