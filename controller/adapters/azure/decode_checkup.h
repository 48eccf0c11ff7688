#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/adapters/azure/decode.h"
#include "controller/core/result.h"
#include "controller/core/time.h"

// What `galleryd doctor` asks about the surroundings of galleries: subscriptions, rights, providers, features, usages.
// Pure and as strict as decode.h: a half or foreign answer is an error (GD300n), never an empty one.
namespace galleryd::azure {

struct SubscriptionFacts {
    std::string id, name, tenant;
    std::string state;                            // Enabled, Warned, PastDue, Disabled, Deleted
    std::vector<std::string> managed_by_tenants;  // delegated (Azure Lighthouse)
};
Result<SubscriptionFacts> decode_subscription(std::string_view json);
Result<Page<SubscriptionFacts>> decode_subscription_page(std::string_view json);

// One role assignment's worth of rights. An action is held when one set names it in `actions` and not in `not_actions`.
struct RightSet {
    std::vector<std::string> actions, not_actions;  // with `*` for any run of characters
};
struct Rights {
    std::vector<RightSet> sets;
    bool complete = true;  // false: there are more pages than were read
};
// …/providers/Microsoft.Authorization/permissions of a group or resource (authorization 2022-04-01).
Result<Rights> decode_rights(std::string_view json);

struct ProviderType {
    std::string name;  // "galleries/images"
    std::vector<std::string> api_versions;
    std::vector<std::string> regions;  // short form
};
struct ProviderFacts {
    std::string name, state;  // Registered, Registering, NotRegistered, Unregistering, Unregistered
    std::vector<ProviderType> types;
    const ProviderType* find(std::string_view type) const;  // any case
};
Result<ProviderFacts> decode_provider(std::string_view json);

Result<std::string> decode_feature_state(std::string_view json);  // Registered, Registering, Pending, NotRegistered, …

struct UsageRow {
    std::string name;  // "Gallery", "GalleryImage", "GalleryImageVersion"
    std::int64_t current = 0, limit = 0;
};
Result<std::vector<UsageRow>> decode_usages(std::string_view json);

// What an access token says about its bearer. The signature is not looked at: Azure does that.
struct TokenIdentity {
    std::string tenant, object_id, app_id, user, audience;
    std::optional<TimePoint> expires;
    bool is_user = false;  // a person's sign-in
};
std::optional<TokenIdentity> find_token_identity(std::string_view token);  // nullopt: an opaque token

// The same of a workload's token (Kubernetes, GitHub, …): what a federated credential has to match.
struct Workload {
    std::string issuer, subject, audience;
};
std::optional<Workload> find_workload(std::string_view token);

}  // namespace galleryd::azure
