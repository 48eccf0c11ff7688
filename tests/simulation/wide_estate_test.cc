#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

using namespace galleryd;

namespace {

#ifdef NDEBUG
constexpr bool in_debug = false;
#else
constexpr bool in_debug = true;  // a debug build takes fewer worlds
#endif

void check_silence(World& world, int rounds = 100) {
    const std::size_t before = world.writes();
    for (int i = 0; i < rounds; ++i) world.round(std::chrono::seconds{60});
    CHECK(world.writes() == before);
}

}  // namespace

TEST_CASE("Z10: a wide estate converges, with answers in any spelling, and then there is silence") {
    for (const std::uint64_t seed : {1ULL, 2ULL, 3ULL}) {
        if (in_debug && seed > 1) continue;
        for (const bool noise : {false, true}) {
            const bool inventory = noise == (seed % 2 == 1);
            CAPTURE(seed);
            CAPTURE(noise);
            CAPTURE(inventory);
            World world({.noise = noise, .inventory = inventory, .seed = seed});
            world.load(estate::wide_state());
            world.declare(estate::wide());
            CHECK(world.problems == "");
            REQUIRE(world.engine->scopes().size() == 5);
            CHECK(world.converge());
            INFO(world.open_points());
            CHECK(world.is_converged());
            check_silence(world);
            CHECK(world.deletes() == 0);
            const auto newest = world.azure_json(estate::version_id("3.0.0"));
            REQUIRE(newest.is_object());
            CHECK(newest["properties"]["publishingProfile"]["excludeFromLatest"] == false);
            CHECK(newest["properties"]["publishingProfile"]["targetRegions"].size() == 2);
            CHECK(world.azure_json(estate::golden)["tags"]["team"] == "web");
            CHECK(world.azure_json(estate::golden)["properties"]["softDeletePolicy"]["isSoftDeleteEnabled"] == true);
        }
    }
}

TEST_CASE("the demo estate is put right, refuses what it must, and then there is silence") {
    for (const bool noise : {true, false}) {
        if (in_debug && !noise) continue;
        CAPTURE(noise);
        EngineOptions engine = WorldOptions::deleting_engine();
        engine.instance = "demo";
        World world({.noise = noise, .inventory = noise, .operations = std::chrono::seconds{45}, .engine = engine});
        world.load(estate::demo_state());
        world.declare(estate::demo_files());
        CHECK(world.problems == "");
        world.pass_time(std::chrono::minutes{100});
        INFO(world.open_points());
        CHECK(world.deletes() == 0);  // nobody approved anything
        world.approves_all = true;
        world.pass_time(std::chrono::minutes{20});
        world.approves_all = false;
        CHECK(world.deletes() > 0);
        const std::string group = estate::subscription + "/resourceGroups/rg-golden-images";
        const std::string galleries = group + "/providers/Microsoft.Compute/galleries/";
        CHECK(world.exists(group +
                           "-dev/providers/Microsoft.Compute/galleries/golden_dev/images/ubuntu-2404/versions/0.9.0"));
        CHECK(world.azure_json(
                  galleries +
                  "golden/images/ubuntu-2404/versions/1.8.0")["properties"]["publishingProfile"]["excludeFromLatest"] ==
              false);
        CHECK(world.azure_json(galleries + "golden/images/windows-2022")["properties"]["hyperVGeneration"] == "V1");
        CHECK(world.conflict_reasons() == std::set<std::string>{"ImmutableFieldChanged", "NotOwned"});
        for (const char* kept : {"ubuntu-2204/versions/1.0.4", "ubuntu-2204/versions/1.0.6",
                                 "ubuntu-2404/versions/1.2.0", "rhel-9/versions/9.2.0"}) {
            CAPTURE(kept);
            CHECK(world.exists(galleries + "golden/images/" + kept));
        }
        for (const simulator::Mutation& mutation : world.azure.history()) {
            const std::string path = fold_case(mutation.path);  // sent as Azure spells it, which is in any case here
            CHECK(path.find("shared_tools") == std::string::npos);
            CHECK(path.find("research") == std::string::npos);
            if (mutation.method == "DELETE") CHECK(path.find("/ubuntu-2404-nightly/versions/") != std::string::npos);
        }
        check_silence(world);
    }
}
