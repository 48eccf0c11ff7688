#include "controller/program/gallery_token.h"

#include <doctest/doctest.h>

#include "tests/unit/azure/credential_bench.h"
#include "tests/unit/program/sign_in_environment.h"

using namespace galleryd;
using azure::test::jwt;
using azure::test::refusal;
using azure::test::SignInBench;
using azure::test::token_answer;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

class Shelf : public CredentialStore {
  public:
    std::map<std::string, std::string> values;
    std::optional<std::string> broken;
    int reads = 0;

    Result<CredentialValues> read(const std::string& name) override {
        ++reads;
        if (broken) return unusable_credential(name, *broken);
        CredentialValues found;
        for (const auto& [key, value] : values) found.emplace(key, azure::Secret(value));
        return found;
    }
    std::string place_of(const std::string& name) const override { return "/run/" + name; }
};

struct Team {
    // What the daemon itself would sign in with: no request may show it.
    SignInEnvironment environment{
        {{"AZURE_TENANT_ID", "own-tenant"}, {"AZURE_CLIENT_ID", "own-client"}, {"AZURE_CLIENT_SECRET", "own-canary"}}};
    SignInBench bench;
    Shelf shelf;
    GalleryToken credential{"images/team-a",
                            *find_cloud("public"),
                            {.store = shelf,
                             .transport = bench.transport,
                             .clock = bench.clock,
                             .log = bench.log,
                             .metrics = bench.metrics}};

    Team() {
        shelf.values = {
            {"AZURE_TENANT_ID", "tenant-a"}, {"AZURE_CLIENT_ID", "client-a"}, {"AZURE_CLIENT_SECRET", "canary-a"}};
    }
    Result<std::string> token() { return bench.token(credential); }
    Error refused() {
        const auto answer = token();
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().kind == ErrorKind::denied);
        CHECK(answer.error().reason == "AuthenticationFailed");
        CHECK(answer.error().message.contains("images/team-a"));
        CHECK_FALSE(answer.error().message.contains("canary"));
        return answer.error();
    }
    void pass() { bench.clock.advance(GalleryToken::look_pause); }
    std::size_t asked() const { return bench.transport.sent.size(); }
};

}  // namespace

TEST_CASE("a gallery's credential signs in with its own values, keeps its token and tells who it is") {
    Team team;
    team.bench.transport.answer(200, token_answer("first", 3600));
    CHECK(team.token().value_or("none") == "first");
    CHECK(team.bench.transport.sent.at(0).request.target == "/tenant-a/oauth2/v2.0/token");
    CHECK(http::to_string(team.bench.transport.sent.at(0).origin) == "https://login.microsoftonline.com");
    CHECK(team.bench.sent_body(0).contains("client_id=client-a&client_secret=canary-a"));
    team.bench.clock.advance(minutes{50});
    CHECK(team.token().value_or("none") == "first");
    CHECK(team.asked() == 1);
    CHECK(team.credential.name() == "images/team-a");
    CHECK(team.credential.principal() == "tenant-a/client-a");
    CHECK(team.credential.acting_as() == "the credential images/team-a");
    CHECK(team.bench.metrics.value("galleryd_arm_token_expiry_timestamp_seconds", {{"credential", "images/team-a"}})
              .has_value());
    CHECK_FALSE(team.bench.log.text.contains("canary"));
}

TEST_CASE("values that changed are in force within seconds, without a restart") {
    Team team;
    team.bench.transport.answer(200, token_answer("first", 3600));
    CHECK(team.token().value_or("none") == "first");
    team.shelf.values["AZURE_CLIENT_ID"] = "client-b";
    team.shelf.values["AZURE_CLIENT_SECRET"] = "canary-b";
    CHECK(team.token().value_or("none") == "first");  // not looked at with every request
    team.pass();
    team.bench.transport.answer(200, token_answer("second", 3600));
    CHECK(team.token().value_or("none") == "second");
    CHECK(team.bench.sent_body(1).contains("client_id=client-b&client_secret=canary-b"));
    CHECK(team.credential.principal() == "tenant-a/client-b");
}

TEST_CASE("a wrong secret is not tried again and again, and a right one that replaces it is tried at once") {
    Team team;
    team.bench.transport.answer(401, refusal(7000215));
    CHECK(team.refused().code == "GD3011");
    team.pass();
    CHECK(team.refused().code == "GD3011");
    CHECK(team.asked() == 1);
    team.shelf.values["AZURE_CLIENT_SECRET"] = "canary-right";
    team.bench.clock.advance(seconds{4});
    team.pass();
    team.bench.transport.answer(200, token_answer("good", 3600));
    CHECK(team.token().value_or("none") == "good");
}

TEST_CASE("a credential that is gone or incomplete gives no token, not even the one that still lives, nor another's") {
    Team team;
    team.bench.transport.answer(200, token_answer("first", 3600));
    CHECK(team.token().value_or("none") == "first");
    team.shelf.broken = "/run/images/team-a: No such file or directory";
    team.pass();
    CHECK(team.refused().message ==
          "the credential images/team-a cannot be used: /run/images/team-a: No such file or directory");
    team.shelf.broken.reset();
    CHECK(team.refused().code == "GD3029");  // looked at again in some seconds
    team.shelf.values.erase("AZURE_CLIENT_ID");
    team.shelf.values["AZURE_CLIENT_SECRET"] = "";
    team.pass();
    CHECK(team.refused().message ==
          "the credential images/team-a cannot be used: /run/images/team-a lacks AZURE_CLIENT_ID, one of "
          "AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE, AZURE_FEDERATED_TOKEN");
    CHECK(team.asked() == 1);
    CHECK(team.bench.metrics.value("galleryd_arm_auth_failures_total", {{"credential", "images/team-a"}}) == 2);
    team.shelf.values["AZURE_CLIENT_ID"] = "client-a";
    team.shelf.values["AZURE_CLIENT_SECRET"] = "canary-a";
    team.pass();
    CHECK(team.token().value_or("none") == "first");  // the same values: the same sign-in goes on
}

TEST_CASE("a change of the values is told without a sign-in, so that nobody waits for a slow retry") {
    Team team;
    const auto before = team.credential.changes();
    CHECK(team.credential.changes() == before);
    team.shelf.broken = "gone";
    CHECK(team.credential.changes() == before);  // not looked at yet
    team.pass();
    CHECK(team.credential.changes() == before + 1);
    team.pass();
    CHECK(team.credential.changes() == before + 1);
    team.shelf.broken.reset();
    team.pass();
    CHECK(team.credential.changes() == before + 2);
    team.shelf.values["AZURE_CLIENT_SECRET"] = "canary-new";
    team.pass();
    CHECK(team.credential.changes() == before + 3);
    CHECK(team.asked() == 0);
}

TEST_CASE("a federated token that rotates is read for each sign-in, and is no new credential") {
    Team team;
    team.shelf.values.erase("AZURE_CLIENT_SECRET");
    team.shelf.values["AZURE_FEDERATED_TOKEN"] = jwt(R"({"sub":"one"})");
    const std::string one = team.shelf.values["AZURE_FEDERATED_TOKEN"];
    team.bench.transport.answer(200, token_answer("first", 3600));
    CHECK(team.token().value_or("none") == "first");
    CHECK(team.bench.sent_body(0).contains("client_assertion=" + one));
    const std::string two = jwt(R"({"sub":"two"})");
    team.shelf.values["AZURE_FEDERATED_TOKEN"] = two;
    team.pass();
    CHECK(team.token().value_or("none") == "first");
    team.bench.clock.advance(minutes{56});
    team.bench.transport.answer(200, token_answer("second", 3600));
    CHECK(team.token().value_or("none") == "second");
    CHECK(team.bench.sent_body(1).contains("client_assertion=" + two));
    CHECK(team.credential.proof() == "AZURE_FEDERATED_TOKEN");
}

TEST_CASE("a certificate signs in, with the file's content as the only place it comes from") {
    Team team;
    const auto certificate = azure::test::make_test_certificate(
        {.from = ManualClock::default_start - minutes{5}, .until = ManualClock::default_start + std::chrono::days{30}});
    team.shelf.values.erase("AZURE_CLIENT_SECRET");
    team.shelf.values["AZURE_CLIENT_CERTIFICATE"] = certificate.certificate_pem + certificate.encrypted_key_pem;
    CHECK(team.refused().code == "GD3025");  // it needs the password
    CHECK(team.asked() == 0);
    team.shelf.values["AZURE_CLIENT_CERTIFICATE_PASSWORD"] = "open sesame";
    team.pass();
    team.bench.transport.answer(200, token_answer("first", 3600));
    CHECK(team.token().value_or("none") == "first");
    CHECK(team.bench.sent_body(0).contains("client_id=client-a&client_assertion_type="));
}

TEST_CASE("documents that contradict each other sign in as nobody") {
    azure::test::SignInBench bench;
    RefusedToken nobody(
        "contradictory",
        Error{
            .kind = ErrorKind::denied, .reason = "AuthenticationFailed", .message = "two documents", .code = "GD3029"});
    const auto token = bench.token(nobody);
    REQUIRE_FALSE(token.has_value());
    CHECK(token.error().code == "GD3029");
}
