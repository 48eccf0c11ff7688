#include "tests/unit/simulator/box.h"

namespace galleryd::simulator {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("a creation answers 201 with Azure-AsyncOperation alone and its URL is long and signed") {
    Box box;
    const auto created = box.ask("PUT", box.galleries + "g", R"({"location":"eastus2"})");
    CHECK(created.status == 201);
    CHECK(created.state() == "Creating");
    CHECK(created.header("Location").empty());
    const std::string url = created.header("Azure-AsyncOperation");
    CHECK(url.size() > 2900);
    CHECK(url.find("/locations/eastus2/capsOperations/" + created.header("x-ms-request-id") +
                   "?api-version=2024-03-03&t=") != std::string::npos);
    CHECK(created.header("ETag").empty());
    const auto running = box.follow(created);
    CHECK(running.status == 200);
    CHECK(text_of(running.body, "status") == "InProgress");
    CHECK(running.header("Retry-After") == "1");
    CHECK(!running.body.contains("endTime"));
    box.pass(seconds(1));
    const auto done = box.follow(created);
    CHECK(text_of(done.body, "status") == "Succeeded");
    CHECK(done.body.contains("endTime"));
    CHECK(done.header("Retry-After").empty());
}

TEST_CASE("an update answers 200 with the new values while it is under way") {
    FullBox box;
    box.make_version();
    const auto updated =
        box.ask("PUT", box.version("1.0.0"), box.version_text(R"([{"name":"eastus2","regionalReplicaCount":3}])"));
    CHECK(updated.status == 200);
    CHECK(updated.state() == "Updating");
    CHECK(updated.header("Location").empty());
    CHECK(updated.body["properties"]["publishingProfile"]["targetRegions"][0]["regionalReplicaCount"] == 3);
    CHECK(box.ask("GET", box.version("1.0.0")).state() == "Updating");
    box.pass(minutes(4));
    CHECK(box.ask("GET", box.version("1.0.0")).state() == "Succeeded");
}

TEST_CASE("an update of 2018-06-01 answers 202 with both headers") {
    FullBox box;
    box.make_version();
    const auto updated = box.ask("PUT", box.version("1.0.0"), box.version_text(), "2018-06-01");
    CHECK(updated.status == 202);
    CHECK(!updated.header("Azure-AsyncOperation").empty());
    CHECK(updated.header("Location").find("monitor=true&api-version=") != std::string::npos);
}

TEST_CASE("a deletion answers 202, its monitor URL turns from 202 to an empty 200, and the resource is gone") {
    FullBox box;
    box.make_version();
    const auto deleted = box.ask("DELETE", box.version("1.0.0"));
    CHECK(deleted.status == 202);
    CHECK(deleted.raw.body.empty());
    CHECK(box.follow(deleted, "Location").status == 202);
    CHECK(box.ask("GET", box.version("1.0.0")).state() == "Deleting");
    box.pass(minutes(3));
    const auto done = box.follow(deleted, "Location");
    CHECK(done.status == 200);
    CHECK(done.raw.body.empty());
    const auto gone = box.ask("GET", box.version("1.0.0"));
    CHECK(gone.status == 404);
    CHECK(gone.code() == "ResourceNotFound");
    CHECK(box.ask("DELETE", box.version("1.0.0")).status == 204);
}

TEST_CASE("a changed operation URL is refused") {
    Box box;
    const auto created = box.ask("PUT", box.galleries + "g", R"({"location":"eastus2"})");
    std::string target = created.header("Azure-AsyncOperation").substr(18);
    target[target.find("&c=") + 40] ^= 1;
    CHECK(box.raw("GET", target).status == 403);
}

TEST_CASE("time scale shortens Retry-After to real seconds, never below one") {
    for (const auto& [scale, expected] : {std::pair<double, const char*>{1, "60"}, {10, "6"}, {600, "1"}}) {
        Options options;
        options.time_scale = scale;
        FullBox box(options);
        const auto created = box.ask("PUT", box.version("1.0.0"), box.version_text());
        CHECK(box.follow(created).header("Retry-After") == expected);
    }
}

TEST_CASE("version creations take about seven minutes and deletions about two") {
    FullBox box;
    std::vector<double> creations;
    for (int i = 0; i < 41; ++i) {
        const std::string name = "1.0." + std::to_string(i);
        const auto before = box.clock.now();
        REQUIRE(box.ask("PUT", box.version(name), box.version_text()).status == 201);
        while (box.ask("GET", box.version(name)).state() == "Creating") box.pass(seconds(5));
        creations.push_back(std::chrono::duration<double>(box.clock.now() - before).count());
    }
    std::ranges::sort(creations);
    CHECK(creations[20] > 330);
    CHECK(creations[20] < 510);
    CHECK(creations.front() < creations.back());
}

TEST_CASE("replication progresses per region and the same seed gives the same world") {
    const auto run = [](std::uint64_t seed) {
        Options options;
        options.seed = seed;
        FullBox box(options);
        REQUIRE(box.ask("PUT", box.version("1.0.0"),
                        box.version_text(R"([{"name":"eastus2"},{"name":"West Europe"},{"name":"japaneast"}])"))
                    .status == 201);
        std::string story;
        for (int i = 0; i < 60; ++i) {
            box.pass(seconds(20));
            story += box.ask("GET", box.version("1.0.0") + "?$expand=ReplicationStatus")
                         .body["properties"]["replicationStatus"]
                         .dump();
        }
        return story;
    };
    const std::string first = run(7);
    CHECK(first == run(7));
    CHECK(first != run(8));
    CHECK(first.find("\"state\":\"Replicating\",\"progress\":50") != std::string::npos);
    CHECK(first.ends_with(
        R"({"aggregatedState":"Completed","summary":[{"region":"eastus2","state":"Completed","progress":100},{"region":"westeurope","state":"Completed","progress":100},{"region":"japaneast","state":"Completed","progress":100}]})"));
}

TEST_CASE("an operation can succeed before the last region is usable") {
    FullBox box;
    bool gap_seen = false;
    for (int i = 0; i < 20 && !gap_seen; ++i) {
        const std::string name = "1.0." + std::to_string(i);
        REQUIRE(box.ask("PUT", box.version(name), box.version_text(R"([{"name":"eastus2"},{"name":"westeurope"}])"))
                    .status == 201);
        while (box.ask("GET", box.version(name)).state() == "Creating") box.pass(seconds(10));
        const auto seen = box.ask("GET", box.version(name) + "?$expand=ReplicationStatus");
        CHECK(seen.state() == "Succeeded");
        gap_seen = seen.body["properties"]["replicationStatus"]["aggregatedState"] == "InProgress";
    }
    CHECK(gap_seen);
}

TEST_CASE("a failed region fails the operation with Azure's words, and removing and adding it repairs the version") {
    FullBox box;
    box.azure.fail_region({.region = "North Europe", .count = 1});
    const auto created = box.ask("PUT", box.version("1.0.0"),
                                 box.version_text(R"([{"name":"eastus2"},{"name":"northeurope"}])",
                                                  R"(,"safetyProfile":{"allowDeletionOfReplicatedLocations":true})"));
    box.pass(hours(1));
    const auto done = box.follow(created);
    CHECK(done.status == 200);
    CHECK(text_of(done.body, "status") == "Failed");
    CHECK(done.code() == "ValidationError");
    CHECK(done.message().find(
              "'{region:northeurope, detail:Failed with internal server error.}'. If retry does not work") !=
          std::string::npos);
    const auto seen = box.ask("GET", box.version("1.0.0") + "?$expand=ReplicationStatus");
    CHECK(seen.state() == "Failed");
    CHECK(seen.body["properties"]["replicationStatus"]["aggregatedState"] == "Failed");
    CHECK(seen.body["properties"]["replicationStatus"]["summary"][1]["details"] ==
          "Failed with internal server error.");
    const std::string flag = R"(,"safetyProfile":{"allowDeletionOfReplicatedLocations":true})";
    CHECK(box.ask("PUT", box.version("1.0.0"), box.version_text(R"([{"name":"eastus2"}])", flag)).status == 200);
    box.pass(hours(1));
    CHECK(box.ask("GET", box.version("1.0.0")).state() == "Succeeded");
    CHECK(box.ask("PUT", box.version("1.0.0"), box.version_text(R"([{"name":"eastus2"},{"name":"northeurope"}])", flag))
              .status == 200);
    box.pass(hours(1));
    CHECK(box.ask("GET", box.version("1.0.0") + "?$expand=ReplicationStatus")
              .body["properties"]["replicationStatus"]["aggregatedState"] == "Completed");
}

}  // namespace galleryd::simulator
