#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "controller/core/result.h"
#include "controller/ports/clock.h"
#include "controller/runtime/event.h"
#include "controller/runtime/task_group.h"

namespace galleryd {

struct WorkQueueOptions {
    std::size_t length_max =
        250'000;  // distinct keys, waiting ones included; more than the largest estate (performance: W100k)
};

// What happened, for metrics.
enum class QueueEvent : std::uint8_t { added, retried, dropped, started, done };

// Keys that need work, with the semantics of client-go's rate limiting queue: a key is in the queue once however often
// it is added; a key being processed is never given to a second worker and comes again after `done` when it was added
// meanwhile. Order is first in, first out. Thread: the io_context's only. Requires: closed when destroyed.
class WorkQueue {
  public:
    WorkQueue(boost::asio::any_io_executor executor, Clock& clock, Random& random, WorkQueueOptions options = {});
    ~WorkQueue();

    // False when the queue is full or closed: the key is dropped and counted (a later listing brings it again).
    bool add(const std::string& key);
    // Adds the key when `delay` has passed. Of several delays of one key the earliest counts, as in client-go.
    bool add_after(const std::string& key, std::chrono::nanoseconds delay);

    // The next key; waits for one. nullopt: closed. Whoever gets a key calls `done` for it, also when it fails (see
    // WorkItem).
    boost::asio::awaitable<std::optional<std::string>> next();
    void done(const std::string& key);

    // Counts a failure and schedules the key by core/retry.h. Returns the delay; nullopt: not again on its own
    // (`invalid`).
    std::optional<std::chrono::milliseconds> retry(const std::string& key, const Error& error);
    void forget(const std::string& key);  // it worked: the next failure counts as the first
    int failures(const std::string& key) const;

    // No further key is given out; `next` answers nullopt. `close` also ends the timekeeper.
    void shut_down();
    boost::asio::awaitable<void> close();

    std::size_t depth() const { return queue_.size(); }         // ready to be worked on
    std::size_t delayed() const { return due_by_key_.size(); }  // waiting for their time
    std::size_t processing() const { return processing_.size(); }
    std::uint64_t adds() const { return adds_; }
    std::uint64_t retries() const { return retries_; }
    std::uint64_t dropped() const { return dropped_; }
    void set_observer(std::function<void(QueueEvent, const std::string&)> observer) { observer_ = std::move(observer); }

  private:
    using Due = std::chrono::nanoseconds;  // on Clock::monotonic

    bool has_room(const std::string& key) const;
    void enqueue(const std::string& key);
    void report(QueueEvent event, const std::string& key) const;
    void move_due_keys();
    boost::asio::awaitable<void> keep_time();

    Clock& clock_;
    Random& random_;
    WorkQueueOptions options_;
    std::deque<std::string> queue_;
    std::set<std::string> dirty_;  // in the queue, or added while being processed
    std::set<std::string> processing_;
    std::map<std::string, Due> due_by_key_;
    std::set<std::pair<Due, std::string>> due_;
    std::map<std::string, int> failures_;
    std::uint64_t adds_ = 0, retries_ = 0, dropped_ = 0;
    bool closed_ = false;
    std::function<void(QueueEvent, const std::string&)> observer_;
    Event ready_;        // queue_ may hold a key, or the queue is closed
    Event rescheduled_;  // the earliest due time has changed
    TaskGroup tasks_;
};

// Calls `done` however the work ends, cancellation included.
class WorkItem {
  public:
    WorkItem(WorkQueue& queue, std::string key) : queue_(queue), key_(std::move(key)) {}
    ~WorkItem() { queue_.done(key_); }
    WorkItem(const WorkItem&) = delete;
    WorkItem& operator=(const WorkItem&) = delete;
    const std::string& key() const { return key_; }

  private:
    WorkQueue& queue_;
    std::string key_;
};

}  // namespace galleryd
