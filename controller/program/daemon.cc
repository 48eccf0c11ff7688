#include "controller/program/daemon.h"

#include <algorithm>
#include <boost/system/system_error.hpp>

#include "controller/runtime/within.h"

namespace galleryd {
namespace {

constexpr std::chrono::seconds source_retry{5};
constexpr std::chrono::seconds farewell{3};
constexpr std::chrono::seconds follow_retry{60};
constexpr const char* controller_name = "scope";
constexpr const char* inventory_controller = "inventory";

std::string result_label(const PassResult& result) {
    if (result.error) return "error";
    return result.plan && result.plan->converged() ? "success" : "requeue_after";
}

}  // namespace

Daemon::Daemon(boost::asio::any_io_executor executor, Engine& engine, std::vector<DesiredSource*> sources, Clock& clock,
               Random& random, Log& log, Metrics& metrics, DaemonOptions options)
    : engine_(engine),
      sources_(std::move(sources)),
      clock_(clock),
      random_(random),
      log_(log),
      metrics_(metrics),
      options_(options),
      queue_(executor, clock, random),
      workers_(executor, [this](const std::exception_ptr& error) { note_bug(error); }),
      tasks_(executor, [this](const std::exception_ptr& error) { note_bug(error); }),
      inventory_wanted_(executor) {
    queue_.set_observer([this](QueueEvent event, const std::string& key) { note_queue(event, key); });
}

Daemon::~Daemon() = default;

void Daemon::note_bug(const std::exception_ptr& error) {
    std::string what = "unknown exception";
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& exception) {
        what = exception.what();
    } catch (...) {  // not derived from std::exception: the text above has to do
    }
    log_.error("a task ended with an exception", {{"detail", std::move(what)}});
    metrics_.add("controller_runtime_reconcile_panics_total", {{"controller", controller_name}});
}

bool Daemon::is_no_news(const Error& error) const {
    return error.kind == ErrorKind::transient && options_.azure_is_away && options_.azure_is_away();
}

// One failure is one line, however many scopes it stands in the way of and however often they are tried again.
bool Daemon::is_first_of_its_kind(const std::string& scope, const Error& error) {
    std::string text = error.reason + ": " + error.message;
    const bool is_first = !failures_.contains(text);
    forget_failure(scope);
    failures_.insert(text);
    failing_.insert_or_assign(scope, std::move(text));
    return is_first;
}

void Daemon::forget_failure(const std::string& scope) {
    const auto known = failing_.find(scope);
    if (known == failing_.end()) return;
    failures_.erase(failures_.find(known->second));
    failing_.erase(known);
}

void Daemon::note_queue(QueueEvent event, const std::string& key) {
    const MetricLabels labels{{"name", controller_name}, {"controller", controller_name}};
    switch (event) {
        case QueueEvent::added:
            metrics_.add("workqueue_adds_total", labels);
            queued_at_.try_emplace(key, clock_.monotonic());
            break;
        case QueueEvent::retried: metrics_.add("workqueue_retries_total", labels); break;
        case QueueEvent::started: {
            const auto queued = queued_at_.find(key);
            if (queued == queued_at_.end()) break;
            metrics_.observe("workqueue_queue_duration_seconds", labels,
                             std::chrono::duration<double>(clock_.monotonic() - queued->second).count());
            queued_at_.erase(queued);
            break;
        }
        case QueueEvent::dropped:
        case QueueEvent::done: break;
    }
    metrics_.set("workqueue_depth", {{"name", controller_name}, {"controller", controller_name}, {"priority", ""}},
                 static_cast<double>(queue_.depth()));
    metrics_.set("controller_runtime_active_workers", {{"controller", controller_name}},
                 static_cast<double>(queue_.processing()));
}

Status Daemon::start() {
    const auto operations = engine_.operations_in_flight();
    if (!operations) return std::unexpected(operations.error());
    for (const OperationRecord& operation : *operations)
        log_.info("operation resumed", {{"key", operation.resource}, {"step", operation.step}});
    follow_new_operations();
    for (DesiredSource* source : sources_) tasks_.spawn(source_loop(source));
    for (int i = 0; i < options_.workers; ++i) workers_.spawn(worker_loop());
    tasks_.spawn(engine_.has_inventory() ? inventory_loop() : interval_loop());
    metrics_.set("controller_runtime_max_concurrent_reconciles", {{"controller", controller_name}}, options_.workers);
    return {};
}

// From the journal, not from the pass's result: a pass that ran out of time or failed half way has no result, its
// operations go on.
void Daemon::follow_new_operations() {
    const auto operations = engine_.operations_in_flight();
    if (!operations) return;
    for (const OperationRecord& operation : *operations) {
        if (followed_.insert(operation.intent).second) tasks_.spawn(follow_loop(operation));
    }
}

boost::asio::awaitable<void> Daemon::stop() {
    engine_.stop_writing();
    queue_.shut_down();
    co_await finishes_within(clock_, farewell, workers_.wait_idle());
    co_await workers_.close();
    co_await tasks_.close();
    co_await queue_.close();
}

bool Daemon::sources_read() const { return read_sources_.size() == sources_.size(); }
bool Daemon::azure_seen() const {
    return engine_.looked_everywhere() && (engine_.last_look().has_value() || engine_.scopes().empty());
}

void Daemon::take_snapshot(DesiredSource& from, Snapshot snapshot) {
    const std::string source = snapshot.source, revision = snapshot.revision;
    const auto changed = engine_.accept(std::move(snapshot));
    if (!changed) {
        log_.error("documents were not taken over",
                   {{"reason", changed.error().reason}, {"detail", changed.error().message}});
        from.start_over();
        return;
    }
    if (!changed->empty()) {
        const auto taken = std::ranges::find(engine_.sources(), source, &AcceptedSnapshot::source);
        const std::size_t documents = taken == engine_.sources().end() ? 0 : taken->valid + taken->invalid;
        log_.info("documents read", {{"source", source},
                                     {"revision", revision},
                                     {"documents", std::to_string(documents)},
                                     {"scopes", std::to_string(engine_.scopes().size())}});
    }
    queue_scopes(*changed);
}

// Ten thousand scopes are not read one by one because the first complete look is a second away.
void Daemon::queue_scopes(const std::set<std::string>& scopes) {
    const bool waits = engine_.has_inventory() && !engine_.inventory_covers_all();
    for (const std::string& name : scopes) {
        const auto scope = engine_.scopes().find(name);
        const bool is_in_it = scope != engine_.scopes().end() && engine_.is_in_inventory(scope->second);
        if (waits && is_in_it) not_queued_.insert(name);
        else queue_.add(name);
    }
    if (waits) inventory_wanted_.set();
}

boost::asio::awaitable<void> Daemon::source_loop(DesiredSource* source) {
    while (true) {
        auto snapshot = co_await source->look();
        if (snapshot) {
            read_sources_.insert(source->name());
            metrics_.add("galleryd_source_fetch_total",
                         {{"source", source->name()}, {"result", snapshot->readable ? "success" : "error"}});
            take_snapshot(*source, std::move(*snapshot));
            co_await source->changed();
        } else {
            metrics_.add("galleryd_source_fetch_total", {{"source", source->name()}, {"result", "error"}});
            log_.error("source look failed", {{"source", source->name()},
                                              {"reason", snapshot.error().reason},
                                              {"detail", snapshot.error().message}});
            co_await clock_.sleep_for(source_retry);
        }
    }
}

boost::asio::awaitable<void> Daemon::worker_loop() {
    while (true) {
        const auto scope = co_await queue_.next();
        if (!scope) co_return;
        const WorkItem item(queue_, *scope);
        co_await one_pass(item.key());
    }
}

boost::asio::awaitable<void> Daemon::one_pass(std::string scope) {
    const auto began = clock_.monotonic();
    // The worker is the one place that catches everything: a bug in one scope must not hold up the others.
    std::optional<std::string> bug;
    Result<PassResult> passed = fail(ErrorKind::bug, "NotRun", "the pass did not run");
    try {
        Task<PassResult> task = engine_.pass(scope);
        passed = co_await within(clock_, options_.pass_deadline, "pass over " + scope, std::move(task));
    } catch (const boost::system::system_error&) {
        throw;  // cancellation
    } catch (const std::exception& error) {
        bug = error.what();
    }
    const double seconds = std::chrono::duration<double>(clock_.monotonic() - began).count();
    metrics_.observe("controller_runtime_reconcile_time_seconds", {{"controller", controller_name}}, seconds);
    metrics_.observe("workqueue_work_duration_seconds", {{"name", controller_name}, {"controller", controller_name}},
                     seconds);
    follow_new_operations();
    if (bug || !passed) {
        const Error error = bug ? Error{.kind = ErrorKind::bug, .reason = "Bug", .message = *bug} : passed.error();
        if (bug) metrics_.add("controller_runtime_reconcile_panics_total", {{"controller", controller_name}});
        metrics_.add("controller_runtime_reconcile_errors_total", {{"controller", controller_name}});
        metrics_.add("controller_runtime_reconcile_total", {{"controller", controller_name}, {"result", "error"}});
        log_.write(is_no_news(error) ? LogLevel::debug : LogLevel::error, "pass failed",
                   {{"key", scope}, {"reason", error.reason}, {"detail", error.message}});
        queue_.retry(scope, error);
        co_return;
    }
    const PassResult& result = *passed;
    metrics_.add("controller_runtime_reconcile_total",
                 {{"controller", controller_name}, {"result", result_label(result)}});
    if (!engine_.scopes().contains(scope)) {  // no longer declared: nothing to come back to
        queue_.forget(scope);
        forget_failure(scope);
        if (on_pass) on_pass(result);
        co_return;
    }
    if (result.error) {
        metrics_.add("controller_runtime_reconcile_errors_total", {{"controller", controller_name}});
        const bool is_known =
            is_no_news(*result.error) || result.is_told || !is_first_of_its_kind(scope, *result.error);
        log_.write(is_known ? LogLevel::debug : LogLevel::warning, "pass ended with an error",
                   {{"key", scope},
                    {"reason", result.error->reason},
                    {"code", result.error->code},
                    {"detail", result.error->message}});
        queue_.retry(scope, *result.error);
    } else {
        forget_failure(scope);
        queue_.forget(scope);
        queue_.add_after(scope, result.look_again_after);
        queue_children(result);
    }
    if (on_pass) on_pass(result);
}

void Daemon::queue_children(const PassResult& result) {
    const bool wrote = std::ranges::any_of(result.applied.outcomes,
                                           [](const ChangeOutcome& o) { return o.result == ChangeResult::done; });
    const auto parent = engine_.scopes().find(result.scope);
    if (!wrote || parent == engine_.scopes().end() || parent->second.kind != ScopeKind::gallery) return;
    for (const auto& [name, scope] : engine_.scopes()) {
        if (scope.kind == ScopeKind::definition && scope.gallery_id == parent->second.gallery_id) queue_.add(name);
    }
}

void Daemon::queue_all(std::chrono::nanoseconds delay_max) {
    for (const auto& [name, scope] : engine_.scopes()) {
        queue_.add_after(name, std::chrono::nanoseconds(
                                   static_cast<std::int64_t>(random_.unit() * static_cast<double>(delay_max.count()))));
    }
}

boost::asio::awaitable<void> Daemon::interval_loop() {
    while (true) {
        co_await clock_.sleep_for(options_.interval);
        queue_all(options_.interval / 10);
        metrics_.set(
            "galleryd_last_full_sync_timestamp_seconds", {},
            std::chrono::duration<double>(engine_.last_look().value_or(TimePoint{}).time_since_epoch()).count());
    }
}

std::chrono::nanoseconds Daemon::jittered(std::chrono::nanoseconds time) {
    return time + std::chrono::nanoseconds(
                      static_cast<std::int64_t>((random_.unit() - 0.5) / 5 * static_cast<double>(time.count())));
}

// True when it answered. When it does not, what is declared is read resource by resource, as without an inventory.
boost::asio::awaitable<bool> Daemon::refresh_inventory(bool full) {
    Result<std::set<std::string>> moved = fail(ErrorKind::bug, "Bug", "the inventory could not be read");
    try {
        Task<std::set<std::string>> task = engine_.refresh(full);
        moved = co_await within(clock_, Engine::refresh_deadline, "inventory of Azure", std::move(task));
    } catch (const boost::system::system_error&) {
        throw;                               // cancellation
    } catch (const std::exception& error) {  // a bug: everything is read one by one until it answers again
        metrics_.add("controller_runtime_reconcile_panics_total", {{"controller", inventory_controller}});
        moved = fail(ErrorKind::bug, "Bug", error.what());
    }
    const std::set<std::string> waiting = std::exchange(not_queued_, {});
    for (const std::string& scope : waiting) queue_.add(scope);
    if (!moved) {
        metrics_.add("controller_runtime_reconcile_errors_total", {{"controller", inventory_controller}});
        metrics_.add("controller_runtime_reconcile_total", {{"controller", inventory_controller}, {"result", "error"}});
        if (!is_no_news(moved.error())) engine_.note_inventory_error(moved.error());
        queue_all(options_.interval / 10);
        co_return false;
    }
    for (const std::string& scope : *moved) queue_.add(scope);
    metrics_.add("controller_runtime_reconcile_total", {{"controller", inventory_controller}, {"result", "success"}});
    metrics_.set("galleryd_last_full_sync_timestamp_seconds", {},
                 std::chrono::duration<double>(clock_.now().time_since_epoch()).count());
    co_return true;
}

boost::asio::awaitable<void> Daemon::inventory_loop() {
    std::chrono::nanoseconds full_at = clock_.monotonic();
    while (true) {
        co_await finishes_within(clock_, jittered(options_.interval), inventory_wanted_.wait());
        const bool always = options_.full_interval <= options_.interval;
        const bool full = always || clock_.monotonic() >= full_at;
        if (co_await refresh_inventory(full) && full) full_at = clock_.monotonic() + jittered(options_.full_interval);
    }
}

boost::asio::awaitable<void> Daemon::follow_loop(OperationRecord operation) {
    const auto scope = co_await engine_.follow(operation);
    if (!scope) {
        log_.error("operation could not be closed in the journal",
                   {{"key", operation.resource}, {"detail", scope.error().message}});
        co_await clock_.sleep_for(follow_retry);
        followed_.erase(operation.intent);  // the next pass finds it in the journal again
        co_return;
    }
    followed_.erase(operation.intent);
    queue_.add(*scope);
    for (const auto& [name, other] : engine_.scopes()) {  // what waited for a gallery can go on
        if (other.kind == ScopeKind::definition && fold_case(operation.resource) == other.gallery_id.key())
            queue_.add(name);
    }
}

}  // namespace galleryd
