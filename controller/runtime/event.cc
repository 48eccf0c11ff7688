#include "controller/runtime/event.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace galleryd {

struct Event::Impl {
    explicit Impl(boost::asio::any_io_executor executor) : channel(std::move(executor), 1) {}
    boost::asio::experimental::channel<void(boost::system::error_code)> channel;  // one buffered message: the "set" state
};

Event::Event(boost::asio::any_io_executor executor) : impl_(std::make_unique<Impl>(std::move(executor))) {}
Event::~Event() = default;

void Event::set() { impl_->channel.try_send(boost::system::error_code{}); }

boost::asio::awaitable<void> Event::wait() {
    constexpr auto token = boost::asio::as_tuple(boost::asio::use_awaitable);
    const auto [error] = co_await impl_->channel.async_receive(token);
    // The channel reports cancellation in its own words; ours are Asio's.
    if (error) throw boost::system::system_error(boost::asio::error::operation_aborted);
}

}  // namespace galleryd
