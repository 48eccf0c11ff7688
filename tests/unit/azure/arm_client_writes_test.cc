#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/azure/scripted_transport.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using nlohmann::json;
using std::chrono::seconds;

namespace {

const std::string operation_url =
    "https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Compute/"
    "locations/CentralUSEUAP/capsOperations/"
    "7b8ac804-f18e-4a2f-a808-ddcd462aa5b9?api-version=2021-10-01&t=638718&c=MIIH%2Bx&s=a-b_c&h=" +
    std::string(3000, 'x');

std::string resource_with_state(const ResourceId& id, const std::string& state) {
    return R"({"id":")" + id.text() + R"(","name":"x","properties":{"provisioningState":")" + state + R"("}})";
}

VersionWrite small_version() {
    VersionWrite write;
    write.location = "eastus2";
    write.target_regions.resize(1);
    write.target_regions[0].name = "eastus2";
    write.source = ImageSource{};
    return write;
}

AssignRole assignment(const std::string& role) {
    return {.scope = sample_gallery,
            .assignment_name = "88888888-0000-0000-0000-000000000001",
            .access = {.role = role, .principal_id = "p", .principal_type = "Group"},
            .role_definition_id = ""};
}

}  // namespace

TEST_CASE("a created version yields its operation, byte for byte") {
    Bench bench;
    bench.transport.answer(201, resource_with_state(sample_version, "Creating"),
                           {{"azure-asyncoperation", operation_url},
                            {"x-ms-correlation-request-id", "c-1"},
                            {"Date", "Sun, 01 Mar 2026 00:00:00 GMT"}});
    const auto outcome = bench.run(bench.client.put_version(sample_version, small_version(), std::nullopt));
    REQUIRE(outcome.has_value());
    CHECK(outcome->http_status == 201);
    REQUIRE(outcome->operation.has_value());
    CHECK(outcome->operation->url == operation_url);
    CHECK(outcome->operation->final_url.empty());
    CHECK(outcome->correlation_id == "c-1");
    CHECK(outcome->server_date == parse_rfc3339("2026-03-01T00:00:00Z"));
    const auto& request = bench.transport.sent.at(0).request;
    CHECK(request.method == "PUT");
    CHECK(request.target == sample_version.text() + "?api-version=2024-03-03");
    CHECK(request.headers.get("Content-Type") == "application/json");
    CHECK(json::parse(request.body)["properties"]["publishingProfile"]["targetRegions"][0]["name"] == "eastus2");
}

TEST_CASE("finished, unfinished without an address, and deleted are told apart") {
    const auto put = [](int status, const std::string& body, http::Headers headers = {}) {
        Bench bench;
        bench.transport.answer(status, body, std::move(headers));
        const auto outcome = bench.run(bench.client.put_gallery(sample_gallery,
                                                                GalleryWrite{.location = "eastus2",
                                                                             .description = {},
                                                                             .soft_delete_enabled = {},
                                                                             .permissions = {},
                                                                             .community = {},
                                                                             .tags = {},
                                                                             .tags_removed = {}},
                                                                std::nullopt));
        REQUIRE(outcome.has_value());
        return outcome->operation;
    };
    CHECK_FALSE(put(200, resource_with_state(sample_gallery, "Succeeded")).has_value());
    CHECK(put(200, resource_with_state(sample_gallery, "Updating")).value_or(OperationRef{"none", ""}).url.empty());
    CHECK(put(202, "").has_value());
    CHECK(put(200, "", {{"Azure-AsyncOperation", operation_url}}).value().url == operation_url);
    CHECK_FALSE(
        put(201, resource_with_state(sample_gallery, "Succeeded"), {{"Location", "https://management.azure.com/made"}})
            .has_value());
    // An address at another host is not kept, and the operation is followed by looking at the resource.
    const auto foreign =
        put(202, "", {{"Azure-AsyncOperation", "https://evil.example/op"}, {"Location", operation_url}});
    REQUIRE(foreign.has_value());
    CHECK(foreign->url.empty());
    CHECK(foreign->final_url == operation_url);
    CHECK(put(202, "", {{"Azure-AsyncOperation", operation_url + std::string(9000, 'y')}}).value().url.empty());
}

TEST_CASE("delete: accepted, already gone, and refused") {
    Bench bench;
    bench.transport.answer(202, "",
                           {{"Azure-AsyncOperation", operation_url}, {"Location", operation_url + "&monitor=true"}});
    bench.transport.answer(204);
    bench.transport.answer(404, error_body("ResourceGroupNotFound", "m"));
    bench.transport.answer(409,
                           error_body("CannotDeleteResource", "Cannot delete resource while nested resources exist."));
    const auto accepted = bench.run(bench.client.delete_resource(sample_version));
    CHECK(accepted->operation->final_url == operation_url + "&monitor=true");
    const auto gone = bench.run(bench.client.delete_resource(sample_version));
    REQUIRE(gone.has_value());
    CHECK_FALSE(gone->operation.has_value());
    const auto no_group = bench.run(bench.client.delete_resource(sample_version));
    REQUIRE(no_group.has_value());
    CHECK_FALSE(no_group->operation.has_value());
    CHECK(bench.run(bench.client.delete_resource(sample_gallery)).error().kind == ErrorKind::not_ready);
    for (const auto& sent : bench.transport.sent) CHECK(sent.request.method == "DELETE");
}

TEST_CASE("a write is never repeated after an error") {
    for (const int status : {429, 500, 503, 504}) {
        CAPTURE(status);
        Bench bench;
        bench.transport.answer(status, "", {{"Retry-After", "1"}});
        bench.transport.answer(201, resource_with_state(sample_version, "Creating"));
        const auto outcome = bench.run(bench.client.put_version(sample_version, small_version(), std::nullopt));
        REQUIRE_FALSE(outcome.has_value());
        CHECK(outcome.error().retry_after == seconds{1});
        CHECK(bench.transport.sent.size() == 1);
    }
    Bench bench;
    bench.transport.fail_with({.kind = ErrorKind::transient, .reason = "NetworkError", .message = "connection reset"});
    CHECK(bench.run(bench.client.delete_resource(sample_version))
              .error()
              .message.contains("delete " + sample_version.text()));
    CHECK(bench.transport.sent.size() == 1);
}

TEST_CASE("an update starts from the fresh body, and one without it is not sent") {
    Bench bench;
    bench.transport.answer(200, version_body());
    bench.transport.answer(200, resource_with_state(sample_version, "Updating"),
                           {{"Azure-AsyncOperation", operation_url}});
    auto fresh = bench.run(bench.client.get_version(sample_version, true));
    REQUIRE(fresh.has_value());
    CHECK(bench.transport.sent.at(0).request.target.ends_with("?api-version=2024-03-03&$expand=ReplicationStatus"));
    VersionWrite write = small_version();
    write.target_regions = (*fresh)->target_regions;
    CHECK(bench.run(bench.client.put_version(sample_version, write, *fresh)).has_value());
    CHECK(json::parse(bench.transport.sent.at(1).request.body)["properties"]["storageProfile"] == json::object());
    (*fresh)->raw.clear();
    CHECK(bench.run(bench.client.put_version(sample_version, write, *fresh)).error().kind == ErrorKind::bug);
    CHECK(bench.transport.sent.size() == 2);
}

TEST_CASE("Z4: polling: recorded status bodies, plain 202 and 200, lost operations") {
    const auto poll = [](int status, const std::string& body, http::Headers headers = {}) {
        Bench bench;
        bench.transport.answer(status, body, std::move(headers));
        const auto answer = bench.run(bench.client.poll_operation({.url = operation_url, .final_url = ""}));
        REQUIRE_MESSAGE(answer.has_value(), answer.error().message);
        CHECK("https://management.azure.com" + bench.transport.sent.at(0).request.target == operation_url);
        CHECK(bench.metrics.value("galleryd_arm_requests_total",
                                  {{"subscription_id", "00000000-0000-0000-0000-000000000000"},
                                   {"resource_type", "Microsoft.Compute/locations/capsOperations"},
                                   {"method", "GET"},
                                   {"code", std::to_string(status)}}) == 1);
        CHECK_FALSE(bench.log.text.contains("MIIH"));  // the signature stays out of the log
        return *answer;
    };
    const auto running = poll(200,
                              "{\r\n  \"startTime\": \"2025-01-07T05:56:46.4648477+00:00\",\r\n  \"status\": "
                              "\"InProgress\",\r\n  \"name\": \"b94c\"\r\n}",
                              {{"Retry-After", "60"}});
    CHECK(running.state == OperationState::in_progress);
    CHECK(running.retry_after == seconds{60});
    CHECK(poll(200, R"({"status":"Succeeded"})").state == OperationState::succeeded);
    const auto failed = poll(
        200, R"({"status":"Failed","error":{"code":"ValidationError","message":"Gallery replication jobs failed"}})");
    CHECK(failed.state == OperationState::failed);
    CHECK(failed.error_message == "Gallery replication jobs failed");
    CHECK(poll(202, "").state == OperationState::in_progress);
    CHECK(poll(200, "").state == OperationState::succeeded);
    CHECK(poll(204, "").state == OperationState::succeeded);
    CHECK(poll(200, R"({"id":"/subscriptions/s/x/y","sku":{}})").state == OperationState::succeeded);
    CHECK(poll(404, error_body("NotFound", "m")).state == OperationState::unknown_to_azure);
    CHECK(poll(404, "").state == OperationState::unknown_to_azure);
    CHECK(poll(410, "").state == OperationState::unknown_to_azure);
}

TEST_CASE("Z4: an operation address that may not be followed is unknown, and no token leaves") {
    for (const std::string& url :
         {std::string(""), std::string("https://evil.example/op"), std::string("http://management.azure.com/op"),
          operation_url + std::string(8192, 'z'), std::string("nonsense")}) {
        CAPTURE(url.substr(0, 60));
        Bench bench;
        const auto status = bench.run(bench.client.poll_operation({.url = url, .final_url = ""}));
        REQUIRE(status.has_value());
        CHECK(status->state == OperationState::unknown_to_azure);
        CHECK(bench.transport.sent.empty());
    }
    Bench bench;
    bench.transport.answer(404, "<html>proxy</html>");
    CHECK_FALSE(bench.run(bench.client.poll_operation({.url = operation_url, .final_url = ""})).has_value());
    bench.transport.answer(202, "");
    CHECK(bench.run(bench.client.poll_operation({.url = "", .final_url = operation_url}))->state ==
          OperationState::in_progress);
}

TEST_CASE("a role assignment is put by its name, and an equal one under another name counts as done") {
    Bench bench;
    bench.transport.answer(201, "{}");
    bench.transport.answer(409, error_body("RoleAssignmentExists", "The role assignment already exists."));
    bench.transport.answer(400, error_body("PrincipalNotFound", "Principal p does not exist in the directory"));
    const auto made = bench.run(bench.client.put_role_assignment(assignment("Reader")));
    REQUIRE(made.has_value());
    const auto& request = bench.transport.sent.at(0).request;
    CHECK(request.target == sample_gallery.text() +
                                "/providers/Microsoft.Authorization/roleAssignments/"
                                "88888888-0000-0000-0000-000000000001?api-version=2022-04-01");
    CHECK(json::parse(request.body)["properties"]["roleDefinitionId"] ==
          "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Authorization/roleDefinitions/"
          "acdd72a7-3385-48ef-bd42-f606fba81ae7");
    CHECK(bench.run(bench.client.put_role_assignment(assignment("reader"))).has_value());
    CHECK(bench.run(bench.client.put_role_assignment(assignment("Reader"))).error().kind == ErrorKind::not_ready);
    CHECK(bench.run(bench.client.put_role_assignment(assignment("Emperor"))).error().code == "GD3082");
    CHECK(bench.transport.sent.size() == 3);
}

TEST_CASE("a resource group is made when missing; otherwise only its tags of ours are added") {
    const EnsureResourceGroup step{
        .subscription_id = "s", .name = "rg", .location = "eastus", .tags = {{"env", "prod"}}};
    Bench bench;
    bench.transport.answer(404, error_body("ResourceGroupNotFound", "m"));
    bench.transport.answer(
        201,
        R"({"id":"/subscriptions/s/resourceGroups/rg","name":"rg","properties":{"provisioningState":"Succeeded"}})");
    CHECK(bench.run(bench.client.put_resource_group(step))->http_status == 201);
    CHECK(bench.transport.sent.at(1).request.target == "/subscriptions/s/resourceGroups/rg?api-version=2024-07-01");

    bench.transport.answer(200, R"({"id":"/x","name":"rg","location":"westus","tags":{"theirs":"1","nothing":null}})");
    bench.transport.answer(200, R"({"id":"/x","name":"rg"})");
    CHECK(bench.run(bench.client.put_resource_group(step)).has_value());
    CHECK(bench.transport.sent.at(3).request.method == "PATCH");
    CHECK(json::parse(bench.transport.sent.at(3).request.body) ==
          json{{"tags", {{"theirs", "1"}, {"nothing", nullptr}, {"env", "prod"}}}});

    bench.transport.answer(200, R"({"id":"/x","name":"rg","tags":{"env":"prod"}})");
    CHECK(bench.run(bench.client.put_resource_group(step)).has_value());
    CHECK(bench.transport.sent.size() == 5);  // nothing to write
}

TEST_CASE("a storage account is made once, with Location alone to follow") {
    const ResourceId account(
        "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/stgolden01");
    const EnsureStorage step{.account = account, .location = "eastus", .sku = "Standard_ZRS", .container = "vhds"};
    Bench bench;
    bench.transport.answer(404, error_body("ResourceNotFound", "m"));
    bench.transport.answer(202, "",
                           {{"Location",
                             "https://management.azure.com/subscriptions/s/providers/Microsoft.Storage/locations/"
                             "eastus/asyncoperations/1?monitor=true&api-version=2023-05-01"}});
    const auto made = bench.run(bench.client.put_storage_account(step));
    REQUIRE(made.has_value());
    REQUIRE(made->operation.has_value());
    CHECK(made->operation->url.empty());
    CHECK(made->operation->final_url.contains("monitor=true"));
    bench.transport.answer(200, R"({"id":")" + account.text() + R"(","location":"eastus"})");
    CHECK(bench.run(bench.client.put_storage_account(step)).has_value());
    CHECK(bench.transport.sent.size() == 3);
}

TEST_CASE("sharing is a POST with an operation to follow") {
    Bench bench;
    bench.transport.answer(202, "",
                           {{"Azure-AsyncOperation", operation_url}, {"Location", operation_url + "&monitor=true"}});
    const auto shared = bench.run(
        bench.client.share_gallery(sample_gallery, {.operation = "Add", .subscription_ids = {"s"}, .tenant_ids = {}}));
    REQUIRE(shared.has_value());
    CHECK(shared->operation->url == operation_url);
    CHECK(bench.transport.sent.at(0).request.method == "POST");
    CHECK(bench.transport.sent.at(0).request.target == sample_gallery.text() + "/share?api-version=2024-03-03");
}

TEST_CASE("without a credential no Authorization header is sent") {
    boost::asio::io_context io;
    ManualClock clock(io);
    ScriptedTransport transport(clock);
    NoToken tokens;
    RecordingMetrics metrics;
    RecordingLog log;
    ArmOptions options;
    options.arm = {.scheme = "http", .host = "127.0.0.1", .port = "4480"};
    ArmClient client(transport, tokens, clock, log, metrics, options);
    transport.answer(401, "");
    const auto gallery = run_task(io, clock, client.get_gallery(sample_gallery));
    CHECK(gallery.error().reason == "AuthenticationFailed");
    CHECK(transport.sent.size() == 1);
    CHECK(transport.sent.at(0).request.headers.find("Authorization") == nullptr);
}
