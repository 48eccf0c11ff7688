#include "controller/adapters/azure/resource_graph.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/unit/azure/graph_bench.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("a full look hands out every gallery, definition and version as a GET would show them") {
    GraphBench bench;
    bench.box.estate(2, 2, 3);
    const auto summary = bench.look();
    REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
    CHECK(summary->galleries == 2);
    CHECK(summary->definitions == 4);
    CHECK(summary->versions == 12);
    CHECK(summary->duplicates == 0);
    CHECK(summary->requests == 2);
    CHECK(summary->readable == std::vector<std::string>{bench.subscription});
    CHECK(summary->unreadable.empty());
    CHECK(summary->started == ManualClock::default_start);
    CHECK(summary->server_date == ManualClock::default_start);
    const ObservedVersion& version = bench.sink.versions.front();
    CHECK(version.id.text() == bench.box.galleries + "g0/images/d0/versions/1.0.0");
    CHECK(version.name == "1.0.0");
    CHECK(version.number.has_value());
    CHECK(version.location == "eastus2");
    CHECK(version.state == ProvisioningState::succeeded);
    REQUIRE(version.target_regions.size() == 1);
    CHECK(version.target_regions[0].name == "eastus2");
    CHECK(version.source.id == ResourceId(bench.box.image));
    CHECK_FALSE(version.replication_known);
    CHECK(version.raw.empty());
    CHECK(bench.sink.definitions.front().publisher == "p");
    CHECK(bench.sink.galleries.front().name == "g0");
}

TEST_CASE("the largest legal subscription-region costs twelve pages and one question about permission") {
    GraphBench bench;
    bench.box.estate(100, 10, 10);
    Result<LookSummary> summary = fail(ErrorKind::bug, "NotRun", "");
    const auto requests = bench.requests_of([&] { summary = bench.look(); });
    REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
    CHECK(requests == 13);
    CHECK(summary->requests == 13);
    CHECK(summary->galleries + summary->definitions + summary->versions == 11100);
    CHECK(bench.box.clock.monotonic() == seconds(0));  // within the quota: nothing had to wait

    // The second look within the same five seconds waits for the quota and is never refused.
    const auto again = bench.requests_of([&] { summary = bench.look(); });
    REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
    CHECK(again == 13);
    CHECK(bench.box.clock.monotonic() == seconds(5));
    CHECK_FALSE(bench.log.text.contains("throttles"));

    // Pages asked for side by side are the same pages.
    bench.box.clock.advance(seconds(5));
    bench.sink.versions.clear();
    const auto parallel = bench.requests_of([&] { summary = bench.look(4); });
    REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
    CHECK(parallel == 13);
    std::set<ResourceId> ids;
    for (const ObservedVersion& version : bench.sink.versions) ids.insert(version.id);
    CHECK(ids.size() == 10000);

    // Nothing changed: one request.
    bench.box.clock.advance(minutes(1));
    Result<ChangeList> changes = fail(ErrorKind::bug, "NotRun", "");
    const auto one = bench.requests_of(
        [&] { changes = bench.run(bench.client.changes_since(summary->started, {bench.subscription})); });
    REQUIRE(changes.has_value());
    CHECK(one == 1);
    CHECK(changes->changes.empty());
    CHECK_FALSE(changes->needs_full_look());
}

TEST_CASE("a hundred and eleven pages take as long as the quota says and not one refusal") {
    GraphOptions options;
    options.page_rows = 10;
    GraphBench bench(simulator::GraphBox::without_lag(), options);
    bench.box.estate(10, 10, 10);
    std::size_t parallel = 0;
    SUBCASE("one after the other") { parallel = 1; }
    SUBCASE("four at a time") { parallel = 4; }
    SUBCASE("eight at a time") { parallel = 8; }
    Result<LookSummary> summary = fail(ErrorKind::bug, "NotRun", "");
    const auto requests = bench.requests_of([&] { summary = bench.look(parallel); });
    REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
    CHECK(summary->versions == 1000);
    CHECK(requests == 112);
    CHECK(bench.box.clock.monotonic() == seconds(35));  // 15 in each 5 s: the last seven are in the eighth window
    CHECK_FALSE(bench.log.text.contains("throttles"));
}

TEST_CASE("an unreadable subscription is named, its rows are missing and not absent") {
    GraphBench bench;
    bench.box.estate(1, 1, 1);
    const std::string other = "22222222-2222-2222-2222-222222222222";
    bench.box.azure.set_readable(other, false);
    auto summary = bench.run(bench.client.look({.subscriptions = {other, bench.subscription}}, bench.sink));
    REQUIRE(summary.has_value());
    CHECK(summary->readable == std::vector<std::string>{bench.subscription});
    CHECK(summary->unreadable == std::vector<std::string>{other});
    CHECK(summary->versions == 1);
    summary = bench.run(bench.client.look({.subscriptions = {other}}, bench.sink));
    REQUIRE(summary.has_value());
    CHECK(summary->readable.empty());
    CHECK(summary->unreadable == std::vector<std::string>{other});
    const auto changes = bench.run(bench.client.changes_since(bench.box.clock.now(), {other}));
    REQUIRE_FALSE(changes.has_value());
    CHECK(changes.error().kind == ErrorKind::denied);
    CHECK_FALSE(should_read_lists(changes.error()));
}

TEST_CASE("Z8: changes come oldest first with their kind, and repeat when asked from before") {
    GraphBench bench;
    bench.box.estate(1, 1, 2);
    const TimePoint start = bench.box.clock.now();
    const std::string definition = bench.box.galleries + "g0/images/d0";
    bench.box.pass(seconds(10));
    REQUIRE(bench.box.azure.change_resource(definition + "/versions/1.0.1", R"({"tags":{"a":"b"}})").has_value());
    bench.box.pass(seconds(10));
    bench.box.azure.remove_resource(definition + "/versions/1.0.0");
    bench.box.pass(seconds(10));
    REQUIRE(bench.box.ask("PUT", bench.box.galleries + "made", R"({"location":"eastus2"})").status == 201);
    bench.box.pass(seconds(30));
    auto changes = bench.run(bench.client.changes_since(start, {bench.subscription}));
    REQUIRE_MESSAGE(changes.has_value(), (changes ? "" : changes.error().message));
    CHECK(changes->requests == 1);
    CHECK(changes->server_date == start + seconds(60));
    REQUIRE(changes->changes.size() == 4);  // the creation's end is an update of its own
    CHECK(changes->changes[0].type == ChangeType::updated);
    CHECK(changes->changes[0].kind == ResourceKind::version);
    CHECK(changes->changes[0].at == start + seconds(10));
    CHECK(changes->changes[1].type == ChangeType::removed);
    CHECK(changes->changes[1].id.name() == "1.0.0");
    CHECK(changes->changes[2].type == ChangeType::created);
    CHECK(changes->changes[2].kind == ResourceKind::gallery);
    CHECK(changes->changes[2].changed_by == "tests");
    CHECK(changes->changes[3].type == ChangeType::updated);
    changes = bench.run(bench.client.changes_since(start + seconds(20), {bench.subscription}));
    REQUIRE(changes.has_value());
    CHECK(changes->changes.size() == 3);
    bench.box.pass(hours(24 * 15));
    changes = bench.run(bench.client.changes_since(start, {bench.subscription}));
    REQUIRE(changes.has_value());
    CHECK(changes->gap);  // what happened then is no longer kept
    CHECK(changes->needs_full_look());
    CHECK(changes->changes.empty());
}

TEST_CASE("rows and facts of a list of ids, three hundred a request, and which are missing") {
    GraphBench bench;
    bench.box.estate(1, 1, 700);
    std::vector<ResourceId> ids;
    for (int i = 0; i < 701; ++i)
        ids.emplace_back(bench.box.galleries + "g0/images/d0/versions/1.0." + std::to_string(i));
    const auto rows = bench.run(bench.client.read(ids, bench.sink));
    REQUIRE_MESSAGE(rows.has_value(), (rows ? "" : rows.error().message));
    CHECK(rows->rows == 700);
    CHECK(rows->requests == 3);
    CHECK(rows->missing == std::vector<ResourceId>{ids.back()});
    CHECK(bench.sink.versions.size() == 700);
    const auto before = bench.run(bench.client.facts({ids[0], ids[1], ids[700]}));
    REQUIRE(before.has_value());
    CHECK(before->requests == 1);
    REQUIRE(before->found.size() == 2);
    CHECK(before->missing == std::vector<ResourceId>{ids[700]});
    CHECK(before->found[0].state == ProvisioningState::succeeded);
    REQUIRE(
        bench.box.azure.change_resource(ids[1].text(), R"({"properties":{"publishingProfile":{"replicaCount":7}}})"));
    const auto after = bench.run(bench.client.facts({ids[0], ids[1]}));
    REQUIRE(after.has_value());
    CHECK(after->found[0].fingerprint == before->found[0].fingerprint);
    CHECK(after->found[1].fingerprint != before->found[1].fingerprint);
}

TEST_CASE("a thousand creations are watched by one query") {
    simulator::Options options = simulator::GraphBox::without_lag();
    options.limits = false;
    options.operation_length = [](std::string_view, std::string_view) -> std::optional<Duration> { return hours(1); };
    GraphBench bench(options);
    bench.box.estate(1, 1, 0);
    for (int i = 0; i < 1000; ++i) {
        const std::string id = bench.box.galleries + "g0/images/d0/versions/2.0." + std::to_string(i);
        REQUIRE(bench.box.ask("PUT", id, bench.box.version_text()).status == 201);
    }
    const auto under_way = bench.run(bench.client.in_transition({bench.subscription}));
    REQUIRE_MESSAGE(under_way.has_value(), (under_way ? "" : under_way.error().message));
    CHECK(under_way->requests == 1);
    CHECK(under_way->found.size() == 1000);
    CHECK(under_way->found.front().state == ProvisioningState::creating);
    bench.box.pass(hours(2));
    const auto later = bench.run(bench.client.in_transition({bench.subscription}));
    REQUIRE(later.has_value());
    CHECK(later->found.empty());
}

TEST_CASE("Z10: the spelling of an answer changes nothing: rows equal those of the ARM lists") {
    simulator::Options options = simulator::GraphBox::without_lag();
    options.noise = true;
    GraphBench bench(options);
    bench.box.estate(1, 2, 3);
    const std::string definition = bench.box.galleries + "g0/images/d1";
    REQUIRE(
        bench.box.azure
            .change_resource(definition + "/versions/1.0.2",
                             R"({"tags":{"a":"b","c":null},"properties":{"publishingProfile":{"excludeFromLatest":true,
                                     "endOfLifeDate":"2030-01-01T00:00:00+00:00","targetRegions":[{"name":"West US","regionalReplicaCount":2},
                                     {"name":"eastus2","regionalReplicaCount":5,"storageAccountType":"Standard_ZRS"}]}}})")
            .has_value());
    ArmClient lists(bench.transport, bench.tokens, bench.box.clock, bench.log, bench.metrics, bench.graph_options.arm);
    REQUIRE(bench.look().has_value());
    const auto listed = bench.run(lists.list_versions(ResourceId(definition)));
    REQUIRE(listed.has_value());
    REQUIRE(listed->size() == 3);
    for (const ObservedVersion& expected : *listed) {
        const auto found = std::ranges::find(bench.sink.versions, expected.id, &ObservedVersion::id);
        REQUIRE(found != bench.sink.versions.end());
        CAPTURE(expected.id.key());
        CHECK(found->number == expected.number);
        CHECK(found->location == expected.location);
        CHECK(found->tags == expected.tags);
        CHECK(found->state == expected.state);
        CHECK(found->target_regions == expected.target_regions);
        CHECK(found->source == expected.source);
        CHECK(found->published == expected.published);
        CHECK(found->end_of_life == expected.end_of_life);
        CHECK(found->exclude_from_latest == expected.exclude_from_latest);
        CHECK(found->replica_count == expected.replica_count);
        CHECK(found->allow_deletion_of_replicated_locations == expected.allow_deletion_of_replicated_locations);
    }
    const auto definitions = bench.run(lists.list_definitions(ResourceId(bench.box.galleries + "g0")));
    REQUIRE(definitions.has_value());
    REQUIRE(definitions->size() == bench.sink.definitions.size());
    for (const ObservedDefinition& expected : *definitions) {
        const auto found = std::ranges::find(bench.sink.definitions, expected.id, &ObservedDefinition::id);
        REQUIRE(found != bench.sink.definitions.end());
        CHECK(found->sku == expected.sku);
        CHECK(found->os_type == expected.os_type);
        CHECK(found->features == expected.features);
        CHECK(found->hyper_v_generation == expected.hyper_v_generation);
    }
}

TEST_CASE("more than three hundred subscriptions are asked in groups of three hundred") {
    GraphBench bench;
    bench.box.estate(1, 1, 1);
    std::vector<std::string> many{bench.subscription};
    for (int i = 0; i < 300; ++i) {
        std::string id = "33333333-3333-3333-3333-000000000000";
        const std::string number = std::to_string(i);
        many.push_back(id.replace(id.size() - number.size(), number.size(), number));
    }
    many.push_back("11111111-1111-1111-1111-111111111111");  // named twice, in the same case or not
    const auto summary = bench.run(bench.client.look({.subscriptions = many}, bench.sink));
    REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
    CHECK(summary->requests == 4);
    CHECK(summary->readable.size() == 301);
    CHECK(summary->versions == 1);
}

TEST_CASE("wrong ids never leave the machine") {
    GraphBench bench;
    const auto sent = bench.requests_of([&] {
        for (const std::string wrong : {"", "x", "11111111-1111-1111-1111-11111111111'", "*"}) {
            const auto look = bench.run(bench.client.look({.subscriptions = {wrong}}, bench.sink));
            REQUIRE_FALSE(look.has_value());
            CHECK(look.error().kind == ErrorKind::invalid);
            CHECK(look.error().code == "GD3006");
        }
        CHECK_FALSE(bench.run(bench.client.look({}, bench.sink)).has_value());
        CHECK_FALSE(bench.run(bench.client.read({ResourceId("/subscriptions/x?y")}, bench.sink)).has_value());
        const auto none = bench.run(bench.client.facts({}));
        REQUIRE(none.has_value());
        CHECK(none->requests == 0);
    });
    CHECK(sent == 0);
}
