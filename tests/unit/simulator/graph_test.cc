#include "controller/simulator/graph.h"

#include <doctest/doctest.h>

#include "tests/unit/simulator/graph_box.h"

using namespace galleryd;
using namespace galleryd::simulator;
using std::chrono::seconds;

TEST_CASE("resource graph shows galleries, definitions and versions the way it spells them") {
    GraphBox box;
    box.estate(1, 1, 2);
    const auto reply = box.query(
        "resources\n| where type in~ ('Microsoft.Compute/galleries','microsoft.compute/galleries/images/versions')\n"
        "| project id, name, type, location, resourceGroup, subscriptionId, tags, properties | order by id asc");
    REQUIRE(reply.status == 200);
    CHECK(reply.body["totalRecords"] == 3);
    CHECK(reply.body["count"] == 3);
    CHECK(reply.body["resultTruncated"] == "false");  // text, not a boolean
    CHECK_FALSE(reply.body.contains("$skipToken"));
    CHECK(reply.body["facets"] == Json::array());
    const Json& gallery = reply.body["data"][0];
    CHECK(gallery["id"] == box.subscription + "/resourceGroups/RG-Images/providers/Microsoft.Compute/galleries/g0");
    CHECK(gallery["type"] == "microsoft.compute/galleries");
    CHECK(gallery["resourceGroup"] == "rg-images");
    CHECK(gallery["subscriptionId"] == "11111111-1111-1111-1111-111111111111");
    CHECK(gallery["tags"].is_null());
    const Json& version = reply.body["data"][1];
    CHECK(version["type"] == "microsoft.compute/galleries/images/versions");
    CHECK(version["location"] == "eastus2");
    CHECK(version["properties"]["provisioningState"] == "Succeeded");
    CHECK(version["properties"]["publishingProfile"]["targetRegions"][0]["name"] == "East US 2");
    CHECK_FALSE(version["properties"].contains("replicationStatus"));
    CHECK(reply.header("x-ms-user-quota-remaining") == "14");
    CHECK(reply.header("x-ms-user-quota-resets-after") == "00:00:05");
}

TEST_CASE("resource graph hands out a thousand rows at a time and a token for the rest") {
    GraphBox box;
    box.estate(1, 1, 2498);  // 2,500 resources with gallery and definition
    const std::string query = box.all + " | project id | order by id asc";
    std::vector<std::string> ids;
    Json options = Json::object();
    std::vector<std::size_t> counts;
    while (true) {
        const auto reply = box.query(query, options);
        REQUIRE(reply.status == 200);
        CHECK(reply.body["totalRecords"] == 2500);
        counts.push_back(reply.body["count"].get<std::size_t>());
        for (const Json& row : reply.body["data"]) ids.push_back(row["id"].get<std::string>());
        if (!reply.body.contains("$skipToken")) break;
        CHECK(text_of(reply.body, "$skipToken").starts_with("ew0K"));
        options["$skipToken"] = reply.body["$skipToken"];
    }
    CHECK(counts == std::vector<std::size_t>{1000, 1000, 500});
    CHECK(std::ranges::is_sorted(ids));
    CHECK(std::ranges::adjacent_find(ids) == ids.end());
    CHECK(ids.size() == 2500);
    // By offset, as the "random page" example of the specification does.
    const auto page = box.query(query, Json{{"$top", 3}, {"$skip", 2498}});
    CHECK(page.body["count"] == 2);
    CHECK(page.body["data"][1]["id"] == ids.back());
    CHECK_FALSE(page.body.contains("$skipToken"));
}

TEST_CASE("a result without ids or with a limit of its own cannot be paged and is cut") {
    GraphBox box;
    box.estate(1, 1, 4);
    const auto nameless = box.query(box.all + " | project name", Json{{"$top", 2}});
    CHECK(nameless.body["resultTruncated"] == "true");
    CHECK_FALSE(nameless.body.contains("$skipToken"));
    CHECK(nameless.body["count"] == 2);
    const auto limited = box.query(box.all + " | project id | take 5", Json{{"$top", 2}});
    CHECK(limited.body["totalRecords"] == 5);
    CHECK(limited.body["resultTruncated"] == "true");
    const auto whole = box.query(box.all + " | project id | limit 2");
    CHECK(whole.body["resultTruncated"] == "false");
    CHECK(whole.body["count"] == 2);
}

TEST_CASE("resource graph answers a table when asked for one") {
    GraphBox box;
    box.estate(1, 1, 1);
    const auto reply =
        box.query(box.all + " | summarize n = count() by type | order by type asc", Json{{"resultFormat", "table"}});
    REQUIRE(reply.status == 200);
    CHECK(reply.body["data"]["columns"] ==
          Json::parse(R"([{"name":"type","type":"string"},{"name":"n","type":"integer"}])"));
    CHECK(
        reply.body["data"]["rows"] ==
        Json::parse(
            R"([["microsoft.compute/galleries",1],["microsoft.compute/galleries/images",1],["microsoft.compute/galleries/images/versions",1]])"));
}

TEST_CASE("the sixteenth query in five seconds is refused, and the seventeenth after them is not") {
    GraphBox box;
    box.estate(1, 1, 1);
    for (int left = 14; left >= 0; --left) {
        const auto reply = box.query(box.all + " | count");
        REQUIRE(reply.status == 200);
        CHECK(reply.header("x-ms-user-quota-remaining") == std::to_string(left));
    }
    box.clock.advance(seconds(2));
    const auto refused = box.query(box.all + " | count");
    CHECK(refused.status == 429);
    CHECK(refused.code() == "RateLimiting");
    CHECK(refused.body["error"]["details"][0]["code"] == "RateLimiting");
    CHECK(refused.header("x-ms-user-quota-remaining") == "0");
    CHECK(refused.header("x-ms-user-quota-resets-after") == "00:00:03");
    const std::string own = box.token;
    box.token = "Bearer " + box.azure.issue_token("somebody else");
    CHECK(box.query(box.all + " | count").status == 200);  // the quota is the principal's
    box.token = own;
    box.clock.advance(seconds(3));
    CHECK(box.query(box.all + " | count").status == 200);
}

TEST_CASE("the index lags behind a write, and a removed resource lingers") {
    Options options;
    options.graph_lag = seconds(28);
    GraphBox box(options);
    box.estate(1, 1, 1);
    const std::string id = box.galleries + "g0/images/d0/versions/1.0.0";
    const std::string query = "resources | where id =~ '" + id + "' | project id, owner = tags.owner";
    REQUIRE(box.azure.change_resource(id, R"({"tags":{"owner":"me"}})").has_value());
    auto reply = box.query(query);
    REQUIRE(reply.body["count"] == 1);
    CHECK(reply.body["data"][0]["owner"].is_null());  // as it was
    box.pass(seconds(3600));
    CHECK(box.query(query).body["data"][0]["owner"] == "me");
    box.azure.remove_resource(id);
    CHECK(box.query(query).body["count"] == 1);  // gone in Azure, still in the index
    box.pass(seconds(3600));
    CHECK(box.query(query).body["count"] == 0);
}

TEST_CASE("95 percent of changes are in the index within the lag asked for") {
    Options options;
    options.graph_lag = seconds(28);
    options.limits = false;
    GraphBox box(options);
    box.estate(1, 1, 400);
    for (int i = 0; i < 400; ++i) {
        const std::string id = box.galleries + "g0/images/d0/versions/1.0." + std::to_string(i);
        REQUIRE(box.azure.change_resource(id, R"({"tags":{"n":"1"}})").has_value());
    }
    const std::string query = "resources | where tags.n == '1' | count";
    CHECK(box.query(query).body["data"][0]["Count"].get<int>() == 0);
    box.pass(seconds(28));
    const int shown = box.query(query).body["data"][0]["Count"].get<int>();
    CHECK(shown > 360);
    CHECK(shown < 400);
    box.pass(seconds(600));
    CHECK(box.query(query).body["data"][0]["Count"].get<int>() == 400);
}

TEST_CASE("a subscription that may not be read is left out by resource graph and refused by ARM") {
    GraphBox box;
    box.estate(1, 1, 1);
    const std::string other = "22222222-2222-2222-2222-222222222222";
    REQUIRE(box.azure
                .load_state(R"({"unreadableSubscriptions":[")" + other + R"("],"resources":[{"id":"/subscriptions/)" +
                            other +
                            R"(/resourceGroups/r/providers/Microsoft.Compute/galleries/hidden","location":"eastus"}]})")
                .has_value());
    const std::vector<std::string> both{"11111111-1111-1111-1111-111111111111", other};
    const auto rows = box.query("resources | where type =~ 'microsoft.compute/galleries' | project name", {}, both);
    CHECK(rows.body["totalRecords"] == 1);
    CHECK(rows.body["data"][0]["name"] == "g0");
    const auto containers =
        box.query("resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project id, subscriptionId",
                  {}, both);
    REQUIRE(containers.body["count"] == 1);
    CHECK(containers.body["data"][0]["subscriptionId"] == both[0]);
    const auto none = box.query("resources | count", {}, {other});
    CHECK(none.status == 400);
    CHECK(none.code() == "BadRequest");
    CHECK(none.body["error"]["details"][0]["code"] == "NoValidSubscriptionsInQueryRequest");
    const auto arm = box.ask("GET", "/subscriptions/" + other + "/providers/Microsoft.Compute/galleries");
    CHECK(arm.status == 403);
    CHECK(arm.code() == "AuthorizationFailed");
    box.azure.set_readable(other, true);
    CHECK(box.query("resources | where name == 'hidden' | count", {}, {other}).body["data"][0]["Count"] == 1);
}
