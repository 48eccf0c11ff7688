#include "reconcilers/lifecycle/executor.h"

#include <doctest/doctest.h>

#include "tests/unit/lifecycle/lifecycle_bench.h"

using namespace galleryd;

namespace {

std::string refusal(const ApplyReport& report) {
    REQUIRE(report.outcomes.size() == 1);
    REQUIRE(report.outcomes.front().error.has_value());
    return report.outcomes.front().error->reason;
}

WriteOutcome accepted() {
    return {.http_status = 202,
            .operation = OperationRef{"https://management.azure.com/op/1", ""},
            .correlation_id = "c-7",
            .server_date = std::nullopt};
}

}  // namespace

TEST_CASE("executor: what changed after the plan is not written") {
    LifecycleBench bench;
    Change change = bench.deletion();
    ObservedVersion& live = bench.api.versions[bench.id.key()];
    SUBCASE("another published date") { live.published = *live.published + std::chrono::seconds{1}; }
    SUBCASE("another tag") { live.tags["team"] = "web"; }
    SUBCASE("an operation in flight") { live.state = ProvisioningState::updating; }
    SUBCASE("it is gone") { bench.api.versions.clear(); }
    SUBCASE("the owner tag is gone") { live.tags.erase(owner_tag); }
    SUBCASE("excluded by somebody") { live.exclude_from_latest = true; }
    CHECK(refusal(bench.apply(change)) == "ChangedSincePlan");
    CHECK(bench.api.writes.empty());
    CHECK(bench.journal->audit(10)->empty());
}

TEST_CASE("executor: a creation is not sent over something that exists by now") {
    LifecycleBench bench;
    const Change change = bench.change(Action::create, CreateVersion{}, false);
    bench.api.versions[bench.id.key()] = bench.version();
    CHECK(refusal(bench.apply(change)) == "ChangedSincePlan");
    CHECK(bench.api.writes.empty());
}

TEST_CASE("executor: a deletion is refused by its last look, whatever the plan said") {
    LifecycleBench bench;
    Change change = bench.deletion();
    ObservedVersion& live = bench.api.versions[bench.id.key()];
    std::string reason;
    SUBCASE("a hold that the plan saw, too") {
        live.tags[hold_tag] = "audit";
        reason = "Held";
    }
    SUBCASE("a look that is 31 seconds old") {
        live.read_at -= std::chrono::seconds{31};
        reason = "LookTooOld";
    }
    SUBCASE("an answer without Date") {
        live.server_date.reset();
        reason = "ClockUnknown";
    }
    SUBCASE("a clock that is five minutes off") {
        live.server_date = live.read_at + std::chrono::minutes{5};
        reason = "ClockSkew";
    }
    SUBCASE("a grace that has not ended by Azure's clock") {
        live.tags[delete_after_tag] = format_rfc3339(bench.clock.now() + std::chrono::seconds{1});
        reason = "ChangedSincePlan";
    }
    SUBCASE("Azure's own guard") {
        live.block_deletion_before_end_of_life = true;
        reason = "BeforeEndOfLife";
    }
    change.seen = fingerprint_of(live);
    CHECK(refusal(bench.apply(change)) == reason);
    CHECK(bench.api.writes.empty());
}

TEST_CASE("executor: nothing destructive without --allow-deletes, and nothing at all for old documents") {
    LifecycleBench bench;
    ApplyContext context = bench.allowed();
    SUBCASE("flag") {
        context.allow_deletes = false;
        CHECK(refusal(bench.apply({bench.deletion()}, context)) == "DeletesNotAllowed");
        Change shrink = bench.change(Action::update, UpdateVersion{});
        shrink.destructive = true;
        CHECK(refusal(bench.apply({shrink}, context)) == "DeletesNotAllowed");
    }
    SUBCASE("documents") {
        context.is_current = [] { return false; };
        CHECK(refusal(bench.apply({bench.change(Action::update, UpdateVersion{})}, context)) == "ChangedSincePlan");
    }
    CHECK(bench.api.writes.empty());
}

TEST_CASE("executor: from an incomplete view nothing is done") {
    LifecycleBench bench;
    Plan plan;
    plan.observed_at = bench.clock.now();
    plan.complete = false;
    plan.changes.push_back(bench.change(Action::update, UpdateVersion{}));
    const auto report = run_task(bench.context, bench.executor.apply(plan, bench.allowed()));
    REQUIRE(report.has_value());
    CHECK(report->outcomes.empty());
    CHECK(bench.api.writes.empty());
}

TEST_CASE("executor: the intent is on record before the request leaves, and its outcome after") {
    LifecycleBench bench;
    bench.api.before_write = [&] {
        const auto open = bench.journal->open_intents();
        REQUIRE(open.has_value());
        REQUIRE(open->size() == 1);
        CHECK(open->front().intent.step == "DeleteVersion");
        CHECK(open->front().intent.destructive);
        CHECK(open->front().intent.plan_id == "sha256:plan");
    };
    bench.api.answers.emplace_back(accepted());
    const ApplyReport report = bench.apply(bench.deletion());
    CHECK(report.writes == 1);
    CHECK(report.outcomes.front().result == ChangeResult::accepted);
    CHECK(bench.journal->open_intents()->empty());
    REQUIRE(bench.journal->audit(10)->size() == 1);
    CHECK(bench.journal->audit(10)->front().outcome == "accepted");
    CHECK(bench.journal->audit(10)->front().correlation_id == "c-7");
    REQUIRE(bench.journal->operations()->size() == 1);
    CHECK(bench.journal->operations()->front().scope == "images/golden/ubuntu");
    CHECK(bench.memory.get(bench.id.key()).tombstone);
    CHECK(bench.memory.get(bench.id.key()).operation_in_flight);
    CHECK(bench.apply(bench.deletion()).outcomes.empty());  // nothing more while it is in flight
    CHECK(bench.api.writes.size() == 1);
}

TEST_CASE("executor: one mutating request for a resource in one pass") {
    LifecycleBench bench;
    const Change change = bench.change(Action::update, UpdateVersion{});
    const ApplyReport report = bench.apply({change, change}, bench.allowed());
    CHECK(report.writes == 1);
    CHECK(bench.api.writes == std::vector<std::string>{"put version 1.0.0"});
}

TEST_CASE("executor: a lost answer counts as possibly done, a refusal does not") {
    LifecycleBench bench;
    Error error{.kind = ErrorKind::transient, .reason = "NetworkError", .message = "cut"};
    bool happened = true;
    SUBCASE("connection cut") {}
    SUBCASE("500") {
        error = {.kind = ErrorKind::transient, .reason = "InternalServerError", .message = "500", .http_status = 500};
    }
    SUBCASE("403") {
        error = {.kind = ErrorKind::denied, .reason = "AuthorizationFailed", .message = "no", .http_status = 403};
        happened = false;
    }
    SUBCASE("429") {
        error = {.kind = ErrorKind::throttled,
                 .reason = "Throttled",
                 .message = "later",
                 .retry_after = std::chrono::seconds{5},
                 .http_status = 429};
        happened = false;
    }
    bench.api.answers.emplace_back(std::unexpected(error));
    CHECK(bench.apply(bench.deletion()).outcomes.front().result == ChangeResult::failed);
    const ResourceRecord record = bench.memory.get(bench.id.key());
    CHECK(record.tombstone == happened);
    CHECK(record.deleted_at.has_value() == happened);
    CHECK(record.failures == (error.kind == ErrorKind::throttled ? 0 : 1));
    CHECK(bench.journal->open_intents()->empty());
    CHECK(bench.journal->audit(1)->front().outcome.starts_with((happened ? "unknown: " : "failed: ") + error.reason));
    CHECK(*bench.journal->deletes_since("s1", bench.clock.now() - std::chrono::hours{1}) == (happened ? 1 : 0));
    CHECK(bench.journal->operations()->empty());
}

TEST_CASE("executor: the hour's budget is asked at the request, whatever the plan was allowed") {
    LifecycleBench bench;
    ApplyContext context = bench.allowed();
    context.deletes_per_hour_max = 1;
    bench.api.before_write = [&] { CHECK(bench.api.writes.empty()); };
    bench.apply({bench.deletion()}, context);
    CHECK(bench.api.writes.size() == 1);
    CHECK(refusal(bench.apply({bench.deletion()}, context)) == "HourlyBrake");  // another scope's plan knew of none
    bench.clock.advance(std::chrono::minutes{61});
    bench.api.before_write = nullptr;
    bench.apply({bench.deletion()}, context);
    CHECK(bench.api.writes.size() == 2);
}

TEST_CASE(
    "executor: a pass that is cut short while a request is on the wire leaves a record of what may have happened") {
    LifecycleBench bench;
    bench.api.before_write = [] { throw std::runtime_error("cancelled"); };
    CHECK_THROWS(bench.apply(bench.deletion()));
    CHECK(bench.memory.get(bench.id.key()).tombstone);  // retention removed it: it is not made again
    CHECK(bench.memory.get(bench.id.key()).deleted_at.has_value());
    CHECK(bench.journal->open_intents()->empty());
    CHECK(*bench.journal->deletes_since("s1", bench.clock.now() - std::chrono::hours{1}) == 1);
}

TEST_CASE("executor: a failed write rests before it is sent again") {
    LifecycleBench bench;
    bench.api.answers.emplace_back(fail(ErrorKind::denied, "AuthorizationFailed", "no"));
    bench.apply(bench.deletion());
    bench.clock.advance(std::chrono::minutes{59});
    CHECK(refusal(bench.apply(bench.deletion())) == "AuthorizationFailed");
    CHECK(bench.api.writes.size() == 1);
    bench.clock.advance(std::chrono::minutes{2});
    bench.apply(bench.deletion());
    CHECK(bench.api.writes.size() == 2);
}

TEST_CASE("executor: an accepted write remembers document, digest, retries and our own exclusion") {
    LifecycleBench bench;
    Change change = bench.change(Action::update, UpdateVersion{});
    change.fields.push_back({.path = "/targetRegions/eastus/replication",
                             .op = FieldOp::replace,
                             .before = "Failed",
                             .after = "retry 1",
                             .effect = {},
                             .detail = {},
                             .cause = "replication_failed"});
    change.fields.push_back({.path = "/excludeFromLatest",
                             .op = FieldOp::replace,
                             .before = "false",
                             .after = "true",
                             .effect = {},
                             .detail = {},
                             .cause = "policy standard/deprecate"});
    bench.apply(change);
    const ResourceRecord record = bench.memory.get(bench.id.key());
    CHECK(record.written_by_us);
    CHECK(record.document == to_string(bench.document));
    CHECK(record.last_applied_digest == "digest-1");
    CHECK(record.region_retries.at("eastus") == 1);
    CHECK(record.region_retry_after.at("eastus") == bench.clock.now() + std::chrono::minutes{15});
    CHECK(record.excluded_by_us);
}

TEST_CASE("executor: after a parent that could not be made its children are not tried") {
    LifecycleBench bench;
    Change parent = bench.change(Action::create, CreateDefinition{}, false);
    parent.arm_id = *bench.id.parent();
    parent.address = "images/golden/ubuntu";
    bench.api.answers.emplace_back(fail(ErrorKind::denied, "AuthorizationFailed", "no"));
    const ApplyReport report =
        bench.apply({parent, bench.change(Action::create, CreateVersion{}, false)}, bench.allowed());
    CHECK(report.outcomes.size() == 1);
    CHECK(bench.api.writes == std::vector<std::string>{"put definition ubuntu"});
}

TEST_CASE("executor: what was planned because nobody uses it is asked about right before its request") {
    LifecycleBench bench;
    Change change = bench.deletion();
    change.usage_asked = true;
    ApplyContext context = bench.allowed();
    std::string reason;
    std::vector<std::string> asked;
    bool fresh = true;
    const auto answer = [&](UsageState state) {
        context.usage_is_fresh = [&fresh](const ResourceId&) { return fresh; };
        context.usage_now = [&asked, state](ResourceId version) -> Task<VersionUsage> {
            asked.push_back(version.text());
            return [](VersionUsage usage) -> Task<VersionUsage> { co_return usage; }({state, "web-1"});
        };
    };
    SUBCASE("nobody can say") { reason = "UsageUnknown"; }
    SUBCASE("somebody uses it since") {
        answer(UsageState::in_use);
        reason = "InUse";
    }
    SUBCASE("it cannot be told any more") {
        answer(UsageState::unknown);
        reason = "UsageUnknown";
    }
    SUBCASE("nobody, but the strong GET took its time") {
        answer(UsageState::not_in_use);
        fresh = false;
        reason = "ChangedSincePlan";
    }
    SUBCASE("still nobody") { answer(UsageState::not_in_use); }
    if (reason.empty()) bench.api.answers.emplace_back(accepted());
    const ApplyReport report = bench.apply({change}, context);
    CHECK(bench.api.writes.size() == (reason.empty() ? 1 : 0));
    if (!reason.empty()) CHECK(refusal(report) == reason);
    if (context.usage_now) CHECK(asked == std::vector<std::string>{bench.id.text()});
}

namespace {

// Ours for long, and not there.
ResourceRecord made_long_ago(const LifecycleBench& bench) {
    ResourceRecord record;
    record.written_by_us = true;
    record.written_at = bench.clock.now() - std::chrono::days{30};
    return record;
}

}  // namespace

TEST_CASE("executor: what vanished is made again after ten looks, however long a cycle of looks takes") {
    LifecycleBench bench;
    REQUIRE(bench.memory.put(bench.id.key(), made_long_ago(bench)).has_value());
    const Change creation = bench.change(Action::create, CreateVersion{}, false);
    const auto look = [&] {
        bench.clock.advance(std::chrono::minutes{10});
        return bench.apply(creation);
    };
    for (int i = 1; i < absence_reads_min; ++i) {
        const ApplyReport report = look();
        CHECK(refusal(report) == "NotFoundInAzure");
        CHECK(report.outcomes.front().result == ChangeResult::unconfirmed);
        CHECK(report.outcomes.front().reads_left == absence_reads_min - i);
        CHECK(report.outcomes.front().error->message.find("404 where it stood before") != std::string::npos);
    }
    SUBCASE("the tenth makes it") {
        look();
        CHECK(bench.api.writes.size() == 1);
    }
    SUBCASE("a clock that was put back by a year holds nothing up") {
        bench.clock.set_wall(bench.clock.now() - std::chrono::days{365});
        look();
        CHECK(bench.api.writes.size() == 1);
    }
    SUBCASE("a look that was about something else saw it") {
        bench.executor.note_seen(bench.id);
        CHECK(refusal(look()) == "NotFoundInAzure");
        CHECK(bench.api.writes.empty());
    }
    SUBCASE("an update that another plan wanted saw it") {
        Change update = bench.change(Action::update, UpdateVersion{});
        update.seen.etag = "another";
        CHECK(refusal(bench.apply(update)) == "ChangedSincePlan");
        bench.api.versions.clear();
        CHECK(refusal(look()) == "NotFoundInAzure");
        CHECK(bench.api.writes.empty());
    }
}

TEST_CASE("executor: misses right after our own write count nothing, also when our clock is set meanwhile") {
    LifecycleBench bench;
    const Change creation = bench.change(Action::create, CreateVersion{}, false);
    bench.apply(creation);
    REQUIRE(bench.api.writes.size() == 1);
    bench.clock.set_wall(bench.clock.now() + std::chrono::hours{1});
    for (int i = 0; i < 19; ++i) {
        bench.clock.advance(std::chrono::seconds{30});
        const ApplyReport report = bench.apply(creation);
        CHECK(refusal(report) == "NotFoundInAzure");
        CHECK(report.outcomes.front().reads_left == absence_reads_min);  // none of them counts
        CHECK(report.outcomes.front().error->message.find("its own write does not count") != std::string::npos);
    }
    CHECK(bench.api.writes.size() == 1);
    for (int i = 0; i < absence_reads_min + 1; ++i) {
        bench.clock.advance(std::chrono::seconds{30});
        bench.apply(creation);
    }
    CHECK(bench.api.writes.size() == 2);
}

TEST_CASE("executor: a deletion of long ago says nothing about what was adopted since") {
    LifecycleBench bench;
    ResourceRecord record = made_long_ago(bench);
    record.deleted_at = bench.clock.now() - std::chrono::days{20};
    REQUIRE(bench.memory.put(bench.id.key(), record).has_value());
    Change adoption = bench.change(Action::adopt, UpdateVersion{});
    bench.apply(adoption);
    REQUIRE(bench.api.writes.size() == 1);
    bench.clock.advance(std::chrono::minutes{11});
    bench.api.versions.clear();  // one replica does not have it
    CHECK(refusal(bench.apply(bench.change(Action::create, CreateVersion{}, false))) == "NotFoundInAzure");
    CHECK(bench.api.writes.size() == 1);
}
