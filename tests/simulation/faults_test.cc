#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

// Azure at its worst: reliability §6.2. Each fault is there for a while; then everything has to come right by itself,
// with each version made once and nothing deleted.
using namespace galleryd;

namespace {

struct Faulty : World {
    explicit Faulty(const std::string& yaml, std::chrono::seconds operations = std::chrono::seconds{45})
        : World({.operations = operations, .engine = WorldOptions::deleting_engine()}) {
        load(estate::wide_state());
        faults(yaml);
        declare(estate::wide());
    }
    void expect_a_good_end(int rounds_max = 1000) {
        CHECK(converge(rounds_max));
        for (int i = 0; i < 15; ++i)
            round(std::chrono::minutes{5});  // a removal that Azure refused is tried again after an hour
        const bool is_converged_now = converge(rounds_max);
        INFO(open_points());
        CHECK(is_converged_now);
        CHECK(deletes() == 0);
        CHECK(first_difference(undisturbed(), fingerprint()) == "");
        const std::size_t before = writes();
        for (int i = 0; i < 10; ++i) round(std::chrono::minutes{1});
        CHECK(writes() == before);
    }
    static const std::string& undisturbed() {
        static const std::string text = [] {
            World world({.operations = std::chrono::seconds{45}, .engine = WorldOptions::deleting_engine()});
            world.load(estate::wide_state());
            world.declare(estate::wide());
            REQUIRE(world.converge());
            return world.fingerprint();
        }();
        return text;
    }
};

const std::string newest = estate::version_id("3.0.0");

}  // namespace

TEST_CASE("bad answers for ten minutes, then everything comes right") {
    std::string yaml;
    SUBCASE("every second request is answered 500") {
        yaml = "[{probability: 0.5, before: 10m, status: 500, code: InternalServerError}]";
    }
    SUBCASE("every second request is answered 503 with a Retry-After") {
        yaml = "[{probability: 0.5, before: 10m, status: 503, retryAfter: 7}]";
    }
    SUBCASE("every third request is throttled") {
        yaml = "[{probability: 0.3, before: 10m, status: 429, code: TooManyRequests, retryAfter: 45}]";
    }
    SUBCASE("throttled without any hint") {
        yaml = "[{probability: 0.3, before: 10m, status: 429, code: OperationNotAllowed}]";
    }
    SUBCASE("every third connection is cut after the request was carried out") {
        yaml = "[{probability: 0.3, before: 10m, cutAfterBytes: 0}]";
    }
    SUBCASE("every PUT is carried out and its answer lost") {
        yaml = "[{method: PUT, before: 10m, cutAfterBytes: 10}]";
    }
    SUBCASE("answers that never come in time") { yaml = "[{probability: 0.2, before: 10m, delay: 120}]"; }
    SUBCASE("a refused look at everything") {
        yaml = "[{method: GET, before: 10m, status: 403, code: AuthorizationFailed}]";
    }
    SUBCASE("nothing is found for a while") {
        yaml =
            "[{method: GET, path: '*/resourcegroups/rg-golden', before: 10m, status: 403, code: AuthorizationFailed}]";
    }
    Faulty world(yaml);
    world.expect_a_good_end();
}

TEST_CASE("Z4: operations that get lost, hang or have endless addresses are no second creation") {
    std::string yaml;
    SUBCASE("the operation's address is forgotten by Azure") {
        yaml = "[{method: PUT, path: '*/versions/*', loseOperation: true}]";
    }
    SUBCASE("addresses of four thousand characters") { yaml = "[{method: PUT, longUrl: 4000}]"; }
    Faulty world(yaml);
    world.expect_a_good_end();
    CHECK(world.writes_to(newest) == 2);  // made, then let into latest
}

TEST_CASE("Z4: an operation that hangs is reported as under way and never repeated") {
    World world({.operations = std::chrono::seconds{45}});
    world.load(estate::images_state());
    world.faults("[{method: PUT, path: '*/versions/*', hangOperation: true, count: 1}]");
    world.declare(estate::small(1));
    world.pass_time(std::chrono::minutes{300});
    CHECK(world.writes_to(estate::version_id("1.0.0")) == 1);
    CHECK_FALSE(world.plan("images/golden/ubuntu").waiting.empty());
    world.restart();
    world.pass_time(std::chrono::minutes{60});
    CHECK(world.writes_to(estate::version_id("1.0.0")) == 1);
    CHECK(world.journal->operations()->size() == 1);
}

TEST_CASE("Z5: what Azure answers late is not made a second time") {
    std::string yaml;
    SUBCASE("reads lag by a minute behind our own writes") { yaml = "[{method: GET, before: 20m, staleRead: 60}]"; }
    SUBCASE("some reads lag by five minutes") {
        yaml = "[{method: GET, before: 20m, probability: 0.5, staleRead: 300}]";
    }
    Faulty world(yaml);
    world.expect_a_good_end();
    CHECK(world.writes_to(newest) <= 3);
}

TEST_CASE("Z6: a list that lost a page makes nothing and deletes nothing that is there") {
    Faulty world("[{method: GET, path: '*/versions', before: 20m, dropPage: true}]");
    for (int i = 0; i < 60; ++i) world.round();
    CHECK(world.deletes() == 0);
    CHECK(world.writes_to(estate::version_id("2.9.0")) == 0);  // declared and not in the list; the strong look sees it
    CHECK(world.converge());
    CHECK(world.deletes() == 0);
}

TEST_CASE("Z6: a list that repeats its page for ever is an error, not an endless loop") {
    Faulty world("[{method: GET, path: '*/versions', before: 10m, repeatPage: true}]");
    world.expect_a_good_end();
}

TEST_CASE("Z1: no request reaches a throttled subscription before Retry-After has elapsed") {
    World world({.operations = std::chrono::seconds{45}});
    world.load(estate::wide_state());
    world.declare(estate::wide());
    world.round();
    world.faults("[{count: 1, status: 429, code: TooManyRequests, retryAfter: 600}]");
    world.round();
    const auto asked = world.azure.requests();
    for (int i = 0; i < 28; ++i) world.round();  // 560 s later
    CHECK(world.azure.requests() == asked);
    for (int i = 0; i < 5; ++i) world.round();
    CHECK(world.azure.requests() > asked);
    CHECK(world.converge());
}

TEST_CASE("a region that fails is tried again with growing pauses") {
    World world({.operations = std::chrono::seconds{45}});
    world.load(estate::images_state());
    world.azure.fail_region({.region = "Canada East"});
    world.declare(estate::small(1));
    for (int i = 0; i < 24 * 12; ++i) world.round(std::chrono::minutes{5});
    CHECK(world.writes_to(estate::version_id("1.0.0")) ==
          9);  // made, at once, then after about 15, 30, 60, 120, 240, 360 and 360 minutes
    CHECK(world.deletes() == 0);
    CHECK(world.has_event("ReplicationFailed"));
    const auto& status = world.engine->statuses().at({Kind::image_version, "images", "ubuntu-1.0.0"});
    const auto ready = std::ranges::find(status.conditions, "Ready", &Condition::type);
    REQUIRE(ready != status.conditions.end());
    CHECK(ready->reason == "ReplicationFailed");
}

TEST_CASE("a region that failed once comes right when it is removed and added again") {
    World world({.operations = std::chrono::seconds{45}, .engine = WorldOptions::deleting_engine()});
    world.load(estate::images_state());
    world.azure.fail_region({.region = "Canada East", .count = 1});
    world.declare(estate::small(
        1, "regionRetry: RemoveAndAdd",
        "\n  governs: Declared\n  retention: {action: Report, keepNewest: 1, olderThan: 3650d, inUse: Ignore}\n"));
    world.pass_time(std::chrono::minutes{120});
    INFO(world.open_points());
    CHECK(world.is_converged());
    CHECK(world.azure_json(estate::version_id("1.0.0"))["properties"]["provisioningState"] == "Succeeded");
    CHECK(world.deletes() == 0);
}

TEST_CASE(
    "RemoveAndAdd takes a failed region away and adds it again, three times at most, and never without "
    "--allow-deletes") {
    for (const bool allowed : {true, false}) {
        CAPTURE(allowed);
        EngineOptions options = WorldOptions::deleting_engine();
        options.allow_deletes = allowed;
        World world({.operations = std::chrono::seconds{45}, .engine = options});
        world.load(estate::images_state());
        world.azure.fail_region({.region = "canadaeast"});
        world.declare(estate::small(1, "regionRetry: RemoveAndAdd"));
        REQUIRE(world.problems == "");
        for (int i = 0; i < 400; ++i) world.round(std::chrono::minutes{5});
        INFO(world.open_points());
        int removed = 0;
        std::size_t regions = 2;
        for (const simulator::Mutation& mutation : world.azure.history()) {
            if (fold_case(mutation.path) != fold_case(estate::version_id("1.0.0"))) continue;
            const auto body = nlohmann::json::parse(mutation.body);
            const std::size_t now = body["properties"]["publishingProfile"]["targetRegions"].size();
            if (now < regions) ++removed;
            regions = now;
        }
        CHECK(removed == (allowed ? 3 : 0));
        CHECK(world.deletes() == 0);
        if (allowed) CHECK(world.conflict_reasons().contains("ReplicationFailed"));
    }
}
