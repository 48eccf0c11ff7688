#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controller/core/region.h"
#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

using namespace galleryd;
using namespace std::chrono_literals;

namespace {

const std::string version = estate::version_id("1.0.0");
const std::string scope = "images/golden/ubuntu";

std::string replication_of(World& world, const std::string& region) {
    const auto body = world.azure_json(version);
    if (!body.is_object()) return "no version";
    for (const auto& one : body["properties"]["replicationStatus"]["summary"]) {
        if (normalise_region(one["region"].get<std::string>()) == region) return one["state"];
    }
    return "none";
}

struct Write {
    TimePoint at;
    bool has_region = false;
};

// Every PUT of the version: when, and whether canadaeast was among its regions.
std::vector<Write> writes_of(const World& world) {
    std::vector<Write> writes;
    for (const simulator::Mutation& mutation : world.azure.history()) {
        if (mutation.method != "PUT" || fold_case(mutation.path).find("/versions/1.0.0") == std::string::npos) continue;
        Write write{.at = mutation.at};
        for (const auto& region :
             nlohmann::json::parse(mutation.body)["properties"]["publishingProfile"]["targetRegions"]) {
            write.has_region = write.has_region || normalise_region(region["name"].get<std::string>()) == "canadaeast";
        }
        writes.push_back(write);
    }
    return writes;
}

// How often a write took the region away.
int removals(const World& world) {
    int count = 0;
    bool was_there = false;
    for (const Write& write : writes_of(world)) {
        if (was_there && !write.has_region) ++count;
        was_there = write.has_region;
    }
    return count;
}

bool mentions_version(const Plan& plan) {
    const auto names_it = [](const auto& row) { return row.address == scope + "/1.0.0"; };
    return std::ranges::any_of(plan.changes, names_it) || std::ranges::any_of(plan.conflicts, names_it) ||
           std::ranges::any_of(plan.blocked, names_it) ||
           std::ranges::find(plan.waiting, scope + "/1.0.0") != plan.waiting.end();
}

// Rounds of five minutes; no plan that was made while the region is Failed may pass over it.
void run(World& world, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        const bool failed = replication_of(world, "canadaeast") == "Failed";
        world.round(5min);
        if (failed) {
            CAPTURE(i);
            CHECK(mentions_version(world.plan(scope)));
        }
    }
}

void begin(World& world, const std::string& extra = "") {
    world.load(estate::images_state());
    world.declare(estate::small(1, extra));
    REQUIRE(world.problems == "");
}

EngineOptions with_deletes() {
    EngineOptions options = WorldOptions::test_engine();
    options.allow_deletes = true;
    return options;
}

}  // namespace

TEST_CASE("a region that failed once is Completed after one plain retry") {
    World world;
    world.azure.fail_region({.region = "Canada East", .count = 1});
    begin(world);
    run(world, 12);
    CHECK(replication_of(world, "canadaeast") == "Completed");
    CHECK(replication_of(world, "canadacentral") == "Completed");
    CHECK(writes_of(world).size() == 2);
    CHECK(world.is_converged());
    run(world, 50);
    CHECK(writes_of(world).size() == 2);
}

TEST_CASE("a region that keeps failing is retried at growing distances, and heals when Azure does") {
    World world;
    world.azure.fail_region({.region = "canadaeast"});
    begin(world);
    run(world, 12 * 24);  // a day
    const std::vector<Write> writes = writes_of(world);
    REQUIRE(writes.size() >= 7);
    const std::vector<std::chrono::minutes> pauses{15min, 30min, 60min, 120min, 240min};
    for (std::size_t i = 0; i < pauses.size(); ++i) {  // writes: creation, first retry, …
        CAPTURE(i);
        const auto gap = writes[i + 2].at - writes[i + 1].at;
        CHECK(gap >= pauses[i]);
        CHECK(gap <= pauses[i] + 20min);
    }
    CHECK(writes.size() <= 10);
    CHECK(removals(world) == 0);
    const Plan& plan = world.plan(scope);
    CHECK(plan.conflicts.empty());
    CHECK_FALSE(world.is_converged());
    CHECK(std::ranges::any_of(plan.regions.at(scope + "/1.0.0"), [](const RegionStatus& region) {
        return region.name == "canadaeast" && region.state == ReplicationState::failed;
    }));
    CHECK(std::ranges::any_of(plan.notices, [](const std::string& notice) {
        return notice.find("canadaeast: replication failed; the next attempt is at") != std::string::npos;
    }));

    const std::size_t before_restart = writes.size();
    world.restart();  // the journal remembers the back-off
    run(world, 1);
    CHECK(writes_of(world).size() == before_restart);
    world.azure.clear_region_failures();
    run(world, 12 * 7);
    CHECK(replication_of(world, "canadaeast") == "Completed");
    CHECK(world.is_converged());
}

TEST_CASE("RemoveAndAdd takes a region away after two plain retries and adds it again") {
    World world({.engine = with_deletes()});
    world.azure.fail_region(
        {.region = "canadaeast", .count = 4});  // creation, two retries, and the write that raises the flag
    begin(world, "regionRetry: RemoveAndAdd");
    run(world, 12 * 4);
    CHECK(removals(world) == 1);
    CHECK(replication_of(world, "canadaeast") == "Completed");
    CHECK(world.azure_json(version)["properties"]["safetyProfile"]["allowDeletionOfReplicatedLocations"] == false);
    CHECK(world.deletes() == 0);
    CHECK(world.is_converged());
}

TEST_CASE("RemoveAndAdd without --allow-deletes only retries, and says why") {
    World world;
    world.azure.fail_region({.region = "canadaeast"});
    begin(world, "regionRetry: RemoveAndAdd");
    run(world, 12 * 12);
    CHECK(removals(world) == 0);
    CHECK(writes_of(world).size() >= 5);
    CHECK(replication_of(world, "canadaeast") == "Failed");
}

TEST_CASE("a region that fails after being added again three times is left to people") {
    World world({.engine = with_deletes()});
    world.azure.fail_region({.region = "canadaeast"});
    begin(world, "regionRetry: RemoveAndAdd");
    run(world, 12 * 24);
    CHECK(removals(world) == 3);
    CHECK(replication_of(world, "canadaeast") == "Failed");
    CHECK(replication_of(world, "canadacentral") == "Completed");
    const Plan& plan = world.plan(scope);
    REQUIRE(plan.conflicts.size() == 1);
    CHECK(plan.conflicts.front().code == "GD2110");
    CHECK_FALSE(plan.conflicts.front().ways_out.empty());
    const std::size_t before = writes_of(world).size();
    run(world, 12 * 24);
    CHECK(writes_of(world).size() == before);
}
