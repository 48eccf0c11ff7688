#include "controller/core/edit_distance.h"

#include <doctest/doctest.h>

using namespace galleryd;

TEST_CASE("the distance of two words is the number of letters to change, up to a limit") {
    CHECK(edit_distance("", "", 10) == 0);
    CHECK(edit_distance("abc", "abc", 10) == 0);
    CHECK(edit_distance("kitten", "sitting", 10) == 3);
    CHECK(edit_distance("sitting", "kitten", 10) == 3);
    CHECK(edit_distance("", "abc", 10) == 3);
    CHECK(edit_distance("kitten", "sitting", 4) == 3);
    CHECK(edit_distance("kitten", "sitting", 3) == 3);
    CHECK(edit_distance("kitten", "sitting", 2) == 2);  // at least two apart
    CHECK(edit_distance("abcdef", "uvwxyz", 3) == 3);
    CHECK(edit_distance("a", "abcdefgh", 3) == 3);
    CHECK(edit_distance("abc", "abc", 0) == 0);
}
