#include "controller/adapters/azure/token_managed_identity.h"

#include <doctest/doctest.h>

#include "tests/unit/azure/credential_bench.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr const char* key_file = "/var/opt/azcmagent/tokens/5f2c.key";

// As IMDS answers: all values are text (azure-facts §13).
std::string identity_answer(const std::string& token, int life) {
    return R"({"access_token":")" + token + R"(","refresh_token":"","expires_in":")" + std::to_string(life) +
           R"(","expires_on":"1506484173","not_before":"1506480273","resource":"https://management.azure.com/","token_type":"Bearer"})";
}

Error unreachable() {
    return {.kind = ErrorKind::transient, .reason = "NetworkError", .message = "no route to 169.254.169.254"};
}

struct IdentityBench : SignInBench {
    std::unique_ptr<ManagedIdentityToken> provider;

    explicit IdentityBench(ManagedIdentityOptions options = {}) {
        options.resource = "https://management.azure.com/";
        options.read_file = reader();
        auto made = ManagedIdentityToken::make(transport, clock, log, metrics, std::move(options));
        REQUIRE(made.has_value());
        provider = std::move(*made);
    }
    Result<std::string> token() { return SignInBench::token(*provider); }
    const http::Request& sent(std::size_t index) const { return transport.sent.at(index).request; }
};

ManagedIdentityOptions arc() {
    return {.service = IdentityService::arc, .endpoint = "http://localhost:40342/metadata/identity/oauth2/token"};
}

}  // namespace

TEST_CASE("the instance metadata service is asked with its header, and a user-assigned identity by its client id") {
    IdentityBench bench;
    bench.transport.answer(200, identity_answer("one", 86'399));
    CHECK(bench.token().value_or("none") == "one");
    CHECK(http::to_string(bench.transport.sent.at(0).origin) == "http://169.254.169.254");
    CHECK(bench.sent(0).method == "GET");
    CHECK(bench.sent(0).target ==
          "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com%2F");
    CHECK(bench.sent(0).headers.get("Metadata") == "true");
    CHECK(bench.transport.sent.at(0).limits.deadline <= seconds{10});
    IdentityBench user(ManagedIdentityOptions{.client_id = "id with/blank"});
    user.transport.answer(200, identity_answer("two", 3600));
    CHECK(user.token().value_or("none") == "two");
    CHECK(user.sent(0).target.ends_with("&client_id=id%20with%2Fblank"));
}

TEST_CASE("404, 410, 429 and 5xx of the identity service are repeated after 2, 6, 14 and 30 seconds, others never") {
    for (const int status : {404, 410, 429, 500, 503}) {
        CAPTURE(status);
        IdentityBench bench;
        for (int i = 0; i < 4; ++i) bench.transport.answer(status, R"({"error":"busy"})");
        bench.transport.answer(200, identity_answer("late", 3600));
        CHECK(bench.token().value_or("none") == "late");
        REQUIRE(bench.transport.sent.size() == 5);
        const std::vector<seconds> times{seconds{0}, seconds{2}, seconds{8}, seconds{22}, seconds{52}};
        for (std::size_t i = 0; i < times.size(); ++i) CHECK(bench.transport.sent.at(i).at == times.at(i));
    }
    IdentityBench never;
    for (int i = 0; i < 5; ++i) never.transport.answer(404, "{}");
    const auto gone = never.token();
    CHECK(gone.error().kind == ErrorKind::transient);
    CHECK(gone.error().code == "GD3027");
    CHECK(never.transport.sent.size() == 5);
    IdentityBench final;
    final.transport.answer(403, R"({"error":"forbidden"})");
    CHECK(final.token().error().kind == ErrorKind::denied);
    CHECK(final.token().error().code == "GD3027");
    CHECK(final.transport.sent.size() == 1);
    IdentityBench hinted;
    hinted.transport.answer(429, "{}", {{"Retry-After", "5"}});
    hinted.transport.answer(200, identity_answer("after-five", 3600));
    CHECK(hinted.token().value_or("none") == "after-five");
    CHECK(hinted.transport.sent.at(1).at == seconds{5});
    IdentityBench long_hint;
    long_hint.transport.answer(429, "{}", {{"Retry-After", "300"}});
    CHECK(long_hint.token().error().retry_after == seconds{300});
    CHECK(long_hint.transport.sent.size() == 1);
}

TEST_CASE("a machine without the identity is told so, in two forms") {
    const std::string body = R"({"error":"invalid_request","error_description":"Identity not found"})";
    IdentityBench bench;
    bench.transport.answer(400, body);
    CHECK(bench.token().error().message.contains("has no managed identity. Assign one"));
    CHECK(bench.provider->has_no_identity());
    IdentityBench user(ManagedIdentityOptions{.client_id = "a"});
    user.transport.answer(400, body);
    const auto refused = user.token();
    CHECK(refused.error().message.contains("AZURE_CLIENT_ID"));
    CHECK(refused.error().code == "GD3027");
    CHECK(refused.error().kind == ErrorKind::denied);
}

TEST_CASE("Z9: an identity endpoint that is down for an hour is never noticed with tokens of a day") {
    IdentityBench bench;
    bench.transport.answer(200, identity_answer("day-one", 86'400));
    int failed = 0;
    bool renewed = false;
    for (int pass = 0; pass < 24 * 60; ++pass) {  // a pass a minute, a day long
        const auto hour = pass / 60;
        const bool due = hour >= 12 && !renewed;
        if (due && hour < 13) bench.transport.fail_with(unreachable());
        if (due && hour >= 13) {
            bench.transport.answer(200, identity_answer("day-two", 86'400));
            renewed = true;
        }
        const auto token = bench.token();
        if (!token || *token != (renewed ? "day-two" : "day-one")) ++failed;
        bench.clock.advance(minutes{1});
    }
    CHECK(failed == 0);
    CHECK(renewed);
    CHECK(bench.transport.left() == 0);
    CHECK(bench.transport.sent.size() == 62);  // one attempt a pass while the old token is good, no repeating
}

TEST_CASE("while one caller renews, the others go on with the token at hand") {
    IdentityBench bench;
    bench.transport.answer(200, identity_answer("old", 86'400));
    CHECK(bench.token().value_or("none") == "old");
    bench.clock.advance(hours{12} + seconds{1});
    bench.transport.answer(200, identity_answer("new", 86'400), {}, seconds{8});
    StartedTask<std::string> renewing(bench.io, bench.provider->token());
    CHECK_FALSE(renewing.done());
    StartedTask<std::string> other(bench.io, bench.provider->token());
    REQUIRE(other.done());
    CHECK(other.result().value_or("none") == "old");
    bench.clock.advance(seconds{8});
    REQUIRE(renewing.done());
    CHECK(renewing.result().value_or("none") == "new");
    CHECK(bench.transport.sent.size() == 2);
}

TEST_CASE("App Service is asked with its header; only the end of the token's life comes back") {
    ManagedIdentityOptions options{.service = IdentityService::app_service,
                                   .endpoint = "http://127.0.0.1:41056/msi/token",
                                   .header = Secret("853b9a84-canary")};
    IdentityBench bench(std::move(options));
    const auto end = std::chrono::duration_cast<seconds>((bench.clock.now() + minutes{30}).time_since_epoch()).count();
    bench.transport.answer(200, R"({"access_token":"app","expires_on":")" + std::to_string(end) +
                                    R"(","resource":"r","token_type":"Bearer"})");
    CHECK(bench.token().value_or("none") == "app");
    CHECK(bench.sent(0).target == "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fmanagement.azure.com%2F");
    CHECK(bench.sent(0).headers.get("X-IDENTITY-HEADER") == "853b9a84-canary");
    CHECK(bench.sent(0).headers.find("Metadata") == nullptr);
    bench.transport.answer(500, "{}");
    bench.clock.advance(minutes{26});  // renewed five minutes before the end: the life was understood
    CHECK(bench.token().value_or("none") == "app");
    CHECK(bench.transport.sent.size() == 2);
    CHECK_FALSE(bench.log.text.contains("canary"));
}

TEST_CASE("Azure Arc's challenge is answered with the key file it names, and with no other file") {
    IdentityBench bench(arc());
    bench.files[key_file] = "key-canary";
    bench.transport.answer(401, "", {{"WWW-Authenticate", std::string("Basic realm=") + key_file}});
    bench.transport.answer(200, identity_answer("arc", 3600));
    CHECK(bench.token().value_or("none") == "arc");
    CHECK(bench.sent(0).headers.get("Metadata") == "true");
    CHECK(bench.sent(0).headers.find("Authorization") == nullptr);
    CHECK(bench.sent(1).headers.get("Authorization") == "Basic key-canary");
    CHECK(bench.files_read.at(0).bytes_max == 4096);
    CHECK(bench.files_read.at(0).links == Links::refuse);
    for (const std::string& path :
         {std::string("/etc/shadow"), std::string("/var/opt/azcmagent/tokens/../../../../etc/x.key"),
          std::string("/var/opt/azcmagent/tokens/a/b.key"), std::string("/var/opt/azcmagent/tokens/b.txt"),
          std::string("/var/opt/azcmagent/tokens/.key"), std::string("/var/opt/azcmagent/tokens"),
          std::string("var/opt/azcmagent/tokens/b.key"), std::string("/var/opt/azcmagent/tokensb.key"),
          std::string()}) {
        CAPTURE(path);
        IdentityBench hostile(arc());
        hostile.files[path] = "stolen";
        hostile.transport.answer(401, "", {{"WWW-Authenticate", "Basic realm=" + path}});
        const auto token = hostile.token();
        REQUIRE_FALSE(token.has_value());
        CHECK(token.error().code == "GD3027");
        CHECK(hostile.files_read.empty());
        CHECK(hostile.transport.sent.size() == 1);
    }
    for (const std::string& header : {std::string("Bearer realm=") + key_file, std::string()})
        CHECK_FALSE(find_challenge_file(header).has_value());
}

TEST_CASE("a key file that is missing, long or no header value stops the sign-in with Arc") {
    for (const std::string& content : {std::string(), std::string("a\r\nX-Evil: 1"), std::string(5000, 'k')}) {
        CAPTURE(content.size());
        IdentityBench bench(arc());
        bench.files[key_file] = content;
        bench.transport.answer(401, "", {{"WWW-Authenticate", std::string("Basic realm=") + key_file}});
        CHECK(bench.token().error().code == "GD3027");
        CHECK(bench.transport.sent.size() == 1);
    }
    IdentityBench missing(arc());
    missing.transport.answer(401, "", {{"WWW-Authenticate", std::string("Basic realm=") + key_file}});
    CHECK(missing.token().error().message.contains("group himds"));
    ManagedIdentityOptions user = arc();
    user.client_id = "a";
    IdentityBench any;
    CHECK(ManagedIdentityToken::make(any.transport, any.clock, any.log, any.metrics, std::move(user)).error().code ==
          "GD3027");
}

TEST_CASE("identity endpoints are plain http on this machine or link, nowhere else") {
    for (const char* url :
         {"http://169.254.169.254/metadata/identity/oauth2/token", "http://127.0.0.1:41056/msi/token",
          "http://localhost:42356/msi/token", "http://169.254.129.3:8081/msi/token", "http://[::1]:40342/x"}) {
        CAPTURE(url);
        CHECK(parse_identity_endpoint(url).has_value());
    }
    for (const char* url :
         {"https://169.254.169.254/x", "https://localhost/x", "http://169.254.169.254.example.com/x",
          "http://169.254.169/x", "http://10.0.0.1/x", "http://identity.example.com/x", "http://localhost.evil.org/x",
          "http://127.0.0.1@evil.org/x", "ftp://127.0.0.1/x", "http://127.0.0.1/x?a=b", "", "http://[fe80::1]/x"}) {
        CAPTURE(url);
        const auto refused = parse_identity_endpoint(url);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == "GD3027");
    }
}

TEST_CASE("the metadata service is looked for without its header and within two seconds") {
    IdentityBench bench;
    const auto look = [&] { return run_task(bench.io, bench.clock, bench.provider->find_obstacle()); };
    bench.transport.answer(
        400, R"({"error":"invalid_request","error_description":"Required metadata header not specified"})");
    CHECK(look().value_or("error").empty());
    CHECK(bench.sent(0).headers.find("Metadata") == nullptr);
    CHECK(bench.transport.sent.at(0).limits.deadline == seconds{2});
    bench.transport.fail_with(unreachable());
    CHECK(look().value_or("error").contains("nothing answers at http://169.254.169.254"));
    bench.transport.answer(401, "");  // another cloud's metadata service
    CHECK(look().value_or("error").contains("is not Azure's"));
    bench.transport.answer(400, "<html>");
    CHECK(look().value_or("error").contains("is not Azure's"));
}
