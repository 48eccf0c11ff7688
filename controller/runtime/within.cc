#include "controller/runtime/within.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "controller/core/time.h"
#include "controller/runtime/task_group.h"

namespace galleryd {
namespace asio = boost::asio;

// Asio's `||` is not used: it turns an exception of the task into a wait for the timer.
asio::awaitable<bool> finishes_within(Clock& clock, std::chrono::nanoseconds limit, asio::awaitable<void> task) {
    const auto executor = co_await asio::this_coro::executor;
    auto race =
        asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(task), asio::deferred),
                                                asio::co_spawn(executor, clock.sleep_for(limit), asio::deferred));
    auto ended = std::move(race).async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const auto [order, task_exception, timer_exception] = co_await std::move(ended);

    const auto state = co_await asio::this_coro::cancellation_state;
    if (task_exception && !is_cancellation(task_exception)) std::rethrow_exception(task_exception);
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    const bool task_first = order[0] == 0;
    if (task_first && task_exception) std::rethrow_exception(task_exception);  // it gave up by itself
    if (!task_first && timer_exception) std::rethrow_exception(timer_exception);
    co_return task_first;
}

Error deadline_exceeded(std::chrono::nanoseconds limit, const std::string& what) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(limit);
    const bool whole = milliseconds.count() >= 1000 && milliseconds.count() % 1000 == 0;
    const std::string text = whole ? format_duration(std::chrono::duration_cast<std::chrono::seconds>(milliseconds))
                                   : std::to_string(milliseconds.count()) + "ms";
    return Error{
        .kind = ErrorKind::transient, .reason = "DeadlineExceeded", .message = what + " took longer than " + text};
}

}  // namespace galleryd
