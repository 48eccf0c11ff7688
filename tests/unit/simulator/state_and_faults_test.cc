#include <set>
#include <string>

#include "controller/core/resource_id.h"
#include "tests/support/run_task.h"
#include "tests/unit/simulator/box.h"

namespace galleryd::simulator {

using std::chrono::hours;
using std::chrono::seconds;

TEST_CASE("a saved estate loads into another simulator and saves as the same text") {
    FullBox box;
    box.make_version("1.0.0", R"([{"name":"eastus2"},{"name":"westeurope","regionalReplicaCount":2}])");
    const std::string saved = box.azure.save_state();
    boost::asio::io_context io;
    ManualClock clock(io, box.clock.now());
    Simulator other(clock, {});
    REQUIRE(other.load_state(saved));
    CHECK(other.save_state() == saved);
    CHECK(other.resource(box.version("1.0.0")) == box.azure.resource(box.version("1.0.0")));
}

TEST_CASE("a list, a bare array, one resource and what az prints are all accepted") {
    const std::string gallery =
        R"({"id":"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/x/providers/Microsoft.Compute/galleries/seeded","location":"West Europe","properties":{}})";
    const std::string flat =
        R"({"id":"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/x/providers/Microsoft.Compute/galleries/seeded","location":"westeurope","description":"d","resourceGroup":"x","identifier":{"uniqueName":"u"},"sharingProfile":null})";
    for (const std::string& text :
         {gallery, "[" + gallery + "]", "{\"value\":[" + gallery + "]}", "{\"resources\":[" + gallery + "]}", flat}) {
        Box box;
        REQUIRE(box.azure.load_state(text));
        const auto seen =
            box.ask("GET", box.subscription + "/resourceGroups/x/providers/Microsoft.Compute/galleries/seeded");
        CHECK(seen.status == 200);
        CHECK(seen.body["location"] == "westeurope");
        CHECK(seen.state() == "Succeeded");
    }
    Box box;
    CHECK(box.azure.load_state("{").error().reason == "StateInvalid");
    CHECK(box.azure.load_state(R"({"resources":[{"name":"x"}]})").error().message.find("resource 1") !=
          std::string::npos);
    CHECK(
        box.azure
            .load_state(
                R"({"resources":[{"id":"/subscriptions/s/resourceGroups/x/providers/Microsoft.Compute/galleries/g"}]})")
            .error()
            .message.find("location") != std::string::npos);
}

TEST_CASE("the first fault that matches decides, counts down, and knows time") {
    FullBox box;
    REQUIRE(box.azure.load_faults(R"(
- match: {method: GET, path: "*/galleries/g", count: 2}
  do: {status: 503, code: ServiceUnavailable, message: busy, retryAfter: 17}
- {method: [DELETE], path: "*/images/*", after: 1h, before: 2h, status: 500}
)"));
    for (int i = 0; i < 2; ++i) {
        const auto refused = box.ask("GET", box.galleries + "g");
        CHECK(refused.status == 503);
        CHECK(refused.code() == "ServiceUnavailable");
        CHECK(refused.header("Retry-After") == "17");
    }
    CHECK(box.ask("GET", box.galleries + "g").status == 200);
    box.make_version();
    CHECK(box.ask("DELETE", box.version("1.0.0")).status == 500);
    box.pass(hours(2));
    CHECK(box.ask("DELETE", box.version("1.0.0")).status == 202);
}

TEST_CASE("unknown keys and wrong values in a faults file are refused with their place") {
    Box box;
    struct Row {
        std::string yaml, text;
    };
    for (const Row& row :
         {Row{"- {match: {methode: GET}}", "methode"}, Row{"- do: {explode: true}", "explode"},
          Row{"- surprise: 1", "surprise"}, Row{"a: b", "must be a YAML list"}, Row{"- {status: 999}", "status"},
          Row{"- {probability: 2}", "probability"}, Row{"- {status: [", "line"}}) {
        const auto loaded = box.azure.load_faults(row.yaml);
        REQUIRE_MESSAGE(!loaded, row.yaml);
        CHECK(loaded.error().reason == "FaultsInvalid");
        CHECK_MESSAGE(loaded.error().message.find(row.text) != std::string::npos, loaded.error().message);
    }
}

TEST_CASE(
    "operations can hang or get lost, URLs can be long, reads stale, pages dropped, tokens expired, others can write") {
    FullBox box;
    REQUIRE(box.azure.load_faults(R"(
- {method: PUT, path: "*/versions/1.0.0", hangOperation: true, longUrl: 8000}
- {method: PUT, path: "*/versions/2.0.0", loseOperation: true}
- {method: PUT, path: "*/versions/3.0.0", failRegion: westeurope, details: no luck}
- {method: GET, path: "*/versions/2.0.0", staleRead: 60, count: 1}
- {method: GET, path: "*/versions", dropPage: true, count: 1}
- {method: GET, path: "*/galleries", expireTokens: true, count: 1}
- {method: GET, path: "*/galleries/g", count: 1, foreignWrite: {id: "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Compute/galleries/g", patch: '{"tags":{"by":"other"}}'}}
)"));
    const auto hung = box.ask("PUT", box.version("1.0.0"), box.version_text());
    CHECK(hung.header("Azure-AsyncOperation").size() == 8000);
    const auto lost = box.ask("PUT", box.version("2.0.0"), box.version_text());
    CHECK(box.follow(lost).status == 404);
    CHECK(box.ask("GET", box.version("2.0.0")).status == 404);  // stale: not there yet
    CHECK(box.ask("GET", box.version("2.0.0")).status == 200);
    REQUIRE(box.ask("PUT", box.version("3.0.0"), box.version_text(R"([{"name":"eastus2"},{"name":"westeurope"}])"))
                .status == 201);
    box.pass(hours(3));
    CHECK(text_of(box.follow(hung).body, "status") == "InProgress");
    CHECK(box.ask("GET", box.version("2.0.0")).state() == "Succeeded");
    CHECK(box.ask("GET", box.version("3.0.0")).state() == "Failed");
    CHECK(box.ask("GET", box.galleries + "g/images/d/versions").body["value"].empty());
    CHECK(box.ask("GET", box.galleries + "g/images/d/versions").body["value"].size() == 3);
    CHECK(box.ask("GET", box.galleries + "g").body["tags"]["by"] == "other");
    CHECK(box.ask("GET", box.group + "/providers/Microsoft.Compute/galleries").status == 401);
    CHECK(box.ask("GET", box.galleries + "g").status == 401);
}

TEST_CASE("noise changes spellings and order but never what is said") {
    Options options;
    options.noise = true;
    FullBox box(options);
    box.make_version("1.0.0", R"([{"name":"eastus2"},{"name":"westeurope"},{"name":"japaneast"}])");
    std::set<std::string> answers;
    for (int i = 0; i < 20; ++i) {
        const auto seen = box.ask("GET", box.version("1.0.0"));
        CHECK(ResourceId(text_of(seen.body, "id")) == ResourceId(box.version("1.0.0")));
        CHECK(seen.body["properties"]["publishingProfile"]["targetRegions"].size() == 3);
        answers.insert(seen.raw.body);
    }
    CHECK(answers.size() > 10);
}

TEST_CASE("the true history tells who changed what, and refused requests are not in it") {
    FullBox box;
    const std::size_t before = box.azure.history().size();
    int heard = 0;
    box.azure.on_mutation([&heard](const Mutation&) { ++heard; });
    CHECK(box.ask("DELETE", box.galleries + "g").status == 409);
    CHECK(box.ask("GET", box.galleries + "g").status == 200);
    CHECK(box.ask("PUT", box.version("1.0.0"), box.version_text()).status == 201);
    REQUIRE(box.azure.history().size() == before + 1);
    CHECK(heard == 1);
    const Mutation& last = box.azure.history().back();
    CHECK(last.method == "PUT");
    CHECK(last.path == box.version("1.0.0"));
    CHECK(last.status == 201);
    CHECK(last.principal == "tests");
    CHECK(last.at == box.clock.now());
}

TEST_CASE("the in-process transport answers, delays and cuts like a network") {
    FullBox box;
    REQUIRE(
        box.azure.load_faults("- {method: GET, path: '*/galleries/g', count: 1, cutAfterBytes: 5}\n- {method: GET, "
                              "path: '*/images/d', delay: 120}\n"));
    InProcessTransport transport(box.azure, box.clock);
    const auto get = [&](const std::string& path) {
        http::Request request;
        request.method = "GET";
        request.target = path + "?api-version=2024-03-03";
        request.headers.add("Authorization", box.token);
        return request;
    };
    const http::Origin origin{.scheme = "https", .host = "azure.test", .port = "443"};
    const auto cut = run_task(box.io, transport.send(origin, get(box.galleries + "g"), {}));
    REQUIRE(!cut);
    CHECK(cut.error().kind == ErrorKind::transient);
    CHECK(cut.error().reason == "NetworkError");
    const auto fine = run_task(box.io, transport.send(origin, get(box.galleries + "g"), {}));
    REQUIRE(fine);
    CHECK(fine->status == 200);
}

TEST_CASE("shapes that no rule expects are answered, not fatal") {
    FullBox box;
    for (
        const std::string body :
        {"[]", "7", "\"x\"", "null", R"({"location":7})", R"({"location":"eastus2","properties":[]})",
         R"({"location":"eastus2","tags":[]})",
         R"({"location":"eastus2","properties":{"storageProfile":[],"publishingProfile":7}})",
         R"({"location":"eastus2","properties":{"storageProfile":{"source":7,"dataDiskImages":7},"publishingProfile":{"targetRegions":[7]}}})",
         R"({"location":"eastus2","properties":{"osType":"Linux","osState":"Generalized","identifier":7,"features":[7],"recommended":7}})",
         R"({"operationType":7,"groups":7})",
         R"({"properties":{"sharingProfile":7,"softDeletePolicy":7},"location":"eastus2"})"}) {
        for (const std::string& path :
             {box.galleries + "g2", box.galleries + "g/images/x", box.version("1.0.0"), box.galleries + "g/share",
              box.subscription + "/resourcegroups/q", box.group + "/providers/Microsoft.Storage/storageAccounts/abc",
              box.galleries +
                  "g/providers/Microsoft.Authorization/roleAssignments/aaaaaaaa-0000-0000-0000-000000000001"}) {
            for (const std::string method : {"PUT", "PATCH", "POST"}) {
                const auto answer = box.ask(method, path, body);
                CHECK_MESSAGE(answer.status >= 200, method << " " << path << " " << body);
                CHECK_MESSAGE(answer.status != 500, method << " " << path << " " << body << ": " << answer.raw.body);
            }
        }
    }
    const std::string deep = std::string(5000, '[') + std::string(5000, ']');
    CHECK(box.ask("PUT", box.galleries + "g2", deep).status == 400);
    for (const std::string target : {"/", "//", "/?", "/subscriptions", "/subscriptions/", "/subscriptions/x",
                                     "/providers", "/subscriptions/11111111-1111-1111-1111-111111111111/providers",
                                     "/%00", "/metadata", "/x/oauth2/token", "/tenants"}) {
        CHECK_MESSAGE(box.raw("GET", target + "?api-version=2022-12-01").status != 500, target);
    }
}

}  // namespace galleryd::simulator
