#include <doctest/doctest.h>

#include "controller/core/resource_id.h"
#include "tests/unit/simulator/graph_box.h"

// The query language: what each form keeps, and that everything else is refused the way the service refuses.
using namespace galleryd;
using namespace galleryd::simulator;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

struct LanguageBox : GraphBox {
    LanguageBox() : GraphBox(quiet()) {
        REQUIRE(azure
                    .load_state(Json{
                        {"resources",
                         Json::array({machine("vm-a", "g", "1.2.3", "westus"), machine("vm-b", "G", "1.0.0", "eastus2"),
                                      scale_set("set-a"), instance("set-a", "0"), image_template("tpl")})}}
                                    .dump())
                    .has_value());
    }
    static Options quiet() {
        Options options = without_lag();
        options.limits = false;
        return options;
    }
    Json machine(const std::string& name, const std::string& gallery, const std::string& exact,
                 const std::string& location) const {
        return Json{
            {"id", group + "/providers/Microsoft.Compute/virtualMachines/" + name},
            {"location", location},
            {"zones", Json::array({"1"})},
            {"tags", Json{{"Team", "web"}, {"cost centre", 42}}},
            {"properties",
             Json{{"vmId", "x"},
                  {"timeCreated", name == "vm-a" ? "2026-02-28T10:00:00.0000000+00:00" : "2026-02-28T23:30:00Z"},
                  {"storageProfile",
                   Json{{"imageReference", Json{{"id", galleries + gallery + "/images/d"}, {"exactVersion", exact}}},
                        {"dataDisks", Json::array({Json{{"lun", 0}}, Json{{"lun", 4}}})}}}}}};
    }
    Json scale_set(const std::string& name) const {
        return Json{
            {"id", group + "/providers/Microsoft.Compute/virtualMachineScaleSets/" + name},
            {"location", "eastus2"},
            {"sku", Json{{"name", "Standard_D2s_v5"}, {"capacity", 3}}},
            {"properties",
             Json{{"virtualMachineProfile",
                   Json{{"storageProfile", Json{{"imageReference", Json{{"id", galleries + "g/images/d"}}}}}}}}}};
    }
    Json instance(const std::string& set, const std::string& name) const {
        return Json{
            {"id", group + "/providers/Microsoft.Compute/virtualMachineScaleSets/" + set + "/virtualMachines/" + name},
            {"location", "eastus2"},
            {"properties", Json{{"storageProfile", Json{{"imageReference", Json{{"id", galleries + "g/images/d"},
                                                                                {"exactVersion", "1.2.3"}}}}}}}};
    }
    Json image_template(const std::string& name) const {
        return Json{
            {"id", group + "/providers/Microsoft.VirtualMachineImages/imageTemplates/" + name},
            {"location", "eastus2"},
            {"properties", Json{{"source", Json{{"type", "SharedImageVersion"},
                                                {"imageVersionId", galleries + "g/images/d/versions/1.2.3"}}}}}};
    }
    // Names of the rows that a condition keeps.
    std::string kept(const std::string& condition) {
        const auto reply = query("resources | where " + condition + " | project id, name | order by name asc");
        INFO(condition << ": " << reply.raw.body);
        REQUIRE(reply.status == 200);
        std::string names;
        for (const Json& row : reply.body["data"]) names += (names.empty() ? "" : " ") + text_of(row, "name");
        return names;
    }
};

}  // namespace

TEST_CASE("conditions of the query language keep the rows that they should") {
    LanguageBox box;
    struct Row {
        std::string condition, names;
    };
    const std::vector<Row> rows{
        {"type == 'microsoft.compute/virtualmachines'", "vm-a vm-b"},
        {"type == 'Microsoft.Compute/virtualMachines'", ""},  // == minds case
        {"type =~ 'Microsoft.Compute/virtualMachines'", "vm-a vm-b"},
        {"type != 'microsoft.compute/virtualmachines' and type !~ 'MICROSOFT.compute/images'", "set-a tpl"},
        {"type in ('microsoft.compute/images', 'x')", "golden"},
        {"type in~ ('Microsoft.Compute/images')", "golden"},
        {"type !in~ ('microsoft.compute/images','microsoft.compute/virtualmachines')", "set-a tpl"},
        {"name startswith 'VM-'", "vm-a vm-b"},
        {"name startswith_cs 'VM-'", ""},
        {"name endswith '-a'", "set-a vm-a"},
        {"name contains 'OLD'", "golden"},
        {"id has 'virtualMachines'", "vm-a vm-b"},  // a whole term ...
        {"id has 'virtualMachine'", ""},            // ... and not a part of one
        {"not(type startswith 'microsoft.compute')", "tpl"},
        {"type startswith 'microsoft.compute' and (name == 'vm-a' or name == 'golden')", "golden vm-a"},
        {"tags.Team == 'web' and tags['cost centre'] == 42", "vm-a vm-b"},
        {"tags.team == 'web'", ""},  // members mind case
        {"isempty(tags.Team)", "golden set-a tpl"},
        {"isnotnull(properties.storageProfile.dataDisks[1])", "vm-a vm-b"},
        {"properties.storageProfile.dataDisks[1].lun >= 4", "vm-a vm-b"},
        {"toint(properties.storageProfile.dataDisks[0].lun) < 4 and name == 'vm-b'", "vm-b"},
        {"array_length(zones) == 1", "vm-a vm-b"},
        {"sku.capacity > 2", "set-a"},
        {"location == 'westus'", "vm-a"},
        {"tolower(tostring(properties.storageProfile.imageReference.id)) startswith tolower('/SUBSCRIPTIONS/')",
         "vm-a vm-b"},
        {"todatetime(properties.timeCreated) > ago(1h)", "vm-b"},
        {"todatetime(properties.timeCreated) > now() - 12h", "vm-b"},
        {"todatetime(properties.timeCreated) < datetime(2026-02-28T12:00:00Z)", "vm-a"},
        {"properties.timeCreated > datetime(2020-01-01)", ""},  // text is no time
        {"name has_any ('a', 'tpl') // the rest of the line\n", "set-a tpl vm-a"},
        {"name in~ ('VM-A', \"tpl\")", "tpl vm-a"},
        {"strcat(name, '!', location) == 'vm-a!westus'", "vm-a"},
        {"iff(location == 'westus', 'near', 'far') == 'near'", "vm-a"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.condition);
        CHECK(box.kept(row.condition) == row.names);
    }
}

TEST_CASE("stages of the query language shape the answer") {
    LanguageBox box;
    auto reply = box.query(
        "Resources\n| where type =~ 'microsoft.compute/virtualmachines'\n"
        "| extend ref = properties.storageProfile.imageReference\n"
        "| extend rid = tolower(tostring(ref.id)), exact = tostring(ref.exactVersion)\n"
        "| project id, exact, rid | sort by exact desc");
    REQUIRE(reply.status == 200);
    CHECK(reply.body["data"][0]["exact"] == "1.2.3");
    CHECK(reply.body["data"][0]["rid"] ==
          "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups/rg-images/providers/microsoft.compute/"
          "galleries/g/images/d");
    CHECK(reply.body["data"][1]["exact"] == "1.0.0");
    reply = box.query("resources | summarize count(), newest = max(name) by type | order by type asc");
    REQUIRE(reply.status == 200);
    CHECK(reply.body["data"][1] ==
          Json::parse(R"({"type":"microsoft.compute/virtualmachines","count_":2,"newest":"vm-b"})"));
    reply = box.query("resources | where name == 'nobody' | count");
    CHECK(reply.body["data"] == Json::parse(R"([{"Count":0}])"));
    reply = box.query("resources | where name == 'nobody' | summarize n = count() by type");
    CHECK(reply.body["data"] == Json::array());
    reply = box.query("resources | distinct location | order by location asc");
    CHECK(reply.body["data"] == Json::parse(R"([{"location":"eastus2"},{"location":"westus"}])"));
    reply = box.query("resources | where name == 'vm-a' | project-away properties, tags");
    CHECK(reply.body["data"][0]["name"] == "vm-a");
    CHECK_FALSE(reply.body["data"][0].contains("properties"));
    CHECK(reply.body["data"][0]["resourceGroup"] == "rg");
    CHECK(reply.body["data"][0]["tenantId"] == "72f988bf-86f1-41af-91ab-2d7cd011db47");
    reply = box.query("resources | where name == 'vm-a' | project t = todatetime(properties.timeCreated), v = 1 + 2",
                      Json{{"resultFormat", "table"}});
    CHECK(
        reply.body["data"] ==
        Json::parse(
            R"({"columns":[{"name":"t","type":"datetime"},{"name":"v","type":"integer"}],"rows":[["2026-02-28T10:00:00.0000000Z",3]]})"));
}

TEST_CASE("users of image versions are visible to resource graph") {
    LanguageBox box;
    const auto users = box.query(
        "resources | where type in~ ('microsoft.compute/virtualmachines','microsoft.compute/virtualmachinescalesets')\n"
        "| extend ref = coalesce(properties.storageProfile.imageReference, "
        "properties.virtualMachineProfile.storageProfile.imageReference)\n"
        "| extend rid = tolower(tostring(ref.id)), exact = tostring(ref.exactVersion)\n"
        "| where rid startswith '" +
        fold_case(box.galleries) + "g/'\n| project id, type, rid, exact | order by id asc");
    REQUIRE(users.status == 200);
    REQUIRE(users.body["count"] == 3);
    CHECK(users.body["data"][0]["type"] == "microsoft.compute/virtualmachinescalesets");
    CHECK(users.body["data"][0]["exact"] == "");  // a scale set's model names no version
    CHECK(users.body["data"][1]["exact"] == "1.2.3");
    const auto instances = box.query(
        "computeresources | where type =~ 'microsoft.compute/virtualmachinescalesets/virtualmachines' "
        "| project id, exact = properties.storageProfile.imageReference.exactVersion");
    REQUIRE(instances.body["count"] == 1);
    CHECK(instances.body["data"][0]["exact"] == "1.2.3");
    CHECK(box.kept("type =~ 'microsoft.virtualmachineimages/imagetemplates' and "
                   "properties.source.imageVersionId endswith '/versions/1.2.3'") == "tpl");
}

TEST_CASE("what the query language does not know is refused with the recorded shape") {
    LanguageBox box;
    const auto cut = box.query("resources |");
    CHECK(cut.status == 400);
    CHECK(cut.code() == "BadRequest");
    CHECK(cut.message().starts_with("Please provide below info when asking for support: timestamp = "));
    const Json& details = cut.body["error"]["details"];
    CHECK(details[0]["code"] == "InvalidQuery");
    CHECK(details[1]["code"] == "ParserFailure");
    CHECK(details[1]["line"] == 1);
    CHECK(details[1]["characterPositionInLine"] == 11);
    CHECK(details[1]["token"] == "<EOF>");
    for (const std::string query :
         {"", "nosuchtable", "resources | where", "resources | where name = 'x'", "resources | join (resources) on id",
          "resources | where nosuch == 1", "resources | project id | where name == 'x'",
          "resources | where hash(id) == 1", "resources | where name == 'x", "resources | take many",
          "resources | summarize name", "resources | where a b", "resources | where tolower() == ''",
          "resources | where name in 'x'", "resources; drop", "resources | order name",
          "resources | where name == 'x' | project nosuch", "resources | where (name == 'x'",
          "resources | extend n = count()"}) {
        CAPTURE(query);
        const auto reply = box.query(query);
        CHECK(reply.status == 400);
        CHECK(reply.code() == "BadRequest");
        CHECK(reply.body["error"]["details"].size() >= 1);
    }
    std::string deep = "resources | where ";
    for (int i = 0; i < 500; ++i) deep += "(";
    CHECK(box.query(deep).status == 400);
}

TEST_CASE("options outside their limits and foreign tokens are refused") {
    LanguageBox box;
    for (const std::string options :
         {R"({"$top":0})", R"({"$top":1001})", R"({"$top":"5"})", R"({"$skip":-1})", R"({"resultFormat":"csv"})",
          R"({"$skipToken":"eyAibm8iOiAibHVjayIsICJidXQiOiAibmljZSIsICJ0cnkiOiAiISIgfQ=="})",
          R"({"$skipToken":"%%"})"}) {
        CAPTURE(options);
        CHECK(box.query("resources", Json::parse(options)).status == 400);
    }
    CHECK(box.ask("POST", "/providers/Microsoft.ResourceGraph/resources", "{}", "2024-04-01").status == 400);
    CHECK(box.ask("POST", "/providers/Microsoft.ResourceGraph/resources", R"({"query":"resources"})", "1999-01-01")
              .status == 400);
    CHECK(box.ask("POST", "/providers/Microsoft.ResourceGraph/resources", R"({"query":"resources | count"})",
                  "2021-03-01")
              .status == 200);
    CHECK(box.ask("GET", "/providers/Microsoft.ResourceGraph/resources", "", "2024-04-01").status == 405);
}

TEST_CASE("change records tell what changed, when and by whom, minutes later") {
    Options options;
    options.graph_lag = seconds(28);
    options.graph_change_lag = seconds(120);
    GraphBox box(options);
    box.estate(1, 1, 1);
    const std::string id = box.galleries + "g0/images/d0/versions/1.0.0";
    REQUIRE(box.azure.change_resource(id, R"({"properties":{"publishingProfile":{"replicaCount":4}}})").has_value());
    const std::string query =
        "resourcechanges | extend t = todatetime(properties.changeAttributes.timestamp), target = "
        "tostring(properties.targetResourceId) | where properties.targetResourceType startswith "
        "'microsoft.compute/galleries' and t > ago(1d) | project id, t, target, changeType = properties.changeType, by "
        "= properties.changeAttributes.changedBy, changes = properties.changes | order by t asc";
    CHECK(box.query(query).body["count"] == 0);
    box.pass(seconds(600));
    const auto reply = box.query(query);
    REQUIRE(reply.status == 200);
    REQUIRE(reply.body["count"] == 1);
    const Json& row = reply.body["data"][0];
    CHECK(row["target"] == id);
    CHECK(row["changeType"] == "Update");
    CHECK(row["t"] == "2026-03-01T00:00:00.0000000Z");
    CHECK(row["by"] == "System");
    CHECK(
        row["changes"] ==
        Json::parse(
            R"({"properties.publishingProfile.replicaCount":{"previousValue":"1","newValue":"4","changeCategory":"User","propertyChangeType":"Update","isTruncated":"false"}})"));
    // A long value is cut and says so.
    REQUIRE(box.azure.change_resource(id, Json{{"tags", Json{{"note", std::string(5000, 'x')}}}}.dump()).has_value());
    box.pass(seconds(600));
    const auto later = box.query(query);
    REQUIRE(later.body["count"] == 2);
    const Json& note = later.body["data"][1]["changes"]["tags.note"];
    CHECK(note["isTruncated"] == "true");
    CHECK(note["propertyChangeType"] == "Insert");
    CHECK(text_of(note, "newValue").size() < 5000);
    box.pass(hours(24 * 15));
    CHECK(box.query("resourcechanges | count").body["data"][0]["Count"] == 0);  // kept for fourteen days
}

TEST_CASE("noise in spelling does not change which rows resource graph hands out") {
    Options options = GraphBox::without_lag();
    options.noise = true;
    GraphBox box(options);
    box.estate(2, 2, 2);
    const auto reply = box.query(box.all + " | project id, location | order by id asc");
    REQUIRE(reply.status == 200);
    std::vector<std::string> ids;
    for (const Json& row : reply.body["data"]) ids.push_back(fold_case(text_of(row, "id")));
    CHECK(std::ranges::is_sorted(ids));
    CHECK(ids.size() == 14);
}
