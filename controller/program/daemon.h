#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controller/ports/clock.h"
#include "controller/ports/desired_source.h"
#include "controller/ports/log.h"
#include "controller/ports/metrics.h"
#include "controller/program/engine.h"
#include "controller/runtime/event.h"
#include "controller/runtime/task_group.h"
#include "controller/runtime/work_queue.h"

namespace galleryd {

struct DaemonOptions {
    std::chrono::seconds interval{60};         // between two looks at every scope, jittered by a tenth
    std::chrono::seconds full_interval{3600};  // with an inventory: between two complete ones, jittered by a tenth
    int workers = 4;                           // scopes worked on at the same time
    std::chrono::seconds pass_deadline{600};   // for one pass of one scope
    // While Azure answers nobody, passing failures of single scopes are no news; unset: each is logged.
    std::function<bool()> azure_is_away = {};
};

// The loop: documents come in, scopes are queued, workers pass over them, operations are followed. Everything runs on
// the io_context's thread and belongs to one task group; `stop` ends it within the deadline of the caller.
class Daemon {
  public:
    Daemon(boost::asio::any_io_executor executor, Engine& engine, std::vector<DesiredSource*> sources, Clock& clock,
           Random& random, Log& log, Metrics& metrics, DaemonOptions options);
    ~Daemon();

    Status start();  // resumes the journal's operations, then everything else
    // Lets requests on the wire end (3 s at most), starts no new ones, then cancels and joins every task.
    boost::asio::awaitable<void> stop();
    void request_pass(const std::string& scope) { queue_.add(scope); }

    bool sources_read() const;  // every source has been looked at once
    bool azure_seen() const;    // every scope has been looked at once, and Azure answered at least once
    // Called after each pass, on the loop thread (metrics, page).
    std::function<void(const PassResult&)> on_pass;

  private:
    boost::asio::awaitable<void> source_loop(DesiredSource* source);
    boost::asio::awaitable<void> worker_loop();
    boost::asio::awaitable<void> interval_loop();
    boost::asio::awaitable<void> follow_loop(OperationRecord operation);
    boost::asio::awaitable<void> one_pass(std::string scope);
    void queue_all(std::chrono::nanoseconds delay_max);
    boost::asio::awaitable<void> inventory_loop();
    boost::asio::awaitable<bool> refresh_inventory(bool full);
    std::chrono::nanoseconds jittered(std::chrono::nanoseconds time);
    void queue_scopes(const std::set<std::string>& scopes);
    void queue_children(const PassResult& result);
    void follow_new_operations();
    void take_snapshot(DesiredSource& from, Snapshot snapshot);
    void note_bug(const std::exception_ptr& error);
    bool is_no_news(const Error& error) const;
    bool is_first_of_its_kind(const std::string& scope, const Error& error);
    void forget_failure(const std::string& scope);
    void note_queue(QueueEvent event, const std::string& key);

    Engine& engine_;
    std::vector<DesiredSource*> sources_;
    Clock& clock_;
    Random& random_;
    Log& log_;
    Metrics& metrics_;
    DaemonOptions options_;
    WorkQueue queue_;
    TaskGroup workers_;                 // passes: given a moment to end when the daemon stops
    TaskGroup tasks_;                   // sources, interval, operations: cancelled at once
    Event inventory_wanted_;            // documents name a subscription that the inventory does not cover
    std::set<std::string> not_queued_;  // scopes that wait for the inventory
    std::set<std::string> read_sources_;
    std::map<std::string, std::string> failing_;  // by scope: how its last pass ended, when that was an error
    std::multiset<std::string> failures_;         // the same texts
    std::set<std::int64_t> followed_;             // operations that somebody follows, by intent
    std::map<std::string, std::chrono::nanoseconds> queued_at_;
};

}  // namespace galleryd
