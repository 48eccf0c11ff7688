#include <doctest/doctest.h>

#include "controller/adapters/azure/credential_jwt.h"
#include "controller/adapters/azure/token_entra.h"
#include "tests/unit/azure/credential_bench.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr const char* path = "/var/run/secrets/azure/tokens/azure-identity-token";

// A token as Kubernetes writes one; `mark` makes it recognisable.
std::string service_account_token(const std::string& mark) {
    return encode_base64url(R"({"alg":"RS256","kid":"1"})") + "." +
           encode_base64url(R"({"aud":["api://AzureADTokenExchange"],"sub":"system:serviceaccount:images:)" + mark +
                            R"("})") +
           "." + encode_base64url(std::string(256, 's'));
}

struct WorkloadBench : SignInBench {
    WorkloadIdentityToken provider{
        transport,
        clock,
        log,
        metrics,
        EntraOptions{.login = {.scheme = "https", .host = "login.microsoftonline.us", .port = "443"},
                     .tenant_id = "tenant",
                     .client_id = "app",
                     .scope = "https://management.usgovcloudapi.net/.default"},
        FederatedTokenFile{.path = path, .read = reader()}};
    Result<std::string> token() { return SignInBench::token(provider); }
};

}  // namespace

TEST_CASE("the workload's token is read anew for each request, so a rotated one is taken up") {
    WorkloadBench bench;
    bench.files[path] = service_account_token("first") + "\n";
    bench.transport.answer(200, token_answer("one", 3600));
    bench.transport.answer(200, token_answer("two", 3600));
    CHECK(bench.token().value_or("none") == "one");
    bench.files[path] = service_account_token("second");
    bench.clock.advance(hours{1});
    CHECK(bench.token().value_or("none") == "two");
    CHECK(bench.sent_body(0).contains("client_assertion=" + service_account_token("first") + "&scope="));
    CHECK(bench.sent_body(1).contains("client_assertion=" + service_account_token("second") + "&scope="));
    CHECK(bench.transport.sent.at(0).origin.host == "login.microsoftonline.us");
    CHECK(bench.provider.name() == "workload-identity");
}

TEST_CASE("an empty, half-written or missing token file sends nothing and heals by itself") {
    const std::string whole = service_account_token("one");
    for (const std::string& content :
         {std::string(), std::string("\n"), whole.substr(0, whole.size() / 3), whole.substr(0, whole.size() - 40),
          whole.substr(0, whole.rfind('.') + 1), whole + "." + whole, std::string("not a token")}) {
        CAPTURE(content);
        WorkloadBench bench;
        bench.files[path] = content;
        const auto half = bench.token();
        REQUIRE_FALSE(half.has_value());
        CHECK(half.error().kind == ErrorKind::transient);
        CHECK(half.error().code == "GD3026");
        CHECK(half.error().message.contains(path));
        CHECK(bench.transport.sent.empty());
        CHECK((content.size() < 2 || !half.error().message.contains(content)));
        bench.files[path] = whole;
        bench.transport.answer(200, token_answer("healed", 3600));
        bench.clock.advance(seconds{11});
        CHECK(bench.token().value_or("none") == "healed");
    }
    WorkloadBench bench;
    const auto missing = bench.token();
    CHECK(missing.error().kind == ErrorKind::denied);
    CHECK(missing.error().code == "GD3026");
    CHECK(missing.error().message.contains("AZURE_FEDERATED_TOKEN_FILE"));
    CHECK(bench.transport.sent.empty());
}

TEST_CASE("while the token file is unusable the token at hand is used to its last half minute") {
    WorkloadBench bench;
    bench.files[path] = service_account_token("one");
    bench.transport.answer(200, token_answer("one", 3600));
    CHECK(bench.token().value_or("none") == "one");
    bench.files[path] = "";
    bench.clock.advance(minutes{59});
    CHECK(bench.token().value_or("none") == "one");
    bench.clock.advance(seconds{45});
    CHECK(bench.token().error().code == "GD3026");
}

TEST_CASE("an expired workload token and a federation that does not fit are told apart") {
    for (const auto& [number, code] : std::vector<std::pair<int, std::string>>{{700024, "GD3019"},
                                                                               {70021, "GD3018"},
                                                                               {700211, "GD3018"},
                                                                               {700212, "GD3018"},
                                                                               {700213, "GD3018"},
                                                                               {90002, "GD3014"}}) {
        CAPTURE(number);
        WorkloadBench bench;
        bench.files[path] = service_account_token("one");
        bench.transport.answer(401, refusal(number));
        const auto refused = bench.token();
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == code);
        CHECK_FALSE(refused.error().message.contains("canary"));
        CHECK_FALSE(bench.log.text.contains("canary"));
        CHECK_FALSE(bench.log.text.contains(service_account_token("one")));
        if (number == 700024) CHECK(refused.error().message.contains("AZURE_FEDERATED_TOKEN_FILE"));
    }
}

TEST_CASE("when the file's token has ended, the error says when") {
    WorkloadBench bench;
    const auto until = std::chrono::duration_cast<seconds>((bench.clock.now() - hours{3}).time_since_epoch()).count();
    bench.files[path] = jwt(R"({"sub":"me","exp":)" + std::to_string(until) + "}");
    bench.transport.answer(401, refusal(700024));
    const auto refused = bench.token();
    CHECK(refused.error().code == "GD3019");
    CHECK(refused.error().message.ends_with("; the token in " + std::string(path) + " ended at 2026-02-28T21:00:00Z"));
}

TEST_CASE("an empty or half-written file is bridged by its last whole content while that lasts") {
    WorkloadBench bench;
    const auto until = std::chrono::duration_cast<seconds>((bench.clock.now() + hours{2}).time_since_epoch()).count();
    bench.files[path] = jwt(R"({"sub":"me","exp":)" + std::to_string(until) + "}");
    for (const char* token : {"one", "two"}) bench.transport.answer(200, token_answer(token, 3600));
    CHECK(bench.token().value_or("none") == "one");
    const std::string whole = bench.files[path];
    bench.files[path] = whole.substr(0, 30);
    bench.clock.advance(minutes{56});
    CHECK(bench.token().value_or("none") == "two");
    CHECK(bench.sent_body(1).contains("client_assertion=" + whole + "&"));
    bench.clock.advance(minutes{65});  // two hours are over: the old assertion is not shown any more
    CHECK(bench.token().error().code == "GD3026");
    CHECK(bench.transport.sent.size() == 2);
}

TEST_CASE("a token is whole only with three parts, JSON in two and a signature of its algorithm's length") {
    const auto token = [](const std::string& header, std::size_t signature) {
        return encode_base64url(header) + ".e30." + encode_base64url(std::string(signature, 'x'));
    };
    CHECK(is_whole_jwt(token(R"({"alg":"RS256"})", 256)));
    CHECK(is_whole_jwt(token(R"({"alg":"RS256"})", 512)));
    CHECK(is_whole_jwt(token(R"({"alg":"ES256"})", 64)));
    CHECK(is_whole_jwt(token(R"({"alg":"ES384"})", 96)));
    CHECK_FALSE(is_whole_jwt(token(R"({"alg":"RS256"})", 255)));
    CHECK_FALSE(is_whole_jwt(token(R"({"alg":"ES256"})", 63)));
    CHECK_FALSE(is_whole_jwt(token(R"({"alg":"none"})", 64)));
    CHECK_FALSE(is_whole_jwt(token(R"({"alg":"RS256")", 256)));
    CHECK_FALSE(is_whole_jwt(token("[]", 256)));
    CHECK(decode_base64url("_-8") == "\xff\xef");
    CHECK_FALSE(decode_base64url("a").has_value());
    CHECK_FALSE(decode_base64url("a+b=").has_value());
    CHECK(encode_base64url("\xff\xef") == "_-8");
}
