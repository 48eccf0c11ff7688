#include <doctest/doctest.h>

#include "controller/adapters/azure/credential_certificate.h"
#include "controller/adapters/azure/credential_jwt.h"
#include "controller/adapters/azure/token_answer.h"
#include "tests/unit/azure/credential_bench.h"
#include "tests/unit/simulator/box.h"

using namespace galleryd;
using namespace galleryd::simulator;
using azure::Secret;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr const char* endpoint = "/72f988bf-86f1-41af-91ab-2d7cd011db47/oauth2/v2.0/token";

struct LoginBox : Box {
    azure::test::TestCertificate own =
        azure::test::make_test_certificate({.from = clock.now() - hours{1}, .until = clock.now() + hours{24}});

    explicit LoginBox(Options options = {}) : Box(std::move(options)) { token.clear(); }

    std::string assertion(const azure::test::TestCertificate& certificate, const std::string& audience,
                          const std::string& client = "app") {
        const auto read =
            azure::ClientCertificate::parse(Secret(certificate.certificate_pem + certificate.key_pem), Secret(""));
        REQUIRE(read.has_value());
        const azure::AssertionClaims claims{.client_id = client, .audience = audience};
        const auto made = azure::make_client_assertion(*read, claims, clock.now());
        REQUIRE(made.has_value());
        return made->reveal();
    }
    std::string assertion() { return assertion(own, std::string("https://azure.test") + endpoint); }

    Reply sign_in(const std::string& assertion_text, const std::string& path = endpoint) {
        return raw("POST", path,
                   "grant_type=client_credentials&client_id=app&scope=https%3A%2F%2Fazure.test%2F.default&"
                   "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&"
                   "client_assertion=" +
                       assertion_text);
    }
    void load(const Json& state) {
        Json whole = state;
        whole["resources"] = Json::array();
        REQUIRE(azure.load_state(whole.dump()));
    }
    int refused(const std::string& assertion_text, const std::string& path = endpoint) {
        const Reply reply = sign_in(assertion_text, path);
        CHECK(reply.status >= 400);
        CHECK(text_of(reply.body, "error_description")
                  .starts_with("AADSTS" + std::to_string(reply.body["error_codes"][0].get<int>()) + ": "));
        CHECK_FALSE(text_of(reply.body, "correlation_id").empty());
        return reply.body["error_codes"][0].get<int>();
    }
    std::string federated(const Json& claims) const {
        return azure::encode_base64url(R"({"alg":"RS256","kid":"k"})") + "." + azure::encode_base64url(claims.dump()) +
               "." + azure::encode_base64url(std::string(256, 's'));
    }
    Json service_account(seconds life = hours{1}) const {
        const auto now = std::chrono::duration_cast<seconds>(clock.now().time_since_epoch());
        return {{"iss", "https://oidc.example.com/"},
                {"sub", "system:serviceaccount:images:galleryd"},
                {"aud", Json::array({"api://AzureADTokenExchange"})},
                {"iat", now.count()},
                {"nbf", now.count()},
                {"exp", (now + life).count()}};
    }
};

}  // namespace

TEST_CASE("a certificate's assertion buys a token; with a registered certificate its signature is verified") {
    LoginBox box;
    CHECK(box.sign_in(box.assertion()).status == 200);  // an estate that says nothing takes what is well-formed
    box.load({{"certificates", {{"APP", box.own.certificate_pem}}}});
    const auto right = box.sign_in(box.assertion());
    REQUIRE(right.status == 200);
    CHECK(right.body["token_type"] == "Bearer");
    box.token = "Bearer " + text_of(right.body, "access_token");
    CHECK(box.ask("GET", box.galleries + "g").status == 404);
    box.token.clear();
    std::string tampered = box.assertion();
    const std::size_t dot = tampered.rfind('.');
    tampered[dot + 20] = tampered[dot + 20] == 'A' ? 'B' : 'A';
    CHECK(box.refused(tampered) == 700027);
    const auto other =
        azure::test::make_test_certificate({.from = box.clock.now() - hours{1}, .until = box.clock.now() + hours{24}});
    CHECK(box.refused(box.assertion(other, std::string("https://azure.test") + endpoint)) == 700027);
    CHECK(box.refused("a.b.c") == 50027);
    CHECK(box.refused("") == 7000218);
    CHECK(box.refused(box.assertion(box.own, "https://azure.test/other/oauth2/v2.0/token")) == 700023);
}

TEST_CASE("an expired certificate and an assertion outside its time are refused as Entra does") {
    LoginBox box;
    const auto short_lived =
        azure::test::make_test_certificate({.from = box.clock.now() - hours{1}, .until = box.clock.now() + hours{1}});
    box.load({{"certificates", {{"app", Json::array({box.own.certificate_pem, short_lived.certificate_pem})}}}});
    const std::string audience = std::string("https://azure.test") + endpoint;
    CHECK(box.sign_in(box.assertion(short_lived, audience)).status == 200);
    const std::string early = box.assertion();
    box.clock.advance(hours{2});
    const auto ended = box.sign_in(box.assertion(short_lived, audience));
    CHECK(ended.body["error_codes"][0] == 700027);
    CHECK(text_of(ended.body, "error_description").find("The key used is expired.") != std::string::npos);
    CHECK(box.refused(early) == 700024);
    CHECK(box.sign_in(box.assertion()).status == 200);
    Options scaled;
    scaled.time_scale = 600;
    LoginBox fast(scaled);  // its clock is not the client's
    const std::string by_real_time = fast.assertion();
    fast.clock.advance(hours{48});
    CHECK(fast.sign_in(by_real_time).status == 200);
}

TEST_CASE("a federated token is matched by issuer, subject and audience, and refused when it has expired") {
    LoginBox box;
    const Json claims = box.service_account();
    CHECK(box.sign_in(box.federated(claims)).status == 200);
    box.load({{"federatedCredentials",
               {{"app", Json::array({{{"issuer", "https://oidc.example.com/"},
                                      {"subject", "system:serviceaccount:images:galleryd"},
                                      {"audience", "api://AzureADTokenExchange"}}})}}}});
    CHECK(box.sign_in(box.federated(claims)).status == 200);
    Json changed = claims;
    changed["iss"] = "https://elsewhere.example.com/";
    CHECK(box.refused(box.federated(changed)) == 700211);
    changed = claims;
    changed["sub"] = "system:serviceaccount:images:default";
    CHECK(box.refused(box.federated(changed)) == 700213);
    changed = claims;
    changed["aud"] = "sts.amazonaws.com";
    CHECK(box.refused(box.federated(changed)) == 700212);
    box.clock.advance(hours{2});
    CHECK(box.refused(box.federated(claims)) == 700024);
    const auto expired = box.sign_in(box.federated(claims));
    CHECK(expired.status == 401);
    CHECK(expired.body["error"] == "invalid_client");
    changed = claims;
    changed.erase("exp");
    CHECK(box.refused(box.federated(changed)) == 50027);
}

TEST_CASE("unknown and malformed tenants are refused when the estate lists its tenants") {
    LoginBox box;
    CHECK(box.sign_in(box.assertion(box.own, "https://azure.test/any/oauth2/v2.0/token"), "/any/oauth2/v2.0/token")
              .status == 200);
    box.load({{"tenants", Json::array({"aaaaaaaa-0000-0000-0000-000000000001"})}});
    const auto unknown = box.sign_in(box.assertion(), "/contoso.example.com/oauth2/v2.0/token");
    CHECK(unknown.status == 400);
    CHECK(unknown.body["error"] == "invalid_request");
    CHECK(unknown.body["error_codes"][0] == 90002);
    CHECK(box.refused(box.assertion(), "/two%20words/oauth2/v2.0/token") == 900023);
    CHECK(box.sign_in(box.assertion(box.own, "https://azure.test/AAAAAAAA-0000-0000-0000-000000000001/oauth2/token"),
                      "/AAAAAAAA-0000-0000-0000-000000000001/oauth2/v2.0/token")
              .status == 200);
}

TEST_CASE("managed identities answer in the form of the metadata service, of App Service and of Azure Arc") {
    LoginBox box;
    const auto get = [&box](const std::string& target, const http::Headers& headers) {
        http::ServerRequest request;
        request.method = "GET";
        request.target = target;
        request.host = "169.254.169.254";
        request.headers = headers;
        const auto answered = box.azure.handle(request);
        return std::pair(answered, Json::parse(answered.body, nullptr, false));
    };
    const std::string metadata = "/metadata/identity/oauth2/token?api-version=2018-02-01";
    const std::string resource = "&resource=https%3A%2F%2Fazure.test%2F";
    CHECK(get(metadata + resource, {}).second["error"] == "bad_request_102");
    CHECK(get(metadata, {{"Metadata", "true"}}).first.status == 400);
    const auto machine = get(metadata + resource, {{"Metadata", "true"}});
    CHECK(machine.first.status == 200);
    CHECK(machine.second["expires_in"] == "3599");  // text, as the real service prints it
    CHECK(machine.second["resource"] == "https://azure.test/");
    box.load({{"managedIdentities", Json::array({"known"})}, {"identityHeader", "guid"}});
    const auto nobody = get(metadata + resource, {{"Metadata", "true"}});
    CHECK(nobody.first.status == 400);
    CHECK(nobody.second["error_description"] == "Identity not found");
    CHECK(get(metadata + resource + "&client_id=KNOWN", {{"Metadata", "true"}}).first.status == 200);
    const std::string app = "/msi/token?api-version=2019-08-01&client_id=known" + resource;
    CHECK(get(app, {}).first.status == 401);
    CHECK(get(app, {{"X-IDENTITY-HEADER", "other"}}).first.status == 401);
    const auto service = get(app, {{"X-IDENTITY-HEADER", "guid"}});
    CHECK(service.first.status == 200);
    CHECK(service.second["expires_on"].is_string());
    CHECK_FALSE(service.second.contains("expires_in"));
    box.load({{"managedIdentities", Json::array({"system"})},
              {"arc", {{"keyFile", "/var/opt/azcmagent/tokens/a.key"}, {"key", "k"}}}});
    const auto challenge = get(metadata + resource, {{"Metadata", "true"}});
    CHECK(challenge.first.status == 401);
    CHECK(challenge.first.headers.get("WWW-Authenticate") == "Basic realm=/var/opt/azcmagent/tokens/a.key");
    CHECK(get(metadata + resource, {{"Metadata", "true"}, {"Authorization", "Basic wrong"}}).first.status == 401);
    CHECK(get(metadata + resource, {{"Metadata", "true"}, {"Authorization", "Basic k"}}).first.status == 200);
}

TEST_CASE("what an estate knows about sign-in survives saving and loading, and a wrong certificate is refused") {
    LoginBox box;
    box.load(
        {{"certificates", {{"app", box.own.certificate_pem}}},
         {"federatedCredentials", {{"app", Json::array({{{"issuer", "i"}, {"subject", "s"}, {"audience", "a"}}})}}},
         {"managedIdentities", Json::array({"system"})},
         {"identityHeader", "guid"},
         {"arc", {{"keyFile", "f"}, {"key", "k"}}}});
    const std::string saved = box.azure.save_state();
    LoginBox again;
    REQUIRE(again.azure.load_state(saved));
    CHECK(again.azure.save_state() == saved);
    for (const char* part : {"BEGIN CERTIFICATE", "\"issuer\": \"i\"", "\"guid\"", "\"keyFile\": \"f\"", "\"system\""})
        CHECK(saved.find(part) != std::string::npos);
    const Status refused = box.azure.load_state(R"({"resources":[],"certificates":{"app":"rubbish"}})");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().reason == "StateInvalid");
    CHECK(refused.error().message.find("certificates of app") != std::string::npos);
}
