#pragma once
#include <string>

#include "tests/unit/azure/graph_bench.h"

// Machines, scale sets, templates and versions that use gallery images, as a GET prints them.
namespace galleryd::azure::test {

inline const std::string second_subscription = "22222222-2222-2222-2222-222222222222";
inline const std::string third_subscription = "33333333-3333-3333-3333-333333333333";

inline std::string app_group(const std::string& subscription) {
    return "/subscriptions/" + subscription + "/resourceGroups/rg-app/providers/";
}

inline std::string machine(const std::string& name, const std::string& reference,
                           const std::string& subscription = second_subscription) {
    return R"({"id": ")" + app_group(subscription) + "Microsoft.Compute/virtualMachines/" + name +
           R"(", "location": "eastus2", "properties": {"provisioningState": "Succeeded", "storageProfile": {"imageReference": )" +
           reference + "}}}";
}

inline std::string scale_set(const std::string& name, const std::string& reference, int capacity,
                             const std::string& mode = "Uniform") {
    return R"({"id": ")" + app_group(second_subscription) + "Microsoft.Compute/virtualMachineScaleSets/" + name +
           R"(", "location": "eastus2", "sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": )" +
           std::to_string(capacity) + R"(}, "properties": {"orchestrationMode": ")" + mode +
           R"(", "virtualMachineProfile": {"storageProfile": {"imageReference": )" + reference + "}}}}";
}

inline std::string instance(const std::string& scale_set_name, int number, const std::string& reference) {
    return R"({"id": ")" + app_group(second_subscription) + "Microsoft.Compute/virtualMachineScaleSets/" +
           scale_set_name + "/virtualMachines/" + std::to_string(number) +
           R"(", "location": "eastus2", "properties": {"storageProfile": {"imageReference": )" + reference + "}}}";
}

inline std::string template_of(const std::string& name, const std::string& version) {
    return R"({"id": ")" + app_group(second_subscription) + "Microsoft.VirtualMachineImages/imageTemplates/" + name +
           R"(", "location": "eastus2", "properties": {"source": {"type": "SharedImageVersion", "imageVersionId": ")" +
           version + R"("}}})";
}

inline std::string by_id(const std::string& id, const std::string& exact = "") {
    return R"({"id": ")" + id + "\"" + (exact.empty() ? "" : R"(, "exactVersion": ")" + exact + "\"") + "}";
}

struct UsageBench : GraphBench {
    explicit UsageBench(simulator::Options options = simulator::GraphBox::without_lag(), GraphOptions graph = {})
        : GraphBench(std::move(options), std::move(graph)) {
        box.estate(2, 2, 3);
        put(R"({"subscriptions": [")" + second_subscription + R"("], "resources": []})");
    }
    void put(const std::string& json) {
        const Status made = box.azure.put_resource(json);
        REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().message));
    }
    Result<UsageAnswer> ask() { return run(client.users_of({ResourceId(gallery)})); }
    UsageAnswer answer() {
        auto answer = ask();
        REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().message));
        return std::move(*answer);
    }
    ResourceId version(const std::string& number) const { return ResourceId(definition + "/versions/" + number); }

    const std::string gallery = box.galleries + "g0";
    const std::string definition = gallery + "/images/d0";
};

}  // namespace galleryd::azure::test
