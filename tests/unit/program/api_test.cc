#include "controller/program/api.h"

#include <nlohmann/json.hpp>

#include "tests/unit/program/small_engine.h"

using namespace galleryd;
using Json = nlohmann::json;

namespace {

http::ServerRequest request(const std::string& method, const std::string& target) {
    http::ServerRequest made;
    made.method = method;
    made.target = target;
    return made;
}

struct Fixture {
    SmallEngine small;
    Api api{small.engine, *small.journal, small.clock};

    http::ServerResponse ask(const std::string& target, const std::string& method = "GET") {
        auto answer = api.handle(request(method, target));
        REQUIRE(answer.has_value());
        return *answer;
    }
    Json get(const std::string& target) {
        const http::ServerResponse answer = ask(target);
        CHECK(answer.status == 200);
        CHECK(answer.headers.get("Content-Type") == "application/json; charset=utf-8");
        CHECK(answer.headers.get("Cache-Control") == "no-store");
        return Json::parse(answer.body);
    }
};

const std::vector<std::string> lists{"objects", "galleries", "definitions", "versions", "policies",
                                     "sources", "plan",      "retention",   "events"};

}  // namespace

TEST_CASE("every path of the API answers JSON before anything was looked at") {
    Fixture fixture;
    for (const std::string& name : lists) {
        CAPTURE(name);
        const Json body = fixture.get("/api/v1/" + name);
        CHECK(body.at("items") == Json::array());
        CHECK(body.at("observed_at").is_null());
        CHECK(body.at("now") == "2026-11-21T00:00:00Z");
    }
    const Json overview = fixture.get("/api/v1/overview");
    CHECK(overview.at("scopes") == 0);
    CHECK(overview.at("observed_at").is_null());
}

TEST_CASE("the API shows what is declared, planned and done") {
    Fixture fixture;
    fixture.small.declare(std::string(small_gallery) + small_definition);
    fixture.small.pass();

    const Json galleries = fixture.get("/api/v1/galleries");
    REQUIRE(galleries.at("items").size() == 1);
    const Json& gallery = galleries["items"][0];
    CHECK(gallery.at("kind") == "Gallery");
    CHECK(gallery.at("namespace") == "images");
    CHECK(gallery.at("name") == "golden");
    CHECK(gallery.at("manifest").at("file") == "images.yaml");
    CHECK(gallery.at("armId").get<std::string>().ends_with("/galleries/golden"));
    CHECK_FALSE(gallery.at("conditions").empty());
    CHECK(galleries.at("observed_at").is_string());

    const Json definitions = fixture.get("/api/v1/definitions");
    REQUIRE(definitions.at("items").size() == 1);
    CHECK(definitions["items"][0].at("name") == "ubuntu");
    CHECK(fixture.get("/api/v1/objects").at("items").size() == 2);
    CHECK(fixture.get("/api/v1/versions").at("items").empty());

    const Json sources = fixture.get("/api/v1/sources");
    REQUIRE(sources.at("items").size() == 1);
    CHECK(sources["items"][0].at("name") == "dir:test");
    CHECK(sources["items"][0].at("valid") == 2);
    CHECK(sources["items"][0].at("ready") == true);

    const Json plans = fixture.get("/api/v1/plan");
    REQUIRE(plans.at("items").size() == fixture.small.engine.plans().size());
    CHECK(plans["items"][0].at("scope") == fixture.small.engine.plans().begin()->first);

    const Json overview = fixture.get("/api/v1/overview");
    CHECK(overview.at("scopes") == 2);
    CHECK(overview.at("lookedEverywhere") == true);
    int objects = 0;
    for (const auto& [status, count] : overview.at("objects").items()) objects += count.get<int>();
    CHECK(objects == 2);
}

TEST_CASE("events are given a page at a time, and a wrong number in the question is not an error") {
    Fixture fixture;
    for (const char* object : {"images/a", "images/b", "images/c"}) {
        EventRecord event;
        event.at = event.first_at = fixture.small.clock.now();
        event.reason = "Created";
        event.object = object;
        event.warning = event.object == "images/b";
        REQUIRE(fixture.small.journal->put_event(event).has_value());
    }
    const Json all = fixture.get("/api/v1/events");
    REQUIRE(all.at("items").size() == 3);
    CHECK(all["items"][0].at("type") == "Normal");
    CHECK(all["items"][1].at("type") == "Warning");
    CHECK(fixture.get("/api/v1/events?limit=2").at("items").size() == 2);
    CHECK(fixture.get("/api/v1/events?limit=0").at("items").size() == 1);
    CHECK(fixture.get("/api/v1/events?limit=many").at("items").size() == 3);
    const Json rest = fixture.get("/api/v1/events?limit=10&after=" + all["items"][1].at("sequence").dump());
    REQUIRE(rest.at("items").size() == 1);
    CHECK(rest["items"][0].at("object") == "images/c");
}

TEST_CASE("other paths below /api/ are 404 with an error body, and paths elsewhere are not the API's") {
    Fixture fixture;
    for (const char* path :
         {"/api/", "/api/v1", "/api/v1/", "/api/v1/gallery", "/api/v1/events/1", "/api/v2/overview"}) {
        CAPTURE(path);
        const http::ServerResponse answer = fixture.ask(path);
        CHECK(answer.status == 404);
        CHECK(Json::parse(answer.body).at("error").get<std::string>().starts_with(path));
    }
    for (const char* path : {"/", "/metrics", "/readyz", "/apiary"})
        CHECK_FALSE(fixture.api.handle(request("GET", path)).has_value());
}

TEST_CASE("bytes that are no UTF-8 in a path do not break the answer") {
    Fixture fixture;
    const http::ServerResponse answer = fixture.ask("/api/v1/\xff\xfe");
    CHECK(answer.status == 404);
    CHECK_FALSE(Json::parse(answer.body, nullptr, false).is_discarded());
}

TEST_CASE("the API only reads: other methods are 405 and say which are allowed") {
    Fixture fixture;
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
        CAPTURE(method);
        const http::ServerResponse answer = fixture.ask("/api/v1/overview", method);
        CHECK(answer.status == 405);
        CHECK(answer.headers.get("Allow") == "GET, HEAD");
        CHECK(Json::parse(answer.body).contains("error"));
    }
    CHECK(fixture.ask("/api/v1/overview", "HEAD").status == 200);
}
