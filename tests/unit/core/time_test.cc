#include "controller/core/time.h"

#include <doctest/doctest.h>

using namespace galleryd;

TEST_CASE("RFC 3339 instants: offsets, fractions and what is refused") {
    CHECK(format_rfc3339(*parse_rfc3339("2025-01-07T05:56:46.4648477+00:00")) == "2025-01-07T05:56:46.464847Z");
    CHECK(format_rfc3339(*parse_rfc3339("2025-01-07T05:56:46+08:00")) == "2025-01-06T21:56:46Z");
    CHECK(format_rfc3339(*parse_rfc3339("9999-12-31T23:59:59Z")) == "9999-12-31T23:59:59Z");
    CHECK(format_rfc3339(*parse_rfc3339("0001-01-01T00:00:00Z")) == "0001-01-01T00:00:00Z");
    CHECK(parse_rfc3339("2024-02-29T00:00:00Z").has_value());
    for (const char* wrong :
         {"2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01T00:00:60Z",
          "2025-01-01T00:00:00", "2025-01-01", "", "2025-1-1T00:00:00Z", "2025-01-01T00:00:00.Z"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_rfc3339(wrong).has_value());
    }
}

TEST_CASE("a deadline without a zone means the latest instant it could mean") {
    CHECK(format_rfc3339(*parse_deadline("2027-05-21")) == "2027-05-22T11:59:59.999999Z");
    CHECK(format_rfc3339(*parse_deadline("2027-05-21T00:00:00")) == "2027-05-21T12:00:00Z");
    CHECK(format_rfc3339(*parse_deadline("2027-05-21T00:00:00+14:00")) == "2027-05-20T10:00:00Z");
    CHECK_FALSE(parse_deadline("soon").has_value());
}

TEST_CASE("durations") {
    CHECK(parse_duration("90d") == std::chrono::days{90});
    CHECK(parse_duration("1d12h") == std::chrono::hours{36});
    CHECK(format_duration(std::chrono::hours{36}) == "1d12h");
    for (const char* wrong : {"", "d", "10", "-1d", "1.5d", "1y", "999999999999d"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_duration(wrong).has_value());
    }
}

TEST_CASE("HTTP dates") {
    const auto time = parse_http_date("Tue, 07 Jan 2025 05:52:23 GMT");
    REQUIRE(time.has_value());
    CHECK(format_rfc3339(*time) == "2025-01-07T05:52:23Z");
    CHECK(format_http_date(*time) == "Tue, 07 Jan 2025 05:52:23 GMT");
    CHECK_FALSE(parse_http_date("7 Jan 2025").has_value());
}
