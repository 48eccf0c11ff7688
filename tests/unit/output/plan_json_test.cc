#include "controller/program/plan_json.h"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "controller/program/saved_plan.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/output/sample_plan.h"
#include "tests/unit/output/schema_check.h"
#include "tests/unit/planning_gallery/estate.h"

using namespace galleryd;
using Json = nlohmann::ordered_json;

namespace {

Json schema() {
    std::ifstream file(std::string(GALLERYD_SOURCE_DIR) + "/docs/reference/plan.schema.json");
    return Json::parse(file);
}

std::string problems_of(const Json& value) {
    std::string text;
    for (const std::string& problem : check_schema(schema(), value)) text += problem + "\n";
    return text;
}

}  // namespace

TEST_CASE("the JSON form says what the experience document promises") {
    const Json json = plan_to_json({sample::ubuntu(), sample::windows()}, sample::header());
    CHECK(json.at("format_version") == "1.0");
    CHECK(json.at("kind") == "Plan");
    CHECK(json.at("source") ==
          Json({{"kind", "git"}, {"revision", "main@sha1:9f3c1ab"}, {"path", "./manifests"}, {"dirty", false}}));
    CHECK(json.at("observed").at("at") == "2026-11-21T04:10:12Z");
    CHECK(json.at("observed").at("complete") == true);
    CHECK(json.at("mode") == "apply");
    const Json& update = json.at("changes").at(1);
    CHECK(update.at("address") == "corp/golden/ubuntu-2404/1.7.2");
    CHECK(update.at("manifest") == Json({{"file", "versions.yaml"}, {"line", 27}, {"column", 1}}));
    CHECK(update.at("actions") == Json({"update"}));
    CHECK(update.at("reason") == "manifest_changed");
    CHECK(update.at("risk") == "capacity_removed");
    CHECK(update.at("before").at("targetRegions") ==
          Json::parse(R"([{"name": "eastus", "replicas": 2}, {"name": "brazilsouth", "replicas": 2}])"));
    CHECK(
        update.at("after").at("targetRegions") ==
        Json::parse(
            R"([{"name": "southeastasia", "replicas": 2, "storageAccountType": "Standard_ZRS"}, {"name": "eastus", "replicas": 3}])"));
    CHECK(update.at("fields").at(2) ==
          Json::parse(R"({"path": "/targetRegions/brazilsouth", "op": "remove", "before": "x2", "owner": "galleryd",
          "cause": "spec", "effect": "latest_falls_back", "detail": "1.6.9"})"));
    CHECK(update.at("estimate").at("monthly_cost_delta") == 12.4);
    CHECK(json.at("changes").at(0).at("after_unknown").at("publishedDate") == true);
    CHECK(json.at("changes").at(0).at("before") == nullptr);
    CHECK(json.at("changes").at(2).at("after") == nullptr);
    CHECK(json.at("blocked").at(0).at("reason") == "in_use");
    CHECK(json.at("blocked").at(0).at("evidence") ==
          Json({{"scale_sets", 3}, {"subscriptions_readable", 7}, {"subscriptions_total", 9}}));
    CHECK(json.at("conflicts").at(0).at("code") == "GD2103");
    CHECK(json.at("drift").empty());
    for (const auto& [name, wanted] : {std::pair{"create", 1},
                                       {"update", 1},
                                       {"delete", 1},
                                       {"adopt", 0},
                                       {"blocked", 1},
                                       {"conflict", 1},
                                       {"noop", 34}}) {
        CHECK(json.at("summary").at(name) == wanted);
    }
    CHECK(json.at("cost") == Json({{"before", 412.10},
                                   {"after", 463.55},
                                   {"one_time", 0.0},
                                   {"currency", "USD"},
                                   {"basis", "list_price_upper_bound"},
                                   {"price_date", "2026-11-01"}}));
}

TEST_CASE("the JSON form is exactly what its schema documents") {
    CHECK(problems_of(plan_to_json({sample::ubuntu(), sample::windows()}, sample::header())) == "");
    CHECK(problems_of(plan_to_json({}, PlanHeader{})) == "");

    Gallery gallery = estate::gallery();  // every kind of step of a gallery
    gallery.ensure_resource_group = true;
    gallery.sharing = Sharing{SharingPermissions::groups, {"s1"}, {}, {}};
    gallery.staging_storage = StagingStorage{"stgolden01", "Standard_LRS", "vhds"};
    gallery.access = {{"Reader", estate::principal, "Group"}, {"Nonsense", estate::principal, "Group"}};
    CHECK(problems_of(
              plan_to_json({estate::plan(gallery, estate::empty_view(), estate::policy())}, sample::header())) == "");
    GalleryView view = estate::view(gallery);
    view.gallery->description = "drifted";
    Policy policy = estate::policy();
    policy.allow_deletes = false;
    estate::remember(policy, gallery.id, gallery.meta.key);
    gallery.sharing = Sharing{};
    view.gallery->permissions = SharingPermissions::groups;
    const Json drifted = plan_to_json({estate::plan(gallery, view, policy)}, sample::header());
    CHECK(problems_of(drifted) == "");
    CHECK(drifted.at("drift").size() == 1);
    CHECK(drifted.at("drift").at(0) == drifted.at("changes").at(0));
    CHECK(drifted.at("changes").at(0).at("before").at("description") == "drifted");
}

TEST_CASE("the schema check finds what is wrong") {
    Json json = plan_to_json({sample::ubuntu()}, sample::header());
    json["surprise"] = 1;
    json["changes"][0]["risk"] = "huge";
    json["summary"].erase("noop");
    const auto problems = check_schema(schema(), json);
    REQUIRE(problems.size() == 3);
    CHECK(problems[0].starts_with("/changes/0/risk: \"huge\" is none of"));
    CHECK(problems[1] == "/summary: noop is missing");
    CHECK(problems[2] == ": surprise is not documented");
}

TEST_CASE("a saved plan is the same document with one more member") {
    const TemporaryDirectory directory;
    REQUIRE(write_saved_plan(directory.file("p.json"), {sample::ubuntu()}, sample::header()).has_value());
    Json json = Json::parse(directory.read("p.json"));
    CHECK(problems_of(json) == "");
    json.erase("saved");
    CHECK(json == plan_to_json({sample::ubuntu()}, sample::header()));
}

TEST_CASE("ids and digests cover all scopes, in any order") {
    const std::vector<Plan> plans{sample::ubuntu(), sample::windows()};
    const std::vector<Plan> turned{plans[1], plans[0]};
    CHECK(plans_id(plans) == plans_id(turned));
    std::vector<Plan> other = plans;
    other[1].id = "sha256:9999";
    CHECK(plans_id(other) != plans_id(plans));
    CHECK(plans_id({plans[0]}) != plans_id(plans));
    other[1].observed_digest = "sha256:9999";
    other[0].complete = false;
    const Json json = plan_to_json(other, sample::header());
    CHECK(json.at("observed").at("digest") != plan_to_json(plans, sample::header()).at("observed").at("digest"));
    CHECK(json.at("observed").at("complete") == false);
}

TEST_CASE("what is created once its parents are there is listed apart from what is under way") {
    Plan plan;
    plan.scope = "corp/golden/ubuntu-2404";
    plan.observed_at = sample::observed_at;
    plan.waiting = {plan.scope, plan.scope + "/1.8.0"};
    plan.later = {{plan.scope, "ImageDefinition", {"ubuntu.yaml", 3, 1}, "its gallery"}};
    const Json json = plan_to_json({plan}, sample::header());
    CHECK(problems_of(json) == "");
    CHECK(json.at("summary").at("create") == 0);
    CHECK(json.at("summary").at("create_later") == 1);
    CHECK(json.at("summary").at("waiting") == 2);
    const Json& later = json.at("scopes").at(0).at("later");
    REQUIRE(later.size() == 1);
    CHECK(later.at(0).at("address") == plan.scope);
    CHECK(later.at(0).at("manifest") == Json({{"file", "ubuntu.yaml"}, {"line", 3}, {"column", 1}}));
    CHECK(later.at(0).at("after") == "its gallery");
}
