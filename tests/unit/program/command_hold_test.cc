#include "controller/program/command_hold.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "controller/adapters/azure/encode.h"
#include "controller/core/policy.h"

using namespace galleryd;

namespace {

ObservedVersion version_with(ObservedTags tags) {
    ObservedVersion version;
    version.id = ResourceId(
        "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/galleries/golden/images/ubuntu/versions/1.0.0");
    version.name = "1.0.0";
    version.location = "eastus";
    version.state = ProvisioningState::succeeded;
    version.tags = std::move(tags);
    version.exclude_from_latest = true;
    version.end_of_life = parse_rfc3339("2030-01-01T00:00:00Z");
    version.block_deletion_before_end_of_life = true;
    TargetRegion east, west;
    east.name = "eastus";
    east.replicas = 3;
    west.name = "westus";
    west.storage_account_type = "Standard_ZRS";
    version.target_regions = {east, west};
    version.raw = R"({"id": ")" + version.id.text() + R"(", "location": "eastus", "tags": {"team": "web", "odd": null},
        "properties": {"provisioningState": "Succeeded", "somethingNew": {"kept": 7},
        "publishingProfile": {"targetRegions": [{"name": "East US", "regionalReplicaCount": 3},
        {"name": "West US", "regionalReplicaCount": 1, "storageAccountType": "Standard_ZRS"}], "replicaCount": 1,
        "publishedDate": "2026-01-01T00:00:00Z", "excludeFromLatest": true, "storageAccountType": "Standard_LRS",
        "endOfLifeDate": "2030-01-01T00:00:00Z"},
        "safetyProfile": {"blockDeletionBeforeEndOfLife": true, "allowDeletionOfReplicatedLocations": false}}})";
    return version;
}

int hold(HoldOptions options, std::string& err, bool release = false) {
    std::ostringstream out, errors;
    const int code = release ? run_release(options, out, errors) : run_hold(options, out, errors);
    err = errors.str();
    CHECK(out.str().empty());
    return code;
}

}  // namespace

TEST_CASE("a hold changes one tag and nothing else") {
    const ObservedVersion version = version_with({{"team", "web"}, {"odd", std::nullopt}});
    const VersionWrite write = hold_write(version, "incident 4711");
    CHECK(write.tags == Tags{{hold_tag, "incident 4711"}});
    CHECK(write.tags_removed.empty());
    const auto body = azure::encode_version(write, version);
    REQUIRE(body.has_value());
    const auto json = nlohmann::json::parse(*body);
    CHECK(json.at("tags").at("galleryd-hold") == "incident 4711");
    CHECK(json.at("tags").at("team") == "web");
    CHECK(json.at("tags").contains("odd"));
    const auto& properties = json.at("properties");
    CHECK(properties.at("somethingNew").at("kept") == 7);
    const auto& profile = properties.at("publishingProfile");
    REQUIRE(profile.at("targetRegions").size() == 2);
    CHECK(profile.at("targetRegions")[0].at("regionalReplicaCount") == 3);
    CHECK(profile.at("targetRegions")[1].at("storageAccountType") == "Standard_ZRS");
    CHECK(profile.at("excludeFromLatest") == true);
    CHECK(profile.at("endOfLifeDate") == "2030-01-01T00:00:00Z");
    CHECK(properties.at("safetyProfile").at("blockDeletionBeforeEndOfLife") == true);
}

TEST_CASE("a release takes the tag off in the spelling that it has") {
    ObservedVersion version = version_with({{"team", "web"}, {"Galleryd-HOLD", "audit"}});
    const VersionWrite write = hold_write(version, std::nullopt);
    CHECK(write.tags.empty());
    CHECK(write.tags_removed == std::vector<std::string>{"Galleryd-HOLD"});
}

TEST_CASE("a tag without a value holds as well") {
    CHECK_FALSE(hold_on(version_with({{"galleryd-held", "x"}})).has_value());
    CHECK(hold_on(version_with({{hold_tag, std::nullopt}})) == "");
    CHECK(hold_on(version_with({{"GALLERYD-hold", "audit"}})) == "audit");
}

TEST_CASE("a reason fits into a tag: 256 characters, in one line") {
    CHECK(check_hold_reason("").has_value());
    CHECK(check_hold_reason(std::string(256, 'a')).has_value());
    std::string umlauts;
    for (int i = 0; i < 256; ++i) umlauts += "ü";
    CHECK(check_hold_reason(umlauts).has_value());
    for (const std::string& reason : {std::string(257, 'a'), umlauts + "a", std::string("two\nlines"),
                                      std::string("\x1b[31mred"), std::string("bell\a")}) {
        const Status checked = check_hold_reason(reason);
        REQUIRE_FALSE(checked.has_value());
        CHECK(checked.error().code == "GD5034");
    }
}

TEST_CASE("what cannot be held is refused before anything is opened") {
    HoldOptions options;
    options.common.azure = "https://never.asked.example";
    options.common.state_dir = "/nonexistent/never/made";
    std::string err;
    options.version = "golden/ubuntu";
    CHECK(hold(options, err) == exit_usage);
    CHECK(err.find("GD5022") != std::string::npos);
    options.version = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    CHECK(hold(options, err, true) == exit_usage);
    CHECK(err.find("GD5032") != std::string::npos);
    CHECK(err.find("galleryd approve sha256:1111") != std::string::npos);
    options.version = "golden/ubuntu/1.0.0";
    options.common.observe = true;
    CHECK(hold(options, err) == exit_usage);
    CHECK(err.find("GD5031") != std::string::npos);
    options.common.observe = false;
    options.timeout = "soon";
    CHECK(hold(options, err, true) == exit_usage);
    CHECK(err.find("GD5003") != std::string::npos);
}
