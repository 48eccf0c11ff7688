#include "controller/adapters/http/pool.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace galleryd::http {
namespace asio = boost::asio;

// One channel per waiter and the count kept here: in Boost 1.81 a channel whose last receiver was cancelled takes
// itself for full, and what is sent next is lost: a slot would be gone for ever (channel_service::cancel_by_key).
struct OriginPool::Waiter {
    Waiter(OriginPool& of, const asio::any_io_executor& executor) : pool(of), wake(executor, 1) {
        pool.waiters_.push_back(this);
    }
    ~Waiter() { std::erase(pool.waiters_, this); }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    OriginPool& pool;
    asio::experimental::channel<void(boost::system::error_code)> wake;
    bool owns_slot = false;
};

asio::awaitable<void> OriginPool::take_slot() {
    if (free_slots_ > 0) {
        --free_slots_;
        co_return;
    }
    const auto executor = co_await asio::this_coro::executor;
    Waiter waiter(*this, executor);
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    co_await waiter.wake.async_receive(token);
    if (!waiter.owns_slot) throw boost::system::system_error(asio::error::operation_aborted);
}

void OriginPool::give_back_slot() {
    if (waiters_.empty()) {
        ++free_slots_;
        return;
    }
    Waiter* first = waiters_.front();
    waiters_.pop_front();
    first->owns_slot = true;
    first->wake.try_send(boost::system::error_code{});
}

void OriginPool::close_idle_since(std::chrono::nanoseconds moment) {
    std::erase_if(idle, [moment](const auto& connection) { return connection->last_used <= moment; });
}

bool Lease::take_idle() {
    auto& idle = pool_->idle;
    while (!idle.empty()) {
        auto connection = std::move(idle.back());
        idle.pop_back();
        if (!connection->stream->is_quiet()) continue;  // closed by the peer, or it sent what nobody asked for
        connection_ = std::move(connection);
        return true;
    }
    return false;
}

Lease::~Lease() {
    if (connection_ && reusable_) {
        connection_->reused = true;
        connection_->last_used = clock_.monotonic();
        pool_->idle.push_back(std::move(connection_));
    }
    connection_.reset();
    pool_->give_back_slot();
}

std::shared_ptr<OriginPool> Pool::find_or_make(const std::string& origin) {
    constexpr std::size_t origins_max = 64;  // forget unused ones beyond: names may come from answers
    const auto oldest = clock_.monotonic() - idle_max_;
    for (const auto& [name, pool] : origins_) pool->close_idle_since(oldest);
    if (origins_.size() >= origins_max && !origins_.contains(origin)) {
        std::erase_if(origins_, [](const auto& entry) { return entry.second->is_unused(); });
    }
    auto& pool = origins_[origin];
    if (!pool) pool = std::make_shared<OriginPool>(slots_);
    return pool;
}

asio::awaitable<std::unique_ptr<Lease>> Pool::acquire(std::string origin) {
    const auto pool = find_or_make(origin);
    co_await pool->take_slot();
    // No await between receiving the slot and this line: a cancelled waiter must not lose it.
    co_return std::make_unique<Lease>(pool, clock_);
}

}  // namespace galleryd::http
