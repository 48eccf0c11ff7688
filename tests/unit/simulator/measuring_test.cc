#include <doctest/doctest.h>

#include "controller/simulator/control.h"
#include "controller/simulator/service_times.h"
#include "tests/unit/simulator/box.h"

// What `galleryd simulate` offers to measurements: fixed service times, and a door behind every client's back.
namespace galleryd::simulator {

using std::chrono::milliseconds;

TEST_CASE("service times are read in any order, and nonsense is named") {
    const auto times = parse_service_times("list=400ms,get=60ms,graph=3s,put=150ms");
    REQUIRE(times);
    CHECK(*times == ServiceTimes{.get = milliseconds{60},
                                 .list = milliseconds{400},
                                 .put = milliseconds{150},
                                 .graph = milliseconds{3000}});
    CHECK(*parse_service_times("") == ServiceTimes{});
    CHECK(parse_service_times("get=5ms")->list == milliseconds{0});
    for (const char* wrong : {"get", "get=", "get=60", "get=-1ms", "patch=60ms", "get=60ms,,list=1ms", "get=601s",
                              "get=99999999999ms", "get=60 ms", "GET=60ms"}) {
        CAPTURE(wrong);
        const auto refused = parse_service_times(wrong);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().reason == "ServiceTimesInvalid");
    }
}

TEST_CASE("each kind of request takes its service time, sign-in none, and a fast world takes less real time") {
    Options options;
    options.service_times = *parse_service_times("get=60ms,list=400ms,put=150ms,graph=300ms");
    SUBCASE("in real time") {
        FullBox box(options);
        CHECK(box.ask("GET", box.galleries + "g").raw.delay == milliseconds{60});
        CHECK(box.ask("GET", box.galleries + "g/images").raw.delay == milliseconds{400});
        CHECK(box.ask("GET", box.subscription + "/providers/Microsoft.Compute/galleries").raw.delay ==
              milliseconds{400});
        const auto accepted = box.ask("PUT", box.version("1.0.0"), box.version_text());
        CHECK(accepted.raw.delay == milliseconds{150});
        CHECK(box.follow(accepted).raw.delay == milliseconds{60});
        CHECK(box.ask("DELETE", box.version("9.9.9")).raw.delay == milliseconds{150});
        const auto graph = box.ask("POST", "/providers/Microsoft.ResourceGraph/resources",
                                   R"({"query": "resources | project id"})", "2024-04-01");
        CHECK(graph.status == 200);
        CHECK(graph.raw.delay == milliseconds{300});
        CHECK(box.raw("POST", "/common/oauth2/v2.0/token").raw.delay == milliseconds{0});
    }
    SUBCASE("a minute in a second") {
        options.time_scale = 60;
        FullBox box(options);
        CHECK(box.ask("GET", box.galleries + "g/images").raw.delay == milliseconds{6});
        CHECK(box.ask("GET", box.galleries + "g").raw.delay == milliseconds{1});
    }
}

TEST_CASE("through the door resources change and go, and Resource Graph tells of it") {
    Options options;
    options.graph_lag = options.graph_change_lag = std::chrono::seconds{0};
    FullBox box(options);
    box.make_version();
    const auto door = [&box](const std::string& method, const std::string& target, const std::string& body) {
        http::ServerRequest request;
        request.method = method;
        request.target = target;
        request.body = body;
        return control(box.azure, request);
    };
    const auto records = [&box] {
        return box
            .ask("POST", "/providers/Microsoft.ResourceGraph/resources",
                 R"x({"query": "resourcechanges | project id, kind = tostring(properties.changeType)"})x", "2024-04-01")
            .body["totalRecords"]
            .get<int>();
    };
    CHECK_FALSE(door("GET", "/subscriptions?api-version=2022-12-01", "").has_value());
    const int before = records();
    const auto changed =
        door("POST", "/simulator/changes",
             R"({"changes": [{"id": ")" + box.version("1.0.0") + R"(", "patch": {"tags": {"by": "hand"}}}]})");
    REQUIRE(changed);
    CHECK(changed->status == 200);
    CHECK(changed->body == R"({"changed":1,"removed":0})");
    CHECK(box.ask("GET", box.version("1.0.0")).body["tags"]["by"] == "hand");
    CHECK(records() == before + 1);
    CHECK(door("POST", "/simulator/changes", R"({"remove": [")" + box.version("1.0.0") + R"("]})")->body ==
          R"({"changed":0,"removed":1})");
    CHECK(box.ask("GET", box.version("1.0.0")).status == 404);
    for (const std::string& wrong :
         {std::string("{"), std::string("[]"), R"({"remove": [")" + box.version("1.0.0") + R"("]})",
          std::string(R"({"changes": [{"id": "/subscriptions/x", "patch": {}}]})"),
          R"({"changes": [{"id": ")" + box.galleries + R"(g"}]})"}) {
        CAPTURE(wrong);
        CHECK(door("POST", "/simulator/changes", wrong)->status == 400);
    }
    CHECK(door("GET", "/simulator/changes", "")->status == 404);
    CHECK(door("POST", "/simulator/other", "{}")->status == 404);
}

}  // namespace galleryd::simulator
