#include <doctest/doctest.h>

#include "tests/mutation/interlock_switch.h"
#include "tests/simulation/schedule.h"

// The random schedules of tests/simulation with one point of the interlock off: they find the wrong deletion by
// themselves. The others have their scenes only: a schedule always runs with --allow-deletes (1) and one daemon (11),
// and how many schedules the rest would need has not been measured.
using namespace galleryd;

namespace {

constexpr std::uint64_t seeds_max = 24;

// The first wrong write of the first schedule that has one; "" when none has.
std::string first_wrong(int point) {
    const PointOff off(point);
    for (std::uint64_t seed = 1; seed <= seeds_max; ++seed) {
        Schedule schedule(seed);
        schedule.world().guard.collects = true;
        if (schedule.run_until_wrong()) return schedule.world().guard.verdicts.front();
    }
    return "";
}

}  // namespace

TEST_CASE("random schedules find the missing point by themselves") {
    for (const int point : {2, 3, 4}) {
        const std::string said = first_wrong(point);
        MESSAGE("point " << point << ": " << said);
        CHECK_MESSAGE(said != "", "point " << point);
    }
}
