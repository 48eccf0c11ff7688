#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

using namespace galleryd;

namespace {

void check_silence(World& world, int rounds = 100) {
    const std::size_t before = world.writes();
    for (int i = 0; i < rounds; ++i) world.round(std::chrono::seconds{60});
    CHECK(world.writes() == before);
}

}  // namespace

TEST_CASE("a wide estate converges, with answers in any spelling, and then there is silence") {
    for (const std::uint64_t seed : {1ULL, 2ULL, 3ULL}) {
        for (const bool noise : {false, true}) {
            CAPTURE(seed);
            CAPTURE(noise);
            World world({.noise = noise, .seed = seed});
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
