#include <doctest/doctest.h>

#include <functional>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

using namespace galleryd;

namespace {

// Runs `story` once without a death, then once for every request of that run and each side of its delivery, and
// compares the ends.
struct Story {
    std::string azure;
    std::function<void(World&)> begin;  // documents, flags
    std::function<bool(World&)> end;    // rounds until everything is done; false when the process died on the way
    EngineOptions engine = WorldOptions::test_engine();
    int step = 1;  // every step-th request
};

std::multiset<std::string> deleted(const World& world) {
    std::multiset<std::string> paths;
    for (const simulator::Mutation& mutation : world.azure.history()) {
        if (mutation.method == "DELETE") paths.insert(fold_case(mutation.path));
    }
    return paths;
}

// PUTs of one body to one path, counted.
std::map<std::string, int> puts(const World& world) {
    std::map<std::string, int> counts;
    for (const simulator::Mutation& mutation : world.azure.history()) {
        if (mutation.method != "DELETE")
            ++counts[mutation.method + " " + fold_case(mutation.path) + " " + mutation.body];
    }
    return counts;
}

int repeated(const World& world, const World& whole) {
    const auto expected = puts(whole);
    int extra = 0;
    for (const auto& [request, count] : puts(world)) {
        const auto found = expected.find(request);
        if (found != expected.end()) extra += std::max(0, count - found->second);
    }
    return extra;
}

int die_everywhere(const Story& story) {
    World whole({.operations = std::chrono::seconds{45}, .engine = story.engine});
    whole.load(story.azure);
    story.begin(whole);
    REQUIRE(story.end(whole));
    const int requests = whole.transport.requests();
    const std::string wanted = whole.fingerprint();
    int points = 0;
    for (int request = 1; request <= requests; request += story.step) {
        for (const bool after : {false, true}) {
            CAPTURE(request);
            CAPTURE(after);
            World world({.operations = std::chrono::seconds{45}, .engine = story.engine});
            world.guard.context =
                "killed at request " + std::to_string(request) + (after ? " after" : " before") + " delivery";
            world.load(story.azure);
            world.transport.arm(KillPoint{request, after});
            story.begin(world);
            CHECK_FALSE(story.end(world));
            REQUIRE(world.transport.died);
            world.restart();
            CHECK(story.end(world));
            CHECK(first_difference(wanted, world.fingerprint()) == "");
            CHECK(deleted(world) == deleted(whole));
            CHECK(repeated(world, whole) <= 1);
            ++points;
        }
    }
    return points;
}

}  // namespace

#ifdef NDEBUG
constexpr bool in_debug = false;
#else
constexpr bool in_debug = true;  // a debug build takes fewer points
#endif

TEST_CASE("killed at any request of the way to a converged estate and started again, it ends in the same Azure") {
    const int points = die_everywhere({.azure = estate::wide_state(),
                                       .begin = [](World& world) { world.declare(estate::wide()); },
                                       .end = [](World& world) { return world.converge(); },
                                       .step = in_debug ? 9 : 1});
    MESSAGE("points: " << points);
    CHECK(points >= 40);
}

TEST_CASE("killed at any request while a region is taken away in steps, it ends in the same Azure") {
    const std::string two = estate::version("1.0.0", "", "canadacentral, canadaeast");
    const std::string one = estate::version("1.0.0", "", "canadacentral");
    auto before = estate::small(
        2, "",
        "\n  governs: Declared\n  retention: {action: Report, keepNewest: 1, olderThan: 3650d, inUse: Ignore}\n");
    auto after = before;
    after["version-1.0.0.yaml"] = one;
    before["version-1.0.0.yaml"] = two;
    const int points = die_everywhere({.azure = estate::images_state(),
                                       .begin = [before](World& world) { world.declare(before); },
                                       .end =
                                           [after](World& world) {
                                               if (!world.converge()) return false;
                                               if (world.files != after) world.declare(after);
                                               return world.converge() && world.converge();
                                           },
                                       .engine = WorldOptions::deleting_engine(),
                                       .step = in_debug ? 9 : 1});
    MESSAGE("points: " << points);
    CHECK(points >= (in_debug ? 10 : 40));
}
