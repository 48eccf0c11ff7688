#include <doctest/doctest.h>

#include "controller/adapters/azure/arm_client.h"
#include "controller/adapters/azure/token_entra.h"
#include "controller/simulator/simulator.h"
#include "tests/unit/azure/credential_bench.h"
#include "tests/unit/simulator/box.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const http::Origin arm{.scheme = "https", .host = "azure.test", .port = "443"};
const http::Origin login{.scheme = "https", .host = "login.test", .port = "443"};

// Everything that leaves, on its way to the built-in Azure: a bearer token may go to ARM alone, the rest to the login.
class WatchedTransport : public http::Transport {
  public:
    explicit WatchedTransport(http::Transport& inner) : inner_(inner) {}
    Task<http::Response> send(http::Origin origin, http::Request request, http::CallLimits limits) override {
        const bool bearer = request.headers.find("Authorization") != nullptr;
        const bool assertion = request.body.find("client_assertion=") != std::string::npos;
        if (bearer && !(origin == arm)) ++strayed;
        if (assertion && !(origin == login)) ++strayed;
        if (assertion) ++sign_ins;
        co_return co_await inner_.send(std::move(origin), std::move(request), limits);
    }
    int strayed = 0, sign_ins = 0;

  private:
    http::Transport& inner_;
};

struct Day {
    simulator::FullBox box{options()};
    simulator::InProcessTransport direct{box.azure, box.clock};
    WatchedTransport transport{direct};
    RecordingLog log;
    RecordingMetrics metrics;
    std::string file;
    ReadFile read = [this](const FileToRead&) -> Result<Secret> { return Secret(file); };
    WorkloadIdentityToken tokens{
        transport,
        box.clock,
        log,
        metrics,
        EntraOptions{.login = login, .tenant_id = "tenant", .client_id = "app", .scope = "https://azure.test/.default"},
        FederatedTokenFile{.path = "/token", .read = read}};
    ArmClient client{transport, tokens, box.clock, log, metrics, ArmOptions{.arm = arm}};

    static simulator::Options options() {
        simulator::Options made;
        made.page_size = 2;
        made.limits = false;
        return made;
    }
    Day() {
        for (int i = 0; i < 4; ++i) box.make_definition("d" + std::to_string(i), "s" + std::to_string(i));
        rotate();
    }
    void rotate() {
        const auto now = std::chrono::duration_cast<seconds>(box.clock.now().time_since_epoch());
        file = jwt(R"({"iss":"https://oidc","sub":"me","aud":"api://AzureADTokenExchange","exp":)" +
                   std::to_string((now + hours{1}).count()) + "}");
    }
    Result<std::vector<ObservedDefinition>> pass() {
        return run_task(box.io, box.clock, client.list_definitions(ResourceId(box.galleries + "g")), seconds{30});
    }
};

}  // namespace

TEST_CASE("Z9: a day with expiring tokens and a token file that is rotated, emptied and half-written fails no pass") {
    Day day;
    int failed = 0;
    for (int minute = 0; minute < 24 * 60; ++minute) {
        CAPTURE(minute);
        if (minute % 45 == 0) day.rotate();
        const std::string whole = day.file;
        if (minute % 45 == 1) day.file = "";                                 // the writer has begun,
        if (minute % 45 == 2) day.file = whole.substr(0, whole.size() / 2);  // and is slow
        if (minute % 97 == 5) {  // between two pages the token is no longer accepted
            REQUIRE(
                day.box.azure.load_faults("- {method: GET, path: \"*/images\", staleRead: 0, count: 1}\n"
                                          "- {method: GET, path: \"*/images\", expireTokens: true, count: 1}\n"));
        }
        const auto seen = day.pass();
        const bool fine = seen && seen->size() == 5;
        if (!fine) ++failed;
        CHECK(fine);
        day.file = whole;
        day.box.clock.advance(minutes{1});
    }
    CHECK(failed == 0);
    CHECK(day.transport.strayed == 0);
    CHECK(day.transport.sign_ins >= 15 * 2);  // after each token that was refused, and once before the next is
    CHECK(day.transport.sign_ins <= 60);
}

TEST_CASE(
    "Z9: a token file that stays damaged fails passes only when all it gave has ended, and never looks like absence") {
    Day day;
    REQUIRE(day.pass().has_value());
    day.file = "";
    int failed = 0;
    for (int minute = 0; minute < 150; ++minute) {
        day.box.clock.advance(minutes{1});
        const auto seen = day.pass();
        if (seen) {
            CHECK(seen->size() == 5);
            CHECK(minute < 116);  // the last assertion bought a last token after 55 minutes
            continue;
        }
        ++failed;
        CHECK(seen.error().kind == ErrorKind::transient);
        CHECK(seen.error().code == "GD3026");
        CHECK(minute >= 112);
    }
    CHECK(failed >= 30);
    day.rotate();
    day.box.clock.advance(seconds{11});
    CHECK(day.pass().value_or(std::vector<ObservedDefinition>{}).size() == 5);
}

TEST_CASE("Z9: a claims challenge gets one fresh token, and is told as such when that is refused as well") {
    Bench bench;
    const http::Headers challenge{
        {"WWW-Authenticate", "Bearer error=\"insufficient_claims\", claims=\"eyJhIjp7fX0=\""}};
    const std::string body =
        error_body("InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge");
    bench.transport.answer(401, body, challenge);
    bench.transport.answer(401, body, challenge);
    const auto gallery = bench.run(bench.client.get_gallery(sample_gallery));
    REQUIRE_FALSE(gallery.has_value());
    CHECK(gallery.error().code == "GD3024");
    CHECK(gallery.error().kind == ErrorKind::denied);
    REQUIRE(bench.transport.sent.size() == 2);
    CHECK(bench.transport.sent.at(0).request.headers.get("Authorization") == "Bearer token-1");
    CHECK(bench.transport.sent.at(1).request.headers.get("Authorization") == "Bearer token-2");
    CHECK_FALSE(gallery.error().message.contains("token-2"));
    CHECK_FALSE(bench.log.text.contains("eyJ"));
    Bench healed;
    healed.transport.answer(401, body, challenge);
    healed.transport.answer(200, gallery_body());
    CHECK(healed.run(healed.client.get_gallery(sample_gallery)).has_value());
}
