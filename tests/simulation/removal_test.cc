#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

// What may follow when documents go: reliability S1 to S7, B10, interlock 1 to 4.
using namespace galleryd;

namespace {

constexpr const char* report_only =
    "\n  governs: Declared\n  retention: {action: Report, keepNewest: 1, olderThan: 3650d, inUse: Ignore}\n";

// Nine documents, six of them versions that may be deleted with their documents; all of it is in Azure.
struct Six : World {
    explicit Six(EngineOptions engine = WorldOptions::deleting_engine(),
                 const std::string& version_extra = "deletionPolicy: Delete", bool inventory = false)
        : World({.inventory = inventory, .operations = std::chrono::seconds{45}, .engine = std::move(engine)}) {
        load(estate::images_state());
        declare(estate::small(6, version_extra, report_only));
        REQUIRE(problems == "");
        const bool is_converged_now = converge();
        INFO(open_points());
        REQUIRE(is_converged_now);
    }
    void without(const std::vector<std::string>& names) {
        auto left = files;
        for (const std::string& name : names) REQUIRE(left.erase(name) == 1);
        declare(left);
    }
};

const std::string victim = estate::version_id("1.1.0");
const std::string victim_file = "version-1.1.0.yaml";

}  // namespace

TEST_CASE("a removed document deletes its version after two looks fifteen minutes apart, and nothing else") {
    Six world;
    world.without({victim_file});
    world.pass_time(std::chrono::minutes{14});
    CHECK(world.deletes() == 0);
    CHECK(world.blocked_reasons().contains("removal_not_settled"));
    world.pass_time(std::chrono::minutes{10});
    INFO(world.open_points());
    CHECK(world.deletes() == 1);
    CHECK_FALSE(world.exists(victim));
    for (const char* number : {"1.0.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"})
        CHECK(world.exists(estate::version_id(number)));
    CHECK(world.converge());
    const std::size_t before = world.writes();
    world.pass_time(std::chrono::minutes{60});
    CHECK(world.writes() == before);
    CHECK(world.journal->good_documents(Journal::Content::without)->size() == 8);
}

TEST_CASE("a removed document whose version a person deleted is forgotten within minutes of its removal settling") {
    for (const bool inventory : {false, true}) {
        CAPTURE(inventory);
        Six world(WorldOptions::deleting_engine(), "deletionPolicy: Delete", inventory);
        world.pass_time(std::chrono::minutes{90});  // nothing to do: where Resource Graph helps, it is trusted by now
        world.azure.remove_resource(victim);
        world.without({victim_file});
        world.pass_time(std::chrono::minutes{10});
        CHECK(world.journal->good_documents(Journal::Content::without)->size() == 9);  // the removal has to settle
        world.pass_time(std::chrono::minutes{15});
        CHECK(world.journal->good_documents(Journal::Content::without)->size() == 8);
        CHECK(world.deletes() == 0);
        CHECK_FALSE(world.exists(victim));
    }
}

TEST_CASE("a folder that is emptied, unmounted or broken deletes nothing, however long it stays so") {
    Six world;
    auto files = world.files;
    SUBCASE("emptied") {
        world.declare({});
        CHECK(world.has_event("BrakeEngaged"));
    }
    SUBCASE("unmounted") {
        world.unreadable();
        CHECK(world.has_event("SourceFetchFailed"));
    }
    SUBCASE("one file broken, another gone") {
        files.erase(victim_file);
        files["version-1.2.0.yaml"] = "apiVersion: galleryd.io/v1alpha1\nkind: ImageVersion\n  metadata: [";
        world.declare(files);
        CHECK(world.has_event("ValidationFailed"));
    }
    SUBCASE("one document of the scope invalid, another gone") {
        files.erase(victim_file);
        files["version-1.2.0.yaml"] = estate::replaced(files["version-1.2.0.yaml"], "version: 1.2.0", "version: one");
        world.declare(files);
        CHECK(world.has_event("ValidationFailed"));
    }
    SUBCASE("the policy invalid, a version gone") {
        files.erase(victim_file);
        files["policy.yaml"] = estate::replaced(files["policy.yaml"], "Report", "Perhaps");
        world.declare(files);
    }
    SUBCASE("a third of the documents gone at once") {
        for (const char* name : {"version-1.0.0.yaml", "version-1.1.0.yaml", "version-1.2.0.yaml"}) files.erase(name);
        world.declare(files);
        CHECK(world.has_event("BrakeEngaged"));
    }
    SUBCASE("another folder in its place") {
        world.declare({{"other.yaml", estate::replaced(estate::replaced(estate::gallery(), "golden", "silver"),
                                                       "rg-silver", "rg-golden")}});
        CHECK(world.has_event("BrakeEngaged"));
    }
    const std::size_t before = world.writes();
    world.pass_time(std::chrono::minutes{40});
    world.restart();
    world.pass_time(std::chrono::minutes{25});
    INFO(world.open_points());
    CHECK(world.deletes() == 0);
    for (int i = 0; i < 6; ++i) CHECK(world.exists(estate::version_id("1." + std::to_string(i) + ".0")));
    for (std::size_t i = before; i < world.writes(); ++i)
        CHECK(world.azure.history()[i].path.find("silver") != std::string::npos);
}

TEST_CASE("a large removal goes on once a person released that revision") {
    Six world;
    world.without({"version-1.0.0.yaml", "version-1.1.0.yaml", "version-1.2.0.yaml"});
    world.pass_time(std::chrono::minutes{30});
    CHECK(world.deletes() == 0);
    world.approve(world.revision());
    world.guard.approved_source();
    world.look();
    world.pass_time(std::chrono::minutes{10});
    CHECK(world.deletes() == 0);
    world.pass_time(std::chrono::minutes{30});
    CHECK(world.deletes() == 0);  // three of six is more than the brake allows
    CHECK(world.blocked_reasons().contains("brake"));
    world.approve(world.plan("images/golden/ubuntu").deletions_digest);
    world.pass_time(std::chrono::minutes{30});
    INFO(world.open_points());
    CHECK(world.deletes() == 3);
    CHECK_FALSE(world.exists(victim));
    CHECK(world.exists(estate::version_id("1.3.0")));
}

TEST_CASE("nothing is deleted without --prune, without --allow-deletes or with deletionPolicy Orphan") {
    EngineOptions options = WorldOptions::deleting_engine();
    std::string extra = "deletionPolicy: Delete";
    std::string reason;
    SUBCASE("prune") {
        options.prune = false;
        reason = "prune_off";
    }
    SUBCASE("allow deletes") {
        options.allow_deletes = false;
        reason = "deletes_not_allowed";
    }
    SUBCASE("orphan") { extra = "deletionPolicy: Orphan"; }
    Six world(options, extra);
    const std::size_t before = world.writes();
    world.without({victim_file});
    world.pass_time(std::chrono::minutes{60});
    INFO(world.open_points());
    CHECK(world.writes() == before);
    CHECK(world.exists(victim));
    if (!reason.empty()) CHECK(world.blocked_reasons().contains(reason));
    if (!reason.empty()) {
        world.restart_with(WorldOptions::deleting_engine());  // the flag is given: it goes on from where it stood
        world.pass_time(std::chrono::minutes{20});
        CHECK(world.deletes() == 1);
    }
}

TEST_CASE("a document that comes back takes its version with it again") {
    Six world;
    const auto files = world.files;
    world.without({victim_file});
    SUBCASE("before anything was deleted") {
        world.pass_time(std::chrono::minutes{12});
        const std::size_t before = world.writes();
        world.declare(files);
        world.pass_time(std::chrono::minutes{60});
        CHECK(world.writes() == before);
        CHECK(world.exists(victim));
    }
    SUBCASE("after the deletion: it is made again") {
        world.pass_time(std::chrono::minutes{30});
        REQUIRE_FALSE(world.exists(victim));
        world.declare(files);
        CHECK(world.converge());
        CHECK(world.exists(victim));
        CHECK(world.deletes() == 1);
    }
}

TEST_CASE("a document removed while the daemon was down counts from the first look after the start") {
    Six world;
    world.files.erase(victim_file);
    world.clock.advance(std::chrono::hours{5});
    world.restart();
    world.pass_time(std::chrono::minutes{12});
    CHECK(world.deletes() == 0);
    world.pass_time(std::chrono::minutes{15});
    CHECK(world.deletes() == 1);
    CHECK_FALSE(world.exists(victim));
}

TEST_CASE("a step of our clock does not age a removal") {
    Six world;
    world.daemon_clock.shift = -std::chrono::minutes{4};
    world.without({victim_file});
    world.pass_time(std::chrono::minutes{2});
    world.daemon_clock.shift = std::chrono::minutes{4};
    world.pass_time(std::chrono::minutes{11});
    CHECK(world.deletes() == 0);
    world.pass_time(std::chrono::minutes{8});
    CHECK(world.deletes() == 1);
}

TEST_CASE("with a lost journal nothing is deleted that cannot be proved") {
    Six world;
    SUBCASE("removed before it was lost: nobody knows that document any more") {
        world.without({victim_file});
        world.pass_time(std::chrono::minutes{5});
        world.lose_journal();
    }
    SUBCASE("removed after it was lost: the tag alone is no proof") {
        world.lose_journal();
        world.pass_time(std::chrono::minutes{5});
        world.without({victim_file});
    }
    const std::size_t before = world.writes();
    world.pass_time(std::chrono::minutes{90});
    INFO(world.open_points());
    CHECK(world.writes() == before);
    CHECK(world.exists(victim));
}

TEST_CASE("a held version outlives its document") {
    Six world;
    bool annotated = false;
    SUBCASE("by tag") { REQUIRE(world.azure.change_resource(victim, R"({"tags": {"Galleryd-Hold": "audit"}})")); }
    SUBCASE("by annotation of the document while it was there") {
        auto files = world.files;
        files[victim_file] = estate::replaced(files[victim_file], "namespace: images}",
                                              "namespace: images, annotations: {galleryd.io/hold: audit}}");
        world.declare(files);
        CHECK(world.problems == "");
        annotated = true;
    }
    CHECK(world.converge());
    world.without({victim_file});
    world.pass_time(std::chrono::minutes{60});
    CHECK(world.deletes() == 0);
    CHECK(world.blocked_reasons().contains("held"));
    if (annotated) return;
    REQUIRE(world.azure.change_resource(victim, R"({"tags": {"Galleryd-Hold": null}})"));
    world.pass_time(std::chrono::minutes{5});
    CHECK(world.deletes() == 1);  // the hold was lifted
}

TEST_CASE("the newest usable version outlives its document") {
    Six world;
    world.without({"version-1.5.0.yaml"});
    world.pass_time(std::chrono::minutes{60});
    CHECK(world.deletes() == 0);
    CHECK(world.blocked_reasons().contains("min_keep"));
}

TEST_CASE("gallery, definition and versions whose documents go in steps are deleted children first") {
    EngineOptions options = WorldOptions::deleting_engine();
    World world({.operations = std::chrono::seconds{45}, .engine = options});
    world.load(estate::images_state());
    auto files = estate::small(0);
    files["definition.yaml"] += "  deletionPolicy: Delete\n";
    for (int i = 0; i < 6; ++i) {
        const std::string name = "spare" + std::to_string(i);
        files[name + ".yaml"] = estate::replaced(
            estate::replaced(estate::definition(), "name: ubuntu,", "name: " + name + ","), "24_04", "24_" + name);
    }
    world.declare(files);
    REQUIRE(world.problems == "");
    REQUIRE(world.converge());
    files.erase("definition.yaml");
    world.declare(files);
    world.pass_time(std::chrono::minutes{40});
    INFO(world.open_points());
    CHECK(world.deletes() == 1);
    CHECK_FALSE(world.exists(estate::ubuntu));
    CHECK(world.exists(estate::golden));
    files.erase("gallery.yaml");
    files.erase("spare0.yaml");  // both Orphan
    world.declare(files);
    world.pass_time(std::chrono::minutes{40});
    CHECK(world.deletes() == 1);
    CHECK(world.exists(estate::golden));
}
