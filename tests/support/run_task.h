#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>

#include "controller/ports/task.h"

// Runs coroutines from a test's plain function.
namespace galleryd {

class ManualClock;

// Runs every handler that is ready, until nothing is ready any more. Does not wait for sockets, timers or other
// threads.
void run_until_idle(boost::asio::io_context& io);

namespace detail {
// Runs until `done`; false after 10 s of real time without it (the task waits for something that nobody brings).
bool run_until(boost::asio::io_context& io, const std::function<bool()>& done);
bool run_until(boost::asio::io_context& io, ManualClock& clock, const std::function<bool()>& done,
               std::chrono::nanoseconds limit);
Error stuck();

template <class T>
struct Outcome {
    std::optional<Result<T>> result;
    std::exception_ptr exception;
    bool done = false;
};

template <class T>
boost::asio::awaitable<void> store(Task<T> task, std::shared_ptr<Outcome<T>> outcome) {
    outcome->result.emplace(co_await std::move(task));
}

template <class T, class Run>
Result<T> run_task(boost::asio::io_context& io, Task<T> task, Run run) {
    const auto outcome = std::make_shared<Outcome<T>>();
    auto ended = [outcome](std::exception_ptr exception) {
        outcome->exception = std::move(exception);
        outcome->done = true;
    };
    boost::asio::co_spawn(io, store<T>(std::move(task), outcome), std::move(ended));
    if (!run([outcome] { return outcome->done; })) return std::unexpected(stuck());
    if (outcome->exception) std::rethrow_exception(outcome->exception);
    return std::move(*outcome->result);
}
}  // namespace detail

// Runs the io_context until the task has ended; other coroutines go on meanwhile. What it throws is thrown here.
// A task that is still waiting after 10 s of real time gives {bug, "Stuck"} (it is not cancelled).
template <class T>
Result<T> run_task(boost::asio::io_context& io, Task<T> task) {
    return detail::run_task<T>(io, std::move(task),
                               [&io](const std::function<bool()>& done) { return detail::run_until(io, done); });
}

// The same, and moves the clock to the next deadline whenever nothing is ready, up to `limit` in all. For worlds
// without sockets and threads: those are not waited for.
template <class T>
Result<T> run_task(boost::asio::io_context& io, ManualClock& clock, Task<T> task,
                   std::chrono::nanoseconds limit = std::chrono::hours{24}) {
    return detail::run_task<T>(io, std::move(task), [&io, &clock, limit](const std::function<bool()>& done) {
        return detail::run_until(io, clock, done, limit);
    });
}

// A task that runs beside the test: start, move the clock, look. Cancelled by cancel(); ends by itself otherwise.
template <class T>
class StartedTask {
  public:
    StartedTask(boost::asio::io_context& io, Task<T> task)
        : outcome_(std::make_shared<detail::Outcome<T>>()),
          signal_(std::make_shared<boost::asio::cancellation_signal>()) {
        auto ended = [outcome = outcome_, signal = signal_](std::exception_ptr exception) {
            outcome->exception = std::move(exception);
            outcome->done = true;
        };
        auto storing = detail::store<T>(std::move(task), outcome_);
        boost::asio::co_spawn(io, std::move(storing),
                              boost::asio::bind_cancellation_slot(signal_->slot(), std::move(ended)));
        run_until_idle(io);
    }
    bool done() const { return outcome_->done; }
    std::exception_ptr exception() const { return outcome_->exception; }
    const Result<T>& result() const { return *outcome_->result; }  // Requires: done, without exception
    void cancel(boost::asio::io_context& io) {
        boost::asio::post(io, [signal = signal_] { signal->emit(boost::asio::cancellation_type::terminal); });
        run_until_idle(io);
    }

  private:
    std::shared_ptr<detail::Outcome<T>> outcome_;
    std::shared_ptr<boost::asio::cancellation_signal> signal_;
};

// For a coroutine without a result: `run(io, group.close())`.
void run(boost::asio::io_context& io, boost::asio::awaitable<void> task);

}  // namespace galleryd
