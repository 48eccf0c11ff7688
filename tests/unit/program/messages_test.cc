#include "controller/program/messages.h"

#include <doctest/doctest.h>

using namespace galleryd;
using namespace std::chrono_literals;

TEST_CASE("a duration that a flag does not take is told with the limits") {
    CHECK(parse_duration_flag("--timeout", "90s").value() == 90s);
    for (const char* text : {"0s", "90", "-1s", "2d", "1x", ""}) {
        CAPTURE(text);
        const auto parsed = parse_duration_flag("--interval", text, std::chrono::days{1});
        REQUIRE_FALSE(parsed.has_value());
        CHECK(parsed.error().code == "GD5003");
        CHECK(parsed.error().message.contains("--interval " + std::string(text) + ": write a duration from 1s to 1d"));
    }
}

TEST_CASE("complete looks do not come more often than looks") {
    const auto both = parse_intervals("60s", "1h");
    REQUIRE(both.has_value());
    CHECK(both->interval == 60s);
    CHECK(both->full == 1h);
    CHECK(parse_intervals("60s", "60s").has_value());
    const auto shorter = parse_intervals("60s", "59s");
    REQUIRE_FALSE(shorter.has_value());
    CHECK(shorter.error().code == "GD5026");
    CHECK(shorter.error().reason == "WrongUsage");
    CHECK(parse_intervals("0s", "1h").error().message.starts_with("--interval 0s"));
    CHECK(parse_intervals("60s", "31d").error().message.starts_with("--full-interval 31d"));
}
