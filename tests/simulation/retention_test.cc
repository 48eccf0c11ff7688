#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

// Retention from mark to deletion: behaviour §5 and §6, reliability T1, T3, I8.
using namespace galleryd;

namespace {

std::string retention_policy(const std::string& more = "approval: Required", const std::string& governs = "All") {
    return "\n  governs: " + governs +
           "\n  retention: {action: Delete, keepNewest: 2, olderThan: 30d, minimumAge: 1d, inUse: Ignore, grace: 1h, "
           "maxPercentPerPass: 50, " +
           more + "}\n";
}

#ifdef NDEBUG
constexpr bool in_debug = false;
#else
constexpr bool in_debug = true;  // a debug build takes fewer points
#endif

// Four declared versions that are all older than the policy wants, so that the two oldest have to go.
struct Aged : World {
    explicit Aged(const std::string& policy = retention_policy(), int versions = 4,
                  EngineOptions engine = WorldOptions::deleting_engine())
        : World({.operations = std::chrono::seconds{45}, .engine = std::move(engine)}) {
        load(estate::images_state());
        declare(estate::small(versions, "", policy));
        REQUIRE(problems == "");
        REQUIRE(converge());
        clock.advance(std::chrono::days{31});
        look();
        approves_all = true;
    }
    std::string tag_of(const std::string& number, const std::string& name) {
        const auto version = azure_json(estate::version_id(number));
        REQUIRE(version.is_object());
        return version["tags"].contains(name) ? version["tags"][name].get<std::string>() : "";
    }
    int left(int versions = 4) {
        int count = 0;
        for (int i = 0; i < versions; ++i) count += exists(estate::version_id("1." + std::to_string(i) + ".0")) ? 1 : 0;
        return count;
    }
};

}  // namespace

TEST_CASE("Z12: what retention names is marked, deleted after its grace, and not made again although it is declared") {
    Aged world;
    world.pass_time(std::chrono::minutes{5});
    CHECK(world.tag_of("1.0.0", "galleryd-delete-after") != "");
    CHECK(world.tag_of("1.1.0", "galleryd-delete-rule") == "standard/olderThan");
    CHECK(world.tag_of("1.2.0", "galleryd-delete-after") == "");
    CHECK(world.has_event("DeletionScheduled"));
    world.pass_time(std::chrono::minutes{54});
    CHECK(world.deletes() == 0);
    world.pass_time(std::chrono::minutes{15});
    INFO(world.open_points());
    CHECK(world.deletes() == 2);
    CHECK(world.left() == 2);
    CHECK(world.has_event("Deleted"));
    const std::size_t before = world.writes();
    world.pass_time(std::chrono::minutes{30});
    world.restart();
    world.pass_time(std::chrono::minutes{30});
    CHECK(world.writes() == before);
    CHECK(world.left() == 2);
}

TEST_CASE(
    "a process killed at any request around the deletions of retention ends in the same Azure, and makes nothing "
    "again") {
    Aged whole;
    whole.pass_time(std::chrono::minutes{70});
    const std::string wanted = whole.fingerprint();
    Aged counted;
    counted.pass_time(std::chrono::minutes{58});
    counted.transport.arm(std::nullopt);
    counted.pass_time(std::chrono::minutes{8});
    REQUIRE(counted.deletes() == 2);
    for (int request = 1; request <= counted.transport.requests(); request += in_debug ? 11 : 1) {
        for (const bool after : {false, true}) {
            CAPTURE(request);
            CAPTURE(after);
            Aged world;
            world.pass_time(std::chrono::minutes{58});
            world.transport.arm(KillPoint{request, after});
            world.pass_time(std::chrono::minutes{8});
            REQUIRE(world.transport.died);
            world.restart();
            world.pass_time(std::chrono::minutes{12});
            CHECK(first_difference(wanted, world.fingerprint()) == "");
            CHECK(world.deletes() == 2);
        }
    }
}

TEST_CASE("a deletion whose answer is lost leaves a tombstone: the version is not made again") {
    Aged world;
    world.pass_time(std::chrono::minutes{58});
    world.faults("[{method: DELETE, cutAfterBytes: 0, count: 2}]");
    world.pass_time(std::chrono::minutes{60});
    INFO(world.open_points());
    CHECK(world.left() == 2);
    CHECK(world.deletes() == 2);
    CHECK(world.writes_to(estate::version_id("1.0.0")) == 3);  // made, marked, deleted
}

TEST_CASE("a mark goes with the tag or a hold, and its grace starts again") {
    Aged world;
    world.pass_time(std::chrono::minutes{30});
    REQUIRE(world.tag_of("1.0.0", "galleryd-delete-after") != "");
    const std::string first = world.tag_of("1.0.0", "galleryd-delete-after");
    SUBCASE("a person takes the tag off: marked again, with a new date") {
        REQUIRE(
            world.azure.change_resource(estate::version_id("1.0.0"), R"({"tags": {"galleryd-delete-after": null}})"));
        world.pass_time(std::chrono::minutes{40});
        CHECK(world.exists(estate::version_id("1.0.0")));
        CHECK(world.tag_of("1.0.0", "galleryd-delete-after") > first);
    }
    SUBCASE("a person holds it: the mark is taken off, and it stays for good") {
        REQUIRE(world.azure.change_resource(estate::version_id("1.0.0"), R"({"tags": {"galleryd-hold": "audit"}})"));
        world.pass_time(std::chrono::minutes{180});
        CHECK(world.exists(estate::version_id("1.0.0")));
        CHECK(world.tag_of("1.0.0", "galleryd-delete-after") == "");
        CHECK(world.tag_of("1.0.0", "galleryd-hold") == "audit");
        CHECK(world.left() == 3);
    }
}

TEST_CASE("with approval required nothing goes before a person named the digest, and that only lets those go") {
    Aged world;
    world.approves_all = false;
    world.pass_time(std::chrono::minutes{120});
    CHECK(world.deletes() == 0);
    CHECK(world.blocked_reasons().contains("approval_required"));
    const std::string digest = world.plan("images/golden/ubuntu").deletions_digest;
    world.pass_time(std::chrono::minutes{10});
    CHECK(world.plan("images/golden/ubuntu").deletions_digest == digest);  // does not change while the set does not
    world.approve("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    world.pass_time(std::chrono::minutes{10});
    CHECK(world.deletes() == 0);
    world.approve(digest);
    world.pass_time(std::chrono::minutes{10});
    CHECK(world.deletes() == 2);
}

TEST_CASE("more than the brake allows: nothing goes until approved, not even a part") {
    Aged world(retention_policy("approval: Required, maxDeletesPerPass: 2"), 6);
    world.approves_all = false;
    world.pass_time(std::chrono::minutes{120});
    CHECK(world.deletes() == 0);
    CHECK(world.blocked_reasons().contains("brake"));
    world.approve(world.plan("images/golden/ubuntu").deletions_digest);
    world.pass_time(std::chrono::minutes{10});
    CHECK(world.deletes() == 4);
    CHECK(world.left(6) == 2);
}

TEST_CASE("the hourly brake holds whatever was approved") {
    EngineOptions options = WorldOptions::deleting_engine();
    options.deletes_per_hour_max = 1;
    Aged world(retention_policy(), 4, options);
    world.pass_time(std::chrono::minutes{70});
    CHECK(world.deletes() == 1);
    CHECK(world.blocked_reasons().contains("brake_hourly"));
    world.restart();
    world.pass_time(std::chrono::minutes{40});
    CHECK(world.deletes() == 1);
    world.pass_time(std::chrono::minutes{40});
    CHECK(world.deletes() == 2);
}

TEST_CASE("outside the window nothing goes, inside it does") {
    // The world begins at midnight UTC on a Saturday, and 31 days later it is a Tuesday.
    Aged world(retention_policy("approval: Required, window: {from: '04:00', to: '05:00', timeZone: UTC}"));
    world.pass_time(std::chrono::minutes{180});
    CHECK(world.deletes() == 0);
    CHECK(world.blocked_reasons().contains("window"));
    world.pass_time(std::chrono::minutes{120});
    CHECK(world.deletes() == 2);
}

TEST_CASE("when our clock and Azure's differ by five minutes or more, nothing is deleted by time") {
    Aged world;
    Duration shift{0};
    SUBCASE("ours is ahead by six minutes") { shift = std::chrono::minutes{6}; }
    SUBCASE("ours is ahead by ten years") { shift = std::chrono::days{3650}; }
    SUBCASE("ours is behind by six minutes") { shift = -std::chrono::minutes{6}; }
    world.daemon_clock.shift = shift;
    world.pass_time(std::chrono::minutes{80});
    CHECK(world.deletes() == 0);
    CHECK(world.left() == 4);
    world.daemon_clock.shift = Duration{0};
    world.pass_time(std::chrono::minutes{80});
    INFO(world.open_points());
    if (shift < std::chrono::days{1}) CHECK(world.deletes() == 2);
}

TEST_CASE("our clock may be ahead by less than five minutes, and grace still ends by Azure's") {
    Aged world;
    world.pass_time(std::chrono::minutes{3});
    const auto until = parse_rfc3339(world.tag_of("1.0.0", "galleryd-delete-after"));
    REQUIRE(until.has_value());
    world.daemon_clock.shift = std::chrono::minutes{4};
    while (world.clock.now() <= *until) {
        world.round(std::chrono::minutes{1});
        if (world.clock.now() <= *until) CHECK(world.deletes() == 0);
    }
    world.pass_time(std::chrono::minutes{15});
    CHECK(world.deletes() == 2);
}

TEST_CASE(
    "versions of others go by a policy that governs all, but never held, protected, unreadable, newest or foreign "
    "ones") {
    World world({.operations = std::chrono::seconds{45}, .engine = WorldOptions::deleting_engine()});
    world.load(estate::images_state());
    auto files = estate::small(
        0, "", retention_policy("approval: Required, protectTags: {keep: 'true'}, maxDeletesPerPass: 20"));
    world.approves_all = true;
    world.declare(files);
    REQUIRE(world.converge());
    const std::string old = "2024-01-01T00:00:00Z";
    world.load(R"({"resources": [)" + estate::published("1.0.0", old) + "," +
               estate::published("1.1.0", old, R"({"galleryd-hold": ""})") + "," +
               estate::published("1.2.0", old, R"({"Keep": "TRUE"})") + "," +
               estate::published("1.3.0", old, R"({"x": null})") + "," +
               estate::published("1.4.0", old, R"({"galleryd-owner": "other/ImageVersion/images/u"})") + "," +
               estate::published("1.5.0", "") + "," + estate::published("1.9.0", old) + "," +
               estate::published("1.10.0", old) + "]}");
    world.pass_time(std::chrono::minutes{120});
    INFO(world.open_points());
    CHECK_FALSE(world.exists(estate::version_id("1.0.0")));
    for (const char* number : {"1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0", "1.9.0", "1.10.0"}) {
        CAPTURE(number);
        CHECK(world.exists(estate::version_id(number)));
    }
    CHECK(world.deletes() == 1);
    CHECK(world.writes_to(estate::version_id("1.4.0")) == 0);
}

TEST_CASE("a policy that only speaks for what is declared leaves the versions of others alone") {
    World world({.operations = std::chrono::seconds{45}, .engine = WorldOptions::deleting_engine()});
    world.load(estate::images_state());
    world.declare(estate::small(1, "", retention_policy("approval: Required", "Declared")));
    REQUIRE(world.converge());
    const std::string old = "2024-01-01T00:00:00Z";
    world.load(R"({"resources": [)" + estate::published("0.1.0", old) + "," + estate::published("0.2.0", old) + "," +
               estate::published("0.3.0", old) + "]}");
    const std::size_t before = world.writes();
    world.pass_time(std::chrono::minutes{120});
    CHECK(world.writes() == before);
}
