#include "controller/program/command_usage.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

using namespace galleryd;

namespace {

const std::string gallery =
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Compute/galleries/"
    "golden";
const std::string version = gallery + "/images/ubuntu/versions/1.8.0";

ImageUser user(UserKind kind, const std::string& type, const std::string& name, const std::string& names) {
    return {.kind = kind,
            .id = ResourceId("/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-shop/providers/"
                             "Microsoft.Compute/" +
                             type + "/" + name),
            .region = "eastus",
            .definition = ResourceId(gallery + "/images/ubuntu"),
            .version = names,
            .takes_latest = names.empty()};
}

UsageReport report() {
    UsageReport made;
    made.version = ResourceId(version);
    made.exists = true;
    made.at = *parse_rfc3339("2026-11-21T12:00:00Z");
    made.readable = {"00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"};
    return made;
}

std::string text_of(const UsageReport& of, bool wide = false) {
    std::ostringstream out;
    print_usage_text(out, of, wide);
    return out.str();
}

}  // namespace

TEST_CASE("a version is named by id or by gallery, definition and number") {
    for (const std::string text : {"golden/ubuntu/1.8.0", "images/golden/ubuntu/1.8.0"}) {
        const auto name = parse_version_name(text);
        REQUIRE(name.has_value());
        CHECK_FALSE(name->id.has_value());
        CHECK(name->gallery + "|" + name->definition + "|" + name->version == "golden|ubuntu|1.8.0");
    }
    const auto by_id = parse_version_name(version);
    REQUIRE(by_id.has_value());
    CHECK(by_id->id == ResourceId(version));
    for (const std::string text : {"", "ubuntu", "golden/ubuntu", "golden/ubuntu/latest", "golden/ubuntu/1.8",
                                   "a/b/golden/ubuntu/1.8.0", "golden/ubuntu/1.8.0/", "golden//1.8.0",
                                   "gol'den/ubuntu/1.8.0", "/subscriptions/1", "/", "golden/ubuntu/v1.8.0"}) {
        CAPTURE(text);
        const auto name = parse_version_name(text);
        REQUIRE_FALSE(name.has_value());
        CHECK(name.error().code == "GD5022");
        CHECK(name.error().message.contains("`" + text + "`"));
    }
    CHECK_FALSE(parse_version_name(gallery + "/images/ubuntu").has_value());
    CHECK_FALSE(parse_version_name(gallery + "/images/ubuntu/versions/latest").has_value());
}

TEST_CASE("users are listed with where they are and what they name") {
    UsageReport made = report();
    made.found.users = {user(UserKind::virtual_machine, "virtualMachines", "billing-db", "1.8.0"),
                        user(UserKind::scale_set_instance, "virtualMachineScaleSets/web/virtualMachines", "0", "1.8.0"),
                        user(UserKind::scale_set_model, "virtualMachineScaleSets", "web", "")};
    CHECK(text_of(made) == "golden/ubuntu/1.8.0   in use\n" + version + R"(

KIND                 NAME         REGION   GROUP     SUBSCRIPTION                           NAMES
virtual machine      billing-db   eastus   rg-shop   00000000-0000-0000-0000-000000000002   1.8.0
scale set instance   web/0        eastus   rg-shop   00000000-0000-0000-0000-000000000002   1.8.0
scale set            web          eastus   rg-shop   00000000-0000-0000-0000-000000000002   latest

1 virtual machine, 1 scale set and 1 scale set instance in 1 subscription; 2 subscriptions can be read.
)");
    CHECK(text_of(made, true).contains("   latest   /subscriptions/00000000-0000-0000-0000-000000000002/"));
}

TEST_CASE("nobody to be seen is said with its limits, and what is unknown with its way out") {
    UsageReport made = report();
    CHECK(text_of(made) ==
          "golden/ubuntu/1.8.0   not in use\n" + version +
              "\n\nNobody uses it as far as can be seen; 2 subscriptions can be read. This is one look; "
              "retention takes two, fifteen minutes apart. Resource Graph lags: a machine made within the last minutes "
              "may be missing here.\n");
    made.exists = false;
    made.found.doubts = {"its gallery is a community gallery, which anybody may use unseen"};
    made.found.way_out = {"set retention.inUse: Ignore"};
    CHECK(text_of(made) ==
          "golden/ubuntu/1.8.0   unknown, which counts as in use\n" + version +
              "\nThis version is not in Azure (any more); what still names it is listed.\n\nNo user is "
              "to be seen; 2 subscriptions can be read.\n! its gallery is a community gallery, which "
              "anybody may use unseen\n  do: set retention.inUse: Ignore\n");
}

TEST_CASE("machines read the same from JSON") {
    UsageReport made = report();
    made.found.users = {user(UserKind::scale_set_model, "virtualMachineScaleSets", "web", "")};
    made.found.doubts = {"d"};
    made.found.way_out = {"w"};
    made.missing = {{"00000000-0000-0000-0000-000000000003", "2026-11-20"}};
    std::ostringstream out;
    print_usage_json(out, made);
    const auto json = nlohmann::json::parse(out.str());
    CHECK(json.at("format_version") == "1.0");
    CHECK(json.at("kind") == "Usage");
    CHECK(json.at("state") == "in_use");
    CHECK(json.at("observed_at") == "2026-11-21T12:00:00Z");
    CHECK(json.at("version").at("id") == version);
    CHECK(json.at("users").at(0).at("kind") == "scale_set");
    CHECK(json.at("users").at(0).at("names") == "latest");
    CHECK(json.at("users").at(0).at("takes_latest") == true);
    CHECK(json.at("counts").at("scale_sets") == 1);
    CHECK(json.at("unknown").at(0).at("way_out") == "w");
    CHECK(json.at("subscriptions").at("readable").size() == 2);
    CHECK(json.at("subscriptions").at("missing").at(0).at("last_readable") == "2026-11-20");
    made.found.users.clear();
    std::ostringstream again;
    print_usage_json(again, made);
    CHECK(nlohmann::json::parse(again.str()).at("state") == "unknown");
}

TEST_CASE("a version that nobody may look at is not called gone") {
    UsageReport made = report();
    made.exists = made.is_readable = false;
    made.found.doubts = {"its own subscription cannot be read"};
    made.found.way_out = {"az role assignment create"};
    const std::string text = text_of(made);
    CHECK_FALSE(text.contains("not in Azure"));
    CHECK(text.contains("unknown, which counts as in use"));
    CHECK(text.contains("  do: az role assignment create\n"));
    std::ostringstream json;
    print_usage_json(json, made);
    CHECK(nlohmann::json::parse(json.str()).at("version").at("readable") == false);
    made.is_readable = true;
    CHECK(text_of(made).contains("This version is not in Azure (any more)"));
}
