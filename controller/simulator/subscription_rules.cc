#include <algorithm>
#include <array>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/rules.h"

// Tenants, subscriptions, locations, providers, usages and the generic resource list.
namespace galleryd::simulator {
namespace {

constexpr std::string_view default_tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
constexpr std::string_view default_subscription = "00000000-0000-0000-0000-000000000001";
constexpr std::array<std::string_view, 17> regions{
    "eastus",        "eastus2",       "westus",      "westus2",    "westus3", "centralus",     "southcentralus",
    "canadacentral", "canadaeast",    "northeurope", "westeurope", "uksouth", "francecentral", "germanywestcentral",
    "swedencentral", "southeastasia", "japaneast"};
std::string tenant_of(const World& world) {
    return world.tenants.empty() ? std::string(default_tenant) : *world.tenants.begin();
}

Json subscription_body(const World& world, const std::string& id) {
    const auto own_tenant = world.around.subscription_tenants.find(fold_case(id));
    const std::string tenant =
        own_tenant == world.around.subscription_tenants.end() ? tenant_of(world) : own_tenant->second;
    return Json{{"id", "/subscriptions/" + id},
                {"authorizationSource", "RoleBased"},
                {"managedByTenants", Json::array()},
                {"subscriptionId", id},
                {"tenantId", tenant},
                {"displayName", "Simulated subscription " + id.substr(0, 8)},
                {"state", world.around.subscription_state(id)},
                {"subscriptionPolicies", Json{{"locationPlacementId", "Public_2014-09-01"},
                                              {"quotaId", "PayAsYouGo_2014-09-01"},
                                              {"spendingLimit", "Off"}}}};
}

Json list(std::vector<Json> rows) {
    Json body = Json::object();
    body["value"] = std::move(rows);
    return body;
}

// `az resource list` and `az group show` ask …/resources?$filter=resourceGroup eq 'x' and resourceType eq 'y'.
Json resources(const World& world, const Call& call) {
    const std::string filter = call.path.get("$filter");
    const auto quoted = [&filter](std::string_view field) {
        const std::size_t at = fold_case(filter).find(fold_case(field) + " eq '");
        if (at == std::string::npos) return std::string{};
        const std::size_t from = at + field.size() + 5;
        return fold_case(filter.substr(from, filter.find('\'', from) - from));
    };
    const std::string type = quoted("resourceType");
    const std::string name = quoted("name");
    const std::string group = call.path.group.empty() ? quoted("resourceGroup") : fold_case(call.path.group);
    const std::string prefix =
        fold_case("/subscriptions/" + call.path.subscription) + "/resourcegroups/" + (group.empty() ? "" : group + "/");
    std::vector<Json> rows;
    for (auto at = world.resources().lower_bound(prefix);
         at != world.resources().end() && at->first.starts_with(prefix); ++at) {
        const Resource& resource = at->second;
        if (resource.type == "resourcegroups" || resource.type.starts_with("microsoft.authorization/")) continue;
        if ((!type.empty() && resource.type != type) || (!name.empty() && fold_case(resource.name()) != name)) continue;
        Json row{{"id", resource.id},
                 {"name", resource.name()},
                 {"type", type_display(resource.type)},
                 {"location", resource.location()}};
        copy_member(resource.body, row, "tags", true);
        rows.push_back(std::move(row));
    }
    return list(std::move(rows));
}

}  // namespace

std::span<const std::string_view> known_regions() { return regions; }

Answer subscription_call(World& world, const Call& call) {
    Answer answer;
    answer.compact = true;
    const std::string& last = call.path.folded.back();
    const std::size_t depth = call.path.segments.size();
    std::vector<Json> rows;
    if (call.path.folded[0] == "tenants") {
        const std::string tenant = tenant_of(world);
        rows.push_back(Json{{"id", "/tenants/" + tenant},
                            {"tenantId", tenant},
                            {"displayName", "Simulated tenant"},
                            {"tenantCategory", "Home"}});
        answer.body = list(std::move(rows));
        return answer;
    }
    if (depth == 1) {
        for (const std::string& id : world.subscriptions) {
            if (!world.unreadable_subscriptions.contains(id)) rows.push_back(subscription_body(world, id));
        }
        if (rows.empty() && world.unreadable_subscriptions.empty())
            rows.push_back(subscription_body(world, std::string(default_subscription)));
        answer.body = list(std::move(rows));
        return answer;
    }
    if (depth == 2) {
        answer.body = subscription_body(world, call.path.segments[1]);
        return answer;
    }
    if (depth == 3 && last == "locations") {
        for (const std::string_view region : regions) {
            rows.push_back(
                Json{{"id", "/subscriptions/" + call.path.subscription + "/locations/" + std::string(region)},
                     {"name", region},
                     {"type", "Region"},
                     {"displayName", region_display_name(region)},
                     {"regionalDisplayName", "(simulated) " + region_display_name(region)},
                     {"metadata", Json{{"regionType", "Physical"}, {"regionCategory", "Recommended"}}}});
        }
        answer.body = list(std::move(rows));
        return answer;
    }
    if (last == "resources") {
        answer.body = resources(world, call);
        return answer;
    }
    if (last == "usages" && !call.path.names.empty()) {
        answer.body = usages_body(world, call);
        answer.compact = false;
        return answer;
    }
    if (call.path.folded[2] == "providers" && depth == 3) {
        for (const std::string_view name :
             {"Microsoft.Compute", "Microsoft.Storage", "Microsoft.Authorization", "Microsoft.Resources",
              "Microsoft.ResourceGraph", "Microsoft.VirtualMachineImages"})
            rows.push_back(provider_body(world, call, std::string(name)));
        answer.body = list(std::move(rows));
        return answer;
    }
    if (call.path.folded[2] == "providers" && (depth == 4 || (depth == 5 && last == "register"))) {
        const std::string& name = call.path.segments[3];
        if (last == "register") {
            world.around.provider_states[fold_case(call.path.subscription + "/" + name)] = "Registered";
            answer.changed = true;
        }
        answer.body = provider_body(world, call, name);
        return answer;
    }
    return error_answer(404, "NotFound", "The built-in Azure does not know '" + call.path.text + "'.");
}

}  // namespace galleryd::simulator
