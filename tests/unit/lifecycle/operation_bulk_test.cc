#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>

#include "controller/runtime/task_group.h"
#include "reconcilers/lifecycle/absence.h"
#include "reconcilers/lifecycle/operation_follower.h"
#include "tests/unit/lifecycle/lifecycle_bench.h"

using namespace galleryd;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

// Resource Graph that shows what stands in `running`.
struct FakeIndex : Inventory {
    std::set<std::string> running;  // ids
    std::vector<std::string> asked_for;
    int questions = 0;
    std::optional<Error> problem;

    Task<LookSummary> look(LookRequest, InventorySink&) override { co_return LookSummary{}; }
    Task<ChangeList> changes_since(TimePoint, std::vector<std::string>) override { co_return ChangeList{}; }
    Task<RowSummary> read(std::vector<ResourceId>, InventorySink&) override { co_return RowSummary{}; }
    Task<FactList> facts(std::vector<ResourceId>) override { co_return FactList{}; }
    Task<FactList> in_transition(std::vector<std::string> subscriptions) override {
        ++questions;
        asked_for = std::move(subscriptions);
        if (problem) co_return std::unexpected(*problem);
        FactList list;
        list.requests = 1;
        for (const std::string& id : running)
            list.found.push_back({.id = ResourceId(id), .state = ProvisioningState::creating});
        co_return list;
    }
};

struct Many : LifecycleBench {
    FakeIndex index;
    OperationFollower follower{api, *journal, memory, clock, events, metrics};
    std::map<std::string, OperationEnd> ends;  // by name of the version
    std::string failure = "ValidationError";
    OperationState failed = OperationState::failed;
    TaskGroup tasks{context.get_executor()};

    explicit Many(bool with_index = true) {
        if (with_index) follower.use_inventory(index);
    }
    ~Many() {
        boost::asio::co_spawn(context, tasks.close(), [](const std::exception_ptr&) {});
        run_until_idle(context);
    }
    // The operation as the resource shows it.
    void operations_tell() {
        api.on_poll = [this](const OperationRef& operation) {
            OperationStatus status;
            const auto found = api.versions.find(operation.url);
            if (found == api.versions.end() || found->second.state == ProvisioningState::succeeded)
                status.state = OperationState::succeeded;
            if (found != api.versions.end() && found->second.state == ProvisioningState::failed) {
                status.state = failed;
                status.error_code = failure;
                status.error_message = "it broke";
            }
            return status;
        };
    }
    ResourceId version_of(int number) const {
        return version_id(definition_id(gallery_id("s1", "rg", "golden"), "ubuntu"), "1.0." + std::to_string(number));
    }
    OperationRecord start(int number) { return start(number, "CreateVersion", version_of(number).key()); }
    OperationRecord start(int number, const std::string& step, const std::string& url) {
        const ResourceId resource = version_of(number);
        const auto intent = journal->begin_intent({.resource = resource.text(),
                                                   .step = step,
                                                   .document = "",
                                                   .revision = "",
                                                   .rule = "",
                                                   .reason = "retention",
                                                   .plan_id = "",
                                                   .detail = "",
                                                   .asked_by = "test",
                                                   .destructive = false,
                                                   .at = clock.now()});
        OperationRecord operation{.intent = *intent,
                                  .resource = resource.text(),
                                  .step = step,
                                  .scope = "images/golden/ubuntu",
                                  .operation = {url, ""},
                                  .started = clock.now()};
        REQUIRE(journal->finish_intent(*intent, "accepted", "c", clock.now(), operation).has_value());
        memory.begin_operation(resource.key(), "retention");
        show(number, ProvisioningState::creating);
        index.running.insert(resource.text());
        return operation;
    }
    void show(int number, ProvisioningState state) {
        ObservedVersion observed = version();
        observed.id = version_of(number);
        observed.state = state;
        api.versions[observed.id.key()] = observed;
    }
    void end(int number, ProvisioningState state = ProvisioningState::succeeded) {
        show(number, state);
        index.running.erase(version_of(number).text());
    }
    void follow(OperationRecord operation) {
        tasks.spawn(run_one(std::move(operation)));
        run_until_idle(context);
    }
    boost::asio::awaitable<void> run_one(OperationRecord operation) {
        const std::string name = ResourceId(operation.resource).name();
        auto ended = co_await follower.follow(std::move(operation));
        REQUIRE(ended.has_value());
        ends.insert_or_assign(name, std::move(*ended));
    }
    std::string outcome_of(int number) {
        const auto audit = journal->audit(1'000);
        for (const AuditRecord& record : *audit) {
            if (record.intent.resource == version_of(number).text()) return record.outcome;
        }
        return {};
    }
};

OperationStatus ended_as(OperationState state) {
    OperationStatus status;
    status.state = state;
    return status;
}

constexpr int many = 20;

}  // namespace

TEST_CASE("operations in bulk: one question for all of them, one read for each that left the list") {
    Many bench;
    bench.operations_tell();
    for (int i = 0; i < many; ++i) bench.follow(bench.start(i));
    CHECK(bench.follower.in_bulk());
    CHECK(bench.follower.running() == many);
    CHECK(bench.metrics.sum("galleryd_arm_operations") == many);
    bench.clock.advance(minutes{5});
    CHECK(bench.index.questions == 11);
    CHECK(bench.index.asked_for == std::vector<std::string>{"s1"});
    CHECK(bench.api.polls == 10 + 9);  // of the oldest; and guesses, as nobody knows yet how long it takes
    CHECK(bench.ends.empty());
    bench.end(7);
    bench.end(8);
    bench.clock.advance(seconds{31});
    CHECK(bench.ends.size() == 2);
    CHECK(bench.ends.at("1.0.7").status.state == OperationState::succeeded);
    REQUIRE(bench.ends.at("1.0.7").seen.has_value());  // the next look need not read it again
    CHECK(bench.ends.at("1.0.7").seen->replication_known);
    CHECK(bench.outcome_of(7) == "done");
    CHECK(bench.journal->operations()->size() == many - 2);
    CHECK(bench.metrics.sum("galleryd_arm_operations") == many - 2);
    for (int i = 0; i < many; ++i) bench.end(i);
    bench.clock.advance(minutes{1});
    CHECK(bench.ends.size() == many);
    CHECK(bench.journal->operations()->empty());
    CHECK(bench.metrics.sum("galleryd_arm_operations") == 0);
}

TEST_CASE("operations in bulk: few ones, or without Resource Graph, are asked about one by one") {
    for (const bool with_index : {true, false}) {
        CAPTURE(with_index);
        Many bench(with_index);
        const int count = with_index ? static_cast<int>(bulk_min) - 1 : many;
        for (int i = 0; i < count; ++i) bench.follow(bench.start(i));
        CHECK_FALSE(bench.follower.in_bulk());
        bench.clock.advance(seconds{31});
        CHECK(bench.index.questions == 0);
        CHECK(bench.api.polls == 5 * count);  // after 0.5, 1.5, 3.5, 7.5 and 15.5 s
        bench.clock.advance(hours{1});
    }
}

TEST_CASE("operations in bulk: a failure is told with the operation's own code") {
    for (const OperationState state : {OperationState::failed, OperationState::canceled}) {
        Many bench;
        bench.operations_tell();
        bench.failed = state;
        for (int i = 0; i < many; ++i) bench.follow(bench.start(i));
        bench.clock.advance(seconds{31});
        bench.end(5, ProvisioningState::failed);
        bench.clock.advance(seconds{31});
        REQUIRE(bench.ends.size() == 1);
        CHECK(bench.ends.begin()->second.status.state == state);
        CHECK(bench.ends.begin()->second.status.error_code == "ValidationError");
        CHECK(bench.outcome_of(5) == "failed: ValidationError: it broke");
    }
}

TEST_CASE("Z4: an operation without an address, or with one that Azure does not know, is told by the resource") {
    Many bench;
    std::string url = "https://management.azure.com/op";
    SUBCASE("the address was never named") { url.clear(); }
    SUBCASE("404 and 410") { bench.api.operation_states = {ended_as(OperationState::unknown_to_azure)}; }
    SUBCASE("it describes an older operation under the same id") {
        OperationStatus older = ended_as(OperationState::succeeded);
        older.started = bench.clock.now() - hours{2};
        older.ended = bench.clock.now() - hours{1};
        bench.api.operation_states = {older};
    }
    bench.follow(bench.start(1, "CreateVersion", url));
    bench.clock.advance(hours{2});
    CHECK(bench.ends.empty());  // Azure says that it is still being made
    CHECK(bench.journal->operations()->size() == 1);
    bench.end(1);
    bench.clock.advance(seconds{20});
    CHECK(bench.ends.empty());  // one read is no agreement
    bench.clock.advance(minutes{1});
    REQUIRE(bench.ends.size() == 1);
    CHECK(bench.ends.at("1.0.1").status.state == OperationState::unknown_to_azure);
    CHECK(bench.outcome_of(1) == "unknown: Azure no longer knows the operation; the resource is Succeeded");
    CHECK(bench.journal->operations()->empty());
    CHECK(bench.api.writes.empty());
}

TEST_CASE("Z5: the end of a deletion without an address takes ten reads that agree; flapping ones are waited out") {
    Many bench;
    const OperationRecord operation = bench.start(1, "DeleteVersion", "");
    const std::string key = bench.version_of(1).key();
    const ObservedVersion there = bench.api.versions.at(key);
    bench.follow(operation);
    for (int i = 0; i < 60; ++i) {  // an hour of flapping
        i % 3 == 2 ? void(bench.api.versions[key] = there) : void(bench.api.versions.erase(key));
        bench.clock.advance(minutes{1});
    }
    CHECK(bench.ends.empty());
    bench.api.versions.erase(key);
    bench.clock.advance(absence_read_interval * absence_reads_min + single_interval);
    REQUIRE(bench.ends.size() == 1);
    CHECK(bench.outcome_of(1) == "unknown: Azure no longer knows the operation; the resource is not there");
}

TEST_CASE("Z4: an operation in progress past its deadline is reported once and followed on") {
    Many bench;
    const OperationRecord operation = bench.start(1);
    bench.follow(operation);
    bench.clock.advance(hours{5} + minutes{58});
    CHECK(bench.follower.overdue().empty());
    bench.clock.advance(minutes{3});
    REQUIRE(bench.follower.overdue().size() == 1);
    CHECK(bench.follower.overdue().begin()->first == "images/golden/ubuntu/1.0.1");
    CHECK(bench.follower.overdue().begin()->second.contains("longer than 360 minutes"));
    CHECK(bench.metrics.sum("galleryd_arm_operations_overdue") == 1);
    bench.clock.advance(hours{48});
    const auto events = bench.journal->events(0, 100);
    REQUIRE(events->size() == 1);
    CHECK(events->front().reason == "ReplicationStuck");
    CHECK(events->front().count == 1);
    CHECK(bench.journal->operations()->size() == 1);
    CHECK(bench.ends.empty());
    bench.api.operation_states = {ended_as(OperationState::succeeded)};
    bench.clock.advance(overdue_interval);
    CHECK(bench.ends.size() == 1);
    CHECK(bench.follower.overdue().empty());
    CHECK(bench.metrics.sum("galleryd_arm_operations_overdue") == 0);
}

TEST_CASE("Z4: an operation from before the restart counts its age from its beginning") {
    Many bench;
    OperationRecord operation = bench.start(1);
    operation.started = bench.clock.now() - hours{7};
    bench.follow(operation);
    CHECK(bench.follower.overdue().size() == 1);
    operation.started = bench.clock.now() + hours{7};  // our clock was put back
    bench.follow(operation);
    CHECK(bench.follower.overdue().size() == 1);
}

TEST_CASE("operations in bulk: an index that fails or is refused costs a poll a minute") {
    Many bench;
    bench.index.problem = Error{.kind = ErrorKind::denied, .reason = "AuthorizationFailed", .message = "no"};
    for (int i = 0; i < many; ++i) bench.follow(bench.start(i));
    bench.clock.advance(minutes{10} + seconds{1});
    CHECK(bench.api.polls <= 10 * many + 20);
    CHECK(bench.api.polls >= 9 * many);
    bench.index.problem.reset();
    const int polls = bench.api.polls;
    bench.clock.advance(minutes{5});
    CHECK(bench.api.polls <= polls + 10 + many);
}

TEST_CASE("operations in bulk: ends are remembered for ten minutes, also when nobody ever asks the index") {
    LifecycleBench bench;
    TransitionIndex index(bench.clock);
    for (int i = 0; i < 1'000; ++i) {
        index.note_ended("/v" + std::to_string(i));
        bench.clock.advance(minutes{1});
    }
    CHECK(index.ends_remembered() == 11);  // of minutes 0 to 10 before the last one
}

TEST_CASE("operations in bulk: an update ends by the word of its operation, never by a read that shows it at rest") {
    Many bench;
    bool is_running = true;
    bench.api.on_poll = [&](const OperationRef&) {
        return ended_as(is_running ? OperationState::in_progress : OperationState::succeeded);
    };
    for (int i = 0; i < many; ++i) bench.follow(bench.start(i, "UpdateVersion", bench.version_of(i).key()));
    bench.clock.advance(seconds{31});
    bench.show(3, ProvisioningState::succeeded);  // a replica that has not heard of the update
    bench.index.running.erase(bench.version_of(3).text());
    bench.clock.advance(minutes{3});
    CHECK(bench.ends.empty());
    CHECK(bench.journal->operations()->size() == many);
    is_running = false;
    bench.clock.advance(minutes{1} + seconds{1});
    REQUIRE(bench.ends.contains("1.0.3"));
    CHECK(bench.ends.at("1.0.3").status.state == OperationState::succeeded);
    CHECK(bench.outcome_of(3) == "done");
}
