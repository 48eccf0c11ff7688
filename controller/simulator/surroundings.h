#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/result.h"
#include "controller/simulator/json.h"

// Internal: what an estate says about the subscriptions, providers and rights around its resources. What it does not
// name is as in a subscription where everything is allowed, registered and offered.
namespace galleryd::simulator {

struct GrantedRights {
    std::string client;  // folded; "" for everybody
    std::string scope;   // folded; "" at the root
    std::vector<std::string> actions, not_actions;
};

struct Surroundings {
    std::map<std::string, std::string> subscription_states;   // folded id -> "Disabled"
    std::map<std::string, std::string> subscription_tenants;  // folded id -> tenant
    std::map<std::string, std::string> provider_states;       // folded namespace, or id/namespace -> "NotRegistered"
    std::map<std::string, std::string> feature_states;        // folded "microsoft.compute/sigsoftdelete"
    std::map<std::string, std::vector<std::string>> api_versions;  // folded resource type -> what is offered
    std::map<std::string, std::size_t> usage_limits;               // "Gallery" -> 1
    std::vector<std::string> compute_regions;                      // short; empty: all
    std::vector<GrantedRights> rights;                             // empty: everything is allowed

    std::string subscription_state(std::string_view id) const;
    std::string provider_state(std::string_view subscription, std::string_view name) const;
    const std::vector<std::string>* offered_versions(std::string_view type) const;  // null: the built-in ones
    std::size_t usage_limit(std::string_view name, std::size_t otherwise) const;
    // Entries that apply to the client at the scope: given there or above it.
    struct Asked {
        std::string_view scope;   // folded
        std::string_view client;  // any case; who asks
    };
    std::vector<const GrantedRights*> rights_at(const Asked& asked) const;
    bool allows(const Asked& asked, std::string_view action) const;
    // Whether Resource Graph shows the subscription (lower case) to this client: where rights are given to single
    // clients, to those who have any in it; else to everybody.
    bool shows(std::string_view subscription, std::string_view client) const;
};

// {"subscriptionStates": {"ID": "Disabled"}, "subscriptionTenants": {"ID": "TENANT"}, "providers": {"Microsoft.Compute"
// or "ID/Microsoft.Compute": "NotRegistered"}, "features": {"Microsoft.Compute/SIGSoftDelete": "NotRegistered"},
// "apiVersions":
// {"Microsoft.Compute/galleries": ["2021-10-01"]}, "usageLimits": {"Gallery": 1}, "computeRegions": ["eastus"],
// "rights": [{"scope", "actions", "notActions", "client"}]} of a state file. Adds to what is there.
void load_surroundings(Surroundings& around, const Json& document);
void save_surroundings(const Surroundings& around, Json& document);

}  // namespace galleryd::simulator
