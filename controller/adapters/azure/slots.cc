#include "controller/adapters/azure/slots.h"

#include <algorithm>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace galleryd::azure {
namespace asio = boost::asio;

struct Slots::Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : turn(executor, 1) {}
    asio::experimental::channel<void(boost::system::error_code)> turn;
    bool granted = false;
};

// A place in the queue: when its owner is cancelled, the place is given up, or the permit that was just granted is
// passed on.
struct Slots::Place {
    Slots& slots;
    std::shared_ptr<Waiter> waiter;
    bool taken = false;
    ~Place() {
        if (taken) return;
        if (waiter->granted) {
            slots.release();
        } else {
            std::erase(slots.waiting_, waiter);
        }
    }
};

Task<Slots::Permit> Slots::acquire() {
    if (free_ > 0 && waiting_.empty()) {
        --free_;
        co_return Permit(this);
    }
    if (waiting_.size() >= waiting_max_) {
        co_return fail(ErrorKind::transient, "AzureError",
                       std::to_string(waiting_.size()) + " requests wait for Azure already");
    }
    const auto executor = co_await asio::this_coro::executor;
    auto waiter = std::make_shared<Waiter>(executor);
    waiting_.push_back(waiter);
    Place place{.slots = *this, .waiter = waiter};
    co_await waiter->turn.async_receive(asio::use_awaitable);
    place.taken = true;
    co_return Permit(this);
}

void Slots::release() {
    if (waiting_.empty()) {
        ++free_;
        return;
    }
    const std::shared_ptr<Waiter> next = waiting_.front();
    waiting_.pop_front();
    next->granted = true;
    next->turn.try_send(boost::system::error_code{});  // a buffer of one, used once: always fits
}

}  // namespace galleryd::azure
