#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/azure/scripted_transport.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using nlohmann::json;

namespace {

std::string tags_target() {
    return sample_version.text() + "/providers/Microsoft.Resources/tags/default?api-version=2024-07-01";
}

std::string tags_answer(const json& tags) {
    return json{{"id", "x"}, {"name", "default"}, {"properties", {{"tags", tags}}}}.dump();
}

json sent_body(const Bench& bench, std::size_t index = 0) {
    return json::parse(bench.transport.sent.at(index).request.body);
}

}  // namespace

TEST_CASE("a tag is merged by a request that carries nothing but that tag") {
    Bench bench;
    bench.transport.answer(200, tags_answer({{"team", "web"}, {"galleryd-hold", "audit"}}),
                           {{"x-ms-correlation-request-id", "c-7"}});
    const auto outcome = bench.run(bench.client.merge_tags(sample_version, {{"galleryd-hold", "audit"}}));
    REQUIRE(outcome.has_value());
    CHECK_FALSE(outcome->operation.has_value());
    CHECK(outcome->correlation_id == "c-7");
    CHECK(bench.transport.sent.at(0).request.method == "PATCH");
    CHECK(bench.transport.sent.at(0).request.target == tags_target());
    CHECK(sent_body(bench) == json{{"operation", "Merge"}, {"properties", {{"tags", {{"galleryd-hold", "audit"}}}}}});
}

TEST_CASE("a tag is taken off by its name and the value that was read") {
    Bench bench;
    bench.transport.answer(202, "", {{"Location", "https://management.azure.com/subscriptions/s/operationresults/1"}});
    const auto outcome = bench.run(bench.client.delete_tags(sample_version, {{"Galleryd-Hold", "audit"}}));
    REQUIRE(outcome.has_value());
    REQUIRE(outcome->operation.has_value());  // the specification declares 202 with Location, too
    CHECK(outcome->operation->final_url == "https://management.azure.com/subscriptions/s/operationresults/1");
    CHECK(bench.transport.sent.at(0).request.method == "PATCH");
    CHECK(bench.transport.sent.at(0).request.target == tags_target());
    CHECK(sent_body(bench) == json{{"operation", "Delete"}, {"properties", {{"tags", {{"Galleryd-Hold", "audit"}}}}}});
}

TEST_CASE("a tag that is refused leaves once and says what was asked") {
    Bench bench;
    bench.transport.answer(403, error_body("AuthorizationFailed",
                                           "The client 'x' does not have authorization to perform action "
                                           "'Microsoft.Resources/tags/write' over scope '/subscriptions/s' or ..."));
    const auto outcome = bench.run(bench.client.merge_tags(sample_version, {{"galleryd-hold", "audit"}}));
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().kind == ErrorKind::denied);
    CHECK(outcome.error().code == "GD3020");
    CHECK(outcome.error().message.contains("put tags on " + sample_version.text()));
    CHECK(outcome.error().message.contains("Tag Contributor"));
    CHECK(bench.transport.sent.size() == 1);
}

TEST_CASE("all tags at once go with the version's own PATCH, and nothing else of it does") {
    Bench bench;
    bench.transport.answer(200, R"({"properties":{"provisioningState":"Succeeded"}})");
    const auto outcome =
        bench.run(bench.client.replace_tags(sample_version, {{"team", "web"}, {"galleryd-hold", "x"}}));
    REQUIRE(outcome.has_value());
    CHECK_FALSE(outcome->operation.has_value());
    CHECK(bench.transport.sent.at(0).request.method == "PATCH");
    CHECK(bench.transport.sent.at(0).request.target == sample_version.text() + "?api-version=2024-03-03");
    CHECK(sent_body(bench) == json{{"tags", {{"team", "web"}, {"galleryd-hold", "x"}}}});
}

TEST_CASE("a version is restored by the specification's own request") {
    Bench bench;
    const std::string url =
        "https://management.azure.com/subscriptions/s/providers/Microsoft.Compute/locations/e/"
        "capsOperations/1?api-version=2024-03-03&t=1";
    bench.transport.answer(200, R"({"properties":{"provisioningState":"Updating"}})", {{"Azure-AsyncOperation", url}});
    const auto outcome = bench.run(bench.client.restore_version(sample_version));
    REQUIRE(outcome.has_value());
    REQUIRE(outcome->operation.has_value());
    CHECK(outcome->operation->url == url);
    CHECK(bench.transport.sent.at(0).request.method == "PATCH");
    CHECK(bench.transport.sent.at(0).request.target == sample_version.text() + "?api-version=2024-03-03");
    CHECK(sent_body(bench) == json{{"properties", {{"restore", true}, {"storageProfile", json::object()}}}});
}

TEST_CASE("soft-deleted versions are listed over all pages, with the times that Azure names") {
    Bench bench;
    const auto row = [](const std::string& version, const json& more) {
        json properties = more;
        properties["resourceArmId"] = sample_definition.text() + "/versions/" + version;
        return json{{"name", version}, {"location", "eastus"}, {"properties", properties}};
    };
    const std::string next =
        "https://management.azure.com" + sample_gallery.text() +
        "/softDeletedArtifactTypes/Images/artifacts/x/versions?api-version=2024-03-03&$skiptoken=2";
    bench.transport.answer(
        200, json{{"value", json::array({row("1.0.0", {{"softDeletedTime", "2026-10-17T13:01:05+00:00"}})})},
                  {"nextLink", next}}
                 .dump());
    bench.transport.answer(
        200, json{{"value", json::array({row("1.1.0", {{"softDeletedTime", "0001-01-01T00:00:00+00:00"},
                                                       {"hardDeletionTargetTime", "2026-11-25T13:01:05+00:00"}})})}}
                 .dump());
    const auto found = bench.run(bench.client.list_soft_deleted(sample_definition));
    REQUIRE(found.has_value());
    REQUIRE(found->size() == 2);
    CHECK((*found)[0].version.name() == "1.0.0");
    CHECK((*found)[0].deleted_at == parse_rfc3339("2026-10-17T13:01:05Z"));
    CHECK_FALSE((*found)[0].gone_at.has_value());
    CHECK_FALSE((*found)[1].deleted_at.has_value());  // .NET's unset date
    CHECK((*found)[1].gone_at == parse_rfc3339("2026-11-25T13:01:05Z"));
    CHECK(bench.transport.sent.at(0).request.target ==
          sample_gallery.text() + "/softDeletedArtifactTypes/Images/artifacts/" + sample_definition.name() +
              "/versions?api-version=2024-03-03");
}

TEST_CASE("a soft-deleted row without the id of its version fails the list") {
    Bench bench;
    bench.transport.answer(200,
                           R"({"value":[{"name":"1.0.0","properties":{"softDeletedTime":"2026-01-01T00:00:00Z"}}]})");
    const auto found = bench.run(bench.client.list_soft_deleted(sample_definition));
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().code == "GD3005");
}
