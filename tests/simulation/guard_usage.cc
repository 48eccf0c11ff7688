#include <nlohmann/json.hpp>

#include "tests/simulation/world.h"

// The guard's eye on who uses a version: every machine that exists, when it was first there, and no knowledge of how
// the daemon finds out.
namespace galleryd {
namespace {

using Json = nlohmann::json;

// 95 % of changes are in the index within 28 s, falling off exponentially: three minutes are certain enough for a test.
constexpr std::chrono::minutes index_lag_max{3};

constexpr std::chrono::minutes memory_saved_within{2};  // the daemon writes down what it saw once a minute

bool runs(const Json& machine, const ResourceId& version) {
    const Json none = Json::object();
    const Json properties = machine.value("properties", none);
    const Json reference = properties.value("storageProfile", none).value("imageReference", none);
    const ResourceId image(reference.value("id", ""));
    const bool by_definition = image == *version.parent() && reference.value("exactVersion", "") == version.name();
    return image == version || by_definition;
}

}  // namespace

void Guard::note_machines() {
    if (!world_.knows_usage()) return;
    std::map<std::string, TimePoint> now_there;
    for (const char* type :
         {"Microsoft.Compute/virtualMachines", "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"}) {
        for (const std::string& id : world_.azure.resource_ids(type)) {
            const auto known = machines_.find(id);
            now_there[id] = known == machines_.end() ? world_.clock.now() : known->second;
        }
    }
    machines_ = std::move(now_there);
}

// A subscription that this state directory never was shown can hide anything: nobody can know of it.
void Guard::note_shown_subscriptions(const std::string& answer) {
    for (const auto& [machine, since] : machines_) {
        const std::string subscription = ResourceId(machine).subscription();
        if (answer.contains(subscription)) shown_since_.try_emplace(subscription, world_.clock.now());
    }
}

// What the last process saw right before its end it may not have written down.
void Guard::process_started() {
    stopped_ = false;
    std::erase_if(shown_since_,
                  [&](const auto& shown) { return world_.clock.now() - shown.second < memory_saved_within; });
}

void Guard::judge_use(const std::string& id) {
    note_machines();
    for (const auto& [machine, since] : machines_) {
        if (world_.clock.now() - since < index_lag_max) continue;
        const std::string subscription = ResourceId(machine).subscription();
        const bool may_be_known = world_.azure.is_readable(subscription) || shown_since_.contains(subscription);
        if (forgives_what_nobody_sees && !may_be_known) continue;
        if (runs(world_.azure_json(machine), ResourceId(id)))
            wrong("I1: " + id + " is taken away, and " + machine + " runs it since " + format_rfc3339(since));
    }
}

}  // namespace galleryd
