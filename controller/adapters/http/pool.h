#pragma once
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
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
    bool reused = false;                    // has carried an exchange before
    std::chrono::nanoseconds last_used{0};  // Clock::monotonic
};

// The connections of one origin: a fixed number of slots, waited for in order of arrival, and idle connections.
class OriginPool {
  public:
    explicit OriginPool(std::size_t slots) : free_slots_(slots), slots_(slots) {}

    boost::asio::awaitable<void> take_slot();  // cancellable; who returns from it owns a slot, cancelled or not
    void give_back_slot();
    bool is_unused() const { return free_slots_ == slots_ && waiters_.empty(); }
    void close_idle_since(std::chrono::nanoseconds moment);

    std::vector<std::unique_ptr<Connection>> idle;

  private:
    struct Waiter;
    std::size_t free_slots_;
    std::size_t slots_;
    std::deque<Waiter*> waiters_;
};

// One slot of a pool and, once set, its connection. Given back by the destructor, however the exchange ended: a
// connection that nobody declared reusable is closed.
class Lease {
  public:
    Lease(std::shared_ptr<OriginPool> pool, Clock& clock) : pool_(std::move(pool)), clock_(clock) {}
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
    Pool(Clock& clock, std::size_t slots, std::chrono::nanoseconds idle_max)
        : clock_(clock), slots_(slots), idle_max_(idle_max) {}

    // Waits for a slot of that origin. Cancellable. The caller bounds the wait.
    boost::asio::awaitable<std::unique_ptr<Lease>> acquire(std::string origin);

  private:
    std::shared_ptr<OriginPool> find_or_make(const std::string& origin);

    Clock& clock_;
    std::size_t slots_;
    std::chrono::nanoseconds idle_max_;
    std::map<std::string, std::shared_ptr<OriginPool>> origins_;
};

}  // namespace galleryd::http
