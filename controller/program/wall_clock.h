#pragma once
#include "controller/ports/clock.h"

namespace galleryd {

// Dates of a simulated world, waiting in real time: what a daemon sees that runs beside a sped-up simulator. Deadlines and poll
// intervals stay real, retention and end of life follow the world.
class WallClock : public Clock {
  public:
    WallClock(Clock& dates, Clock& waiting) : dates_(dates), waiting_(waiting) {}
    TimePoint now() const override { return dates_.now(); }
    std::chrono::nanoseconds monotonic() const override { return waiting_.monotonic(); }
    boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds duration) override { return waiting_.sleep_for(duration); }

  private:
    Clock& dates_;
    Clock& waiting_;
};

}  // namespace galleryd
