#include <doctest/doctest.h>

#include <cstdlib>

#include "reconcilers/lifecycle/plan_digest.h"
#include "tests/unit/planning/naive_reading.h"

// Random estates against a naive reading of behaviour §6. GALLERYD_PLANNING_SEEDS sets how many are drawn; the fuzz
// target `plan` draws them by coverage.

using namespace galleryd;
using namespace galleryd::test;

TEST_CASE("no random estate makes the planner take away what a naive reading of the interlock refuses") {
    const char* wanted = std::getenv("GALLERYD_PLANNING_SEEDS");
    const unsigned seeds = wanted != nullptr ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : 4000;
    int deletions = 0, removals = 0;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        const RandomEstate estate(seed);
        Plan plan = estate.plan();
        const Reading reading = read_naively(estate, plan);
        for (const std::string& complaint : reading.complaints) FAIL_CHECK(complaint);
        deletions += reading.deletions;
        removals += reading.removals;
        Plan again = estate.plan();
        finish_plan(plan);
        finish_plan(again);
        CHECK(plan.id == again.id);
    }
    // The test is worth something only when it gets past the guards often enough.
    CHECK(deletions > static_cast<int>(seeds) / 50);
    CHECK(removals > static_cast<int>(seeds) / 50);
}
