#include <doctest/doctest.h>

#include "reconcilers/lifecycle/operation_follower.h"
#include "tests/unit/lifecycle/lifecycle_bench.h"

using namespace galleryd;

namespace {

struct Following : LifecycleBench {
    OperationFollower follower{api, *journal, memory, clock, events, metrics};
    OperationRecord operation;

    explicit Following(const std::string& step = "UpdateVersion") {
        const auto intent = journal->begin_intent({.resource = id.text(),
                                                   .step = step,
                                                   .document = to_string(document),
                                                   .revision = "r",
                                                   .rule = "",
                                                   .reason = "retention",
                                                   .plan_id = "p",
                                                   .detail = "",
                                                   .asked_by = "test",
                                                   .destructive = false,
                                                   .at = clock.now()});
        REQUIRE(intent.has_value());
        operation = {.intent = *intent,
                     .resource = id.text(),
                     .step = step,
                     .scope = "images/golden/ubuntu",
                     .operation = {"https://management.azure.com/op", ""},
                     .started = clock.now()};
        REQUIRE(journal->finish_intent(*intent, "accepted", "c", clock.now(), operation).has_value());
        memory.begin_operation(id.key(), "retention");
    }
    OperationStatus ended() {
        const auto status = run_task(context, clock, follower.follow(operation));
        REQUIRE(status.has_value());
        return status->status;
    }
    std::string outcome() { return journal->audit(1)->front().outcome; }
};

OperationStatus state(OperationState what, std::optional<std::chrono::seconds> hint = std::nullopt) {
    return {.state = what,
            .retry_after = hint,
            .error_code = "Boom",
            .error_message = "it broke",
            .started = std::nullopt,
            .ended = std::nullopt};
}

}  // namespace

TEST_CASE("operation follower: waits as Azure asks, else by its own growing schedule") {
    using std::chrono::milliseconds;
    for (const char* step : {"UpdateDefinition", "UpdateVersion"}) {
        CAPTURE(step);
        Following hinted(step);
        const auto began = hinted.clock.monotonic();
        hinted.api.operation_states = {state(OperationState::in_progress, std::chrono::seconds{60}),
                                       state(OperationState::in_progress, std::chrono::hours{9}),
                                       state(OperationState::succeeded)};
        hinted.ended();
        CHECK(hinted.clock.monotonic() - began ==
              milliseconds{500} + std::chrono::seconds{60} + std::chrono::minutes{20});
        Following alone(step);
        for (int i = 0; i < 9; ++i) alone.api.operation_states.emplace_back(state(OperationState::in_progress));
        alone.api.operation_states.emplace_back(state(OperationState::succeeded));
        alone.ended();
        CHECK(alone.clock.monotonic() - began ==
              milliseconds{500 + 1'000 + 2'000 + 4'000 + 8'000 + 16'000 + 4 * 30'000});
        Following cut(step);
        cut.api.operation_states = {fail(ErrorKind::transient, "NetworkError", "cut"),
                                    fail(ErrorKind::denied, "AuthorizationFailed", "no"),
                                    state(OperationState::succeeded)};
        CHECK(cut.ended().state == OperationState::succeeded);
        for (Following* bench : {&hinted, &alone, &cut}) {
            CHECK(bench->journal->operations()->empty());
            CHECK(bench->outcome() == "done");
            CHECK_FALSE(bench->memory.get(bench->id.key()).operation_in_flight);
        }
    }
}

TEST_CASE("operation follower: an operation that runs for a day is still in flight") {
    Following bench;
    StartedTask<OperationEnd> task(bench.context, bench.follower.follow(bench.operation));
    bench.clock.advance(std::chrono::hours{24});
    CHECK(bench.api.polls > 6 * 120);                 // each 30 s until its deadline
    CHECK(bench.api.polls < 6 * 120 + 18 * 12 + 20);  // and each five minutes from then on
    CHECK(bench.journal->operations()->size() == 1);
    CHECK(bench.memory.get(bench.id.key()).operation_in_flight);
    task.cancel(bench.context);
}

TEST_CASE("operation follower: a failure is remembered and told once, by address") {
    Following bench("DeleteVersion");
    ResourceRecord record;
    record.tombstone = true;
    REQUIRE(bench.memory.put(bench.id.key(), record).has_value());
    bench.memory.begin_operation(bench.id.key(), "retention");
    bench.api.operation_states = {state(OperationState::failed)};
    bench.ended();
    CHECK(bench.outcome() == "failed: Boom: it broke");
    const ResourceRecord after = bench.memory.get(bench.id.key());
    CHECK(after.failures == 1);
    CHECK(after.last_failure == "Boom: it broke");
    CHECK(after.last_failure_at == bench.clock.now());
    CHECK_FALSE(after.tombstone);  // it is still there
    CHECK_FALSE(after.operation_in_flight);
    const auto events = bench.journal->events(0, 10);
    REQUIRE(events->size() == 1);
    CHECK(events->front().object == "images/golden/ubuntu/1.0.0");
    CHECK(events->front().warning);
}

TEST_CASE("operation follower: an address that Azure no longer knows ends it without a verdict") {
    Following bench;
    bench.api.operation_states = {state(OperationState::unknown_to_azure)};
    bench.ended();
    CHECK(bench.outcome().starts_with("unknown: "));
    CHECK(bench.memory.get(bench.id.key()).failures == 0);
    CHECK(bench.journal->operations()->empty());
}

TEST_CASE(
    "resource memory: an intent without an outcome counts as written by us, and a deletion by retention leaves its "
    "tombstone") {
    LifecycleBench bench;
    std::string step = "UpdateVersion";
    std::string reason = "manifest_changed";
    bool tombstone = false;
    SUBCASE("update") {}
    SUBCASE("retention") {
        step = "DeleteVersion";
        reason = "retention";
        tombstone = true;
    }
    SUBCASE("removed document") {
        step = "DeleteVersion";
        reason = "removed";
    }
    const Intent intent{.resource = bench.id.text(),
                        .step = step,
                        .document = to_string(bench.document),
                        .revision = "r",
                        .rule = "",
                        .reason = reason,
                        .plan_id = "p",
                        .detail = "",
                        .asked_by = "test",
                        .destructive = false,
                        .at = bench.clock.now()};
    REQUIRE(bench.journal->begin_intent(intent).has_value());
    ResourceMemory beside(*bench.journal);  // `hold` beside the daemon that sends it
    REQUIRE(beside.load(ResourceMemory::Owner::another).has_value());
    CHECK(beside.get(bench.id.key()).tombstone == tombstone);
    CHECK(bench.journal->open_intents()->size() == 1);
    CHECK(bench.journal->resource_records()->empty());
    ResourceMemory next(*bench.journal);  // the process died, and another one starts
    REQUIRE(next.load().has_value());
    const ResourceRecord record = next.get(bench.id.key());
    CHECK(record.written_by_us);
    CHECK(record.document == to_string(bench.document));
    CHECK(record.tombstone == tombstone);
    CHECK(bench.journal->open_intents()->empty());
    CHECK(bench.journal->audit(1)->front().outcome.starts_with("unknown"));
    ResourceMemory third(*bench.journal);
    REQUIRE(third.load().has_value());
    CHECK(third.get(bench.id.key()).tombstone == tombstone);
}

TEST_CASE("resource memory: operations in flight survive, and below() keeps to whole segments") {
    Following bench;
    ResourceMemory next(*bench.journal);
    REQUIRE(next.load().has_value());
    CHECK(next.get(bench.id.key()).operation_in_flight);
    const std::string definition = bench.id.parent()->key();
    REQUIRE(next.put(definition + "-2/versions/1.0.0", ResourceRecord{}).has_value());
    CHECK(next.below(definition).size() == 1);
    CHECK(next.below(bench.id.key()).size() == 1);
    REQUIRE(next.forget(bench.id.key()).has_value());
    CHECK(next.below(definition).empty());
}

TEST_CASE("a removal that Azure failed is not tried again at once; raising the flag before it is no removal") {
    for (const bool destructive : {true, false}) {
        CAPTURE(destructive);
        LifecycleBench bench;
        UpdateVersion shrink;
        shrink.write.target_regions = bench.version().target_regions;  // what stays is Completed
        Change change = bench.change(Action::update, shrink);
        change.reason = "region_removal";
        change.destructive = destructive;
        bench.api.answers.emplace_back(WriteOutcome{.http_status = 200,
                                                    .operation = OperationRef{"https://management.azure.com/op", ""},
                                                    .correlation_id = "c",
                                                    .server_date = std::nullopt});
        const ApplyReport report = bench.apply(change);
        REQUIRE(report.operations.size() == 1);
        OperationFollower follower(bench.api, *bench.journal, bench.memory, bench.clock, bench.events, bench.metrics);
        bench.api.operation_states = {state(OperationState::failed)};
        REQUIRE(run_task(bench.context, bench.clock, follower.follow(report.operations.front())).has_value());
        CHECK(bench.memory.get(bench.id.key()).removal_failed_at.has_value() == destructive);
    }
}

TEST_CASE("memory: a process that ended with a DELETE on the wire remembers that it may have happened") {
    LifecycleBench bench;
    const auto intent = bench.journal->begin_intent({.resource = bench.id.text(),
                                                     .step = "DeleteVersion",
                                                     .document = "",
                                                     .revision = "r",
                                                     .rule = "standard/olderThan",
                                                     .reason = "retention",
                                                     .plan_id = "p",
                                                     .detail = "",
                                                     .asked_by = "test",
                                                     .destructive = true,
                                                     .at = bench.clock.now()});
    REQUIRE(intent.has_value());
    ResourceMemory next(*bench.journal);
    REQUIRE(next.load().has_value());
    CHECK(next.get(bench.id.key()).tombstone);
    CHECK(next.get(bench.id.key()).deleted_at == bench.clock.now());
}

TEST_CASE("memory: what was deleted long ago is forgotten, tombstones and living versions never") {
    LifecycleBench bench;
    ResourceRecord gone, tombstone, living;
    gone.deleted_at = tombstone.deleted_at = bench.clock.now();
    tombstone.tombstone = true;
    living.written_by_us = true;
    REQUIRE(bench.memory.put("/gone", gone).has_value());
    REQUIRE(bench.memory.put("/tombstone", tombstone).has_value());
    REQUIRE(bench.memory.put("/living", living).has_value());
    REQUIRE(bench.memory.forget_long_gone(bench.clock.now() + std::chrono::days{8}).has_value());
    CHECK(bench.memory.size() == 3);
    REQUIRE(bench.memory.forget_long_gone(bench.clock.now() + std::chrono::days{9}).has_value());
    CHECK(bench.memory.size() == 2);
    CHECK_FALSE(bench.memory.get("/gone").deleted_at.has_value());
    CHECK(bench.memory.get("/tombstone").tombstone);
}
