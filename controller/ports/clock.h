#pragma once
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>

#include "controller/core/time.h"

namespace galleryd {

// Wall-clock time, monotonic time, and waiting. Real ones live in adapters/clock; tests drive a ManualClock.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;                       // wall clock: for dates that people wrote
    virtual std::chrono::nanoseconds monotonic() const = 0;  // for deadlines and durations; never jumps
    // Resumes on the calling coroutine's executor once `duration` of monotonic time has passed (at once when <= 0).
    // Cancellable: throws boost::system::system_error(operation_aborted).
    virtual boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds duration) = 0;
};

class Random {
  public:
    virtual ~Random() = default;
    virtual std::uint64_t next() = 0;
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)
};

}  // namespace galleryd
