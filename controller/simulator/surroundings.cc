#include "controller/simulator/surroundings.h"

#include <algorithm>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/faults.h"

namespace galleryd::simulator {
namespace {

void load_texts(const Json& object, std::map<std::string, std::string>& texts) {
    if (!object.is_object()) return;
    for (const auto& [name, value] : object.items()) texts[fold_case(name)] = value.get<std::string>();
}

std::vector<std::string> texts_of(const Json& list) {
    return list.is_array() ? list.get<std::vector<std::string>>() : std::vector<std::string>{};
}

bool names(const std::vector<std::string>& patterns, std::string_view action) {
    return std::ranges::any_of(patterns,
                               [action](const std::string& pattern) { return matches_glob(pattern, action); });
}

}  // namespace

std::string Surroundings::subscription_state(std::string_view id) const {
    const auto found = subscription_states.find(fold_case(id));
    return found == subscription_states.end() ? "Enabled" : found->second;
}

std::string Surroundings::provider_state(std::string_view subscription, std::string_view name) const {
    const std::string folded = fold_case(name);
    auto found = provider_states.find(fold_case(subscription) + "/" + folded);
    if (found == provider_states.end()) found = provider_states.find(folded);
    return found == provider_states.end() ? "Registered" : found->second;
}

const std::vector<std::string>* Surroundings::offered_versions(std::string_view type) const {
    const auto found = api_versions.find(fold_case(type));
    return found == api_versions.end() ? nullptr : &found->second;
}

std::size_t Surroundings::usage_limit(std::string_view name, std::size_t otherwise) const {
    const auto found = usage_limits.find(std::string(name));
    return found == usage_limits.end() ? otherwise : found->second;
}

std::vector<const GrantedRights*> Surroundings::rights_at(const Asked& asked) const {
    std::vector<const GrantedRights*> found;
    for (const GrantedRights& one : rights) {
        const bool above = asked.scope.starts_with(one.scope) &&
                           (asked.scope.size() == one.scope.size() || asked.scope[one.scope.size()] == '/');
        if (above && (one.client.empty() || one.client == fold_case(asked.client))) found.push_back(&one);
    }
    return found;
}

bool Surroundings::allows(const Asked& asked, std::string_view action) const {
    if (rights.empty()) return true;
    return std::ranges::any_of(rights_at(asked), [action](const GrantedRights* one) {
        return names(one->actions, action) && !names(one->not_actions, action);
    });
}

bool Surroundings::shows(std::string_view subscription, std::string_view client) const {
    if (std::ranges::all_of(rights, [](const GrantedRights& one) { return one.client.empty(); })) return true;
    const std::string asker = fold_case(client), scope = "/subscriptions/" + std::string(subscription);
    return std::ranges::any_of(rights, [&](const GrantedRights& one) {
        const bool is_his = one.client.empty() || one.client == asker;
        return is_his && (one.scope.empty() || one.scope == scope || one.scope.starts_with(scope + "/"));
    });
}

void load_surroundings(Surroundings& around, const Json& document) {
    if (!document.is_object()) return;
    load_texts(member(document, "subscriptionStates"), around.subscription_states);
    load_texts(member(document, "subscriptionTenants"), around.subscription_tenants);
    load_texts(member(document, "providers"), around.provider_states);
    load_texts(member(document, "features"), around.feature_states);
    if (const Json& versions = member(document, "apiVersions"); versions.is_object()) {
        for (const auto& [type, list] : versions.items()) around.api_versions[fold_case(type)] = texts_of(list);
    }
    if (const Json& limits = member(document, "usageLimits"); limits.is_object()) {
        for (const auto& [name, limit] : limits.items()) around.usage_limits[name] = limit.get<std::size_t>();
    }
    for (const std::string& region : texts_of(member(document, "computeRegions")))
        around.compute_regions.push_back(normalise_region(region));
    for (const Json& entry : member(document, "rights")) {
        std::string scope = fold_case(text_of(entry, "scope"));
        if (scope.ends_with('/')) scope.pop_back();
        around.rights.push_back({.client = fold_case(text_of(entry, "client")),
                                 .scope = std::move(scope),
                                 .actions = texts_of(member(entry, "actions")),
                                 .not_actions = texts_of(member(entry, "notActions"))});
    }
}

void save_surroundings(const Surroundings& around, Json& document) {
    if (!around.subscription_states.empty()) document["subscriptionStates"] = around.subscription_states;
    if (!around.subscription_tenants.empty()) document["subscriptionTenants"] = around.subscription_tenants;
    if (!around.provider_states.empty()) document["providers"] = around.provider_states;
    if (!around.feature_states.empty()) document["features"] = around.feature_states;
    if (!around.api_versions.empty()) document["apiVersions"] = around.api_versions;
    if (!around.usage_limits.empty()) document["usageLimits"] = around.usage_limits;
    if (!around.compute_regions.empty()) document["computeRegions"] = around.compute_regions;
    for (const GrantedRights& one : around.rights)
        document["rights"].push_back(Json{
            {"client", one.client}, {"scope", one.scope}, {"actions", one.actions}, {"notActions", one.not_actions}});
}

}  // namespace galleryd::simulator
