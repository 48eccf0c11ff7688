#include "controller/adapters/azure/sign_in_table.h"

#include <doctest/doctest.h>

#include <set>

#include "controller/adapters/azure/token_answer.h"
#include "controller/core/error_catalogue.h"

using namespace galleryd;
using namespace galleryd::azure;

namespace {

const TimePoint now = *parse_rfc3339("2026-03-01T00:00:00Z");

Error refused(int number, SignInKind sign_in = SignInKind::client_secret, int status = 401) {
    const http::Response answer{
        .status = status,
        .headers = {},
        .body = R"({"error":"invalid_client","error_description":"AADSTS)" + std::to_string(number) +
                R"(: canary.\r\nTrace ID: canary\r\nTimestamp: 2026","error_codes":[)" + std::to_string(number) + "]}"};
    const auto token = read_token_answer(answer, sign_in, now);
    REQUIRE_FALSE(token.has_value());
    return token.error();
}

}  // namespace

TEST_CASE("every number of the sign-in service becomes one clear line with its code and kind") {
    std::set<int> seen;
    for (const SignInRow& row : sign_in_rows()) {
        CAPTURE(row.number);
        const Error error = refused(row.number);
        CHECK(error.code == row.catalogue);
        CHECK(error.kind == row.kind);
        CHECK(error.reason == "AuthenticationFailed");
        CHECK(error.message.starts_with("sign-in to Azure: "));
        CHECK(error.message.contains("(AADSTS" + std::to_string(row.number) + ")"));
        CHECK_FALSE(error.message.contains("canary"));
        CHECK_FALSE(error.message.contains("\n"));
        if (row.catalogue != "GD3019") CHECK(error.message.contains(row.message));
        CHECK_FALSE(row.origin.empty());
        CHECK(find_error(row.catalogue) != nullptr);
        CHECK(find_sign_in_row(row.number) == &row);
        CHECK(seen.insert(row.number).second);
    }
    CHECK(seen.size() > 40);
}

TEST_CASE("the numbers that people meet first") {
    const std::vector<std::pair<int, std::string>> first{
        {7000215, "GD3011"}, {7000222, "GD3012"}, {700016, "GD3013"}, {90002, "GD3014"},  {700027, "GD3017"},
        {70021, "GD3018"},   {700024, "GD3019"},  {53003, "GD3024"},  {700082, "GD3028"}, {500133, "GD3019"}};
    for (const auto& [number, code] : first) {
        CAPTURE(number);
        CHECK(refused(number).code == code);
    }
    CHECK(refused(90033).kind == ErrorKind::transient);
    CHECK(refused(90055).kind == ErrorKind::throttled);
    CHECK(refused(90002, SignInKind::client_secret, 503).kind == ErrorKind::transient);
    CHECK(refused(4711).code == "GD3010");
    CHECK(refused(4711).message.contains("(AADSTS4711)"));
    CHECK(refused(700024, SignInKind::federated).message.contains("AZURE_FEDERATED_TOKEN_FILE is no longer renewed"));
    CHECK(find_sign_in_row(4711) == nullptr);
}
