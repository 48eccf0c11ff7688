#include <doctest/doctest.h>

#include "tests/mutation/scene.h"

// Points 1 to 4: permission, ownership, reason, sources.
using namespace galleryd;
using std::chrono::minutes;

namespace {

EngineOptions only_pruning() {
    EngineOptions options = WorldOptions::deleting_engine();
    options.allow_deletes = false;
    return options;
}

EngineOptions without_prune() {
    EngineOptions options = WorldOptions::deleting_engine();
    options.prune = false;
    return options;
}

scene::Made without_permission() { return scene::six({.engine = only_pruning()}); }

// A definition without versions that goes with its document, and enough others that nothing freezes.
scene::Made lone_definition() {
    auto world = std::make_unique<World>(
        WorldOptions{.operations = std::chrono::seconds{45}, .engine = WorldOptions::deleting_engine()});
    world->load(estate::images_state());
    auto files = estate::small(0);
    files["definition.yaml"] += "  deletionPolicy: Delete\n";
    for (int i = 0; i < 6; ++i) {
        const std::string name = "spare" + std::to_string(i);
        files[name + ".yaml"] = estate::replaced(
            estate::replaced(estate::definition(), "name: ubuntu,", "name: " + name + ","), "24_04", "24_" + name);
    }
    world->declare(files);
    REQUIRE(world->problems == "");
    REQUIRE(world->converge());
    return world;
}

void remove_victim(World& world) {
    scene::take_out(world, {scene::victim_file});
    world.pass_time(minutes{40});
}

void drop_access(World& world) {
    scene::edit(world, "gallery.yaml",
                "  access:\n    - {role: Reader, principalId: 7f1c2a90-3d6b-4a51-9d5e-1c0b7a6e2f44, principalType: "
                "Group}\n",
                "");
    world.pass_time(minutes{10});
}

}  // namespace

TEST_CASE("point 1: without --allow-deletes no version is deleted") {
    scene::check_is_missed(1, "without --allow-deletes", without_permission, remove_victim);
}

TEST_CASE("point 1: without --allow-deletes no region is removed") {
    scene::check_is_missed(1, "taken from", without_permission, [](World& world) {
        scene::edit(world, scene::victim_file, "{name: canadacentral}, {name: canadaeast}", "{name: canadacentral}");
        world.pass_time(minutes{20});
    });
}

TEST_CASE("point 1: without --allow-deletes no replica is taken away") {
    scene::check_is_missed(
        1, "replicas in canadaeast taken from",
        [] {
            scene::Made world = without_permission();
            scene::edit(*world, scene::victim_file, "{name: canadaeast}", "{name: canadaeast, replicas: 2}");
            REQUIRE(world->converge());
            return world;
        },
        [](World& world) {
            scene::edit(world, scene::victim_file, ", replicas: 2", "");
            world.pass_time(minutes{20});
        });
}

TEST_CASE("point 1: without --allow-deletes no access is taken away") {
    scene::check_is_missed(1, "without --allow-deletes", without_permission, drop_access);
}

TEST_CASE("point 1: what lies in a definition or gallery whose mode is Observe stays") {
    std::string file;
    SUBCASE("definition") { file = "definition.yaml"; }
    SUBCASE("gallery") { file = "gallery.yaml"; }
    scene::check_is_missed(
        1, "spec.mode of", [] { return scene::six(); },
        [&](World& world) {
            scene::edit(world, file, "spec:\n", "spec:\n  mode: Observe\n");
            remove_victim(world);
        });
}

TEST_CASE("point 1: a definition in a gallery whose mode is Observe stays") {
    scene::check_is_missed(1, "spec.mode of Gallery/images/golden", lone_definition, [](World& world) {
        scene::edit(world, "gallery.yaml", "spec:\n", "spec:\n  mode: Observe\n");
        scene::take_out(world, {"definition.yaml"});
        world.pass_time(minutes{40});
    });
}

TEST_CASE("point 2: the owner tag alone proves nothing once the state directory was lost") {
    scene::check_is_missed(
        2, "knows nothing of having made it", [] { return scene::six(); },
        [](World& world) {
            world.lose_journal();
            world.pass_time(minutes{5});
            remove_victim(world);
        });
}

TEST_CASE("point 2: access that another state directory gave is not taken away") {
    scene::check_is_missed(
        2, "knows nothing of having made it", [] { return scene::six(); },
        [](World& world) {
            world.lose_journal();
            world.pass_time(minutes{5});
            drop_access(world);
        });
}

TEST_CASE("point 2: a definition that somebody gave to another instance is not deleted") {
    scene::check_is_missed(2, "I6: resource of 'other/", lone_definition, [](World& world) {
        scene::take_out(world, {"definition.yaml"});
        scene::change(world, estate::ubuntu, R"({"tags": {"galleryd-owner": "other/ImageDefinition/a/b"}})");
        world.pass_time(minutes{40});
    });
}

TEST_CASE("point 3: without --prune a removed document deletes nothing") {
    scene::check_is_missed(
        3, "without --prune", [] { return scene::six({.engine = without_prune()}); }, remove_victim);
}

TEST_CASE("point 3: a document that is gone for a moment deletes nothing") {
    scene::check_is_missed(
        3, "before its removal is settled", [] { return scene::six(); },
        [](World& world) {
            const auto files = world.files;
            scene::take_out(world, {scene::victim_file});
            world.pass_time(minutes{3});
            world.declare(files);
        });
}

TEST_CASE("point 3: a document that comes back while its version is read keeps it") {
    scene::check_is_missed(
        3, "deleted without a rule",  // it is declared again, and retention does not name it
        [] {
            scene::Made world = scene::six();
            scene::settle_removal(*world);
            return world;
        },
        [](World& world) {
            world.faults("[{method: GET, path: '" + scene::victim + "*', count: 1, delay: 15}]");
            world.round(std::chrono::seconds{5});
            auto files = world.files;
            files[scene::victim_file] = estate::version("1.1.0", "deletionPolicy: Delete");
            world.declare(files);
            world.round(std::chrono::seconds{30});
        });
}

TEST_CASE("point 4: nothing is deleted while a source cannot be read, is broken, empty or frozen") {
    std::string verdict;
    std::function<void(World&)> act;
    SUBCASE("unreadable") {
        verdict = "I2: a deletion while the source is unreadable";
        act = [](World& world) { world.unreadable(); };
    }
    SUBCASE("emptied") {
        verdict = "I2: a deletion while the source is empty";
        act = [](World& world) { world.declare({}); };
    }
    SUBCASE("a file that nobody can parse") {
        verdict = "I2: a deletion while a file does not parse";
        act = [](World& world) { scene::edit(world, "version-1.3.0.yaml", "kind:", "kind: ["); };
    }
    SUBCASE("half of it gone") {
        verdict = "I2: a deletion while the source is frozen";
        act = [](World& world) {
            scene::take_out(world, {"version-1.1.0.yaml", "version-1.2.0.yaml", "version-1.3.0.yaml"});
        };
    }
    SUBCASE("a document of the scope invalid") {
        verdict = "is invalid";
        act = [](World& world) { scene::edit(world, "version-1.3.0.yaml", "version: 1.3.0", "version: three"); };
    }
    scene::check_is_missed(
        4, verdict, [] { return scene::aged(); },
        [&](World& world) {
            world.pass_time(minutes{58});
            act(world);
            world.pass_time(minutes{15});
        });
}
