#include <doctest/doctest.h>

#include "controller/simulator/graph_kql.h"
#include "tests/unit/simulator/graph_box.h"

// Queries that nobody who means well sends; what the fuzz target kql looks for.
using namespace galleryd;
using namespace galleryd::simulator;

namespace {

kql::Problem refusal_of(const std::string& query) {
    const auto parsed = kql::parse_query(query);
    const auto* problem = std::get_if<kql::Problem>(&parsed);
    REQUIRE(problem != nullptr);
    return *problem;
}

std::string conditions(std::size_t count) {
    std::string query = "resources | where true";
    for (std::size_t i = 0; i < count; ++i) query += " and true";
    return query;
}

}  // namespace

TEST_CASE("a query of more than 256 KiB is refused unread") {
    const std::string query = "resources // " + std::string(kql::query_bytes_max, 'x');
    CHECK(refusal_of(query).expected == "a query of at most 256 KiB");
    CHECK(std::holds_alternative<kql::Query>(kql::parse_query(query.substr(0, kql::query_bytes_max))));
    GraphBox box;
    const auto reply = box.query(query);
    CHECK(reply.status == 400);
    CHECK(reply.body["error"]["details"][1]["expectedToken"] == "a query of at most 256 KiB");
}

TEST_CASE("a chain of conditions may have a thousand links") {
    CHECK(std::holds_alternative<kql::Query>(kql::parse_query(conditions(kql::operators_max))));
    CHECK(refusal_of(conditions(kql::operators_max + 1)).expected == "a query of fewer conditions");
    GraphBox box;
    box.estate(1, 1, 1);
    CHECK(box.query(conditions(kql::operators_max)).status == 200);
}

TEST_CASE("a number of a hundred digits is a number, a longer one is a syntax error") {
    CHECK(std::holds_alternative<kql::Query>(kql::parse_query("resources | where a > " + std::string(100, '9'))));
    CHECK(refusal_of("resources | where a > " + std::string(400, '9')).expected == "a token of the query language");
    CHECK(refusal_of("resources | where a > ago(" + std::string(30, '9') + "d)").expected ==
          "a token of the query language");
}

TEST_CASE("what a syntax error quotes is brief and whole text") {
    CHECK(refusal_of(std::string(200'000, 'x') + " (").token == "(");
    CHECK(refusal_of("resources | " + std::string(200'000, 'x')).token.size() <= 83);
    CHECK(refusal_of("resources | where " + std::string(200'000, 'x') + "()").message.size() <= 83);
    CHECK(refusal_of("resources | where \xc3\xa9").token == "\xc3\xa9");
    CHECK(refusal_of("resources | where \xff").token == "\xef\xbf\xbd");
    GraphBox box;
    const auto reply = box.query(std::string(200'000, 'x'));
    CHECK(reply.status == 400);
    CHECK(reply.body["error"]["details"][1]["token"].get<std::string>().size() <= 83);
}

TEST_CASE("a URL that is no text is refused, and what is kept can be saved") {
    Box box;
    for (const char* name : {"g%ff", "g\xff", "g%00", "g%0a", "g%e2%80%ae"}) {
        CAPTURE(name);
        CHECK(box.ask("PUT", box.galleries + name, R"({"location":"eastus2"})").status == 400);
        CHECK(box.ask("PUT", box.subscription + "/resourceGroups/" + name, R"({"location":"eastus2"})", "2021-04-01")
                  .status == 400);
    }
    CHECK(Json::accept(box.azure.save_state()));
}
