#include "controller/simulator/surroundings.h"

#include <doctest/doctest.h>

#include "tests/unit/simulator/box.h"

using namespace galleryd;
using namespace galleryd::simulator;

namespace {

const std::string subscription = "/subscriptions/11111111-1111-1111-1111-111111111111";
const std::string group = subscription + "/resourceGroups/rg";
const std::string gallery = group + "/providers/Microsoft.Compute/galleries/g";
const std::string permissions = "/providers/Microsoft.Authorization/permissions";
const std::string body = R"({"location":"eastus2"})";

void load(Box& box, const std::string& state) { REQUIRE(box.azure.load_state(state).has_value()); }

}  // namespace

TEST_CASE("an estate without rights allows everything and says so") {
    Box box;
    const auto all = box.ask("GET", gallery + permissions, "", "2022-04-01");
    CHECK(all.status == 200);
    CHECK(all.body["value"][0]["actions"][0] == "*");
    CHECK(box.ask("GET", subscription + "/resourceGroups/none" + permissions, "", "2022-04-01").code() ==
          "ResourceGroupNotFound");
    CHECK(box.ask("PUT", gallery, body).status == 201);
}

TEST_CASE("rights of an estate are listed where they apply and enforced") {
    Box box;
    load(box, R"({"resources":[],"rights":[{"scope":")" + subscription + R"(","actions":["*/read"]},
        {"scope":")" +
                  group + R"(","actions":["Microsoft.Compute/galleries/*"],
         "notActions":["Microsoft.Compute/galleries/share/action","Microsoft.Compute/galleries/delete"]}]})");
    CHECK(box.ask("GET", gallery + permissions, "", "2022-04-01").body["value"].size() == 2);
    CHECK(box.ask("GET", subscription + permissions, "", "2022-04-01").body["value"].size() == 1);
    CHECK(box.ask("PUT", gallery, body).status == 201);
    CHECK(box.ask("GET", gallery).status == 200);
    const auto share = box.ask("POST", gallery + "/share", R"({"operationType":"Reset"})");
    CHECK(share.code() == "AuthorizationFailed");
    CHECK(share.message().contains("perform action 'Microsoft.Compute/galleries/share/action' over scope"));
    CHECK(box.ask("DELETE", gallery).code() == "AuthorizationFailed");
    const auto made = box.ask("PUT", subscription + "/resourceGroups/new", body, "2024-07-01");
    CHECK(made.message().contains("'Microsoft.Resources/subscriptions/resourceGroups/write'"));
    CHECK(box.ask("PUT",
                  gallery + "/providers/Microsoft.Authorization/roleAssignments/"
                            "00000000-0000-0000-0000-000000000009",
                  "{}", "2022-04-01")
              .status == 403);
}

TEST_CASE("rights that are one client's own are nobody else's, and the log tells who asked") {
    Box box;
    load(box, R"({"resources":[],"rights":[{"client":"Tests","scope":")" + group + R"(","actions":["*"]}]})");
    CHECK(box.ask("PUT", gallery, body).status == 201);
    CHECK(box.azure.last_principal() == "tests");
    CHECK(box.ask("GET", gallery + permissions, "", "2022-04-01").body["value"].size() == 1);
    CHECK(box.azure.save_state().contains("\"client\": \"tests\""));
    box.token = "Bearer " + box.azure.issue_token("others");
    CHECK(box.ask("GET", gallery).code() == "AuthorizationFailed");
    CHECK(box.ask("GET", gallery).message().contains("The client 'others'"));
    CHECK(box.azure.last_principal() == "others");
    CHECK(box.ask("GET", gallery + permissions, "", "2022-04-01").body["value"].empty());
}

TEST_CASE("Resource Graph shows a subscription to the clients that have rights in it, where rights are theirs") {
    Surroundings around;
    CHECK(around.shows("s1", "anybody"));
    around.rights = {{.client = {}, .scope = "/subscriptions/s2", .actions = {"*"}, .not_actions = {}}};
    CHECK(around.shows("s1", "anybody"));
    around.rights.push_back(
        {.client = "a", .scope = "/subscriptions/s1/resourcegroups/rg", .actions = {}, .not_actions = {}});
    CHECK(around.shows("s1", "A"));
    CHECK_FALSE(around.shows("s1", "b"));
    CHECK_FALSE(around.shows("s", "a"));
    CHECK(around.shows("s2", "b"));
}

TEST_CASE("a provider that is not registered refuses until it is") {
    Box box;
    load(box, R"({"resources":[],"providers":{"Microsoft.Compute":"NotRegistered"}})");
    const std::string provider = subscription + "/providers/Microsoft.Compute";
    CHECK(box.ask("GET", provider, "", "2021-04-01").body["registrationState"] == "NotRegistered");
    CHECK(box.ask("GET", gallery).code() == "MissingSubscriptionRegistration");
    CHECK(box.ask("PUT", gallery, body).status == 409);
    CHECK(box.ask("POST", provider + "/register", "", "2021-04-01").body["registrationState"] == "Registered");
    CHECK(box.ask("PUT", gallery, body).status == 201);
}

TEST_CASE("offered api-versions, regions, quotas, features and states are the estate's") {
    Box box;
    load(
        box,
        R"({"resources":[],"apiVersions":{"Microsoft.Compute/galleries":["2021-10-01"]},"computeRegions":["West Europe"],
        "usageLimits":{"Gallery":0},"features":{"Microsoft.Compute/SIGSoftDelete":"Pending","Microsoft.Compute/Gone":""},
        "subscriptionStates":{"11111111-1111-1111-1111-111111111111":"Disabled"},
        "subscriptionTenants":{"11111111-1111-1111-1111-111111111111":"other"}})");
    const auto provider = box.ask("GET", subscription + "/providers/microsoft.compute", "", "2021-04-01").body;
    CHECK(provider["resourceTypes"][2]["resourceType"] == "galleries/images/versions");
    CHECK(provider["resourceTypes"][2]["apiVersions"] == Json::array({"2021-10-01"}));
    CHECK(provider["resourceTypes"][0]["locations"] == Json::array({"West Europe"}));
    CHECK(box.ask("GET", gallery).code() == "NoRegisteredProviderFound");
    CHECK(box.ask("GET", gallery).message().contains("'2021-10-01'"));
    CHECK(box.ask("GET", gallery, "", "2021-10-01").code() == "ResourceNotFound");
    const auto usages =
        box.ask("GET", subscription + "/providers/Microsoft.Compute/locations/eastus2/usages", "", "2024-07-01");
    CHECK(usages.body["value"][0]["limit"] == 0);
    const std::string feature = subscription + "/providers/Microsoft.Features/providers/Microsoft.Compute/features/";
    CHECK(box.ask("GET", feature + "SIGSoftDelete", "", "2021-07-01").state() == "");
    CHECK(box.ask("GET", feature + "SIGSoftDelete", "", "2021-07-01").body["properties"]["state"] == "Pending");
    CHECK(box.ask("GET", feature + "Other", "", "2021-07-01").body["properties"]["state"] == "Registered");
    CHECK(box.ask("GET", feature + "Gone", "", "2021-07-01").status == 404);
    const auto facts = box.ask("GET", subscription, "", "2022-12-01").body;
    CHECK(facts["state"] == "Disabled");
    CHECK(facts["tenantId"] == "other");
    CHECK(box.ask("PUT", gallery, body, "2021-10-01").code() == "ReadOnlyDisabledSubscription");
    // What was loaded is saved, and means the same when it is loaded again.
    Box again;
    load(again, box.azure.save_state());
    CHECK(again.azure.save_state() == box.azure.save_state());
    CHECK(again.ask("PUT", gallery, body, "2021-10-01").code() == "ReadOnlyDisabledSubscription");
}

TEST_CASE("a full quota refuses the next one") {
    Box box;
    load(box, R"({"resources":[],"usageLimits":{"Gallery":1}})");
    CHECK(box.ask("PUT", gallery, body).status == 201);
    CHECK(box.ask("PUT", gallery + "2", body).code() == "OperationNotAllowed");
}

TEST_CASE("faults can replace headers and refuse a sign-in with any number") {
    Box box;
    REQUIRE(
        box.azure
            .load_faults("- {path: '*/token', aadsts: 53003}\n"
                         "- {path: /subscriptions, headers: {Date: 'Sun, 01 Mar 2020 00:00:00 GMT', x-test: '1'}}\n")
            .has_value());
    const auto refused = box.raw("POST", "/tenant/oauth2/v2.0/token", "grant_type=client_credentials&client_id=c");
    CHECK(refused.body["error_codes"][0] == 53003);
    const auto listed = box.ask("GET", "/subscriptions", "", "2022-12-01");
    CHECK(listed.header("Date") == "Sun, 01 Mar 2020 00:00:00 GMT");
    CHECK(listed.header("x-test") == "1");
    CHECK(box.ask("GET", "/tenants", "", "2022-12-01").header("x-test").empty());
}
