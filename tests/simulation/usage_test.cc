#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"

// Point 7 of the interlock on the whole daemon: who uses a version decides whether it goes (behaviour §6, decision
// 0027).
using namespace galleryd;
using std::chrono::minutes;

namespace {

const std::string consumer = "00000000-0000-0000-0000-00000000000c";
const std::string other = "00000000-0000-0000-0000-00000000000d";

#ifdef NDEBUG
constexpr int kill_stride = 3;
#else
constexpr int kill_stride = 13;  // a debug build takes fewer points
#endif

std::string policy(const std::string& in_use = "Protect") {
    return "\n  governs: All\n  retention: {action: Delete, keepNewest: 2, olderThan: 30d, minimumAge: 1d, inUse: " +
           in_use + ", grace: 1h, maxPercentPerPass: 50, approval: Required}\n";
}

std::string group(const std::string& subscription = consumer) {
    return "/subscriptions/" + subscription + "/resourceGroups/rg-app/providers/Microsoft.Compute/";
}

std::string reference(const std::string& number) {
    return R"({"id": ")" + estate::ubuntu + R"(", "exactVersion": ")" + number + "\"}";
}

std::string machine(const std::string& name, const std::string& number, const std::string& subscription = consumer) {
    return R"({"id": ")" + group(subscription) + "virtualMachines/" + name +
           R"(", "location": "canadacentral", "properties": {"storageProfile": {"imageReference": )" +
           reference(number) + "}}}";
}

std::string scale_set(const std::string& image, int capacity) {
    return R"({"id": ")" + group() +
           R"(virtualMachineScaleSets/web", "location": "canadacentral", "sku": {"name": "Standard_D2s_v5", "capacity": )" +
           std::to_string(capacity) +
           R"(}, "properties": {"orchestrationMode": "Uniform", "virtualMachineProfile": {"storageProfile": {"imageReference": {"id": ")" +
           image + R"("}}}}})";
}

std::string instance(int number, const std::string& version) {
    return R"({"id": ")" + group() + "virtualMachineScaleSets/web/virtualMachines/" + std::to_string(number) +
           R"(", "location": "canadacentral", "properties": {"storageProfile": {"imageReference": )" +
           reference(version) + "}}}";
}

// Four declared versions, of which retention wants the two oldest to go; Resource Graph says who uses what.
struct Used : World {
    explicit Used(const std::string& wanted_policy = policy(), const std::string& sharing = "", std::uint64_t seed = 1,
                  bool inventory = false)
        : World({.knows_usage = true,
                 .inventory = inventory,
                 .seed = seed,
                 .operations = std::chrono::seconds{45},
                 .engine = WorldOptions::deleting_engine()}) {
        load(estate::images_state());
        load(R"({"subscriptions": [")" + consumer + R"(", ")" + other + R"("], "resources": []})");
        auto documents = estate::small(4, "", wanted_policy);
        documents["gallery.yaml"] += sharing;
        declare(documents);
        REQUIRE(problems == "");
        REQUIRE(converge());
        clock.advance(std::chrono::days{31});
        look();
        approves_all = true;
    }
    void put(const std::string& json) {
        const Status made = azure.put_resource(json);
        REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().message));
    }
    bool there(const std::string& number) { return exists(estate::version_id(number)); }
    std::string mark_of(const std::string& number) {
        const auto version = azure_json(estate::version_id(number));
        REQUIRE(version.is_object());
        return version["tags"].value("galleryd-delete-after", "");
    }
    // Evidence of what is blocked for one version.
    std::string usage_of(const std::string& number) {
        for (const Blocked& blocked : plan("images/golden/ubuntu").blocked) {
            if (blocked.arm_id == ResourceId(estate::version_id(number)) && blocked.evidence.contains("usage"))
                return blocked.evidence.at("usage");
        }
        return "";
    }
};

}  // namespace

TEST_CASE("versions that nobody uses are marked after two looks, and deleted after their grace") {
    bool inventory = false;
    SUBCASE("every scope is read") {}
    SUBCASE("Resource Graph says where there is something to do, as in the shipped daemon") { inventory = true; }
    Used world(policy(), "", 1, inventory);
    world.pass_time(minutes{10});
    CHECK(world.mark_of("1.0.0") == "");
    CHECK(world.blocked_reasons().contains("usage_unknown"));
    CHECK(world.usage_of("1.0.0").contains("a second look, from "));
    world.pass_time(minutes{15});
    CHECK(world.mark_of("1.0.0") != "");
    CHECK(world.mark_of("1.1.0") != "");
    world.pass_time(minutes{80});
    INFO(world.open_points());
    CHECK(world.deletes() == 2);
    CHECK_FALSE(world.there("1.0.0"));
    CHECK_FALSE(world.there("1.1.0"));
    CHECK(world.there("1.2.0"));
}

TEST_CASE("what a policy does not protect by use needs no answer of who uses it") {
    Used world(policy("Ignore"));
    world.put(machine("web-1", "1.0.0"));
    world.pass_time(minutes{80});
    CHECK(world.deletes() == 2);
    CHECK(world.engine->usage().answer() == std::nullopt);
}

TEST_CASE("a version in use stays, says who uses it, and goes when its users are gone") {
    bool inventory = false;
    SUBCASE("every scope is read") {}
    SUBCASE("Resource Graph says where there is something to do") { inventory = true; }
    Used world(policy(), "", 1, inventory);
    world.put(machine("web-1", "1.0.0"));
    world.pass_time(minutes{150});
    CHECK(world.there("1.0.0"));
    CHECK_FALSE(world.there("1.1.0"));
    CHECK(world.mark_of("1.0.0") == "");
    CHECK(world.blocked_reasons().contains("in_use"));
    CHECK(world.usage_of("1.0.0") ==
          "1 virtual machine in 1 subscription: web-1 (virtual machine, group rg-app, subscription " + consumer +
              "); seen in 3 subscriptions that can be read");
    world.azure.remove_resource(group() + "virtualMachines/web-1");
    world.pass_time(minutes{120});
    INFO(world.open_points());
    CHECK_FALSE(world.there("1.0.0"));
}

TEST_CASE("a machine made while its version waits out its grace takes the mark off, however late it is made") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        CAPTURE(seed);
        Used world(policy(), "", seed);
        world.pass_time(minutes{25});
        const auto until = parse_rfc3339(world.mark_of("1.0.0"));
        REQUIRE(until.has_value());
        while (world.clock.now() < *until - minutes{3 + static_cast<int>(seed)}) world.round(std::chrono::minutes{1});
        world.look();
        world.put(machine("late", "1.0.0"));
        world.pass_time(minutes{100});
        CHECK(world.there("1.0.0"));
        CHECK(world.mark_of("1.0.0") == "");
        CHECK_FALSE(world.there("1.1.0"));
    }
}

TEST_CASE("where users of the gallery are known, a machine is seen before the index shows it") {
    Used world;
    world.put(machine("known", "1.3.0"));
    world.pass_time(minutes{25});
    const auto until = parse_rfc3339(world.mark_of("1.0.0"));
    REQUIRE(until.has_value());
    world.faults("[{path: '*ResourceGraph*', graphLag: 3600}]");  // from now on it is an hour behind
    while (world.clock.now() < *until - minutes{2}) world.round(std::chrono::minutes{1});
    world.look();
    world.put(machine("new", "1.0.0"));
    world.pass_time(minutes{10});
    INFO(world.open_points());
    CHECK(world.there("1.0.0"));
    CHECK_FALSE(world.there("1.1.0"));
    world.pass_time(minutes{90});
    CHECK(world.there("1.0.0"));
    CHECK(world.usage_of("1.0.0").contains("new (virtual machine"));
}

TEST_CASE("a gallery shared with a subscription that cannot be read keeps what may be in use there") {
    Used world(policy(), "  sharing: {permissions: Groups, subscriptionIds: [" + consumer + ", " + other + "]}\n");
    world.azure.set_readable(other, false);
    world.put(machine("unseen", "1.0.0", other));
    world.pass_time(minutes{120});
    CHECK(world.deletes() == 0);
    CHECK(world.usage_of("1.1.0") == "its gallery is shared with subscriptions that cannot be read: " + other);
    world.azure.set_readable(other, true);
    world.pass_time(minutes{120});
    INFO(world.open_points());
    CHECK(world.there("1.0.0"));
    CHECK_FALSE(world.there("1.1.0"));
}

TEST_CASE("a right that is taken away from galleryd deletes nothing, also after a restart") {
    Used world;
    world.put(machine("unseen", "1.0.0", other));
    world.pass_time(minutes{10});
    CHECK(world.usage_of("1.0.0").starts_with("1 virtual machine"));
    world.azure.set_readable(other, false);
    world.pass_time(minutes{60});
    world.restart();
    world.pass_time(minutes{120});
    CHECK(world.deletes() == 0);
    CHECK(world.has_event("SubscriptionNotReadable"));
    CHECK(world.usage_of("1.1.0").contains("subscription " + other + " could be read on 2026-12-22"));
    world.azure.set_readable(other, true);
    world.pass_time(minutes{120});
    INFO(world.open_points());
    CHECK(world.there("1.0.0"));
    CHECK_FALSE(world.there("1.1.0"));
}

TEST_CASE("instances of a scale set on an old model keep its version, hidden ones keep every version") {
    Used world;
    SUBCASE("all are shown") {
        world.put(scale_set(estate::version_id("1.3.0"), 2));
        world.put(instance(0, "1.3.0"));
        world.put(instance(1, "1.0.0"));
        world.pass_time(minutes{150});
        CHECK(world.there("1.0.0"));
        CHECK_FALSE(world.there("1.1.0"));
        CHECK(world.usage_of("1.0.0").starts_with("1 scale set instance in 1 subscription: web/1 (scale set instance"));
    }
    SUBCASE("one is hidden") {
        world.put(scale_set(estate::version_id("1.3.0"), 2));
        world.put(instance(0, "1.3.0"));
        world.pass_time(minutes{150});
        CHECK(world.deletes() == 0);
        CHECK(world.usage_of("1.1.0") == "of scale set web 1 of 2 instances can be seen on images of this gallery");
    }
    SUBCASE("all are hidden, and the model has moved to another gallery") {
        world.put(scale_set(group() + "galleries/other/images/alma/versions/1.0.0", 2));
        world.pass_time(minutes{150});
        CHECK(world.deletes() == 0);
        CHECK(world.usage_of("1.1.0") ==
              "no instance of scale set web can be seen, and they may run an image that the model names no more");
    }
}

TEST_CASE("while Resource Graph does not answer nothing is deleted, and the reason says so") {
    Used world;
    world.pass_time(minutes{25});
    REQUIRE(world.mark_of("1.0.0") != "");
    world.faults("[{match: {path: '*ResourceGraph*', before: '" + format_rfc3339(world.clock.now() + minutes{91}) +
                 "'}, do: {status: 503}}]");
    world.pass_time(minutes{90});
    CHECK(world.deletes() == 0);
    CHECK(world.blocked_reasons().contains("usage_unknown"));
    CHECK(world.usage_of("1.0.0").starts_with("Resource Graph could not be asked who uses it: "));
    world.pass_time(minutes{30});
    INFO(world.open_points());
    CHECK(world.deletes() == 2);
}

TEST_CASE("a process killed at any request around the deletions never takes what came into use") {
    for (int request = 1; request <= 40; request += kill_stride) {
        CAPTURE(request);
        Used world;
        world.pass_time(minutes{70});
        world.transport.arm(KillPoint{request, false});
        world.pass_time(minutes{8});
        world.put(machine("late", "1.0.0"));
        world.restart();
        const bool was_there = world.there("1.0.0");
        world.pass_time(minutes{1});  // the index catches up
        if (was_there && world.there("1.0.0")) {
            world.pass_time(minutes{60});
            CHECK(world.there("1.0.0"));
        }
    }
}

TEST_CASE("the demo estate: what nobody uses goes a week later, what somebody uses stays and says who") {
    EngineOptions engine = WorldOptions::deleting_engine();
    engine.instance = "demo";
    World world({.knows_usage = true, .operations = std::chrono::seconds{45}, .engine = engine});
    world.load(estate::demo_state());
    world.declare(estate::demo_files());
    REQUIRE(world.problems == "");
    world.pass_time(minutes{60});
    const std::string images =
        estate::subscription + "/resourceGroups/rg-golden-images/providers/Microsoft.Compute/galleries/golden/images/";
    const auto tags_of = [&](const std::string& version) {
        const auto resource = world.azure_json(images + version);
        REQUIRE(resource.is_object());
        return resource["tags"];
    };
    const auto regions_of = [&](const std::string& version) {
        return world.azure_json(images + version)["properties"]["publishingProfile"]["targetRegions"].size();
    };
    CHECK(tags_of("rhel-9/versions/9.2.0").contains("galleryd-delete-after"));
    CHECK_FALSE(tags_of("ubuntu-2204/versions/1.0.5").contains("galleryd-delete-after"));
    CHECK(regions_of("ubuntu-2404/versions/1.5.0") == 1);  // East US and Canada East: not of its tier
    CHECK(regions_of("ubuntu-2204/versions/1.0.8") == 2);  // an instance runs it
    std::string why;
    for (const Blocked& blocked : world.plan("images/golden/ubuntu-2204").blocked) {
        if (blocked.arm_id == ResourceId(images + "ubuntu-2204/versions/1.0.5")) why = blocked.reasons.front().message;
    }
    CHECK(why.starts_with("in use: 1 virtual machine in 1 subscription: billing-db (virtual machine, group rg-shop, "));
    world.clock.advance(std::chrono::days{7});
    world.look();
    world.approves_all = true;
    world.pass_time(minutes{60});
    INFO(world.open_points());
    CHECK_FALSE(world.exists(images + "rhel-9/versions/9.2.0"));
    CHECK(world.exists(images + "ubuntu-2204/versions/1.0.5"));
    CHECK(regions_of("ubuntu-2204/versions/1.0.8") == 2);
}
