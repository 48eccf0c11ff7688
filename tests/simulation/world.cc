#include "tests/simulation/world.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "controller/core/digest.h"
#include "tests/simulation/guard_facts.h"
#include "tests/support/memory_journal.h"
#include "tests/support/run_task.h"

namespace galleryd {
namespace {

simulator::Options simulator_options(const WorldOptions& options) {
    simulator::Options made;
    made.limits = options.limits;
    made.noise = options.noise;
    made.seed = options.seed;
    made.check_tokens = false;
    if (options.operations > std::chrono::seconds{0}) {
        made.operation_length = [length = options.operations](std::string_view, std::string_view) {
            return std::optional<Duration>(length);
        };
    }
    if (options.tune) options.tune(made);
    return made;
}

http::Origin arm_origin() { return {"https", "management.azure.com", "443"}; }

azure::ArmOptions arm_options() {
    azure::ArmOptions options;
    options.arm = arm_origin();
    return options;
}

constexpr const char* source_name = "dir:test";

}  // namespace

Task<http::Response> MortalTransport::send(http::Origin origin, http::Request request, http::CallLimits limits) {
    ++count_;
    const bool dies = point_ && count_ == point_->request;
    if (died || (dies && !point_->after_delivery)) {
        died = true;
        co_await clock_.sleep_for(std::chrono::days{10'000});
    }
    ++delivered_;
    const Guard::Wire wire(guard_, request);
    const http::Request asked = on_answer || !is_write(request) ? request : http::Request{};
    const std::string written = is_write(request) ? path_of(request) : "";
    const auto asked_at = clock_.monotonic();
    auto answer = co_await inner_.send(std::move(origin), std::move(request), limits);
    ++delivered_;
    // "Conflict" tells the daemon as little as no answer: Azure did nothing, and is busy with what nobody heard of.
    if (!written.empty() && (dies || !answer || answer->status == 409)) guard_.not_answered(written);
    if (answer && on_answer) on_answer(asked, *answer);
    if (answer) guard_.answered(asked, *answer, asked_at);
    if (dies) {
        died = true;
        co_await clock_.sleep_for(std::chrono::days{10'000});
    }
    co_return answer;
}

Ground::Ground(const WorldOptions& options)
    : clock(context, *parse_rfc3339("2026-11-21T00:00:00Z")), azure(clock, simulator_options(options)) {}

World::World(WorldOptions options) : World(options, std::make_shared<Ground>(options)) {}

World::World(WorldOptions options, std::shared_ptr<Ground> shared)
    : ground(std::move(shared)),
      context(ground->context),
      clock(ground->clock),
      daemon_clock(clock),
      azure(ground->azure),
      guard(*this),
      transport(azure, clock, guard),
      arm(transport, token, daemon_clock, log, metrics, arm_options()),
      graph(transport, token, daemon_clock, log, metrics, azure::GraphOptions{.arm = arm_options()}),
      options_(std::move(options)) {
    journal = make_journal();
    restart();
}

World::~World() { close_tasks(); }

std::unique_ptr<FailingDisk> World::make_journal() {
    if (!options_.open_journal) return std::make_unique<FailingDisk>(memory_journal(clock.now()));
    auto opened = options_.open_journal(clock.now());
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    return std::make_unique<FailingDisk>(std::move(*opened));
}

void World::stop_writing() {
    engine->stop_writing();
    guard.process_stopped();
}

void World::close_tasks() {
    if (!tasks_) return;
    bool is_closed = false;
    boost::asio::co_spawn(context, tasks_->close(), [&](const std::exception_ptr&) { is_closed = true; });
    run_until_idle(context);
    REQUIRE(is_closed);
    tasks_.reset();
}

void World::restart() {
    ++acts;
    if (engine) stop_writing();  // a killed process writes nothing more, not even on its way out
    close_tasks();
    transport.arm(std::nullopt);
    journal->start();
    passing_ = false;
    seen_.reset();
    if (daemon_clock.shift != Duration{0}) guard.removal_age_min = std::chrono::minutes{5};
    guard.process_started();
    tasks_ = std::make_unique<TaskGroup>(context.get_executor());
    engine = std::make_unique<Engine>(arm, *journal, daemon_clock, log, metrics, options_.engine);
    if (options_.knows_usage) engine->use_usage(graph, &arm);
    if (options_.inventory) engine->use_inventory(graph);
    rounds_ = 0;
    REQUIRE(engine->load().has_value());
    resume_operations();
    if (!readable) {
        unreadable();
    } else if (looked_) {
        look();
    }
}

void World::lose_journal() {
    guard.memory_lost();
    close_tasks();
    engine.reset();
    journal = make_journal();
    restart();
}

void World::approve(const std::string& digest) {
    REQUIRE(!digest.empty());
    if (!journal->writable()) return;  // `galleryd approve` says so
    std::set<std::string> shown;
    for (const auto& [name, plan] : engine->plans()) {
        for (const Blocked& blocked : plan.blocked) {
            const auto named = blocked.evidence.find("digest");
            if (named != blocked.evidence.end() && named->second == digest) shown.insert(blocked.arm_id.key());
        }
    }
    guard.approved(shown);
    const Status stored = journal->put_approval(digest, "a person", daemon_clock.now() + std::chrono::hours{24});
    REQUIRE((stored.has_value() || !journal->writable()));
}

void World::faults(const std::string& yaml) {
    const Status loaded = azure.load_faults(yaml);
    REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().message));
}

nlohmann::json World::azure_json(const std::string& id) {
    const auto text = azure.resource(id);
    return text ? nlohmann::json::parse(*text) : nlohmann::json();
}

bool World::has_event(const std::string& reason) const {
    const auto events = journal->events(0, 100'000);
    REQUIRE(events.has_value());
    return std::ranges::any_of(*events, [&](const EventRecord& event) { return event.reason == reason; });
}

void World::resume_operations() {
    const auto operations = engine->operations_in_flight();
    REQUIRE(operations.has_value());
    for (const OperationRecord& operation : *operations) tasks_->spawn(follow(operation));
}

void World::load(const std::string& azure_state) {
    const Status loaded = azure.load_state(azure_state);
    REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().message));
}

// What could not be stored was not taken over: after the next start nobody knows of it.
void World::accept(Snapshot snapshot) {
    ++acts;
    seen_.reset();
    const bool is_read = snapshot.readable;
    if (is_read) seen_ = snapshot.revision;
    const bool was_writable = journal->writable();
    journal->lost_documents = false;
    const auto accepted = engine->accept(std::move(snapshot));
    if (is_read && was_writable && !journal->lost_documents) guard.looked(folder()->read);
    if (accepted) return;
    INFO(accepted.error().message);
    REQUIRE(!journal->writable());
    seen_.reset();  // as DesiredSource::start_over
}

std::shared_ptr<const World::Folder> World::folder() {
    constexpr std::size_t folders_max = 8;
    const auto known = std::ranges::find_if(folders_, [&](const auto& folder) { return folder->files == files; });
    if (known != folders_.end()) return *known;
    auto made = std::make_shared<Folder>();
    made->files = files;
    std::vector<DocumentFile> documents;
    std::string all;
    for (const auto& [file, content] : files) {
        documents.push_back({file, content});
        all += file + "\n" + content + "\n";
    }
    made->read = read_documents(std::move(documents), ReadOptions{});
    made->revision = sha256_label(all);
    if (folders_.size() >= folders_max) folders_.erase(folders_.begin());
    folders_.push_back(made);
    return made;
}

Snapshot World::read_folder() {
    const auto read = folder();
    problems.clear();
    for (const DocumentRecord& record : read->read.documents) {
        for (const Diagnostic& problem : record.problems) {
            if (problem.severity == Severity::error)
                problems += record.file + " " + problem.code + " " + problem.field + ": " + problem.message + "\n";
        }
    }
    Snapshot snapshot;
    snapshot.source = source_name;
    snapshot.revision = read->revision;
    snapshot.objects = read->read.objects;
    snapshot.documents = read->read.documents;
    return snapshot;
}

void World::look() {
    readable = looked_ = true;
    if (!seen_) return accept(read_folder());
    Snapshot snapshot;
    snapshot.source = source_name;
    snapshot.revision = *seen_;
    snapshot.unchanged = true;
    accept(std::move(snapshot));
}

void World::declare(std::map<std::string, std::string> wanted) {
    files = std::move(wanted);
    seen_.reset();
    look();
}

void World::unreadable() {
    readable = false;
    Snapshot snapshot;
    snapshot.source = source_name;
    snapshot.readable = false;
    snapshot.unreadable_reason = "test: no such directory";
    accept(snapshot);
}

boost::asio::awaitable<void> World::follow(OperationRecord operation) {
    const auto scope = co_await engine->follow(std::move(operation));
    CHECK((scope.has_value() || !journal->writable()));
}

boost::asio::awaitable<void> World::pass_all() {
    passing_ = true;
    guard.pass_begins();
    constexpr int rounds_between_full_looks = 60;
    const auto moved = co_await engine->refresh(rounds_++ % rounds_between_full_looks == 0);
    if (!moved) engine->note_inventory_error(moved.error());
    std::vector<std::string> names;
    for (const auto& [name, scope] : engine->scopes()) names.push_back(name);
    for (const std::string& name : names) {
        const auto result = co_await engine->pass(name);
        REQUIRE((result.has_value() || !journal->writable()));
        if (!result) continue;
        for (const OperationRecord& operation : result->applied.operations) tasks_->spawn(follow(operation));
    }
    passing_ = false;
}

std::size_t World::round(std::chrono::seconds step) {
    const std::size_t before = writes();
    begin_round();
    clock.advance(step);
    return writes() - before;
}

void World::begin_round() {
    guard.note_machines();
    if (approves_all) {
        for (const auto& [name, plan] : engine->plans()) {
            if (!plan.deletions_digest.empty()) approve(plan.deletions_digest);
        }
    }
    if (!passing_) tasks_->spawn(pass_all());  // a scope is worked on once at a time, as in the daemon
}

bool World::is_converged() const {
    for (const auto& [name, scope] : engine->scopes()) {
        const auto plan = engine->plans().get(name);
        if (!plan || !plan->complete || !plan->changes.empty() || !plan->waiting.empty()) return false;
    }
    const auto operations = journal->operations();
    return operations && operations->empty();
}

bool World::converge(int rounds_max) {
    for (int i = 0; i < rounds_max; ++i) {
        round();
        if (transport.died) return false;
        if (is_converged()) return true;
    }
    return false;
}

void World::pass_time(std::chrono::minutes time) {
    for (int minute = 1; minute <= time.count(); ++minute) {
        round(std::chrono::minutes{1});
        if (minute % 5 == 0) readable ? look() : unreadable();
    }
}

bool World::settle(int rounds_max) {
    for (int i = 0; i < rounds_max; ++i) {
        const std::size_t wrote = round();
        if (transport.died) return false;
        const auto operations = journal->operations();
        const bool waiting =
            std::ranges::any_of(engine->plans(), [](const auto& entry) { return !entry.second.waiting.empty(); });
        if (wrote == 0 && !passing_ && !waiting && operations && operations->empty()) return true;
    }
    return false;
}

}  // namespace galleryd
