#include "controller/runtime/event.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <deque>
#include <utility>

namespace galleryd {

// One channel per waiter and the state kept here: in Boost 1.81 a channel whose last receiver was cancelled takes
// itself for full, and what is sent next is lost (channel_service::cancel_by_key).
struct Event::Impl {
    struct Waiter {
        Waiter(Impl& of, const boost::asio::any_io_executor& executor) : event(of), wake(executor, 1) {
            event.waiters.push_back(this);
        }
        ~Waiter() { std::erase(event.waiters, this); }
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;

        Impl& event;
        boost::asio::experimental::channel<void(boost::system::error_code)> wake;
        bool woken = false;
    };

    explicit Impl(boost::asio::any_io_executor on) : executor(std::move(on)) {}

    boost::asio::any_io_executor executor;
    std::deque<Waiter*> waiters;
    bool is_set = false;
};

Event::Event(boost::asio::any_io_executor executor) : impl_(std::make_shared<Impl>(std::move(executor))) {}
Event::~Event() = default;

void Event::set() {
    if (impl_->waiters.empty()) {
        impl_->is_set = true;
        return;
    }
    Impl::Waiter* first = impl_->waiters.front();
    impl_->waiters.pop_front();
    first->woken = true;
    first->wake.try_send(boost::system::error_code{});
}

boost::asio::awaitable<void> Event::wait() {
    if (std::exchange(impl_->is_set, false)) co_return;
    const auto impl = impl_;  // a frame that is destroyed with the io_context may outlive the event
    Impl::Waiter waiter(*impl, impl->executor);
    constexpr auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
    co_await waiter.wake.async_receive(token);
    // The channel reports cancellation in its own words; ours are Asio's. Whoever was woken has used up the
    // notification.
    if (!waiter.woken) throw boost::system::system_error(boost::asio::error::operation_aborted);
}

}  // namespace galleryd
