#include "controller/runtime/work_queue.h"

#include "controller/core/check.h"
#include "controller/core/retry.h"
#include "controller/runtime/within.h"

namespace galleryd {
namespace asio = boost::asio;

WorkQueue::WorkQueue(asio::any_io_executor executor, Clock& clock, Random& random, WorkQueueOptions options)
    : clock_(clock), random_(random), options_(options), ready_(executor), rescheduled_(executor), tasks_(executor) {
    tasks_.spawn(keep_time());
}

WorkQueue::~WorkQueue() = default;

void WorkQueue::report(QueueEvent event, const std::string& key) const {
    if (observer_) observer_(event, key);
}

bool WorkQueue::has_room(const std::string& key) const {
    if (dirty_.contains(key) || due_by_key_.contains(key)) return true;  // already counted
    return dirty_.size() + due_by_key_.size() < options_.length_max;
}

void WorkQueue::enqueue(const std::string& key) {
    queue_.push_back(key);
    ready_.set();
}

bool WorkQueue::add(const std::string& key) {
    if (closed_ || !has_room(key)) {
        ++dropped_;
        report(QueueEvent::dropped, key);
        return false;
    }
    if (!dirty_.insert(key).second) return true;
    ++adds_;
    report(QueueEvent::added, key);
    if (!processing_.contains(key)) enqueue(key);
    return true;
}

bool WorkQueue::add_after(const std::string& key, std::chrono::nanoseconds delay) {
    if (delay <= std::chrono::nanoseconds::zero()) return add(key);
    if (closed_ || !has_room(key)) {
        ++dropped_;
        report(QueueEvent::dropped, key);
        return false;
    }
    const Due due = clock_.monotonic() + std::min<std::chrono::nanoseconds>(delay, std::chrono::years{10});
    const auto [place, fresh] = due_by_key_.emplace(key, due);
    if (!fresh) {
        if (place->second <= due) return true;
        due_.erase({place->second, key});
        place->second = due;
    }
    due_.emplace(due, key);
    if (due_.begin()->second == key) rescheduled_.set();
    return true;
}

asio::awaitable<std::optional<std::string>> WorkQueue::next() {
    while (!closed_ && queue_.empty()) co_await ready_.wait();
    if (closed_) {
        ready_.set();  // pass it on: every waiting worker must learn of it
        co_return std::nullopt;
    }
    std::string key = std::move(queue_.front());
    queue_.pop_front();
    dirty_.erase(key);
    processing_.insert(key);
    if (!queue_.empty()) ready_.set();  // several keys may have come with one notification
    report(QueueEvent::started, key);
    co_return key;
}

void WorkQueue::done(const std::string& key) {
    GALLERYD_CHECK(processing_.erase(key) == 1, "done() for a key that nobody processes");
    report(QueueEvent::done, key);
    if (dirty_.contains(key)) enqueue(key);
}

std::optional<std::chrono::milliseconds> WorkQueue::retry(const std::string& key, const Error& error) {
    int& count = failures_[key];
    if (count < 1'000'000) ++count;
    const auto delay = retry_delay(error.kind, count, random_.unit(), error.retry_after);
    if (!delay) return std::nullopt;
    ++retries_;
    report(QueueEvent::retried, key);
    add_after(key, *delay);
    return delay;
}

void WorkQueue::forget(const std::string& key) { failures_.erase(key); }

int WorkQueue::failures(const std::string& key) const {
    const auto found = failures_.find(key);
    return found == failures_.end() ? 0 : found->second;
}

void WorkQueue::move_due_keys() {
    const Due now = clock_.monotonic();
    while (!due_.empty() && due_.begin()->first <= now) {
        const std::string key = due_.begin()->second;
        due_.erase(due_.begin());
        due_by_key_.erase(key);
        add(key);
    }
}

asio::awaitable<void> WorkQueue::keep_time() {
    for (;;) {
        move_due_keys();
        if (due_.empty()) {
            co_await rescheduled_.wait();
            continue;
        }
        const auto limit = due_.begin()->first - clock_.monotonic();
        auto earlier_one = rescheduled_.wait();
        co_await finishes_within(clock_, limit, std::move(earlier_one));
    }
}

void WorkQueue::shut_down() {
    closed_ = true;
    ready_.set();
}

asio::awaitable<void> WorkQueue::close() {
    shut_down();
    co_await tasks_.close();
}

}  // namespace galleryd
