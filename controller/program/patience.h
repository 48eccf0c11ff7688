#pragma once
#include <iosfwd>
#include <set>
#include <string>

#include "controller/ports/clock.h"
#include "controller/ports/task.h"
#include "controller/program/engine.h"
#include "controller/runtime/task_group.h"

// What a person at a terminal, or who reads a pipeline's log, is told while Azure takes its time.
namespace galleryd {

namespace detail {
boost::asio::awaitable<void> tell_waiting(Clock& clock, std::ostream* err, std::string what);
}  // namespace detail

// The task's own result. When it takes longer than two seconds, `err` gets "Waiting for <what> …", then a line every
// half minute. Whether `err` is a terminal makes no difference.
template <class T>
Task<T> with_patience(Clock& clock, std::ostream* err, std::string what, Task<T> task) {
    const auto executor = co_await boost::asio::this_coro::executor;
    TaskGroup group(executor);
    auto telling = detail::tell_waiting(clock, err, std::move(what));
    group.spawn(std::move(telling));
    co_return co_await group.finish(std::move(task));
}

// The engine's refresh of its inventory for a command: told of when it is slow, and given up after
// Engine::refresh_deadline (transient, DeadlineExceeded). `clock` is the session's: an engine's may run at the pace of
// a simulated world.
Task<std::set<std::string>> refresh_for_command(Engine& engine, Clock& clock, bool full, std::ostream* err);

}  // namespace galleryd
