#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controller/adapters/http/parser.h"
#include "controller/adapters/http/stream.h"
#include "controller/ports/clock.h"

namespace galleryd::http {

struct Connection {
    std::unique_ptr<Stream> stream;
    InputBuffer input;
    bool reused = false;                       // has carried an exchange before
    std::chrono::nanoseconds last_used{0};     // Clock::monotonic
};

// The connections of one origin: a fixed number of slots, waited for in order of arrival, and idle connections.
struct OriginPool {
    OriginPool(boost::asio::any_io_executor executor, std::size_t slots);

    boost::asio::experimental::channel<void(boost::system::error_code)> free_slots;  // one message per free slot
    std::size_t in_use = 0;
    std::size_t waiting = 0;
    std::vector<std::unique_ptr<Connection>> idle;
    void close_idle_since(std::chrono::nanoseconds moment);
};

// One slot of a pool and, once set, its connection. Given back by the destructor, however the exchange ended: a connection
// that nobody declared reusable is closed.
class Lease {
  public:
    Lease(std::shared_ptr<OriginPool> pool, Clock& clock) : pool_(std::move(pool)), clock_(clock) { ++pool_->in_use; }
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    // Takes the connection used last that is still alive; false when there is none.
    bool take_idle();
    void set(std::unique_ptr<Connection> connection) { connection_ = std::move(connection); }
    Connection& connection() { return *connection_; }
    void mark_reusable() { reusable_ = true; }

  private:
    std::shared_ptr<OriginPool> pool_;
    Clock& clock_;
    std::unique_ptr<Connection> connection_;
    bool reusable_ = false;
};

// All origins. Thread: the io_context's only.
class Pool {
  public:
    Pool(boost::asio::any_io_executor executor, Clock& clock, std::size_t slots, std::chrono::nanoseconds idle_max)
        : executor_(std::move(executor)), clock_(clock), slots_(slots), idle_max_(idle_max) {}

    // Waits for a slot of that origin. Cancellable. The caller bounds the wait.
    boost::asio::awaitable<std::unique_ptr<Lease>> acquire(std::string origin);

  private:
    std::shared_ptr<OriginPool> find_or_make(const std::string& origin);

    boost::asio::any_io_executor executor_;
    Clock& clock_;
    std::size_t slots_;
    std::chrono::nanoseconds idle_max_;
    std::map<std::string, std::shared_ptr<OriginPool>> origins_;
};

}  // namespace galleryd::http
