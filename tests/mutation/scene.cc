#include "tests/mutation/scene.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

#include "tests/mutation/interlock_switch.h"

namespace galleryd::scene {
namespace {

struct Played {
    std::vector<std::string> verdicts;
    std::size_t taken = 0;
    std::string open_points;
};

Played play(const std::function<Made()>& make, const std::function<void(World&)>& act, int point) {
    const Made world = make();
    REQUIRE(world->guard.problems == 0);
    world->guard.collects = true;
    std::optional<PointOff> off;
    if (point > 0) off.emplace(point);
    act(*world);
    return {world->guard.verdicts, world->guard.taken_seen, world->open_points()};
}

std::string lines_of(const std::vector<std::string>& texts) {
    std::string lines;
    for (const std::string& text : texts) lines += "\n  " + text;
    return lines;
}

}  // namespace

void check_is_missed(int point, const std::string& verdict, const std::function<Made()>& make,
                     const std::function<void(World&)>& act) {
    const Played whole = play(make, act, 0);
    CHECK_MESSAGE(whole.verdicts.empty(), "with the interlock as it ships:" << lines_of(whole.verdicts));
    const Played broken = play(make, act, point);
    INFO("without point " << point << " the guard said:" << lines_of(broken.verdicts) << "\nplans:\n"
                          << broken.open_points);
    CHECK(broken.taken > 0);
    CHECK(std::ranges::any_of(broken.verdicts, [&](const std::string& said) { return said.contains(verdict); }));
}

Made six(const Six& wanted) {
    WorldOptions options{.operations = std::chrono::seconds{45}, .engine = wanted.engine};
    options.knows_usage = wanted.knows_usage;
    options.open_journal = wanted.open_journal;
    auto world = std::make_unique<World>(std::move(options));
    world->load(estate::images_state());
    world->declare(
        estate::small(6, wanted.version, "\n  governs: Declared\n  retention: {" + wanted.retention + "}\n"));
    REQUIRE(world->problems == "");
    REQUIRE(world->converge());
    return world;
}

Made aged(const Aged& wanted) {
    auto world = std::make_unique<World>(WorldOptions{.operations = std::chrono::seconds{45}, .engine = wanted.engine});
    world->load(estate::images_state());
    world->declare(
        estate::small(4, "",
                      "\n  governs: All\n  retention: {action: Delete, keepNewest: 2, olderThan: 30d, minimumAge: 1d, "
                      "inUse: Ignore, grace: 1h, maxPercentPerPass: 50, " +
                          wanted.retention + "}\n"));
    REQUIRE(world->problems == "");
    REQUIRE(world->converge());
    world->clock.advance(std::chrono::days{31});
    world->look();
    world->approves_all = wanted.approves;
    return world;
}

void take_out(World& world, const std::vector<std::string>& names) {
    auto left = world.files;
    for (const std::string& name : names) REQUIRE(left.erase(name) == 1);
    world.declare(left);
}

void edit(World& world, const std::string& file, const std::string& from, const std::string& to) {
    auto files = world.files;
    files.at(file) = estate::replaced(files.at(file), from, to);
    world.declare(files);
}

void change(World& world, const std::string& id, const std::string& merge_patch) {
    REQUIRE(world.azure.change_resource(id, merge_patch).has_value());
}

void settle_removal(World& world) {
    take_out(world, {victim_file});
    world.pass_time(std::chrono::minutes{15});
    REQUIRE(world.exists(victim));
}

void change_before_look(World& world, const std::string& merge_patch) {
    world.faults("[{method: GET, path: '" + victim + "*', count: 1, foreignWrite: {id: " + victim + ", patch: '" +
                 merge_patch + "'}}]");
}

}  // namespace galleryd::scene
