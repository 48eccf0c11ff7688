#include "controller/adapters/azure/decode_checkup.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controller/adapters/azure/credential_jwt.h"
#include "controller/adapters/azure/json_read.h"
#include "controller/core/region.h"
#include "controller/core/resource_id.h"

namespace galleryd::azure {
namespace {

constexpr std::size_t text_bytes_max = 200;

std::string shown(const Json& object, std::string_view key) {
    return printable(text_member(object, key), text_bytes_max);
}

std::vector<std::string> texts_of(const Json& list) {
    std::vector<std::string> texts;
    if (!list.is_array()) return texts;
    for (const Json& one : list) {
        if (one.is_string()) texts.push_back(printable(one.get<std::string>(), text_bytes_max));
    }
    return texts;
}

Result<SubscriptionFacts> read_subscription(const Json& row) {
    SubscriptionFacts facts{.id = fold_case(shown(row, "subscriptionId")),
                            .name = shown(row, "displayName"),
                            .tenant = fold_case(shown(row, "tenantId")),
                            .state = shown(row, "state"),
                            .managed_by_tenants = {}};
    if (facts.id.empty()) return unreadable("GD3005", "the answer describes no subscription");
    const Json& managers = member(row, "managedByTenants");
    if (managers.is_array()) {
        for (const Json& one : managers) facts.managed_by_tenants.push_back(fold_case(shown(one, "tenantId")));
    }
    return facts;
}

}  // namespace

Result<SubscriptionFacts> decode_subscription(std::string_view json) {
    const auto tree = parse_json(json, "subscription");
    if (!tree) return std::unexpected(tree.error());
    return read_subscription(*tree);
}

Result<Page<SubscriptionFacts>> decode_subscription_page(std::string_view json) {
    const auto tree = parse_json(json, "list of subscriptions");
    if (!tree) return std::unexpected(tree.error());
    const Json& rows = member(*tree, "value");
    if (!rows.is_array()) return unreadable("GD3003", "list of subscriptions: the page has no \"value\" list");
    Page<SubscriptionFacts> page;
    for (const Json& row : rows) {
        auto facts = read_subscription(row);
        if (!facts) return std::unexpected(std::move(facts.error()));
        page.items.push_back(std::move(*facts));
    }
    page.next_link = text_member(*tree, "nextLink");
    return page;
}

Result<Rights> decode_rights(std::string_view json) {
    const auto tree = parse_json(json, "permissions");
    if (!tree) return std::unexpected(tree.error());
    const Json& rows = member(*tree, "value");
    if (!rows.is_array()) return unreadable("GD3003", "permissions: the page has no \"value\" list");
    Rights rights;
    for (const Json& row : rows)
        rights.sets.push_back(
            {.actions = texts_of(member(row, "actions")), .not_actions = texts_of(member(row, "notActions"))});
    rights.complete = text_member(*tree, "nextLink").empty();
    return rights;
}

const ProviderType* ProviderFacts::find(std::string_view type) const {
    const auto found = std::ranges::find_if(
        types, [wanted = fold_case(type)](const ProviderType& one) { return fold_case(one.name) == wanted; });
    return found == types.end() ? nullptr : &*found;
}

Result<ProviderFacts> decode_provider(std::string_view json) {
    const auto tree = parse_json(json, "resource provider");
    if (!tree) return std::unexpected(tree.error());
    ProviderFacts facts{.name = shown(*tree, "namespace"), .state = shown(*tree, "registrationState"), .types = {}};
    const Json& types = member(*tree, "resourceTypes");
    if (facts.state.empty() || !types.is_array())
        return unreadable("GD3005", "the answer describes no resource provider");
    for (const Json& row : types) {
        ProviderType type{.name = shown(row, "resourceType"),
                          .api_versions = texts_of(member(row, "apiVersions")),
                          .regions = texts_of(member(row, "locations"))};
        for (std::string& region : type.regions) region = normalise_region(region);
        facts.types.push_back(std::move(type));
    }
    return facts;
}

Result<std::string> decode_feature_state(std::string_view json) {
    const auto tree = parse_json(json, "feature");
    if (!tree) return std::unexpected(tree.error());
    std::string state = shown(member(*tree, "properties"), "state");
    if (state.empty()) return unreadable("GD3005", "the answer describes no feature");
    return state;
}

Result<std::vector<UsageRow>> decode_usages(std::string_view json) {
    const auto tree = parse_json(json, "usages");
    if (!tree) return std::unexpected(tree.error());
    const Json& rows = member(*tree, "value");
    if (!rows.is_array()) return unreadable("GD3003", "usages: the page has no \"value\" list");
    std::vector<UsageRow> usages;
    for (const Json& row : rows) {
        const Json& current = member(row, "currentValue");
        const Json& limit = member(row, "limit");
        if (!current.is_number_integer() || !limit.is_number_integer()) continue;
        usages.push_back({.name = shown(member(row, "name"), "value"),
                          .current = current.get<std::int64_t>(),
                          .limit = limit.get<std::int64_t>()});
    }
    return usages;
}

std::optional<TokenIdentity> find_token_identity(std::string_view token) {
    const auto payload = find_jwt_payload(token);
    if (!payload) return std::nullopt;
    const auto claims = parse_json(*payload, "token");
    if (!claims || !claims->is_object()) return std::nullopt;
    TokenIdentity identity{.tenant = shown(*claims, "tid"),
                           .object_id = shown(*claims, "oid"),
                           .app_id = shown(*claims, "appid"),
                           .user = shown(*claims, "upn"),
                           .audience = shown(*claims, "aud"),
                           .expires = std::nullopt};
    if (identity.app_id.empty()) identity.app_id = shown(*claims, "azp");  // version 2.0 tokens
    if (identity.user.empty()) identity.user = shown(*claims, "unique_name");
    // idtyp is optional; delegated tokens carry scopes (Microsoft's access token claims reference).
    const std::string type = fold_case(shown(*claims, "idtyp"));
    identity.is_user = type == "user" || (type.empty() && (!identity.user.empty() || !shown(*claims, "scp").empty()));
    if (const auto times = find_jwt_times(token)) identity.expires = times->expires;
    return identity;
}

std::optional<Workload> find_workload(std::string_view token) {
    const auto payload = find_jwt_payload(token);
    if (!payload) return std::nullopt;
    const auto claims = parse_json(*payload, "token");
    if (!claims || !claims->is_object()) return std::nullopt;
    Workload workload{
        .issuer = shown(*claims, "iss"), .subject = shown(*claims, "sub"), .audience = shown(*claims, "aud")};
    const std::vector<std::string> audiences = texts_of(member(*claims, "aud"));
    if (!audiences.empty()) workload.audience = audiences.front();
    return workload;
}

}  // namespace galleryd::azure
