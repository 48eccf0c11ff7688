#include <doctest/doctest.h>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

// What is told of objects while Azure does not answer at all, and afterwards.
using namespace galleryd;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

Condition ready_of(const World& world, Kind kind, const std::string& name) {
    const auto status = world.engine->statuses().find({kind, "images", name});
    REQUIRE(status.has_value());
    const Condition* ready = status->find("Ready");
    REQUIRE(ready != nullptr);
    return *ready;
}

}  // namespace

TEST_CASE("while Azure is silent for minutes nobody knows whether an object is Ready, and then everybody does again") {
    bool inventory = false;
    SUBCASE("every look is by reads") {}
    SUBCASE("Resource Graph says where there is something to do, as in the shipped daemon") { inventory = true; }
    World world({.inventory = inventory, .operations = seconds{45}});
    const TimePoint start = world.clock.now();
    world.load(estate::images_state());
    world.declare(estate::small(2));
    REQUIRE(world.problems == "");
    REQUIRE(world.converge());
    world.round();
    const TimePoint before = ready_of(world, Kind::gallery, "golden").last_transition;
    REQUIRE(ready_of(world, Kind::gallery, "golden").status == ConditionStatus::true_);

    const auto elapsed = std::chrono::duration_cast<seconds>(world.clock.now() - start);
    world.faults("[{path: '*', before: " + std::to_string(elapsed.count() + 5 * 60) + "s, status: 503, code: Silent}]");
    const std::string since = format_rfc3339(std::chrono::floor<seconds>(world.clock.now()));
    world.engine->note_contact(true, "Azure does not answer");
    world.round(seconds{60});
    CHECK(ready_of(world, Kind::gallery, "golden").status == ConditionStatus::true_);  // a glitch moves nothing
    world.round(seconds{60});
    world.round(seconds{60});
    for (const auto& [kind, name] : {std::pair{Kind::gallery, "golden"}, std::pair{Kind::image_definition, "ubuntu"},
                                     std::pair{Kind::image_version, "ubuntu-1.0.0"}}) {
        CAPTURE(name);
        const Condition ready = ready_of(world, kind, name);
        CHECK(ready.status == ConditionStatus::unknown);
        CHECK(ready.reason == "AzureError");
        CHECK(ready.message == "Azure does not answer since " + since +
                                   ", so nobody knows (GD3008). Last seen: Azure matches the manifest.");
        CHECK(ready.last_transition > before);
        CHECK(world.engine->statuses().find({kind, "images", name})->kstatus() == KStatus::unknown);
    }
    world.round(seconds{60});
    CHECK(ready_of(world, Kind::gallery, "golden").message.ends_with("Last seen: Azure matches the manifest."));

    world.pass_time(minutes{2});
    world.engine->note_contact(false, "Azure answers again");
    world.round(seconds{20});
    world.round(seconds{20});
    for (const auto& [kind, name] : {std::pair{Kind::gallery, "golden"}, std::pair{Kind::image_definition, "ubuntu"},
                                     std::pair{Kind::image_version, "ubuntu-1.0.0"}}) {
        CAPTURE(name);
        CHECK(ready_of(world, kind, name).status == ConditionStatus::true_);
        CHECK(ready_of(world, kind, name).message == "Azure matches the manifest.");
    }
}

TEST_CASE("what waits for a person goes on saying so while Azure is silent") {
    World world({.operations = seconds{45}});
    world.load(estate::images_state());
    world.declare(estate::small(1));
    REQUIRE(world.converge());
    auto files = world.files;
    files["gallery.yaml"] += "  colour: red\n";
    world.declare(files);
    REQUIRE(world.problems != "");
    world.round();
    REQUIRE(ready_of(world, Kind::gallery, "golden").reason == "InvalidSpec");
    world.faults("[{path: '*', status: 503, code: Silent}]");
    world.engine->note_contact(true, "Azure does not answer");
    for (int i = 0; i < 5; ++i) world.round(seconds{60});
    CHECK(ready_of(world, Kind::gallery, "golden").reason == "InvalidSpec");
}
