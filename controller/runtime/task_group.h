#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>

namespace galleryd {

// The owner of coroutines that run beside their creator: nothing runs detached, nothing outlives its group.
// An exception that leaves a task and is not cancellation goes to `on_error`; without one, the first is thrown by
// close(). Thread: the io_context's only. Requires: closed (no task left) when destroyed, checked.
class TaskGroup {
  public:
    using OnError = std::function<void(std::exception_ptr)>;

    explicit TaskGroup(boost::asio::any_io_executor executor, OnError on_error = {});
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // Starts `task`. After close() has begun it is dropped unstarted.
    void spawn(boost::asio::awaitable<void> task);
    // Cancels every task and returns when all have ended, even if the caller itself is cancelled meanwhile.
    // Not from inside a task of this group (it would wait for itself).
    boost::asio::awaitable<void> close();
    // Returns when all tasks have ended by themselves; cancelling the caller stops the waiting only.
    boost::asio::awaitable<void> wait_idle();
    // Until all tasks have ended by themselves, or the caller is cancelled: then they are cancelled and joined as well,
    // before the cancellation goes on. For a group whose tasks use what lives in the caller's frame.
    boost::asio::awaitable<void> finish();
    // The same with work of the caller's own in the foreground: when it has ended, however it ended, the tasks are
    // cancelled and joined, and its value is given or its exception thrown.
    template <class T>
    boost::asio::awaitable<T> finish(boost::asio::awaitable<T> work) {
        std::optional<T> value;
        std::exception_ptr exception;
        try {
            value.emplace(co_await std::move(work));
        } catch (...) {  // no await in here: joining comes first
            exception = std::current_exception();
        }
        const bool throws = co_await boost::asio::this_coro::throw_if_cancelled();
        co_await boost::asio::this_coro::throw_if_cancelled(false);
        co_await close();
        co_await boost::asio::this_coro::throw_if_cancelled(throws);
        if (exception) std::rethrow_exception(exception);
        co_return std::move(*value);
    }
    std::size_t size() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// True for the exception that cancellation throws (operation_aborted, or a channel's own word for it).
bool is_cancellation(const std::exception_ptr& exception);

}  // namespace galleryd
