#include "controller/adapters/clock/system_clock.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace galleryd {
namespace {

std::uint64_t random_seed() {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace

TimePoint SystemClock::now() const {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::chrono::nanoseconds SystemClock::monotonic() const { return std::chrono::steady_clock::now().time_since_epoch(); }

boost::asio::awaitable<void> SystemClock::sleep_for(std::chrono::nanoseconds duration) {
    if (duration <= std::chrono::nanoseconds::zero()) co_return;
    constexpr std::chrono::nanoseconds longest = std::chrono::years{10};  // now + nanoseconds::max() would overflow
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(executor, std::min(duration, longest));
    co_await timer.async_wait(boost::asio::use_awaitable);
}

SystemRandom::SystemRandom() : engine_(random_seed()) {}

}  // namespace galleryd
