#include <set>

#include "controller/core/resource_id.h"
#include "tests/unit/simulator/box.h"

// What clients that others wrote (tests/clients) showed to be wrong, as small as it can be said.
namespace galleryd::simulator {

TEST_CASE("the pages of a subscription's galleries end, also when a group's name begins with another group's name") {
    Options options;
    options.page_size = 2;
    Box box(options);
    std::set<std::string> made;
    for (const std::string group : {"rg", "rg-2", "rg.3"}) {
        const std::string id = box.subscription + "/resourceGroups/" + group;
        REQUIRE(box.ask("PUT", id, R"({"location":"eastus2"})").status < 300);
        for (int i = 0; i < 3; ++i) {
            const std::string name = "g" + std::to_string(made.size());  // names are unique in a subscription
            const std::string gallery = id + "/providers/Microsoft.Compute/galleries/" + name;
            REQUIRE(box.ask("PUT", gallery, R"({"location":"eastus2"})").status == 201);
            made.insert(group + "/" + name);
        }
    }
    std::string target = box.subscription + "/providers/Microsoft.Compute/galleries?api-version=2024-03-03";
    std::set<std::string> listed;
    std::size_t rows = 0;
    int pages = 0;
    for (; !target.empty() && pages < 20; ++pages) {
        const auto page = box.raw("GET", target);
        REQUIRE(page.status == 200);
        for (const Json& row : page.body["value"]) {
            const std::string id = fold_case(text_of(row, "id"));
            const std::size_t group = id.find("/resourcegroups/") + 16;
            listed.insert(id.substr(group, id.find('/', group) - group) + "/" + text_of(row, "name"));
            ++rows;
        }
        const std::string next = text_of(page.body, "nextLink");
        target = next.empty() ? "" : next.substr(18);
    }
    CHECK(pages == 5);
    CHECK(rows == 9);
    CHECK(listed == made);
}

TEST_CASE("tags are read and written through Microsoft.Resources/tags, one by one or all at once") {
    FullBox box;
    box.make_version("1.0.0");
    for (const std::string& id : {box.version("1.0.0"), box.group}) {
        const std::string tags = id + "/providers/Microsoft.Resources/tags/default";
        const auto patch = [&](const std::string& operation, const std::string& given) {
            return box.ask("PATCH", tags, R"({"operation":")" + operation + R"(","properties":{"tags":)" + given + "}}",
                           "2021-04-01");
        };
        REQUIRE(box.ask("PUT", tags, R"({"properties":{"tags":{"a":"1","b":"2","c":"3"}}})", "2021-04-01").status ==
                200);
        CHECK(patch("Merge", R"({"A":"one","d":"4"})").body["properties"]["tags"] ==
              Json{{"a", "one"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
        CHECK(patch("Delete", R"({"b":"2","c":"other","D":""})").body["properties"]["tags"] ==
              Json{{"a", "one"}, {"c", "3"}});
        CHECK(box.ask("GET", id).body["tags"] == Json{{"a", "one"}, {"c", "3"}});
        CHECK(box.ask("GET", tags, "", "2021-04-01").body["name"] == "default");
        CHECK(patch("replace", R"({"z":"26"})").body["properties"]["tags"] == Json{{"z", "26"}});
        CHECK(patch("Rename", R"({"z":"1"})").status == 400);
        CHECK(patch("Merge", R"(["z"])").status == 400);
        CHECK(box.ask("GET", id).body["tags"] == Json{{"z", "26"}});
        CHECK(box.ask("DELETE", tags, "", "2021-04-01").body["properties"]["tags"] == Json::object());
    }
    CHECK(
        box.ask("GET", box.version("9.9.9") + "/providers/Microsoft.Resources/tags/default", "", "2021-04-01").code() ==
        "ResourceNotFound");
}

}  // namespace galleryd::simulator
