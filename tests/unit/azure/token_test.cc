#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>

#include "controller/adapters/azure/token_entra.h"
#include "tests/unit/azure/scripted_transport.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr const char* secret_text = "s3cr3t~canary";

std::string token_answer(const std::string& token, int life) {
    return R"({"token_type":"Bearer","expires_in":)" + std::to_string(life) + R"(,"access_token":")" + token + R"("})";
}

std::string refused(int number) {
    return R"({"error":"invalid_client","error_description":"AADSTS)" + std::to_string(number) +
           R"(: secret words for app s3cr3t~canary.\r\nTrace ID: 1","error_codes":[)" + std::to_string(number) + "]}";
}

struct SignIn {
    boost::asio::io_context io;
    ManualClock clock{io};
    ScriptedTransport transport{clock};
    RecordingMetrics metrics;
    RecordingLog log;
    ClientSecretToken tokens{
        transport,
        clock,
        log,
        metrics,
        EntraOptions{.login = {.scheme = "https", .host = "login.microsoftonline.com", .port = "443"},
                     .tenant_id = "72f988bf-0000-0000-0000-000000000000",
                     .client_id = "app id",
                     .scope = "https://management.azure.com/.default"},
        Secret(secret_text)};
    Result<std::string> token() { return run_task(io, clock, tokens.token()); }
};

}  // namespace

TEST_CASE("a token is fetched once, kept, and renewed five minutes before its end") {
    SignIn sign_in;
    sign_in.transport.answer(200, token_answer("first", 3600));
    sign_in.transport.answer(200, token_answer("second", 3600));
    CHECK(sign_in.token().value_or("none") == "first");
    sign_in.clock.advance(minutes{54});
    CHECK(sign_in.token().value_or("none") == "first");
    CHECK(sign_in.transport.sent.size() == 1);
    sign_in.clock.advance(minutes{2});
    CHECK(sign_in.token().value_or("none") == "second");
    const auto& request = sign_in.transport.sent.at(0).request;
    CHECK(request.method == "POST");
    CHECK(request.target == "/72f988bf-0000-0000-0000-000000000000/oauth2/v2.0/token");
    CHECK(request.body ==
          "grant_type=client_credentials&client_id=app%20id&client_secret=s3cr3t~canary&scope=https%3A%2F%2Fmanagement."
          "azure.com%2F.default");
    CHECK(sign_in.metrics.value("galleryd_arm_token_expiry_timestamp_seconds", {{"credential", "client-secret"}})
              .has_value());
}

TEST_CASE("a short-lived token is renewed after two thirds of its life, and its numbers may be text") {
    SignIn sign_in;
    sign_in.transport.answer(200, R"({"access_token":"first","expires_in":"300"})");
    sign_in.transport.answer(200, token_answer("second", 300));
    CHECK(sign_in.token().value_or("none") == "first");
    sign_in.clock.advance(seconds{199});
    CHECK(sign_in.token().value_or("none") == "first");
    sign_in.clock.advance(seconds{2});
    CHECK(sign_in.token().value_or("none") == "second");
}

TEST_CASE("many callers at once make one request") {
    SignIn sign_in;
    sign_in.transport.answer(200, token_answer("one", 3600), {}, seconds{3});
    int answered = 0;
    const auto ask = [&]() -> boost::asio::awaitable<void> {
        const auto token = co_await sign_in.tokens.token();
        if (token && *token == "one") ++answered;
    };
    for (int i = 0; i < 20; ++i) boost::asio::co_spawn(sign_in.io, ask, [](std::exception_ptr) {});
    run_until_idle(sign_in.io);
    sign_in.clock.advance(seconds{3});
    CHECK(answered == 20);
    CHECK(sign_in.transport.sent.size() == 1);
}

TEST_CASE("while renewing fails, the token is used up to its last half minute") {
    SignIn sign_in;
    sign_in.transport.answer(200, token_answer("first", 3600));
    CHECK(sign_in.token().value_or("none") == "first");
    for (int i = 0; i < 50; ++i) sign_in.transport.answer(503, "");
    sign_in.clock.advance(minutes{56});
    CHECK(sign_in.token().value_or("none") == "first");
    CHECK(sign_in.token().value_or("none") == "first");
    CHECK(sign_in.transport.sent.size() == 2);  // and nobody hammers the sign-in service
    sign_in.clock.advance(minutes{3} + seconds{45});
    const auto late = sign_in.token();
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().kind == ErrorKind::transient);
}

TEST_CASE("a refused token is forgotten, a newer one stays") {
    SignIn sign_in;
    sign_in.transport.answer(200, token_answer("first", 3600));
    sign_in.transport.answer(200, token_answer("second", 3600));
    CHECK(sign_in.token().value_or("none") == "first");
    sign_in.tokens.invalidate("first");
    CHECK(sign_in.token().value_or("none") == "second");
    sign_in.tokens.invalidate("first");  // a late 401 of a request that left with the old one
    CHECK(sign_in.token().value_or("none") == "second");
    CHECK(sign_in.transport.sent.size() == 2);
}

TEST_CASE("sign-in errors say what to change and never repeat the service's words or the secret") {
    const std::vector<std::pair<int, std::string>> cases{{7000215, "GD3011"}, {7000222, "GD3012"}, {700016, "GD3013"},
                                                         {90002, "GD3014"},   {700027, "GD3017"},  {70021, "GD3018"},
                                                         {50194, "GD3010"}};
    for (const auto& [number, code] : cases) {
        CAPTURE(number);
        SignIn sign_in;
        sign_in.transport.answer(401, refused(number));
        const auto token = sign_in.token();
        REQUIRE_FALSE(token.has_value());
        CHECK(token.error().code == code);
        CHECK(token.error().kind == ErrorKind::denied);
        CHECK(token.error().reason == "AuthenticationFailed");
        CHECK(token.error().message.contains("AADSTS" + std::to_string(number)));
        CHECK_FALSE(token.error().message.contains("canary"));
        CHECK_FALSE(token.error().message.contains("Trace ID"));
        CHECK_FALSE(sign_in.log.text.contains("canary"));
        CHECK(sign_in.metrics.value("galleryd_arm_auth_failures_total", {{"credential", "client-secret"}}) == 1);
        CHECK(sign_in.token().error().code == code);
        CHECK(sign_in.transport.sent.size() == 1);  // a wrong secret is not tried again at once
        sign_in.transport.answer(200, token_answer("later", 3600));
        sign_in.clock.advance(seconds{11});
        CHECK(sign_in.token().value_or("none") == "later");
    }
}

TEST_CASE("odd answers of the sign-in service are errors without their content") {
    for (const std::string& body :
         {std::string("<html>portal</html>"), std::string(R"({"access_token":"half)"), std::string("{}"),
          std::string(R"({"access_token":"two words"})"), std::string("{\"access_token\":\"line\\r\\nbreak\"}")}) {
        CAPTURE(body);
        SignIn sign_in;
        sign_in.transport.answer(200, body);
        const auto token = sign_in.token();
        REQUIRE_FALSE(token.has_value());
        CHECK(token.error().kind == ErrorKind::transient);
        CHECK_FALSE(token.error().message.contains("half"));
        CHECK_FALSE(token.error().message.contains("words"));
    }
    SignIn throttled;
    throttled.transport.answer(429, "{}", {{"Retry-After", "40"}});
    const auto token = throttled.token();
    CHECK(token.error().kind == ErrorKind::throttled);
    CHECK(token.error().retry_after == seconds{40});
}

TEST_CASE("a tenant that could change the path is refused before any request") {
    SignIn sign_in;
    ClientSecretToken tokens(sign_in.transport, sign_in.clock, sign_in.log, sign_in.metrics,
                             EntraOptions{.login = {}, .tenant_id = "../common?x", .client_id = "a", .scope = "c"},
                             Secret("b"));
    CHECK(run_task(sign_in.io, sign_in.clock, tokens.token()).error().code == "GD3014");
    CHECK(sign_in.transport.sent.empty());
}

TEST_CASE("form encoding escapes everything that is not plain") {
    CHECK(form_encode("aZ09-._~") == "aZ09-._~");
    CHECK(form_encode("a b&c=d+é/") == "a%20b%26c%3Dd%2B%C3%A9%2F");
}
