#include <doctest/doctest.h>

#include "tests/mutation/scene.h"

// Points 5 to 9: the resource as it is, holds, users, time, keep rules.
using namespace galleryd;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const std::string consumer = "00000000-0000-0000-0000-00000000000c";

scene::Made plain() { return scene::six(); }

void remove_victim(World& world) {
    scene::take_out(world, {scene::victim_file});
    world.pass_time(minutes{40});
}

void slow_look(World& world) { world.faults("[{method: GET, path: '" + scene::victim + "*', count: 1, delay: 40}]"); }

// Somebody in another subscription runs the victim, and Resource Graph shows it.
scene::Made in_use() {
    scene::Made world =
        scene::six({.retention = "action: Report, keepNewest: 1, olderThan: 3650d", .knows_usage = true});
    world->load(R"({"subscriptions": [")" + consumer + R"("], "resources": []})");
    REQUIRE(world->azure
                .put_resource(
                    R"({"id": "/subscriptions/)" + consumer +
                    R"(/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/web-1", )" +
                    R"("location": "canadacentral", "properties": {"storageProfile": {"imageReference": {"id": ")" +
                    estate::ubuntu + R"(", "exactVersion": "1.1.0"}}}})")
                .has_value());
    world->pass_time(minutes{5});
    return world;
}

}  // namespace

TEST_CASE("point 5: a version that somebody made anew under the same name since the plan is not deleted") {
    scene::check_is_missed(5, "what was planned is another one", plain, [](World& world) {
        scene::settle_removal(world);
        scene::change_before_look(world, R"({"properties": {"publishingProfile": {"publishedDate": )"
                                         R"("2026-11-20T00:00:00Z"}}})");
        world.round();
    });
}

TEST_CASE("point 5: a version that somebody is changing is not deleted") {
    scene::check_is_missed(5, "version in state Updating deleted", plain, [](World& world) {
        scene::settle_removal(world);
        scene::change_before_look(world, R"({"properties": {"provisioningState": "Updating"}})");
        world.round();
    });
}

TEST_CASE("point 5: nothing is deleted by an answer that Azure took its time over") {
    scene::check_is_missed(5, "taken away by a look of 40 s ago", plain, [](World& world) {
        scene::settle_removal(world);
        slow_look(world);
        world.pass_time(minutes{3});
    });
}

TEST_CASE("point 6: a held version outlives its document") {
    scene::check_is_missed(6, "held resource deleted", plain, [](World& world) {
        scene::change(world, scene::victim, R"({"tags": {"galleryd-hold": "audit"}})");
        remove_victim(world);
    });
}

TEST_CASE("point 6: a hold on the gallery's document holds what lies in it") {
    scene::check_is_missed(6, "Gallery/images/golden is held", plain, [](World& world) {
        scene::edit(world, "gallery.yaml", "namespace: images}",
                    "namespace: images, annotations: {galleryd.io/hold: audit}}");
        remove_victim(world);
    });
}

TEST_CASE("point 6: a version with a protected tag outlives its document") {
    scene::check_is_missed(
        6, "protected version deleted",
        [] {
            return scene::six({.retention = "action: Report, keepNewest: 1, olderThan: 3650d, inUse: Ignore, "
                                            "protectTags: {keep: 'true'}"});
        },
        [](World& world) {
            scene::change(world, scene::victim, R"({"tags": {"Keep": "True"}})");
            remove_victim(world);
        });
}

TEST_CASE("point 6: a version that Azure blocks until its end of life is not asked to go") {
    scene::check_is_missed(6, "blockDeletionBeforeEndOfLife is set", plain, [](World& world) {
        scene::take_out(world, {scene::victim_file});
        scene::change(world, scene::victim,
                      R"({"properties": {"safetyProfile": {"blockDeletionBeforeEndOfLife": true}}})");
        world.pass_time(minutes{40});
    });
}

TEST_CASE("point 7: a version that somebody runs outlives its document") {
    scene::check_is_missed(7, "web-1 runs it since", in_use, remove_victim);
}

TEST_CASE("point 7: a version that somebody runs where galleryd cannot look any more outlives its document") {
    scene::check_is_missed(7, "web-1 runs it since", in_use, [](World& world) {
        scene::take_out(world, {scene::victim_file});
        world.pass_time(minutes{10});  // who uses it is asked, and the subscription is seen
        world.azure.set_readable(consumer, false);
        world.restart();
        world.pass_time(minutes{40});
    });
}

TEST_CASE("point 7: a version that somebody runs keeps its regions") {
    scene::check_is_missed(7, "web-1 runs it since", in_use, [](World& world) {
        scene::edit(world, scene::victim_file, "{name: canadacentral}, {name: canadaeast}", "{name: canadacentral}");
        world.pass_time(minutes{40});
    });
}

TEST_CASE("point 8: a marked version waits for the end of its grace") {
    scene::check_is_missed(
        8, "before its grace ended", [] { return scene::aged(); }, [](World& world) { world.pass_time(minutes{30}); });
}

TEST_CASE("point 8: a version whose end of life is to come outlives its document") {
    scene::check_is_missed(
        8, "deleted before its end of life",
        [] {
            scene::Made world = scene::six();
            world->declare([&] {
                auto files = world->files;
                files.at(scene::victim_file) += "  endOfLifeDate: 2027-06-01\n";
                return files;
            }());
            REQUIRE(world->problems == "");
            REQUIRE(world->converge());
            return world;
        },
        remove_victim);
}

TEST_CASE("point 8: while our clock is six minutes off nothing is deleted by time") {
    Duration shift{0};
    SUBCASE("ahead") { shift = minutes{6}; }
    SUBCASE("behind") { shift = -minutes{6}; }
    scene::check_is_missed(
        8, "the clocks are 6m apart",
        [] {
            scene::Made world = scene::aged();
            world->pass_time(minutes{55});
            return world;
        },
        [&](World& world) {
            world.daemon_clock.shift = shift;
            world.pass_time(minutes{20});
        });
}

TEST_CASE("point 9: the newest usable version outlives its document") {
    scene::check_is_missed(9, "the newest usable version is deleted", plain, [](World& world) {
        scene::take_out(world, {"version-1.5.0.yaml"});
        world.pass_time(minutes{40});
    });
}

TEST_CASE("point 9: one of the newest that the policy keeps outlives its document") {
    scene::check_is_missed(
        9, "among the newest that the policy keeps",
        [] { return scene::six({.retention = "action: Report, keepNewest: 3, olderThan: 3650d, inUse: Ignore"}); },
        [](World& world) {
            scene::take_out(world, {"version-1.4.0.yaml"});
            world.pass_time(minutes{40});
        });
}

TEST_CASE("point 9: a version younger than the policy's minimumAge outlives its document") {
    scene::check_is_missed(
        9, "younger than the policy's minimumAge",
        [] {
            return scene::six(
                {.retention = "action: Report, keepNewest: 1, minimumAge: 10d, olderThan: 3650d, inUse: Ignore"});
        },
        remove_victim);
}
