#include <doctest/doctest.h>

#include "controller/adapters/azure/decode.h"
#include "controller/adapters/azure/error_table.h"
#include "controller/adapters/azure/retry_after.h"
#include "controller/adapters/azure/token_answer.h"

// Answers that nobody who means well sends; each was found by the fuzz targets (tests/fuzz) or by what they look for.

using namespace galleryd;
using namespace galleryd::azure;
using std::chrono::seconds;

namespace {

const TimePoint now = *parse_rfc3339("2026-11-21T04:10:12Z");

std::optional<seconds> wait_of(const char* name, const char* value) {
    return find_retry_after(http::Headers{{name, value}}, "", now);
}

}  // namespace

TEST_CASE("a wait in more milliseconds than a number holds is an hour, and not four seconds") {
    CHECK(wait_of("x-ms-retry-after-ms", "99999999999999999999") == retry_after_max);
    CHECK(wait_of("x-ms-retry-after-ms", "9223372036854775807") == retry_after_max);
    CHECK(wait_of("retry-after-ms", "2500") == seconds{3});
}

TEST_CASE("a wait that is further in the past than a number holds means at once") {
    CHECK(wait_of("Retry-After", "-99999999999999999999") == retry_after_min);
    CHECK(wait_of("x-ms-retry-after-ms", "-9223372036854775808") == retry_after_min);
    CHECK(wait_of("Retry-After", "99999999999999999999") == retry_after_max);
}

TEST_CASE("a token that ended before time began is a short one") {
    for (const char* end : {"-9223372036854775808", "-1", "0", "9223372036854775807"}) {
        CAPTURE(end);
        const http::Response answer{
            .status = 200, .headers = {}, .body = R"({"access_token":"a","expires_on":")" + std::string(end) + R"("})"};
        const auto token = read_token_answer(answer, SignInKind::managed_identity, now);
        REQUIRE(token.has_value());
        CHECK(token->life == (std::string_view(end).starts_with("92") ? std::chrono::days{1} : seconds{1}));
    }
}

TEST_CASE("of ten thousand details of an error the first few are kept") {
    std::string details;
    for (int i = 0; i < 10'000; ++i) details += R"({"code":"C)" + std::to_string(i) + R"(","message":"m"},)";
    const auto body = decode_error_body(R"({"error":{"code":"A","message":"b","details":[)" + details + "{}]}}");
    REQUIRE(body.has_value());
    CHECK(body->detail_codes.size() == 16);
    CHECK(body->detail_codes.front() == "C0");
    CHECK(body->message == "b (m)");
}

TEST_CASE("an error whose detail nearly repeats its message is read in one pass") {
    const std::string run(400'000, 'a');  // looked for in each other as they come, these two take seconds
    const auto body =
        decode_error_body(R"({"error":{"message":")" + run + run + R"(","details":[{"message":")" + run + R"(b"}]}})");
    REQUIRE(body.has_value());
    CHECK(body->message.size() <= 2'010);
}

TEST_CASE("what Azure or a proxy says cannot turn the direction of text or reach a terminal as an escape") {
    const auto body = decode_error_body("{\"error\":{\"code\":\"A\",\"message\":\"a\\u202eb\\u009b31mc\\r\\nd\"}}");
    REQUIRE(body.has_value());
    CHECK(body->message == "a b 31mc d");
    const Error error = error_from_answer({.what = "read the gallery"},
                                          {.status = 502, .headers = {}, .body = "<html>\xff\xfe proxy"}, now);
    CHECK(error.message.contains("\xEF\xBF\xBD\xEF\xBF\xBD proxy"));
    CHECK_FALSE(error.message.contains('\xff'));
}
