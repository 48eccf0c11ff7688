#pragma once
#include "controller/ports/side_by_side.h"

namespace galleryd {

// See SideBySide. On the caller's executor; the order of what happens is that of the executor, so a simulation repeats.
boost::asio::awaitable<void> run_side_by_side(std::size_t count, std::size_t width,
                                              std::function<boost::asio::awaitable<bool>(std::size_t)> work);

}  // namespace galleryd
