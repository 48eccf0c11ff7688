#include <doctest/doctest.h>

#include "tests/simulation/schedule.h"

// What people do in Azure, and with machines that use versions.
namespace galleryd {

// Somebody deploys a version, takes a machine away, or takes galleryd's right to see them.
void Schedule::machine() {
    const std::string id = std::string("/subscriptions/") + consumer_subscription +
                           "/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/m" +
                           std::to_string(below(4));
    if (chance(0.4)) return world_.azure.remove_resource(id);
    if (chance(0.2)) return world_.azure.set_readable(consumer_subscription, chance(0.5));
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
    const std::string set = std::string("/subscriptions/") + consumer_subscription +
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

void Schedule::approve() {
    for (const auto& [name, plan] : world_.engine->plans()) {
        if (!plan.deletions_digest.empty()) return world_.approve(plan.deletions_digest);
    }
}

}  // namespace galleryd
