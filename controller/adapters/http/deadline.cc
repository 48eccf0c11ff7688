#include "controller/adapters/http/deadline.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace galleryd::http {
namespace {

namespace asio = boost::asio;

bool was_cancelled(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace

asio::awaitable<bool> ends_within(Clock& clock, std::chrono::nanoseconds limit, asio::awaitable<void> task) {
    const auto executor = co_await asio::this_coro::executor;
    auto race =
        asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(task), asio::deferred),
                                                asio::co_spawn(executor, clock.sleep_for(limit), asio::deferred));
    auto ended = std::move(race).async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const auto [order, task_exception, timer_exception] = co_await std::move(ended);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (task_exception && !was_cancelled(task_exception)) std::rethrow_exception(task_exception);
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    co_return order[0] == 0;
}

}  // namespace galleryd::http
