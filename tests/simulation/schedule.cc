#include "tests/simulation/schedule.h"

#include <doctest/doctest.h>

namespace galleryd {
namespace {

constexpr const char* policy_spec = R"(
  governs: All
  tiers:
    - {name: current, newest: 1, targetRegions: [{name: canadacentral, replicas: 2}, {name: canadaeast}]}
    - {name: archive, targetRegions: [{name: canadacentral}]}
  deprecate: {beyondNewest: 3}
  retention: {action: Delete, keepNewest: 2, olderThan: 3d, failedAfter: 1d, minimumAge: 1h, inUse: Ignore, grace: 1h, protectTags: {keep: "true"}, approval: Required}
)";

constexpr std::uint64_t rounds_per_world = 500;

}  // namespace

Schedule::Schedule(std::uint64_t seed) : random_(seed), world_(options(seed)) {
    world_.guard.context = "(SEED=" + std::to_string(seed) + ")";
    world_.guard.forgives_what_nobody_sees = true;
    world_.load(estate::images_state());
    const std::string policy = policy_spec;
    good_ = estate::small(0, "",
                          world_.knows_usage() ? estate::replaced(policy, "inUse: Ignore", "inUse: Protect") : policy);
    world_.load(R"({"subscriptions": [")" + std::string(consumer_subscription) + R"("], "resources": []})");
    for (int i = 0; i < 6; ++i) add_version();
    world_.declare(good_);
    REQUIRE(world_.problems == "");
    is_alone_ = seed % 5 == 1;
    if (seed % 4 == 2) start_rival();
}

// Of another instance, with the same gallery, definition and numbers: some of its versions are there first.
void Schedule::start_rival() {
    WorldOptions options{.seed = seed_, .engine = WorldOptions::deleting_engine()};
    options.engine.instance = "rival";
    options.inventory = chance(0.5);
    rival_ = std::make_unique<World>(options, world_.ground);
    rival_->guard.context = world_.guard.context + " rival";
    rival_good_ = estate::small(0, "", estate::replaced(policy_spec, "keepNewest: 2", "keepNewest: 1"));
    for (const char* parent : {"gallery.yaml", "definition.yaml"}) {
        if (chance(0.5)) rival_good_[parent] += "  adoption: Adopt\n";
    }
    for (int i = 0; i < 3; ++i) {
        const int number = 2 * i + below(2);
        rival_good_[version_file(number)] = estate::version("1." + std::to_string(number) + ".0",
                                                            chance(0.5) ? "adoption: Adopt" : "deletionPolicy: Delete");
    }
    rival_->declare(rival_good_);
    REQUIRE(rival_->problems == "");
}

void Schedule::act_as_rival() {
    switch (below(8)) {
        case 0: {
            auto fewer = rival_good_;  // a version, as in remove_document
            auto version = fewer.lower_bound("version-");
            std::advance(version, below(static_cast<int>(std::distance(version, fewer.end()))));
            fewer.erase(version);
            return rival_->declare(fewer);
        }
        case 1: return rival_->declare(rival_good_);
        case 2: return rival_->transport.arm(KillPoint{1 + below(40), chance(0.5)});
        case 3:
            for (const auto& [name, plan] : rival_->engine->plans()) {
                if (!plan.deletions_digest.empty()) return rival_->approve(plan.deletions_digest);
            }
            return;
        case 4: return rival_->restart();
        default: return rival_->look();
    }
}

// Two daemons do not write within the same instant: what one reads right before, the other has finished or begun.
void Schedule::pass_time(std::chrono::seconds time) {
    if (!rival_) {
        world_.round(time);
        return;
    }
    world_.round(time / 2);
    rival_->round(time - time / 2);
    if (rival_->transport.died) rival_->restart();
}

std::uint64_t Schedule::steps() const {
    return world_.steps() + (rival_ ? rival_->transport.delivered() + rival_->acts : 0);
}

// One act, and the time until the next one.
void Schedule::play_round(std::uint64_t number) {
    world_.guard.context = "(SEED=" + std::to_string(seed_) + ", round " + std::to_string(number) + ")";
    ++world_.acts;
    act();
    const auto pause =
        chance(0.05) ? std::chrono::seconds{std::chrono::hours{6}} : std::chrono::seconds{10 + below(110)};
    if (rival_ && chance(0.3)) {
        ++rival_->acts;
        act_as_rival();
    }
    pass_time(pause);
    if (world_.transport.died) world_.restart();
}

void Schedule::run(std::uint64_t steps) {
    for (std::uint64_t i = 0; i < rounds_per_world && this->steps() < steps; ++i) play_round(i);
    rest();
}

bool Schedule::run_until_wrong() {
    for (std::uint64_t i = 0; i < rounds_per_world && problems() == 0; ++i) play_round(i);
    return problems() > 0;
}

WorldOptions Schedule::options(std::uint64_t seed) {
    seed_ = seed;
    WorldOptions made{.noise = random_.next() % 2 == 0, .seed = seed, .engine = WorldOptions::deleting_engine()};
    made.inventory = random_.next() % 2 == 0;
    made.knows_usage = seed % 3 == 0;  // not drawn: the other schedules stay what they were
    if (random_.next() % 3 != 0) made.operations = std::chrono::seconds{90};
    return made;
}

bool Schedule::chance(double probability) { return random_.unit() < probability; }

int Schedule::below(int limit) { return static_cast<int>(random_.next() % static_cast<std::uint64_t>(limit)); }

std::string Schedule::version_file(int number) { return "version-1." + std::to_string(number) + ".0.yaml"; }

std::string Schedule::any_version() { return estate::version_id("1." + std::to_string(below(versions_ + 1)) + ".0"); }

void Schedule::add_version() {
    const std::string number = "1." + std::to_string(versions_) + ".0";
    std::string extra = chance(0.7) ? "deletionPolicy: Delete" : "deletionPolicy: Orphan";
    if (chance(0.3)) extra += "\n  holdLatestUntilReplicated: true";
    if (chance(0.3)) extra += "\n  regionRetry: RemoveAndAdd";
    good_[version_file(versions_++)] = estate::version(number, extra,
                                                       chance(0.5)   ? ""
                                                       : chance(0.5) ? "canadacentral"
                                                                     : "canadacentral, canadaeast");
}

void Schedule::act() {
    switch (below(40)) {
        case 0:
        case 1: return edit();
        case 2:
        case 3: return remove_document();
        case 4: return break_document();
        case 5:
        case 6:
        case 7: return declare_good();
        case 8: return chance(0.5) ? world_.unreadable() : world_.declare({});
        case 9:
        case 10:
        case 11: return is_alone_ ? fault() : foreign_write();
        case 12:
            if (!is_alone_ && chance(0.3)) world_.azure.remove_resource(any_version());
            return;
        case 13:
        case 14: return fault();
        case 15:
        case 16:
        case 17: world_.transport.arm(KillPoint{1 + below(40), chance(0.5)}); return;
        case 18: return chance(0.9) ? world_.restart_with(WorldOptions::deleting_engine()) : change_flags();
        case 19:
        case 20:
        case 21: return approve();
        case 22:
            if (chance(0.5)) add_version();
            return declare_good();
        case 23: return change_clock();
        case 24:
            if (chance(0.1)) world_.lose_journal();
            return;
        case 25:
            world_.azure.fail_region({.region = chance(0.5) ? "canadaeast" : "Canada Central", .count = 1 + below(3)});
            return;
        case 26: world_.azure.clear_region_failures(); return;
        case 27:
        case 28:
            if (world_.knows_usage()) return machine();
            return world_.look();
        case 29:
            if (chance(0.2)) break_disk();
            return;
        default: world_.readable ? world_.look() : world_.unreadable();
    }
}

// A copy that failed stays failed however often the same set is written (azure-facts §4): a person takes such
// versions away.
void Schedule::mend() {
    for (const std::string& id : world_.azure.resource_ids("Microsoft.Compute/galleries/images/versions")) {
        const bool has_failed = world_.azure.resource(id)->find("\"Failed\"") != std::string::npos;
        if (has_failed) world_.azure.remove_resource(id);
    }
}

// Faults and edits stop: within a bounded time nothing is written any more, for good (reliability I10).
void Schedule::rest() {
    world_.faults("[]");
    world_.azure.clear_region_failures();
    world_.azure.set_readable(consumer_subscription, true);
    world_.daemon_clock.shift = Duration{0};
    world_.restart_with(WorldOptions::deleting_engine());
    declare_good();
    world_.approves_all = true;
    if (rival_) rival_->restart(), rival_->declare(rival_good_);
    std::size_t writes_before = 0;
    int quiet = 0;
    for (int i = 0; i < 60 && quiet < 12; ++i) {  // hours; retries of a failed region are up to six apart
        if (i < 12) mend();
        writes_before = world_.writes();
        for (int k = 0; k < 4; ++k) {
            pass_time(std::chrono::minutes{15});
            if (k == 0) world_.look();
        }
        if (world_.transport.died) world_.restart();
        quiet = world_.writes() == writes_before ? quiet + 1 : 0;
    }
    INFO("SEED=" << seed_ << "\n" << (quiet >= 12 ? "" : world_.open_points()));
    CHECK(quiet >= 12);
    CHECK(world_.leak() == "");
}

}  // namespace galleryd
