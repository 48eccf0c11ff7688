#include "controller/adapters/http/pool.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace galleryd::http {
namespace asio = boost::asio;
namespace {

struct Waiting {
    explicit Waiting(std::shared_ptr<OriginPool> of) : pool(std::move(of)) { ++pool->waiting; }
    ~Waiting() { --pool->waiting; }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    std::shared_ptr<OriginPool> pool;
};

}  // namespace

OriginPool::OriginPool(asio::any_io_executor executor, std::size_t slots) : free_slots(std::move(executor), slots) {
    for (std::size_t i = 0; i < slots; ++i) free_slots.try_send(boost::system::error_code{});
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
    --pool_->in_use;
    if (connection_ && reusable_) {
        connection_->reused = true;
        connection_->last_used = clock_.monotonic();
        pool_->idle.push_back(std::move(connection_));
    }
    connection_.reset();
    pool_->free_slots.try_send(boost::system::error_code{});
}

std::shared_ptr<OriginPool> Pool::find_or_make(const std::string& origin) {
    constexpr std::size_t origins_max = 64;  // forget unused ones beyond: names may come from answers
    const auto oldest = clock_.monotonic() - idle_max_;
    for (const auto& [name, pool] : origins_) pool->close_idle_since(oldest);
    if (origins_.size() >= origins_max && !origins_.contains(origin)) {
        std::erase_if(origins_, [](const auto& entry) { return entry.second->in_use == 0 && entry.second->waiting == 0; });
    }
    auto& pool = origins_[origin];
    if (!pool) pool = std::make_shared<OriginPool>(executor_, slots_);
    return pool;
}

asio::awaitable<std::unique_ptr<Lease>> Pool::acquire(std::string origin) {
    const auto pool = find_or_make(origin);
    bool free = false;
    pool->free_slots.try_receive([&free](boost::system::error_code) { free = true; });
    if (!free) {
        const Waiting waiting(pool);
        constexpr auto token = asio::as_tuple(asio::use_awaitable);
        const auto [error] = co_await pool->free_slots.async_receive(token);
        if (error) throw boost::system::system_error(asio::error::operation_aborted);  // the channel's word for cancelled
    }
    // No await between receiving the slot and this line: a cancelled waiter must not lose it.
    co_return std::make_unique<Lease>(pool, clock_);
}

}  // namespace galleryd::http
