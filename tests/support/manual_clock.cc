#include "tests/support/manual_clock.h"

#include <boost/asio/this_coro.hpp>
#include <map>

#include "controller/core/check.h"
#include "controller/runtime/event.h"
#include "tests/support/run_task.h"

namespace galleryd {

using Key = std::pair<std::chrono::nanoseconds, std::size_t>;  // deadline, arrival

struct ManualClock::Sleepers {
    std::map<Key, Sleeper*> by_deadline;
    std::size_t arrivals = 0;
};

// Lives in the sleeping coroutine's frame; taken out of the clock however the sleep ends.
struct ManualClock::Sleeper {
    Sleeper(std::shared_ptr<Sleepers> in, Key at, boost::asio::any_io_executor executor)
        : all(std::move(in)), key(at), wake(std::move(executor)) {
        all->by_deadline.emplace(key, this);
    }
    ~Sleeper() { all->by_deadline.erase(key); }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    std::shared_ptr<Sleepers> all;
    Key key;
    Event wake;
};

ManualClock::ManualClock(boost::asio::io_context& io, TimePoint start)
    : io_(io), wall_at_zero_(start), sleepers_(std::make_shared<Sleepers>()) {}
ManualClock::~ManualClock() = default;

std::size_t ManualClock::sleepers() const { return sleepers_->by_deadline.size(); }

TimePoint ManualClock::now() const { return wall_at_zero_ + std::chrono::duration_cast<Duration>(monotonic_); }

void ManualClock::set_wall(TimePoint now) { wall_at_zero_ = now - std::chrono::duration_cast<Duration>(monotonic_); }

boost::asio::awaitable<void> ManualClock::sleep_for(std::chrono::nanoseconds duration) {
    if (duration <= std::chrono::nanoseconds::zero()) co_return;
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto longest = std::chrono::nanoseconds::max() - monotonic_;
    const Key key{monotonic_ + std::min(duration, longest), sleepers_->arrivals++};
    Sleeper sleeper(sleepers_, key, executor);
    co_await sleeper.wake.wait();
}

std::optional<std::chrono::nanoseconds> ManualClock::next_deadline() const {
    if (sleepers_->by_deadline.empty()) return std::nullopt;
    return sleepers_->by_deadline.begin()->first.first - monotonic_;
}

bool ManualClock::advance_to_next(std::chrono::nanoseconds limit) {
    run_until_idle(io_);
    const auto next = next_deadline();
    if (!next || *next > limit) return false;
    const auto first = sleepers_->by_deadline.begin();
    monotonic_ = std::max(monotonic_, first->first.first);
    Sleeper* sleeper = first->second;
    sleepers_->by_deadline.erase(first);
    sleeper->wake.set();
    ++woken_;
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
