#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "controller/ports/clock.h"
#include "controller/ports/task.h"

namespace galleryd {

// Races `task` with `limit` on `clock`. True when the task ended first; on time-out it is cancelled and joined, and the
// answer is false (it may still have finished its work). What the task throws is thrown here; a cancelled caller gets
// operation_aborted, after the task has ended.
boost::asio::awaitable<bool> finishes_within(Clock& clock, std::chrono::nanoseconds limit,
                                             boost::asio::awaitable<void> task);

Error deadline_exceeded(std::chrono::nanoseconds limit, const std::string& what);  // transient, DeadlineExceeded

namespace detail {
template <class T>
boost::asio::awaitable<void> store_result(Task<T> task, std::optional<Result<T>>* result) {
    result->emplace(co_await std::move(task));
}
}  // namespace detail

// Every call to the outside runs under this. On time-out the task is cancelled, joined, and its result is the error
// {transient, DeadlineExceeded, "<what> took longer than 30s"}. A value that arrives together with the time-out wins;
// an error does not: it may be what the cancellation made of it. Requires: the task ends when it is cancelled.
template <class T>
Task<T> within(Clock& clock, std::chrono::nanoseconds limit, std::string what, Task<T> task) {
    std::optional<Result<T>> result;
    auto stored = detail::store_result<T>(std::move(task), &result);
    const bool in_time = co_await finishes_within(clock, limit, std::move(stored));
    if (!result || (!in_time && !result->has_value())) co_return std::unexpected(deadline_exceeded(limit, what));
    co_return std::move(*result);
}

}  // namespace galleryd
