#include <algorithm>
#include <array>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/rules.h"

// Resource providers, preview features, usages: what a subscription offers, and requests that need what it does not.
namespace galleryd::simulator {
namespace {

struct OfferedType {
    std::string_view provider, type;
    std::string_view versions;  // separated by blanks, newest first
};
constexpr std::string_view compute_versions =
    "2026-03-03 2025-12-03 2025-09-01 2025-03-03 2024-03-03 2023-07-03 2022-08-03 2022-03-03 2022-01-03 2021-10-01 "
    "2021-07-01 2020-09-30 2019-12-01 2019-07-01 2019-03-01 2018-06-01";
// Lists other than the galleries' hold what clients were seen to use; unverified beyond that.
constexpr std::array<OfferedType, 14> offered_types{{
    {"Microsoft.Compute", "galleries", compute_versions},
    {"Microsoft.Compute", "galleries/images", compute_versions},
    {"Microsoft.Compute", "galleries/images/versions", compute_versions},
    {"Microsoft.Compute", "images", "2024-07-01 2024-03-01 2023-09-01"},
    {"Microsoft.Compute", "snapshots", "2024-03-02 2023-10-02"},
    {"Microsoft.Compute", "disks", "2024-03-02 2023-10-02"},
    {"Microsoft.Compute", "virtualMachines", "2024-07-01 2024-03-01"},
    {"Microsoft.Compute", "virtualMachineScaleSets", "2024-07-01 2024-03-01"},
    {"Microsoft.Storage", "storageAccounts", "2023-05-01 2023-01-01 2022-09-01"},
    {"Microsoft.Authorization", "roleAssignments", "2022-04-01 2020-04-01-preview 2015-07-01"},
    {"Microsoft.Authorization", "permissions", "2022-04-01 2018-07-01 2015-07-01"},
    {"Microsoft.Resources", "resourceGroups", "2024-11-01 2024-07-01 2022-09-01 2021-04-01"},
    {"Microsoft.ResourceGraph", "resources", "2024-04-01 2022-10-01 2021-03-01"},
    {"Microsoft.VirtualMachineImages", "imageTemplates", "2024-02-01 2023-07-01"},
}};

Json words(std::string_view text) {
    Json list = Json::array();
    while (!text.empty()) {
        const std::size_t end = text.find(' ');
        list.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return list;
}

Json type_body(const World& world, const OfferedType& offered) {
    const std::string full = std::string(offered.provider) + "/" + std::string(offered.type);
    Json versions = words(offered.versions);
    const std::vector<std::string>* own = world.around.offered_versions(full);
    // One entry for galleries stands for what is below them, as one provider release brings all three.
    if (own == nullptr && full.starts_with("Microsoft.Compute/galleries"))
        own = world.around.offered_versions("Microsoft.Compute/galleries");
    if (own != nullptr) versions = *own;
    Json locations = Json::array();
    for (const std::string_view region : known_regions()) {
        const auto& chosen = world.around.compute_regions;
        const bool is_compute = offered.provider == "Microsoft.Compute";
        if (is_compute && !chosen.empty() && std::ranges::find(chosen, region) == chosen.end()) continue;
        locations.push_back(region_display_name(region));
    }
    return Json{{"resourceType", offered.type},
                {"locations", std::move(locations)},
                {"apiVersions", std::move(versions)},
                {"capabilities", "SupportsTags, SupportsLocation"}};
}

}  // namespace

Json provider_body(const World& world, const Call& call, const std::string& name) {
    Json types = Json::array();
    std::string shown = name;
    for (const OfferedType& offered : offered_types) {
        if (fold_case(offered.provider) != fold_case(name)) continue;
        shown = std::string(offered.provider);
        types.push_back(type_body(world, offered));
    }
    const bool is_free = shown == "Microsoft.Authorization" || shown == "Microsoft.Resources";
    return Json{{"id", "/subscriptions/" + call.path.subscription + "/providers/" + shown},
                {"namespace", shown},
                {"resourceTypes", std::move(types)},
                {"registrationPolicy", is_free ? "RegistrationFree" : "RegistrationRequired"},
                {"registrationState", world.around.provider_state(call.path.subscription, shown)}};
}

Json usages_body(const World& world, const Call& call) {
    struct Row {
        std::string_view name, label, type;
        std::size_t limit;
    };
    static constexpr std::array<Row, 4> known{
        {{"Gallery", "Gallery", "microsoft.compute/galleries", 100},
         {"GalleryImage", "Gallery Image", "microsoft.compute/galleries/images", 1000},
         {"GalleryImageVersion", "Gallery Image Version", "microsoft.compute/galleries/images/versions", 10000},
         {"GalleryApplicationVersion", "Gallery Application Version",
          "microsoft.compute/galleries/applications/versions", 10000}}};
    Json body = Json::object();
    body["value"] = Json::array();
    for (const Row& row : known) {
        const std::size_t count = world.count(call.path.subscription, call.path.names.front(), std::string(row.type));
        body["value"].push_back(Json{{"limit", world.around.usage_limit(row.name, row.limit)},
                                     {"unit", "Count"},
                                     {"currentValue", count},
                                     {"name", Json{{"value", row.name}, {"localizedValue", row.label}}}});
    }
    return body;
}

// GET …/providers/Microsoft.Features/providers/{namespace}/features/{name}; which features exist is not known here, so
// every one does.
Answer feature_call(const World& world, const Call& call) {
    const std::vector<std::string>& at = call.path.segments;
    if (call.method() != "GET" || at.size() != 8)
        return error_answer(404, "NotFound", "The built-in Azure does not know '" + call.path.text + "'.");
    const std::string& provider = at[5];
    const std::string& name = at[7];
    const auto found = world.around.feature_states.find(fold_case(provider + "/" + name));
    if (found != world.around.feature_states.end() && found->second.empty())
        return error_answer(404, "FeatureNotFound",
                            "The feature '" + name + "' could not be found in the namespace '" + provider + "'.");
    Answer answer;
    answer.compact = true;
    answer.body =
        Json{{"properties", Json{{"state", found == world.around.feature_states.end() ? "Registered" : found->second}}},
             {"id", "/subscriptions/" + call.path.subscription + "/providers/Microsoft.Features/providers/" + provider +
                        "/features/" + name},
             {"type", "Microsoft.Features/providers/features"},
             {"name", provider + "/" + name}};
    return answer;
}

// 409 for whatever belongs to a provider that the subscription has not registered.
std::optional<Answer> check_registration(const World& world, const Call& call) {
    const std::string& provider = call.path.provider;
    const bool asks_about_it =
        call.path.type == provider || call.path.type.ends_with("/register") || call.path.type.ends_with("/features");
    if (asks_about_it || (provider != "microsoft.compute" && provider != "microsoft.storage")) return std::nullopt;
    const std::string state = fold_case(world.around.provider_state(call.path.subscription, provider));
    if (state == "registered" || state == "registering") return std::nullopt;
    const std::string shown = provider == "microsoft.compute" ? "Microsoft.Compute" : "Microsoft.Storage";
    return error_answer(409, "MissingSubscriptionRegistration",
                        "The subscription is not registered to use namespace '" + shown +
                            "'. See https://aka.ms/rps-not-found for how to register subscriptions.",
                        shown);
}

// A disabled subscription can be read but not written (text unverified beyond Microsoft's troubleshooting page).
std::optional<Answer> check_enabled(const World& world, const Call& call) {
    if (call.method() == "GET" || call.method() == "HEAD") return std::nullopt;
    const std::string state = fold_case(world.around.subscription_state(call.path.subscription));
    if (state != "disabled" && state != "deleted") return std::nullopt;
    return error_answer(409, "ReadOnlyDisabledSubscription",
                        "The subscription '" + call.path.subscription +
                            "' is disabled and therefore marked as read only. You cannot perform any write actions on "
                            "this subscription until it is re-enabled.");
}

}  // namespace galleryd::simulator
