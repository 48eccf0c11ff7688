#pragma once
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>

namespace galleryd {

// Runs `work(0)` … `work(count - 1)`, begun in this order and `width` of them at a time (at least one), and returns
// when each that was begun has ended. One that returns false, or throws, keeps those after it from being begun; what it
// was about is for the work itself to remember. Cancelling the caller cancels the work and joins it; the first
// exception that is not cancellation is thrown then. `work` outlives the call. controller/runtime/side_by_side.h is the
// one implementation; this type lets reconcilers be given it.
using SideBySide = std::function<boost::asio::awaitable<void>(
    std::size_t count, std::size_t width, std::function<boost::asio::awaitable<bool>(std::size_t)> work)>;

}  // namespace galleryd
