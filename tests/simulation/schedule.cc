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
constexpr const char* consumer = "00000000-0000-0000-0000-00000000000c";

}  // namespace

Schedule::Schedule(std::uint64_t seed) : random_(seed), world_(options(seed)) {
    world_.guard.context = "(SEED=" + std::to_string(seed) + ")";
    world_.load(estate::images_state());
    const std::string policy = policy_spec;
    good_ = estate::small(0, "",
                          world_.knows_usage() ? estate::replaced(policy, "inUse: Ignore", "inUse: Protect") : policy);
    world_.load(R"({"subscriptions": [")" + std::string(consumer) + R"("], "resources": []})");
    for (int i = 0; i < 6; ++i) add_version();
    world_.declare(good_);
    REQUIRE(world_.problems == "");
}

// One act, and the time until the next one.
void Schedule::play_round(std::uint64_t number) {
    world_.guard.context = "(SEED=" + std::to_string(seed_) + ", round " + std::to_string(number) + ")";
    ++world_.acts;
    act();
    const auto pause =
        chance(0.05) ? std::chrono::seconds{std::chrono::hours{6}} : std::chrono::seconds{10 + below(110)};
    world_.round(pause);
    if (world_.transport.died) world_.restart();
}

void Schedule::run(std::uint64_t steps) {
    for (std::uint64_t i = 0; i < rounds_per_world && world_.steps() < steps; ++i) play_round(i);
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
        case 11: return foreign_write();
        case 12:
            if (chance(0.3)) world_.azure.remove_resource(any_version());
            return;
        case 13:
        case 14: return fault();
        case 15:
        case 16:
        case 17: world_.transport.arm(KillPoint{1 + below(40), chance(0.5)}); return;
        case 18: return world_.restart();
        case 19:
        case 20:
        case 21: return approve();
        case 22:
            if (chance(0.5)) add_version();
            return declare_good();
        case 23:
            world_.daemon_clock.shift = chance(0.6) ? Duration{0} : Duration(std::chrono::seconds{below(1200) - 600});
            return;
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
            [[fallthrough]];
        default: world_.readable ? world_.look() : world_.unreadable();
    }
}

// Somebody deploys a version, takes a machine away, or takes galleryd's right to see them.
void Schedule::machine() {
    const std::string id = std::string("/subscriptions/") + consumer +
                           "/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/m" +
                           std::to_string(below(4));
    if (chance(0.4)) return world_.azure.remove_resource(id);
    if (chance(0.2)) return world_.azure.set_readable(consumer, chance(0.5));
    if (chance(0.3)) return scale_set();
    const std::string version = ResourceId(any_version()).name();
    const Status made = world_.azure.put_resource(
        R"({"id": ")" + id +
        R"(", "location": "canadacentral", "properties": {"storageProfile": {"imageReference": {"id": ")" +
        estate::ubuntu + R"(", "exactVersion": ")" + version + R"("}}}})");
    REQUIRE(made.has_value());
}

// A model that takes latest, or another image by now, with instances that still run an old version, or none shown.
void Schedule::scale_set() {
    const std::string set = std::string("/subscriptions/") + consumer +
                            "/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachineScaleSets/s" +
                            std::to_string(below(2));
    const std::string instance = set + "/virtualMachines/0";
    world_.azure.remove_resource(instance);
    if (chance(0.3)) return world_.azure.remove_resource(set);
    const std::string image = chance(0.7) ? R"({"id": ")" + estate::ubuntu + R"("})"
                                          : R"({"publisher": "Canonical", "offer": "ubuntu", "sku": "server"})";
    const bool has_instance = chance(0.6);
    Status made = world_.azure.put_resource(
        R"({"id": ")" + set + R"(", "location": "canadacentral", "sku": {"name": "Standard_D2s_v5", "capacity": )" +
        (has_instance ? "1" : "0") +
        R"(}, "properties": {"orchestrationMode": "Uniform", "virtualMachineProfile": {"storageProfile": {"imageReference": )" +
        image + "}}}}");
    REQUIRE(made.has_value());
    if (!has_instance || chance(0.2)) return;
    made = world_.azure.put_resource(R"({"id": ")" + instance +
                                     R"(", "location": "canadacentral", "properties": {"storageProfile": )" +
                                     R"({"imageReference": {"id": ")" + estate::ubuntu + R"(", "exactVersion": ")" +
                                     ResourceId(any_version()).name() + R"("}}}})");
    REQUIRE(made.has_value());
}

void Schedule::declare_good() { world_.declare(good_); }

void Schedule::edit() {
    const std::string file = version_file(below(versions_));
    const auto found = good_.find(file);
    if (found == good_.end()) return;
    std::string& text = found->second;
    if (chance(0.3)) {
        const bool is_held = text.find("galleryd.io/hold") != std::string::npos;
        text = is_held ? estate::replaced(text, ", annotations: {galleryd.io/hold: audit}", "")
                       : estate::replaced(text, "namespace: images}",
                                          "namespace: images, annotations: {galleryd.io/hold: audit}}");
    } else if (text.find("  tags:") == std::string::npos) {
        text += "  tags: {round: r" + std::to_string(below(1000)) + "}\n";
    } else {
        text.erase(text.find("  tags:"));
    }
    declare_good();
}

void Schedule::remove_document() {
    const std::string file = version_file(below(versions_));
    removed_[file] = good_.contains(file) ? good_[file] : removed_[file];
    if (removed_[file].empty()) return;
    if (good_.contains(file)) {
        good_.erase(file);
    } else {
        good_[file] = removed_[file];
    }
    declare_good();
}

void Schedule::break_document() {
    auto broken = good_;
    auto victim = std::next(broken.begin(), below(static_cast<int>(broken.size())));
    switch (below(4)) {
        case 0: victim->second = victim->second.substr(0, victim->second.size() / 2); break;
        case 1: victim->second += "  nonsense: true\n"; break;
        case 2: victim->second = "{[broken"; break;
        default: victim->second += "\n---\n" + victim->second; break;  // declared twice
    }
    if (chance(0.5)) broken.erase(version_file(below(versions_)));
    world_.declare(broken);
}

void Schedule::foreign_write() {
    static const std::vector<std::string> patches{
        R"({"tags": {"galleryd-hold": "person"}})",
        R"({"tags": {"galleryd-hold": null}})",
        R"({"tags": {"keep": "true"}})",
        R"({"tags": {"galleryd-owner": null}})",
        R"({"tags": {"galleryd-owner": "other/ImageVersion/a/b"}})",
        R"({"tags": {"galleryd-delete-after": null}})",
        R"({"tags": {"galleryd-delete-after": "2020-01-01T00:00:00Z", "galleryd-delete-rule": "standard/olderThan"}})",
        R"({"tags": {"x": "y"}})",
        R"({"properties": {"publishingProfile": {"excludeFromLatest": true}}})",
        R"({"properties": {"publishingProfile": {"excludeFromLatest": false}}})",
        R"({"properties": {"publishingProfile": {"publishedDate": "2026-11-20T00:00:00Z"}}})"};
    const std::string& patch = patches[static_cast<std::size_t>(below(static_cast<int>(patches.size())))];
    const std::string id = chance(0.85) ? any_version() : chance(0.5) ? estate::ubuntu : estate::golden;
    if (chance(0.6)) {
        if (world_.exists(id)) REQUIRE(world_.azure.change_resource(id, patch).has_value());
    } else {  // right before a request of ours is served
        world_.faults("[{path: '" + id + "*', count: 1, foreignWrite: {id: " + id + ", patch: '" + patch + "'}}]");
    }
}

// No stale reads here: a foreign write that our strong look is not shown cannot be respected (Azure has no ETag to
// ask for it).
void Schedule::fault() {
    static const std::vector<std::string> kinds{"status: 500",
                                                "status: 503, retryAfter: 5",
                                                "status: 429, code: TooManyRequests, retryAfter: 90",
                                                "cutAfterBytes: 0",
                                                "delay: 90",
                                                "method: PUT, cutAfterBytes: 3",
                                                "method: DELETE, cutAfterBytes: 3",
                                                "method: GET, dropPage: true",
                                                "method: GET, repeatPage: true",
                                                "method: PUT, loseOperation: true",
                                                "method: DELETE, loseOperation: true",
                                                "status: 403, code: AuthorizationFailed",
                                                "method: PUT, longUrl: true",
                                                "method: DELETE, status: 409, code: Conflict"};
    world_.faults("[{" + kinds[static_cast<std::size_t>(below(static_cast<int>(kinds.size())))] +
                  ", probability: 0.5, count: " + std::to_string(1 + below(20)) + "}]");
}

void Schedule::approve() {
    for (const auto& [name, plan] : world_.engine->plans()) {
        if (!plan.deletions_digest.empty()) return world_.approve(plan.deletions_digest);
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
    world_.azure.set_readable(consumer, true);
    world_.daemon_clock.shift = Duration{0};
    declare_good();
    world_.approves_all = true;
    std::size_t writes_before = 0;
    int quiet = 0;
    for (int i = 0; i < 60 && quiet < 12; ++i) {  // hours; retries of a failed region are up to six apart
        if (i < 12) mend();
        writes_before = world_.writes();
        for (int k = 0; k < 4; ++k) {
            world_.round(std::chrono::minutes{15});
            if (k == 0) world_.look();
        }
        if (world_.transport.died) world_.restart();
        quiet = world_.writes() == writes_before ? quiet + 1 : 0;
    }
    INFO("SEED=" << seed_ << "\n" << (quiet >= 12 ? "" : world_.open_points()));
    CHECK(quiet >= 12);
}

}  // namespace galleryd
