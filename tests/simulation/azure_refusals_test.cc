#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

// What Azure refuses, reliability §6.2: reads for a day (Z9), an api-version (Z11), deletions (Z13); and what is asked
// for in documents that would take something away (Z14).
using namespace galleryd;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const std::string first_version = estate::version_id("1.0.0");

std::string retention() {
    return "\n  governs: All\n  retention: {action: Delete, keepNewest: 2, olderThan: 30d, minimumAge: 1d, inUse: "
           "Ignore, grace: 1h, maxPercentPerPass: 50, approval: Required}\n";
}

// Four declared versions; after 31 days the two oldest have to go, and a person agrees with everything.
struct Aged : World {
    Aged() : World({.operations = seconds{45}, .engine = WorldOptions::deleting_engine()}) {
        load(estate::images_state());
        declare(estate::small(4, "", retention()));
        REQUIRE(problems == "");
        REQUIRE(converge());
        approves_all = true;
    }
    void grow_old() {
        clock.advance(std::chrono::days{31});
        look();
    }
};

// Hours in rounds of five minutes, with a look at the folder each quarter of an hour.
void live(World& world, hours time) {
    for (int i = 0; i < time / minutes{5}; ++i) {
        world.round(minutes{5});
        if (i % 3 == 2) world.look();
    }
}

// Requests of that method to paths that contain a text, answered or not.
struct Attempts {
    Attempts(World& world, std::string method, std::string part) {
        world.transport.on_answer = [this, method, part](const http::Request& request, http::Response&) {
            if (request.method == method && fold_case(request.target).contains(part)) ++count;
        };
    }
    int count = 0;
};

// Some condition of that type or reason, or whose message holds the text.
bool is_told(const World& world, const std::string& text) {
    for (const ObjectStatus& status : world.engine->statuses().all()) {
        for (const Condition& condition : status.conditions) {
            if (condition.type == text || condition.reason == text || condition.message.contains(text)) return true;
        }
    }
    return false;
}

}  // namespace

TEST_CASE("Z9: a day of 403 on lists is not a day of empty lists: nothing is made, deleted or forgotten") {
    World world({.operations = seconds{45}, .engine = WorldOptions::deleting_engine()});
    world.load(estate::images_state());
    world.declare(estate::small(
        6, "deletionPolicy: Delete",
        "\n  governs: Declared\n  retention: {action: Report, keepNewest: 1, olderThan: 3650d, inUse: Ignore}\n"));
    REQUIRE(world.converge());
    const std::size_t before = world.writes();
    std::string path;
    SUBCASE("of versions") { path = "*/versions"; }
    SUBCASE("of everything") { path = "*"; }
    world.faults("[{method: GET, path: '" + path + "', before: 25h, status: 403, code: AuthorizationFailed}]");
    auto files = world.files;
    files.erase("version-1.1.0.yaml");
    world.declare(files);
    live(world, hours{24});
    CHECK(world.writes() == before);
    CHECK(is_told(world, "AuthorizationFailed"));
    live(world, hours{3});  // the role is there again
    INFO(world.open_points());
    CHECK(world.deletes() == 1);
    CHECK_FALSE(world.exists(estate::version_id("1.1.0")));
    CHECK(world.writes() == before + 1);
}

TEST_CASE("Z9: what can be read again and still not be written is not over yet") {
    World world({.operations = seconds{45}});
    world.load(estate::images_state());
    world.declare(estate::small(1, "", retention()));
    REQUIRE(world.problems == "");
    world.faults(
        "[{path: '*', method: GET, before: 12m, status: 403, code: AuthorizationFailed},"
        " {path: '*', method: PUT, before: 25m, status: 403, code: AuthorizationFailed}]");
    for (int i = 0; i < 3; ++i) world.round(minutes{5});
    REQUIRE(world.has_event("AuthorizationFailed"));
    world.round(minutes{1});
    CHECK(world.has_event("WriteFailed"));
    CHECK_FALSE(world.has_event("Resumed"));
    CHECK(world.converge());
    CHECK(world.has_event("Resumed"));
}

TEST_CASE("Z11: a retired api-version stops the writes to that type, says why, and stops nothing else") {
    World world({.operations = seconds{45}});
    world.load(estate::images_state());
    world.declare(estate::small(1));
    REQUIRE(world.converge());
    world.faults(
        "[{method: PUT, path: '*/versions/*', status: 400, code: NoRegisteredProviderFound, message: \"No registered "
        "resource provider found for location 'canadacentral' and API version '2024-03-03' for type "
        "'galleries/images/versions'. The supported api-versions are '2026-03-03'.\"}]");
    Attempts attempts(world, "PUT", "/versions/");
    auto files = world.files;
    files["version-1.5.0.yaml"] = estate::version("1.5.0");
    files["gallery.yaml"] = estate::replaced(files["gallery.yaml"], "Hardened images", "Hardened images, 2nd");
    world.declare(files);
    live(world, hours{5});
    CHECK(attempts.count >= 1);
    CHECK(attempts.count <= 31);  // each ten minutes: somebody may register the provider
    CHECK(is_told(world, "2024-03-03"));
    CHECK(world.azure_json(estate::golden)["properties"]["description"] == "Hardened images, 2nd");
    CHECK_FALSE(world.exists(estate::version_id("1.5.0")));
    CHECK(world.deletes() == 0);
}

TEST_CASE("Z11: the deletion guard that a newer api-version sets by itself is respected and never cleared") {
    Aged world;
    // As 2026-03-03 fills it in: end of life six months after publishing, deletion blocked until then.
    REQUIRE(world.azure
                .change_resource(first_version,
                                 R"({"properties": {"safetyProfile": {"blockDeletionBeforeEndOfLife": true},
                                     "publishingProfile": {"endOfLifeDate": "2027-05-21T00:00:00+00:00"}}})")
                .has_value());
    world.grow_old();
    live(world, hours{4});
    INFO(world.open_points());
    CHECK(world.exists(first_version));
    CHECK_FALSE(world.exists(estate::version_id("1.1.0")));  // the one without a guard has gone
    CHECK(world.deletes() == 1);
    CHECK(world.azure_json(first_version)["properties"]["safetyProfile"]["blockDeletionBeforeEndOfLife"] == true);
    bool is_made = false;
    for (const simulator::Mutation& mutation : world.azure.history()) {
        if (fold_case(mutation.path) != fold_case(first_version)) continue;
        const auto body = nlohmann::json::parse(mutation.body);
        const auto guard = body["properties"]["safetyProfile"].value("blockDeletionBeforeEndOfLife", false);
        if (is_made) CHECK(guard);  // every write after the first one keeps it
        is_made = true;
    }
}

TEST_CASE("Z13: a deletion that Azure refuses is told and tried once an hour at most") {
    std::string answer;
    SUBCASE("a lock") { answer = "status: 409, code: ScopeLocked, message: \"The scope has a lock.\""; }
    SUBCASE("in use") { answer = "status: 409, code: OperationNotAllowed, message: \"It is in use.\""; }
    SUBCASE("no permission") { answer = "status: 403, code: AuthorizationFailed, message: \"No delete.\""; }
    SUBCASE("a code that nobody knows") { answer = "status: 409, code: SomethingNew, message: \"No.\""; }
    Aged world;
    world.faults("[{method: DELETE, path: '*/versions/*', " + answer + "}]");
    Attempts attempts(world, "DELETE", "/versions/1.0.0");
    world.grow_old();
    live(world, hours{2});
    const int in_two_hours = attempts.count;
    live(world, hours{10});
    CHECK(attempts.count >= 4);
    CHECK(in_two_hours <= 2);
    CHECK(attempts.count <= 12);
    CHECK(world.exists(first_version));
    CHECK(world.deletes() == 0);
    CHECK(world.has_event("WriteFailed"));
    CHECK(is_told(world, "DeletionBlocked"));
}

TEST_CASE("Z13: a definition that holds soft-deleted versions refuses to go for a week, and is not asked in a loop") {
    World world({.operations = seconds{45}, .engine = WorldOptions::deleting_engine()});
    world.load(estate::images_state());
    auto files = estate::small(0);
    files["definition.yaml"] += "  deletionPolicy: Delete\n";
    for (int i = 0; i < 4; ++i) {  // one document of six may go without a release
        const std::string name = "other" + std::to_string(i);
        files[name + ".yaml"] = estate::replaced(
            estate::replaced(estate::definition(), "name: ubuntu,", "name: " + name + ","), "24_04", name);
    }
    world.declare(files);
    REQUIRE(world.problems == "");
    REQUIRE(world.converge());
    world.faults(
        "[{method: DELETE, path: '*/images/ubuntu', before: 26h, status: 409, code: CannotDeleteResource, message: "
        "\"Cannot "
        "delete resource while nested resources exist.\"}]");
    Attempts attempts(world, "DELETE", "/images/ubuntu");
    files.erase("definition.yaml");
    world.declare(files);
    live(world, hours{24});
    INFO(world.open_points());
    CHECK(attempts.count >= 1);
    CHECK(attempts.count <= 30);
    CHECK(world.exists(estate::ubuntu));
    live(world, hours{6});
    CHECK_FALSE(world.exists(estate::ubuntu));
}

TEST_CASE("Z14: replicas lowered in a document are taken away only with --allow-deletes") {
    for (const bool allowed : {false, true}) {
        CAPTURE(allowed);
        EngineOptions options = WorldOptions::deleting_engine();
        options.allow_deletes = allowed;
        World world({.operations = seconds{45}, .engine = options});
        world.load(estate::images_state());
        auto files = estate::small(
            2, "",
            "\n  governs: Declared\n  retention: {action: Report, keepNewest: 1, olderThan: 3650d, inUse: Ignore}\n");
        files["version-1.0.0.yaml"] = estate::replaced(files["version-1.0.0.yaml"], "{name: canadacentral}",
                                                       "{name: canadacentral, replicas: 4}");
        world.declare(files);
        REQUIRE(world.problems == "");
        REQUIRE(world.converge());
        const auto replicas = [&world] {
            return world
                .azure_json(
                    first_version)["properties"]["publishingProfile"]["targetRegions"][0]["regionalReplicaCount"]
                .get<int>();
        };
        REQUIRE(replicas() == 4);
        files["version-1.0.0.yaml"] = estate::replaced(files["version-1.0.0.yaml"], "replicas: 4", "replicas: 2");
        world.declare(files);
        world.pass_time(minutes{60});
        INFO(world.open_points());
        CHECK(replicas() == (allowed ? 2 : 4));
        CHECK(world.deletes() == 0);
        if (!allowed) CHECK(world.blocked_reasons().contains("deletes_not_allowed"));
    }
}
