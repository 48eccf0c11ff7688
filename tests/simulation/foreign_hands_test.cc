#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

// People and other tools change Azure beside galleryd: reliability Z12, Z15, I6.
using namespace galleryd;

namespace {

struct Two : World {
    explicit Two(EngineOptions engine = WorldOptions::deleting_engine())
        : World({.operations = std::chrono::seconds{45}, .engine = std::move(engine)}) {
        load(estate::images_state());
        declare(estate::small(
            6, "deletionPolicy: Delete",
            "\n  governs: All\n  retention: {action: Report, keepNewest: 1, olderThan: 3650d, inUse: Ignore}\n"));
        REQUIRE(problems == "");
        REQUIRE(converge());
    }
    void change(const std::string& id, const std::string& patch) {
        REQUIRE(azure.change_resource(id, patch).has_value());
    }
};

const std::string one = estate::version_id("1.0.0");

bool planned_as_drift(const World& world, const std::string& address) {
    for (const auto& [name, plan] : world.engine->plans()) {
        for (const Change& change : plan.changes) {
            if (change.address == address && change.reason == "drift") return true;
        }
    }
    return false;
}

}  // namespace

TEST_CASE("Z12: a declared version that a person deleted is made again") {
    Two world;
    world.azure.remove_resource(one);
    CHECK(world.converge());
    CHECK(world.exists(one));
    CHECK(world.writes_to(one) == 2);
}

TEST_CASE("a definition that a person deleted: what is waited for is told, and nobody says that Azure is at work") {
    Two world;
    world.pass_time(std::chrono::minutes{11});  // our own writes have settled
    world.azure.remove_resource(estate::ubuntu);
    const std::size_t before = world.writes();
    world.round();
    const auto ready = [&](Kind kind, const std::string& name) {
        const auto status = world.engine->statuses().find({kind, "images", name});
        REQUIRE(status.has_value());
        const Condition* condition = status->find("Ready");
        REQUIRE(condition != nullptr);
        return condition->reason + ": " + condition->message;
    };
    CHECK(
        ready(Kind::image_definition, "ubuntu") ==
        "NotFoundInAzure: Azure answers 404 where it stood before; it is made anew once 10 reads in a row, 15 s apart, "
        "agree, so that a lagging replica cannot make galleryd write twice");
    CHECK(ready(Kind::image_version, "ubuntu-1.0.0") ==
          "DependencyNotReady: Waits for its definition, which Azure does not have.");
    CHECK(world.writes() == before);
    CHECK(world.converge());
    CHECK(world.exists(one));
}

TEST_CASE("a whole gallery that a person deleted is made again, parents first") {
    Two world;
    world.azure.remove_resource(estate::golden);
    CHECK(world.converge());
    INFO(world.open_points());
    CHECK(world.exists(one));
    CHECK(world.exists(estate::golden));
    CHECK(world.deletes() == 0);
}

TEST_CASE("Z12: without our tag it is not ours: a conflict, and no write until it is adopted") {
    Two world;
    std::string id = one;
    SUBCASE("version") {}
    SUBCASE("definition") { id = estate::ubuntu; }
    SUBCASE("gallery") { id = estate::golden; }
    world.change(id, R"({"tags": {"galleryd-owner": null}, "properties": {"description": "mine now"}})");
    const std::size_t before = world.writes_to(id);
    for (int i = 0; i < 20; ++i) world.round();
    CHECK(world.writes_to(id) == before);
    CHECK(world.conflict_reasons() == std::set<std::string>{"NotOwned"});
}

TEST_CASE("a tag of another instance is respected, whatever the document says") {
    Two world;
    auto files = world.files;
    files["version-1.0.0.yaml"] += "  adoption: AdoptOrCreate\n";
    world.declare(files);
    REQUIRE(world.problems == "");
    REQUIRE(world.converge());
    world.change(
        one,
        R"({"tags": {"galleryd-owner": "east/ImageVersion/images/x"}, "properties": {"publishingProfile": {"excludeFromLatest": true}}})");
    const std::size_t before = world.writes();
    world.pass_time(std::chrono::minutes{30});
    CHECK(world.writes() == before);
    CHECK(world.conflict_reasons() == std::set<std::string>{"NotOwned"});
}

TEST_CASE("Z12: replicas, exclusion and description that a person changed are put back once, as drift") {
    Two world;
    world.change(one, R"({"properties": {"publishingProfile": {"excludeFromLatest": true}}})");
    world.change(estate::golden, R"({"properties": {"description": "changed in the portal"}})");
    const std::size_t before = world.writes();
    world.round();
    CHECK(planned_as_drift(world, "images/golden/ubuntu/1.0.0"));
    CHECK(world.converge());
    CHECK(world.writes() == before + 2);
    CHECK(world.azure_json(one)["properties"]["publishingProfile"]["excludeFromLatest"] == false);
    CHECK(world.azure_json(estate::golden)["properties"]["description"] == "Hardened images");
}

TEST_CASE("tags and properties of others are left alone and sent back with our own changes") {
    Two world;
    world.change(one, R"({"tags": {"Cost-Center": "42", "team": "web"}})");
    world.change(estate::golden, R"({"tags": {"Env": "prod"}, "properties": {"futureField": {"a": [1, 2]}}})");
    const std::size_t before = world.writes();
    world.pass_time(std::chrono::minutes{10});
    CHECK(world.writes() == before);
    auto files = world.files;
    files["gallery.yaml"] =
        estate::replaced(files["gallery.yaml"], "Hardened images", "Hardened images, second edition");
    files["version-1.0.0.yaml"] += "  tags: {release: spring}\n";
    world.declare(files);
    REQUIRE(world.problems == "");
    CHECK(world.converge());
    const auto version = world.azure_json(one);
    CHECK(version["tags"]["Cost-Center"] == "42");
    CHECK(version["tags"]["team"] == "web");
    CHECK(version["tags"]["release"] == "spring");
    std::string sent;
    for (const simulator::Mutation& mutation : world.azure.history()) {
        if (fold_case(mutation.path) == fold_case(estate::golden)) sent = mutation.body;
    }
    CHECK(sent.find("futureField") != std::string::npos);  // unknown properties go back unchanged (I7)
}

TEST_CASE("Z12: a version re-created by a person between plan and delete is not deleted") {
    Two world;
    auto files = world.files;
    files.erase("version-1.1.0.yaml");
    world.declare(files);
    world.pass_time(std::chrono::minutes{14});
    const std::string victim = estate::version_id("1.1.0");
    // The foreign write lands right before the strong look of the executor, after the list that the plan was made from.
    SUBCASE("another published date") {
        world.faults("[{method: GET, path: '*/versions/1.1.0', count: 1, foreignWrite: {id: " + victim +
                     ", patch: '{\"properties\": {\"publishingProfile\": {\"publishedDate\": "
                     "\"2026-11-21T00:20:00+00:00\"}}}'}}]");
    }
    SUBCASE("a hold") {
        world.faults("[{method: GET, path: '*/versions/1.1.0', count: 1, foreignWrite: {id: " + victim +
                     ", patch: '{\"tags\": {\"galleryd-hold\": \"audit\"}}'}}]");
    }
    SUBCASE("another tag") {
        world.faults("[{method: GET, path: '*/versions/1.1.0', count: 1, foreignWrite: {id: " + victim +
                     ", patch: '{\"tags\": {\"team\": \"web\"}}'}}]");
    }
    SUBCASE("our tag taken off") {
        world.faults("[{method: GET, path: '*/versions/1.1.0', count: 1, foreignWrite: {id: " + victim +
                     ", patch: '{\"tags\": {\"galleryd-owner\": null}}'}}]");
    }
    while (!world.blocked_reasons().contains("removal_not_settled")) world.round();
    int rounds = 0;
    world.look();
    while (world.blocked_reasons().contains("removal_not_settled") && ++rounds < 20) {
        world.round(std::chrono::minutes{1});
        if (rounds % 2 == 0) world.look();
    }
    CHECK(world.deletes() == 0);  // that pass was refused by the fresh look
    CHECK(world.exists(victim));
}

TEST_CASE("Z14: a region taken out of a document goes only with --allow-deletes, and never the last completed one") {
    for (const bool allowed : {false, true}) {
        CAPTURE(allowed);
        EngineOptions options = WorldOptions::deleting_engine();
        options.allow_deletes = allowed;
        Two world(options);
        auto files = world.files;
        files["version-1.0.0.yaml"] = estate::version("1.0.0", "deletionPolicy: Delete", "canadacentral");
        world.declare(files);
        for (int i = 0; i < 30; ++i) world.round();
        INFO(world.open_points());
        const auto profile = world.azure_json(one)["properties"]["publishingProfile"];
        CHECK(profile["targetRegions"].size() == (allowed ? 1U : 2U));
        CHECK(world.azure_json(one)["properties"]["safetyProfile"].value("allowDeletionOfReplicatedLocations", false) ==
              false);
        if (!allowed) CHECK(world.blocked_reasons().contains("deletes_not_allowed"));
    }
}

TEST_CASE("Z15: an immutable field edited in a document is refused, and nothing is deleted and made again") {
    Two world;
    auto files = world.files;
    const auto before_edit = world.files;
    SUBCASE("generation") {
        files["definition.yaml"] =
            estate::replaced(files["definition.yaml"], "hyperVGeneration: V2", "hyperVGeneration: V1");
    }
    SUBCASE("sku") { files["definition.yaml"] = estate::replaced(files["definition.yaml"], "24_04", "24_10"); }
    SUBCASE("source") {
        files["version-1.0.0.yaml"] = estate::replaced(files["version-1.0.0.yaml"], "packer-1", "packer-2");
    }
    SUBCASE("location") {
        files["gallery.yaml"] =
            estate::replaced(files["gallery.yaml"], "location: canadacentral", "location: canadaeast");
    }
    world.declare(files);
    const std::size_t before = world.writes();
    world.pass_time(std::chrono::minutes{30});
    INFO(world.open_points());
    CHECK(world.writes() == before);
    CHECK(world.conflict_reasons().contains("ImmutableFieldChanged"));
    const auto told = [&] {  // events, which are log lines as well
        const auto events = world.journal->events(0, 10000);
        REQUIRE(events.has_value());
        return std::ranges::count_if(*events, [](const EventRecord& event) {
            return event.warning && event.reason == "ImmutableFieldChanged" && event.message.contains(" Either ") &&
                   event.message.contains("(GD2");
        });
    };
    std::ptrdiff_t conflicts = 0;
    for (const auto& [name, plan] : world.engine->plans()) conflicts += std::ssize(plan.conflicts);
    CHECK(conflicts > 0);
    CHECK(told() == conflicts);  // when it began, not with every look
    world.declare(before_edit);
    world.pass_time(std::chrono::minutes{5});
    world.declare(files);
    world.pass_time(std::chrono::minutes{5});
    CHECK(told() == 2 * conflicts);  // mended and made again: again
}

TEST_CASE("observe looks, plans and writes nothing at all") {
    EngineOptions options = WorldOptions::deleting_engine();
    options.observe = true;
    World world({.operations = std::chrono::seconds{45}, .engine = options});
    world.load(estate::wide_state());
    world.declare(estate::wide());
    world.pass_time(std::chrono::minutes{60});
    CHECK(world.writes() == 0);
    CHECK(world.guard.writes_seen == 0);
}

TEST_CASE("a broken scope does not hold up the others") {
    World world({.operations = std::chrono::seconds{45}});
    world.load(estate::wide_state());
    auto files = estate::wide();
    files["broken.yaml"] =
        estate::replaced(estate::definition(), "name: ubuntu,", "name: broken,") + "  osDisk: none\n";
    world.declare(files);
    world.faults("[{path: '*/images/rhel*', status: 403, code: AuthorizationFailed}]");
    world.pass_time(std::chrono::minutes{30});
    INFO(world.open_points());
    CHECK(world.exists(estate::version_id("3.0.0")));
    CHECK(world.azure_json(estate::golden)["properties"]["description"] == "Hardened images");
    const auto& status = world.engine->statuses().at({Kind::image_definition, "images", "rhel"});
    const auto ready = std::ranges::find(status.conditions, "Ready", &Condition::type);
    REQUIRE(ready != status.conditions.end());
    CHECK(ready->status == ConditionStatus::false_);
    CHECK(ready->reason == "AuthorizationFailed");
}

TEST_CASE("a hold that is put on while Azure takes its time to show the version is respected") {
    Two world;
    auto files = world.files;
    files.erase("version-1.0.0.yaml");
    world.declare(files);
    world.pass_time(std::chrono::minutes{15});
    REQUIRE(world.exists(one));
    world.faults("[{method: GET, path: '" + one + "*', count: 1, delay: 40}]");
    world.round(std::chrono::seconds{10});  // the strong look before the deletion is on its way
    world.change(one, R"({"tags": {"galleryd-hold": "audit"}})");
    world.pass_time(std::chrono::minutes{10});
    INFO(world.open_points());
    CHECK(world.deletes() == 0);
    CHECK(world.exists(one));
    world.change(one, R"({"tags": {"galleryd-hold": null}})");
    world.pass_time(std::chrono::minutes{5});
    CHECK(world.deletes() == 1);  // it was only put off
}
