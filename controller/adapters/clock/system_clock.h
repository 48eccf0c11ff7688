#pragma once
#include <cstdint>
#include <random>

#include "controller/ports/clock.h"

namespace galleryd {

// Real time: the only place of the program that reads it.
class SystemClock : public Clock {
  public:
    TimePoint now() const override;
    std::chrono::nanoseconds monotonic()
        const override;  // CLOCK_MONOTONIC: stands still while the machine is suspended
    boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds duration) override;
};

// Seeded from the system's random device, or with a number to repeat a run. For jitter, never for secrets.
class SystemRandom : public Random {
  public:
    SystemRandom();
    explicit SystemRandom(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t next() override { return engine_(); }

  private:
    std::mt19937_64 engine_;
};

}  // namespace galleryd
