#include "controller/runtime/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <map>
#include <vector>

#include "controller/core/check.h"
#include "controller/runtime/event.h"

namespace galleryd {
namespace asio = boost::asio;

struct TaskGroup::Impl {
    Impl(asio::any_io_executor on, OnError report) : executor(on), on_error(std::move(report)), ended(std::move(on)) {}

    asio::any_io_executor executor;
    OnError on_error;
    Event ended;  // set whenever a task ends
    std::map<std::size_t, std::shared_ptr<asio::cancellation_signal>> tasks;
    std::exception_ptr first_error;
    std::size_t next_id = 0;
    bool closing = false;

    void end(std::size_t id, const std::exception_ptr& exception) {
        tasks.erase(id);
        ended.set();
        if (!exception || is_cancellation(exception)) return;
        if (on_error) {
            on_error(exception);
        } else if (!first_error) {
            first_error = exception;
        }
    }
};

TaskGroup::TaskGroup(asio::any_io_executor executor, OnError on_error)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(on_error))) {}

TaskGroup::~TaskGroup() { GALLERYD_CHECK(impl_->tasks.empty(), "a task group is destroyed while its tasks still run"); }

void TaskGroup::spawn(asio::awaitable<void> task) {
    if (impl_->closing) return;
    const std::size_t id = impl_->next_id++;
    const auto signal = std::make_shared<asio::cancellation_signal>();
    impl_->tasks.emplace(id, signal);
    // The handler keeps the signal: a task may end while the signal is being emitted.
    auto ended = [group = impl_, id, signal](const std::exception_ptr& exception) { group->end(id, exception); };
    asio::co_spawn(impl_->executor, std::move(task), asio::bind_cancellation_slot(signal->slot(), std::move(ended)));
}

std::size_t TaskGroup::size() const { return impl_->tasks.size(); }

asio::awaitable<void> TaskGroup::wait_idle() {
    const auto group = impl_;
    while (!group->tasks.empty()) co_await group->ended.wait();
    group->ended.set();  // another waiter may be left: one set wakes one
}

namespace {

asio::awaitable<bool> all_idle(TaskGroup& group) {
    co_await group.wait_idle();
    co_return true;
}

}  // namespace

asio::awaitable<void> TaskGroup::finish() {
    auto idle = all_idle(*this);
    co_await finish(std::move(idle));
}

asio::awaitable<void> TaskGroup::close() {
    const auto group = impl_;
    group->closing = true;
    std::vector<std::shared_ptr<asio::cancellation_signal>> signals;  // a copy: tasks may end during the loop
    for (const auto& [id, signal] : group->tasks) signals.push_back(signal);
    for (const auto& signal : signals) signal->emit(asio::cancellation_type::terminal);

    // A cancelled caller still joins: leaving earlier would let tasks outlive what they use.
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!group->tasks.empty()) {
        try {
            co_await group->ended.wait();
        } catch (
            const boost::system::system_error&) {  // the caller was cancelled just now; a further wait is not affected
        }
    }
    group->ended.set();
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (group->first_error) std::rethrow_exception(std::exchange(group->first_error, nullptr));
}

bool is_cancellation(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted ||
               error.code() == asio::experimental::error::channel_cancelled;
    } catch (...) {
        return false;
    }
}

}  // namespace galleryd
