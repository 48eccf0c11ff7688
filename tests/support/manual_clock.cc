#include "tests/support/manual_clock.h"

#include <boost/asio/this_coro.hpp>

#include "controller/core/check.h"
#include "controller/runtime/event.h"
#include "tests/support/run_task.h"

namespace galleryd {

// Lives in the sleeping coroutine's frame; taken out of the clock however the sleep ends.
struct ManualClock::Sleeper {
    Sleeper(ManualClock& owner, Key at, boost::asio::any_io_executor executor) : clock(owner), key(at), wake(std::move(executor)) {
        clock.sleepers_.emplace(key, this);
    }
    ~Sleeper() { clock.sleepers_.erase(key); }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    ManualClock& clock;
    Key key;
    Event wake;
};

ManualClock::ManualClock(boost::asio::io_context& io, TimePoint start) : io_(io), wall_at_zero_(start) {}
ManualClock::~ManualClock() = default;

TimePoint ManualClock::now() const { return wall_at_zero_ + std::chrono::duration_cast<Duration>(monotonic_); }

void ManualClock::set_wall(TimePoint now) { wall_at_zero_ = now - std::chrono::duration_cast<Duration>(monotonic_); }

boost::asio::awaitable<void> ManualClock::sleep_for(std::chrono::nanoseconds duration) {
    if (duration <= std::chrono::nanoseconds::zero()) co_return;
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto longest = std::chrono::nanoseconds::max() - monotonic_;
    Sleeper sleeper(*this, Key{monotonic_ + std::min(duration, longest), arrivals_++}, executor);
    co_await sleeper.wake.wait();
}

std::optional<std::chrono::nanoseconds> ManualClock::next_deadline() const {
    if (sleepers_.empty()) return std::nullopt;
    return sleepers_.begin()->first.first - monotonic_;
}

bool ManualClock::advance_to_next(std::chrono::nanoseconds limit) {
    run_until_idle(io_);
    const auto next = next_deadline();
    if (!next || *next > limit) return false;
    const auto first = sleepers_.begin();
    monotonic_ = std::max(monotonic_, first->first.first);
    Sleeper* sleeper = first->second;
    sleepers_.erase(first);
    sleeper->wake.set();
    run_until_idle(io_);
    return true;
}

void ManualClock::advance(std::chrono::nanoseconds duration) {
    GALLERYD_CHECK(duration.count() >= 0, "a manual clock cannot go back");
    const auto target = monotonic_ + duration;
    while (advance_to_next(target - monotonic_)) {
    }
    monotonic_ = target;
    run_until_idle(io_);
}

}  // namespace galleryd
