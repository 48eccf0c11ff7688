#include "controller/core/source_freeze.h"

#include <doctest/doctest.h>

#include <limits>

using galleryd::freeze_reason;

TEST_CASE("an emptied source and one that lost more than a fifth are frozen, and nothing else is") {
    const struct {
        std::size_t before, still, now;
        bool frozen;
        const char* why;
    } cases[] = {
        {0, 0, 0, false, "nothing was ever there"},
        {0, 0, 50, false, "the first content"},
        {10, 10, 10, false, "the same"},
        {10, 10, 30, false, "grown"},
        {10, 8, 8, false, "exactly 20 % gone"},
        {10, 7, 7, true, "30 % gone"},
        {10, 7, 100, true, "30 % gone, hidden by new ones"},
        {1, 0, 0, true, "the only one gone"},
        {4, 3, 3, true, "25 % gone"},
        {5, 4, 4, false, "20 % gone"},
        {9, 8, 8, false, "11 % gone"},
        {100, 0, 100, true, "all replaced: a wrong branch"},
        {100, 0, 0, true, "emptied"},
        {1000, 800, 800, false, "20 % of many"},
        {1000, 799, 799, true, "20.1 % of many"},
        {std::numeric_limits<std::size_t>::max(), 1, 1, true, "no overflow"},
        {10, 11, 11, false, "more than before: nothing gone"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.why);
        CHECK(freeze_reason(c.before, c.still, c.now).has_value() == c.frozen);
    }
}

TEST_CASE("the reason of a freeze says what was lost") {
    CHECK(*freeze_reason(12, 0, 0) == "the source is empty and declared 12 objects before (GD4009)");
    CHECK(*freeze_reason(1, 0, 0) == "the source is empty and declared 1 object before (GD4009)");
    CHECK(*freeze_reason(12, 0, 3) ==
          "none of the 12 objects declared before is there any more (3 others are; GD4010)");
    CHECK(*freeze_reason(10, 7, 7) == "3 of 10 objects declared before are gone, more than 20 % (GD4010)");
}
