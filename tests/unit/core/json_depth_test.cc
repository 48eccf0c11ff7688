#include "controller/core/json_depth.h"

#include <doctest/doctest.h>

#include <string>

using namespace galleryd;

TEST_CASE("brackets of a JSON text are counted, those in texts are not") {
    CHECK_FALSE(is_json_deeper("", 0));
    CHECK_FALSE(is_json_deeper("1", 0));
    CHECK(is_json_deeper("[]", 0));
    CHECK_FALSE(is_json_deeper("[{}, {}]", 2));
    CHECK(is_json_deeper("[{}, {\"a\": []}]", 2));
    CHECK_FALSE(is_json_deeper(R"(["[[[", "\"[[["])", 1));
    CHECK_FALSE(is_json_deeper(R"(["\\"])", 1));
    CHECK(is_json_deeper(R"(["\\",[]])", 1));
    CHECK(is_json_deeper(std::string(1'000'000, '['), 64));
}
