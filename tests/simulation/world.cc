#include "tests/simulation/world.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "controller/core/digest.h"
#include "tests/simulation/guard_facts.h"
#include "tests/support/memory_journal.h"

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

// Times differ between runs that were killed and runs that were not.
void drop_times(nlohmann::json& value) {
    if (value.is_object()) {
        for (const char* key : {"publishedDate", "createdOn", "updatedOn", "softDeletedTime"}) value.erase(key);
        // A version that was never written lacks what one that was written and changed back says: they are equal.
        if (value.value("blockDeletionBeforeEndOfLife", true) == false) value.erase("blockDeletionBeforeEndOfLife");
        if (value.contains("tags") && value["tags"].is_object()) value["tags"].erase("galleryd-delete-after");
    }
    if (!value.is_structured()) return;
    for (auto& child : value) drop_times(child);
}

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
    const auto asked_at = clock_.monotonic();
    auto answer = co_await inner_.send(std::move(origin), std::move(request), limits);
    ++delivered_;
    if (answer && on_answer) on_answer(asked, *answer);
    if (answer) guard_.answered(asked, *answer, asked_at);
    if (dies) {
        died = true;
        co_await clock_.sleep_for(std::chrono::days{10'000});
    }
    co_return answer;
}

World::World(WorldOptions options)
    : clock(context, *parse_rfc3339("2026-11-21T00:00:00Z")),
      daemon_clock(clock),
      azure(clock, simulator_options(options)),
      guard(*this),
      transport(azure, clock, guard),
      arm(transport, token, daemon_clock, log, metrics, arm_options()),
      graph(transport, token, daemon_clock, log, metrics, azure::GraphOptions{.arm = arm_options()}),
      options_(std::move(options)) {
    journal = make_journal();
    restart();
}

World::~World() { close_tasks(); }

std::unique_ptr<Journal> World::make_journal() {
    if (!options_.open_journal) return memory_journal(clock.now());
    auto opened = options_.open_journal(clock.now());
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    return std::move(*opened);
}

void World::stop_writing() {
    engine->stop_writing();
    guard.process_stopped();
}

void World::close_tasks() {
    if (!tasks_) return;
    boost::asio::co_spawn(context, tasks_->close(), [](const std::exception_ptr&) {});
    context.restart();
    context.run();
    tasks_.reset();
}

void World::restart() {
    ++acts;
    if (engine) stop_writing();  // a killed process writes nothing more, not even on its way out
    close_tasks();
    transport.arm(std::nullopt);
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
    std::set<std::string> shown;
    for (const auto& [name, plan] : engine->plans()) {
        for (const Blocked& blocked : plan.blocked) {
            const auto named = blocked.evidence.find("digest");
            if (named != blocked.evidence.end() && named->second == digest) shown.insert(blocked.arm_id.key());
        }
    }
    guard.approved(shown);
    REQUIRE(journal->put_approval(digest, "a person", daemon_clock.now() + std::chrono::hours{24}).has_value());
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

void World::accept(Snapshot snapshot) {
    ++acts;
    seen_.reset();
    if (snapshot.readable) seen_ = snapshot.revision;
    const auto accepted = engine->accept(std::move(snapshot));
    REQUIRE(accepted.has_value());
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
    guard.looked(folder()->read);
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
    CHECK(scope.has_value());
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
        REQUIRE(result.has_value());
        for (const OperationRecord& operation : result->applied.operations) tasks_->spawn(follow(operation));
    }
    passing_ = false;
}

std::size_t World::round(std::chrono::seconds step) {
    const std::size_t before = writes();
    guard.note_machines();
    if (approves_all) {
        for (const auto& [name, plan] : engine->plans()) {
            if (!plan.deletions_digest.empty()) approve(plan.deletions_digest);
        }
    }
    if (!passing_) tasks_->spawn(pass_all());  // a scope is worked on once at a time, as in the daemon
    clock.advance(step);
    return writes() - before;
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

std::size_t World::writes_to(const std::string& id) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        azure.history(), [&](const simulator::Mutation& m) { return fold_case(m.path) == fold_case(id); }));
}

std::set<std::string> World::blocked_reasons() const {
    std::set<std::string> reasons;
    for (const auto& [name, plan] : engine->plans()) {
        for (const Blocked& blocked : plan.blocked) {
            for (const BlockReason& reason : blocked.reasons) reasons.insert(reason.reason);
        }
    }
    return reasons;
}

std::set<std::string> World::conflict_reasons() const {
    std::set<std::string> reasons;
    for (const auto& [name, plan] : engine->plans()) {
        for (const Conflict& conflict : plan.conflicts) reasons.insert(conflict.reason);
    }
    return reasons;
}

std::string World::open_points() const {
    std::string text;
    for (const auto& [name, plan] : engine->plans()) {
        text += name + ":";
        for (const Change& change : plan.changes)
            text += " change " + change.address + " " + std::string(to_string(change.action)) + " " + change.why;
        for (const std::string& waiting : plan.waiting) text += " waiting " + waiting;
        for (const Conflict& conflict : plan.conflicts)
            text += " conflict " + conflict.address + " " + conflict.message;
        for (const Blocked& blocked : plan.blocked) {
            text += " blocked " + blocked.address;
            for (const BlockReason& reason : blocked.reasons)
                text += " [" + reason.reason + ": " + reason.message + "]";
        }
        text += "\n";
    }
    for (const simulator::Mutation& mutation : azure.history())
        text += mutation.method + " " + mutation.path + " " + std::to_string(mutation.status) + "\n";
    return text;
}

std::size_t World::deletes() const {
    std::size_t count = 0;
    for (const simulator::Mutation& mutation : azure.history()) count += mutation.method == "DELETE" ? 1 : 0;
    return count;
}

std::string World::fingerprint() const {
    nlohmann::json state = nlohmann::json::parse(azure.save_state());
    drop_times(state);
    return state.dump(1);
}

std::string first_difference(const std::string& wanted, const std::string& found) {
    std::istringstream left(wanted);
    std::istringstream right(found);
    std::string a, b, id;
    while (true) {
        const bool more_left = static_cast<bool>(std::getline(left, a));
        const bool more_right = static_cast<bool>(std::getline(right, b));
        if (!more_left && !more_right) return "";
        if (a != b || more_left != more_right)
            return "in " + id + ": wanted " + (more_left ? a : "the end") + ", found " + (more_right ? b : "the end");
        if (a.starts_with("   \"id\":")) id = a;
    }
}

}  // namespace galleryd
