#include "tests/support/run_task.h"

#include <stdexcept>

#include "tests/support/manual_clock.h"

namespace galleryd {
namespace {

Task<bool> as_task(boost::asio::awaitable<void> task) {
    co_await std::move(task);
    co_return true;
}

}  // namespace

void run_until_idle(boost::asio::io_context& io) {
    do {
        io.restart();
    } while (io.poll() > 0);
}

namespace detail {

bool run_until(boost::asio::io_context& io, const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!done()) {
        io.restart();
        if (io.run_one_for(std::chrono::milliseconds{100}) == 0 && std::chrono::steady_clock::now() > end) return false;
    }
    return true;
}

bool run_until(boost::asio::io_context& io, ManualClock& clock, const std::function<bool()>& done,
               std::chrono::nanoseconds limit) {
    const auto end = clock.monotonic() + limit;
    run_until_idle(io);
    while (!done()) {
        if (!clock.advance_to_next(end - clock.monotonic())) return done();
    }
    return true;
}

Error stuck() {
    return Error{
        .kind = ErrorKind::bug, .reason = "Stuck", .message = "the task waits for something that does not happen"};
}

}  // namespace detail

void run(boost::asio::io_context& io, boost::asio::awaitable<void> task) {
    const auto ended = run_task<bool>(io, as_task(std::move(task)));
    if (!ended) throw std::runtime_error(ended.error().message);
}

}  // namespace galleryd
