#include "controller/adapters/azure/arm_client.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/azure/scripted_transport.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using nlohmann::json;
using std::chrono::seconds;

namespace {

const std::string subscription = "00000000-0000-0000-0000-000000000000";
const std::string arm = "https://management.azure.com";

std::string page_of(const std::vector<std::string>& rows, const std::string& next_link = "") {
    std::string body = R"({"value":[)";
    for (std::size_t i = 0; i < rows.size(); ++i) body += (i == 0 ? "" : ",") + rows[i];
    return body + "]" + (next_link.empty() ? "" : R"(,"nextLink":")" + next_link + "\"") + "}";
}

std::string header_of(const ScriptedTransport::Sent& sent, std::string_view name) {
    return sent.request.headers.get(name);
}

}  // namespace

TEST_CASE("a gallery is read with its sharing groups, a token, and the pinned api-version") {
    Bench bench;
    bench.transport.answer(
        200, gallery_body(),
        {{"Date", "Sun, 01 Mar 2026 00:00:02 GMT"}, {"Content-Type", "application/json; charset=utf-8"}});
    const auto gallery = bench.run(bench.client.get_gallery(sample_gallery));
    REQUIRE(gallery.has_value());
    REQUIRE(gallery->has_value());
    CHECK((*gallery)->sharing_groups_known);
    CHECK((*gallery)->server_date == parse_rfc3339("2026-03-01T00:00:02Z"));
    CHECK((*gallery)->read_at == ManualClock::default_start);
    const auto& sent = bench.transport.sent.at(0);
    CHECK(sent.request.method == "GET");
    CHECK(sent.request.target == sample_gallery.text() + "?api-version=2024-03-03&$select=Permissions");
    CHECK(header_of(sent, "Authorization") == "Bearer token-1");
    CHECK(sent.origin.host == "management.azure.com");
    CHECK(bench.metrics.value("galleryd_arm_requests_total", {{"subscription_id", subscription},
                                                              {"resource_type", "Microsoft.Compute/galleries"},
                                                              {"method", "GET"},
                                                              {"code", "200"}}) == 1);
    CHECK(bench.log.text.contains("azure answered"));
    CHECK_FALSE(bench.log.text.contains("token-1"));
}

TEST_CASE("Z9: 404 with Azure's words is absent, 403 and a proxy's 404 are errors") {
    Bench bench;
    bench.transport.answer(404, error_body("ResourceNotFound", "The Resource was not found."));
    bench.transport.answer(403,
                           error_body("AuthorizationFailed",
                                      "no right to perform action 'Microsoft.Compute/galleries/read' over scope '/s'"));
    bench.transport.answer(404, "<html>not here</html>", {{"Content-Type", "text/html"}});
    bench.transport.answer(404, error_body("SubscriptionNotFound", "m"));
    const auto absent = bench.run(bench.client.get_gallery(sample_gallery));
    REQUIRE(absent.has_value());
    CHECK_FALSE(absent->has_value());
    const auto denied = bench.run(bench.client.get_gallery(sample_gallery));
    REQUIRE_FALSE(denied.has_value());
    CHECK(denied.error().code == "GD3020");
    CHECK(bench.metrics.value("galleryd_arm_auth_failures_total", {{"credential", "counting"}}) == 1);
    const auto page = bench.run(bench.client.get_gallery(sample_gallery));
    REQUIRE_FALSE(page.has_value());
    CHECK(page.error().code == "GD3002");
    CHECK(page.error().kind == ErrorKind::transient);
    const auto subscription_gone = bench.run(bench.client.get_gallery(sample_gallery));
    REQUIRE_FALSE(subscription_gone.has_value());
    CHECK(subscription_gone.error().code == "GD3043");
}

TEST_CASE("401 renews the token once; a second 401 is an error") {
    Bench bench;
    bench.transport.answer(401, error_body("ExpiredAuthenticationToken", "m"));
    bench.transport.answer(200, gallery_body());
    CHECK(bench.run(bench.client.get_gallery(sample_gallery)).has_value());
    CHECK(header_of(bench.transport.sent.at(1), "Authorization") == "Bearer token-2");
    bench.transport.answer(401, "");
    bench.transport.answer(401, "");
    const auto refused = bench.run(bench.client.get_gallery(sample_gallery));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().reason == "AuthenticationFailed");
    CHECK(bench.transport.sent.size() == 4);
}

TEST_CASE("a list is all its pages, followed byte for byte, without bodies kept") {
    Bench bench;
    std::string upper = version_body();
    upper.replace(upper.find("clitest.rg000001"), 16, "CLITEST.RG000001");
    const std::string next = arm + sample_definition.text() + "/versions?api-version=2024-03-03&$skipToken=a%2Bb";
    bench.transport.answer(200, page_of({upper}, next));
    bench.transport.answer(200, page_of({}, next + "2"));  // short and empty pages are normal
    bench.transport.answer(200, page_of({version_body()}));
    const auto versions = bench.run(bench.client.list_versions(sample_definition));
    REQUIRE(versions.has_value());
    REQUIRE(versions->size() == 2);
    CHECK(versions->at(0).id == sample_version);
    CHECK(versions->at(0).raw.empty());
    CHECK(bench.transport.sent.at(1).request.target ==
          sample_definition.text() + "/versions?api-version=2024-03-03&$skipToken=a%2Bb");
}

TEST_CASE("Z6: a list that is not whole is an error") {
    SUBCASE("foreign host: nothing is sent there") {
        for (const char* link :
             {"https://evil.example/next", "http://management.azure.com/next", "https://management.azure.com:8443/next",
              "https://management.azure.com@evil.example/next", "https://169.254.169.254/metadata",
              "//evil.example/next", "file:///etc/passwd"}) {
            CAPTURE(link);
            Bench bench;
            bench.transport.answer(200, page_of({version_body()}, link));
            const auto versions = bench.run(bench.client.list_versions(sample_definition));
            REQUIRE_FALSE(versions.has_value());
            CHECK(versions.error().code == "GD3004");
            CHECK(bench.transport.sent.size() == 1);
        }
    }
    SUBCASE("a link that comes twice") {
        Bench bench;
        for (int i = 0; i < 3; ++i) bench.transport.answer(200, page_of({}, arm + "/next"));
        const auto versions = bench.run(bench.client.list_versions(sample_definition));
        REQUIRE_FALSE(versions.has_value());
        CHECK(versions.error().code == "GD3003");
        CHECK(bench.transport.sent.size() == 2);
    }
    SUBCASE("too many pages") {
        Bench bench(ArmOptions{.arm = {}, .pages_max = 5});
        for (int i = 0; i < 10; ++i) bench.transport.answer(200, page_of({}, arm + "/next" + std::to_string(i)));
        CHECK(bench.run(bench.client.list_versions(sample_definition)).error().code == "GD3003");
        CHECK(bench.transport.sent.size() == 5);
    }
    SUBCASE("a later page fails, is half, or is denied") {
        for (const auto& [status, body] :
             std::vector<std::pair<int, std::string>>{{500, ""},
                                                      {200, R"({"value":[{"id)"},
                                                      {403, error_body("AuthorizationFailed", "m")},
                                                      {404, error_body("ResourceNotFound", "m")}}) {
            CAPTURE(status);
            Bench bench;
            bench.transport.answer(200, page_of({version_body()}, arm + "/next"));
            for (int i = 0; i < 3; ++i) bench.transport.answer(status, body);
            CHECK_FALSE(bench.run(bench.client.list_versions(sample_definition)).has_value());
        }
    }
}

TEST_CASE("reads are tried again after 5xx and broken connections, a few times, inside their deadline") {
    Bench bench;
    bench.transport.answer(503, "", {{"Retry-After", "2"}});
    bench.transport.fail_with({.kind = ErrorKind::transient, .reason = "NetworkError", .message = "reset"});
    bench.transport.answer(200, gallery_body());
    CHECK(bench.run(bench.client.get_gallery(sample_gallery)).has_value());
    CHECK(bench.transport.sent.at(1).at - bench.transport.sent.at(0).at == seconds{2});
    CHECK(bench.metrics.value("galleryd_arm_requests_total", {{"subscription_id", subscription},
                                                              {"resource_type", "Microsoft.Compute/galleries"},
                                                              {"method", "GET"},
                                                              {"code", "<error>"}}) == 1);
    for (int i = 0; i < 9; ++i) bench.transport.answer(500, error_body("InternalServerError", "m"));
    const auto failed = bench.run(bench.client.get_gallery(sample_gallery));
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().kind == ErrorKind::transient);
    CHECK(bench.transport.sent.size() == 6);
}

TEST_CASE("what a slow exchange may still take is what is left of the call's deadline") {
    Bench bench;
    bench.transport.answer(503, "", {}, seconds{50});
    bench.transport.answer(200, gallery_body());
    CHECK(bench.run(bench.client.get_gallery(sample_gallery)).has_value());
    CHECK(bench.transport.sent.at(0).limits.deadline == seconds{60});
    CHECK(bench.transport.sent.at(1).limits.deadline == seconds{9});
}

TEST_CASE("after a short 429 a read waits and asks again, never too early") {
    Bench bench;
    bench.transport.answer(429, error_body("SubscriptionRequestsThrottled", "Please try again after '6' seconds."));
    bench.transport.answer(200, gallery_body());
    CHECK(bench.run(bench.client.get_gallery(sample_gallery)).has_value());
    CHECK(bench.transport.sent.at(1).at - bench.transport.sent.at(0).at >= seconds{6});
    CHECK(bench.metrics.value("galleryd_arm_throttled_requests_total",
                              {{"subscription_id", subscription}, {"layer", "subscription"}}) == 1);
    CHECK_FALSE(bench.metrics.value("galleryd_arm_held_until_timestamp_seconds", {{"subscription_id", subscription}})
                    .has_value());
}

TEST_CASE("Z1: a long 429 closes the budget that refused until its time is over, everything else goes on") {
    Bench bench;
    bench.transport.answer(
        429,
        R"({"code":"OperationNotAllowed","message":"The server rejected the request","details":[{"code":"TooManyRequests"}]})",
        {{"Retry-After", "1200"}, {"x-ms-ratelimit-remaining-resource", "Microsoft.Compute/GetGallery30Min;0"}});
    const auto throttled = bench.run(bench.client.get_gallery(sample_gallery));
    REQUIRE_FALSE(throttled.has_value());
    CHECK(throttled.error().kind == ErrorKind::throttled);
    CHECK(throttled.error().retry_after == seconds{1200});
    CHECK(bench.metrics.value("galleryd_arm_throttled_requests_total",
                              {{"subscription_id", subscription}, {"layer", "compute"}}) == 1);
    CHECK(bench.metrics.value("galleryd_arm_ratelimit_remaining",
                              {{"subscription_id", subscription}, {"bucket", "GetGallery30Min"}}) == 0);
    CHECK(bench.metrics.value("galleryd_arm_held_until_timestamp_seconds", {{"subscription_id", subscription}}) ==
          static_cast<double>(
              std::chrono::duration_cast<seconds>(ManualClock::default_start.time_since_epoch()).count() + 1200));

    bench.clock.advance(seconds{1000});
    const auto held = bench.run(bench.client.get_gallery(sample_gallery));
    REQUIRE_FALSE(held.has_value());
    CHECK(held.error().kind == ErrorKind::throttled);
    CHECK(held.error().retry_after == seconds{200});
    CHECK(held.error().message.contains("GetGallery"));
    CHECK(bench.transport.sent.size() == 1);

    bench.transport.answer(204);
    CHECK(bench.run(bench.client.delete_resource(sample_version)).has_value());
    bench.transport.answer(404, error_body("ResourceNotFound", "m"));
    const ResourceId elsewhere = gallery_id("11111111-0000-0000-0000-000000000000", "rg", "g");
    CHECK(bench.run(bench.client.get_gallery(elsewhere)).has_value());

    bench.clock.advance(seconds{200});
    bench.transport.answer(200, gallery_body());
    CHECK(bench.run(bench.client.get_gallery(sample_gallery)).has_value());
    CHECK_FALSE(bench.metrics.value("galleryd_arm_held_until_timestamp_seconds", {{"subscription_id", subscription}})
                    .has_value());
}

TEST_CASE("Z1: a 429 without any hint holds a minute") {
    Bench bench;
    bench.transport.answer(429, "");
    const auto throttled = bench.run(bench.client.get_gallery(sample_gallery));
    CHECK(throttled.error().retry_after == seconds{60});
    CHECK(bench.run(bench.client.get_gallery(sample_gallery)).error().kind == ErrorKind::throttled);
    CHECK(bench.transport.sent.size() == 1);
}

TEST_CASE("at most eight requests of a subscription are on the wire") {
    Bench bench;
    int done = 0;
    for (int i = 0; i < 30; ++i) bench.transport.answer(200, gallery_body(), {}, seconds{1});
    const auto ask = [&]() -> boost::asio::awaitable<void> {
        const auto gallery = co_await bench.client.get_gallery(sample_gallery);
        if (gallery.has_value()) ++done;
    };
    for (int i = 0; i < 30; ++i) boost::asio::co_spawn(bench.io, ask, [](std::exception_ptr) {});
    run_until_idle(bench.io);
    CHECK(bench.transport.in_flight == 8);
    bench.clock.advance(seconds{4});
    CHECK(done == 30);
    CHECK(bench.transport.in_flight_most == 8);
}

TEST_CASE("an id that could leave its place in the path never becomes a request") {
    for (const std::string& text :
         {std::string("/subscriptions/s/resourceGroups/../x"), std::string("https://evil.example/"), std::string(""),
          sample_gallery.text() + "?api-version=1999", sample_gallery.text() + "/images/a%2fb",
          sample_gallery.text() + "/images/a\r\nHost: x"}) {
        CAPTURE(text);
        Bench bench;
        const auto gallery = bench.run(bench.client.get_gallery(ResourceId(text)));
        REQUIRE_FALSE(gallery.has_value());
        CHECK(gallery.error().code == "GD3006");
        CHECK(bench.run(bench.client.delete_resource(ResourceId(text))).error().code == "GD3006");
        CHECK(bench.run(bench.client.list_versions(ResourceId(text))).error().code == "GD3006");
        CHECK(bench.transport.sent.empty());
    }
}

TEST_CASE("role assignments of exactly that scope are listed, inherited ones are left out") {
    const auto row = [](const std::string& scope) {
        return R"({"id":")" + scope +
               R"(/providers/Microsoft.Authorization/roleAssignments/88888888-0000-0000-0000-000000000001","properties":{"scope":")" +
               scope + R"(","roleDefinitionId":"/r","principalId":"p","principalType":"User"}})";
    };
    Bench bench;
    std::string upper = sample_gallery.text();
    upper.replace(upper.find("clitest"), 7, "CLITEST");
    bench.transport.answer(200, page_of({row("/subscriptions/" + subscription), row(upper)}));
    const auto assignments = bench.run(bench.client.list_role_assignments(sample_gallery));
    REQUIRE(assignments.has_value());
    REQUIRE(assignments->size() == 1);
    CHECK(bench.transport.sent.at(0).request.target.ends_with(
        "/roleAssignments?api-version=2022-04-01&$filter=atScope()"));
}

TEST_CASE("machines and scale sets of a subscription are listed with the image that they name") {
    Bench bench;
    const std::string below = "/subscriptions/" + subscription + "/resourceGroups/rg/providers/Microsoft.Compute/";
    const std::string next =
        arm + "/subscriptions/" + subscription + "/providers/Microsoft.Compute/virtualMachines?page=2";
    bench.transport.answer(
        200,
        page_of(
            {R"({"id":")" + below +
             R"(virtualMachines/a","location":"East US","properties":{"storageProfile":{"imageReference":{"id":"/i","exactVersion":"1.0.0"}}}})"},
            next));
    bench.transport.answer(
        200,
        page_of(
            {R"({"id":")" + below +
                 R"(virtualMachines/b","location":"eastus","properties":{"storageProfile":{"imageReference":{"sharedGalleryImageId":"/s"}}}})",
             R"({"id":")" + below + R"(virtualMachines/c","location":"eastus","properties":{}})"}));
    bench.transport.answer(
        200,
        page_of(
            {R"({"id":")" + below +
             R"(virtualMachineScaleSets/d","location":"eastus","properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":{"communityGalleryImageId":"/c"}}}}})"}));
    const auto machines = bench.run(bench.client.list_machines(subscription));
    REQUIRE_MESSAGE(machines.has_value(), (machines ? "" : machines.error().message));
    REQUIRE(machines->size() == 4);
    CHECK(machines->at(0).image == "/i");
    CHECK(machines->at(0).exact == "1.0.0");
    CHECK(machines->at(0).region == "eastus");
    CHECK(machines->at(1).image == "/s");
    CHECK(machines->at(2).image == "");
    CHECK(machines->at(3).image == "/c");
    CHECK(machines->at(3).kind == UserKind::scale_set_model);
    CHECK(bench.transport.sent.at(0).request.target ==
          "/subscriptions/" + subscription + "/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01");
    CHECK(bench.transport.sent.at(2).request.target ==
          "/subscriptions/" + subscription +
              "/providers/Microsoft.Compute/virtualMachineScaleSets?api-version=2024-07-01");
    bench.transport.answer(200, page_of({R"({"location":"eastus"})"}));
    const auto odd = bench.run(bench.client.list_machines(subscription));
    REQUIRE_FALSE(odd.has_value());
    CHECK(odd.error().code == "GD3005");
}
