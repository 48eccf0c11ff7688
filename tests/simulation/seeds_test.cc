#include <doctest/doctest.h>

#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "tests/simulation/schedule.h"

using namespace galleryd;

TEST_CASE("schedules that found something once are played again") {
    std::ifstream file(GALLERYD_SOURCE_DIR "/tests/simulation/seeds/found.txt");
    REQUIRE(file.good());
    int played = 0;
    for (std::string line; std::getline(file, line); ++played) {
        INFO(line);
        std::istringstream words(line);
        std::uint64_t seed = 0;
        REQUIRE((words >> seed));
        Schedule schedule(seed);
        schedule.run(std::numeric_limits<std::uint64_t>::max());
        CHECK(schedule.problems() == 0);
        CHECK(schedule.writes() > 0);
    }
    CHECK(played > 0);
}
