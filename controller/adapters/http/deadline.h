#pragma once
#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "controller/ports/clock.h"

namespace galleryd::http {

// Races `task` with `limit`: true when the task ended first; on time-out it is cancelled and joined. The twin of
// runtime/within.h, which an adapter may not include.
boost::asio::awaitable<bool> ends_within(Clock& clock, std::chrono::nanoseconds limit,
                                         boost::asio::awaitable<void> task);

}  // namespace galleryd::http
