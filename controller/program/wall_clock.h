#pragma once
#include "controller/ports/clock.h"

namespace galleryd {

// Dates of a simulated world, waiting in real time: what a daemon sees that runs beside a sped-up simulator. Retention
// and end of life follow the world; deadlines, Retry-After and poll intervals stay real.
class WallClock : public Clock {
  public:
    WallClock(Clock& dates, Clock& waiting) : dates_(dates), waiting_(waiting) {}
    TimePoint now() const override { return dates_.now(); }
    std::chrono::nanoseconds monotonic() const override { return waiting_.monotonic(); }
    boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds duration) override {
        return waiting_.sleep_for(duration);
    }

  protected:
    Clock& dates_;
    Clock& waiting_;
};

// The same for the engine, whose ages (how long a document has been gone, when a refused write may be tried again) are
// ages in the world: they pass at its pace, and jump as little as it does.
class WorldClock : public WallClock {
  public:
    using WallClock::WallClock;
    std::chrono::nanoseconds monotonic() const override { return dates_.monotonic(); }
};

}  // namespace galleryd
