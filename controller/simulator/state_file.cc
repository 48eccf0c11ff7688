#include "controller/simulator/state_file.h"

#include <array>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/replication.h"
#include "controller/simulator/rules.h"
#include "controller/simulator/simulator.h"
#include "controller/simulator/version_rules.h"

namespace galleryd::simulator {
namespace {

constexpr std::array<std::string_view, 13> top_members{
    "id",   "name",  "type", "location",         "tags",      "identity",  "sku",
    "kind", "zones", "plan", "extendedLocation", "managedBy", "properties"};

void drop_nulls(Json& value) {
    if (value.is_object()) {
        for (auto at = value.begin(); at != value.end();) {
            if (at->is_null()) {
                at = value.erase(at);
                continue;
            }
            drop_nulls(*at);
            ++at;
        }
    } else if (value.is_array()) {
        for (Json& entry : value) drop_nulls(entry);
    }
}

// `az … show` prints without "properties" and with nulls and a resourceGroup: brought back to what the REST call says.
Json as_printed_by_arm(Json&& body) {
    if (body.contains("properties")) return std::move(body);
    Json arm = Json::object();
    Json properties = Json::object();
    for (auto& [name, value] : body.items()) {
        if (name == "resourceGroup" || name == "systemData") continue;
        const bool top = std::ranges::find(top_members, name) != top_members.end();
        (top ? arm : properties)[name] = std::move(value);
    }
    drop_nulls(properties);
    if (!properties.empty()) arm["properties"] = std::move(properties);
    return arm;
}

void ensure_group(World& world, const Resource& resource) {
    const std::string group = resource.group();
    if (group.empty()) return;
    Resource made;
    made.id = resource_group_id(resource.subscription(), group).text();
    made.key = fold_case(made.id);
    if (world.find(made.key) != nullptr) return;
    made.type = "resourcegroups";
    made.body["id"] = made.id;
    made.body["name"] = group;
    made.body["type"] = "Microsoft.Resources/resourceGroups";
    made.body["location"] = resource.location().empty() ? "eastus" : resource.location();
    made.set_state("Succeeded");
    world.put(std::move(made));
}

void fill_gallery(Resource& gallery) {
    Json& properties = gallery.body["properties"];
    if (!text_of(member(properties, "identifier"), "uniqueName").empty()) return;
    std::string name = gallery.name();
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    properties["identifier"]["uniqueName"] = gallery.subscription() + "-" + name;
}

void fill_version(World& world, Resource& version) {
    Json& properties = version.body["properties"];
    Json& profile = properties["publishingProfile"];
    if (!profile.is_object()) profile = Json::object();
    if (!profile.contains("replicaCount")) profile["replicaCount"] = 1;
    if (!profile.contains("excludeFromLatest")) profile["excludeFromLatest"] = false;
    if (!profile.contains("publishedDate")) profile["publishedDate"] = world.timestamp(world.now);
    if (!profile.contains("storageAccountType")) profile["storageAccountType"] = "Standard_LRS";
    if (!profile.contains("targetRegions") && !profile.contains("targetExtendedLocations"))
        profile["targetRegions"] = Json::array({Json{{"name", version.location()}}});
    for (Json& region : profile["targetRegions"]) {
        region["name"] = region_display_name(normalise_region(text_of(region, "name")));
        if (!region.contains("regionalReplicaCount")) region["regionalReplicaCount"] = profile["replicaCount"];
        if (!region.contains("storageAccountType")) region["storageAccountType"] = profile["storageAccountType"];
    }
    Json& safety = properties["safetyProfile"];
    if (!safety.contains("reportedForPolicyViolation")) safety["reportedForPolicyViolation"] = false;
    if (!safety.contains("allowDeletionOfReplicatedLocations")) safety["allowDeletionOfReplicatedLocations"] = false;
    const Json status = member(properties, "replicationStatus");
    properties.erase("replicationStatus");
    properties.erase("validationsProfile");
    const bool creating = version.state() == "Creating";
    for (const std::string& region : target_regions(version.body)) {
        RegionCopy copy{.region = region, .starts = world.now, .done = world.now, .failure = {}};
        if (creating) copy.done = world.now + std::chrono::minutes(7);
        for (const Json& row : member(status, "summary")) {
            if (normalise_region(text_of(row, "region")) != region) continue;
            const std::string state = text_of(row, "state");
            copy.done = world.now;
            if (state == "Failed")
                copy.failure =
                    text_of(row, "details").empty() ? "Failed with internal server error." : text_of(row, "details");
            if (state == "Replicating" || state == "Unknown") copy.done = world.now + std::chrono::minutes(5);
        }
        version.copies.push_back(std::move(copy));
    }
}

// What was under way when the estate was written goes on.
void resume(World& world, Resource& resource) {
    const std::string state = resource.state();
    const bool is_version = resource.type == version_type;
    if (state == "Creating" || state == "Updating") {
        world.begin(resource, state == "Creating" ? OperationKind::create : OperationKind::update, "2024-03-03",
                    is_version ? Duration(std::chrono::minutes(state == "Creating" ? 7 : 3)) : quick_length(world));
    } else if (state == "Deleting") {
        resource.deleting = true;
        world.begin(resource, OperationKind::remove, "2024-03-03",
                    is_version ? removal_length(world) : quick_length(world));
    }
}

Status load_one(World& world, Json& given, std::size_t index) {
    const std::string id = text_of(given, "id");
    const auto parsed = parse_resource_id(id);
    const bool root_scope = id.starts_with("/providers/");
    if (!parsed && !root_scope) {
        return fail(ErrorKind::invalid, "StateInvalid",
                    "state file, resource " + std::to_string(index) + ": '" +
                        (id.empty() ? given.dump().substr(0, 80) : id) + "' has no valid \"id\"");
    }
    const Path path = parse_path(id);
    Resource resource;
    resource.id = canonical_id(path);
    resource.key = path.key;
    resource.type = path.type;
    Json printed = as_printed_by_arm(std::move(given));
    const bool is_group = resource.type == "resourcegroups";
    if (!is_group) resource.body["name"] = path.name();
    resource.body["id"] = resource.id;
    if (is_group) resource.body["name"] = path.name();
    resource.body["type"] =
        resource.type == "resourcegroups" ? "Microsoft.Resources/resourceGroups" : type_display(resource.type);
    if (resource.type == "subscriptions") {
        world.subscriptions.insert(fold_case(path.subscription));
        return {};
    }
    for (auto& [name, value] : printed.items()) {
        if (name != "id" && name != "name" && name != "type" && !value.is_null())
            resource.body[name] = std::move(value);
    }
    if (resource.body.contains("location"))
        resource.body["location"] = normalise_region(text_of(resource.body, "location"));
    if (is_gallery_type(resource.type)) {
        if (!resource.body.contains("location"))
            return fail(ErrorKind::invalid, "StateInvalid",
                        "state file, resource " + std::to_string(index) + ": " + id + " has no \"location\"");
        if (!resource.body.contains("properties")) resource.body["properties"] = Json::object();
        if (resource.type == gallery_type) fill_gallery(resource);
        if (resource.type == version_type) fill_version(world, resource);
        resource.set_state(resource.state().empty() ? "Succeeded" : resource.state());
    }
    if (resource.type != "resourcegroups") ensure_group(world, resource);
    Resource& stored = world.put(std::move(resource));
    if (is_gallery_type(stored.type)) resume(world, stored);
    return {};
}

void load_extras(World& world, const Json& document) {
    for (const Json& principal : member(document, "unknownPrincipals"))
        world.unknown_principals.insert(fold_case(principal.get<std::string>()));
    for (const Json& tenant : member(document, "tenants")) world.tenants.insert(tenant.get<std::string>());
    for (const Json& subscription : member(document, "subscriptions"))
        world.subscriptions.insert(fold_case(subscription.get<std::string>()));
    for (const Json& subscription : member(document, "unreadableSubscriptions"))
        world.unreadable_subscriptions.insert(fold_case(subscription.get<std::string>()));
    if (member(document, "secrets").is_object()) {
        for (const auto& [client, secret] : member(document, "secrets").items())
            world.secrets[fold_case(client)] = secret.get<std::string>();
    }
    for (const Json& entry : member(document, "softDeleted")) {
        SoftDeleted deleted;
        deleted.resource.body = member(entry, "resource");
        deleted.resource.id = text_of(deleted.resource.body, "id");
        deleted.resource.key = fold_case(deleted.resource.id);
        deleted.resource.type = version_type;
        fill_version(world, deleted.resource);
        deleted.at_text = text_of(entry, "at");
        deleted.consumable_until_text = text_of(entry, "consumableUntil");
        deleted.gone_at_text = text_of(entry, "goneAt");
        deleted.at = parse_rfc3339(deleted.at_text).value_or(world.now);
        deleted.consumable_until = parse_rfc3339(deleted.consumable_until_text).value_or(world.now);
        deleted.gone_at = parse_rfc3339(deleted.gone_at_text).value_or(world.now);
        world.soft_deleted[deleted.resource.key] = std::move(deleted);
    }
}

}  // namespace

std::vector<std::string> estate_keys() {
    return {"resources",
            "value",
            "nextLink",
            "tenants",
            "subscriptions",
            "secrets",
            "certificates",
            "federatedCredentials",
            "managedIdentities",
            "identityHeader",
            "arc",
            "unknownPrincipals",
            "unreadableSubscriptions",
            "subscriptionStates",
            "subscriptionTenants",
            "rights",
            "providers",
            "features",
            "apiVersions",
            "computeRegions",
            "usageLimits",
            "softDeleted"};
}

Status load_state(World& world, const std::string& json) {
    Json document = Json::parse(json, nullptr, false);
    if (document.is_discarded()) return fail(ErrorKind::invalid, "StateInvalid", "the state file is not valid JSON");
    Json* resources = &document;
    if (document.is_object()) {
        if (document.contains("resources")) resources = &document["resources"];
        else if (document.contains("value")) resources = &document["value"];
    }
    try {
        load_extras(world, document);
        load_surroundings(world.around, document);
        if (const Status loaded = load_login_state(world.login, document); !loaded) return loaded;
        if (resources->is_object()) return load_one(world, *resources, 1);
        if (!resources->is_array())
            return fail(ErrorKind::invalid, "StateInvalid", "the state file holds no list of resources");
        std::size_t index = 0;
        for (Json& entry : *resources) {
            if (const auto loaded = load_one(world, entry, ++index); !loaded) return loaded;
        }
    } catch (const Json::exception& error) {
        return fail(ErrorKind::invalid, "StateInvalid",
                    std::string("the state file has a value of the wrong type: ") + error.what());
    }
    return {};
}

std::string save_state(const World& world) {
    Json document = Json::object();
    document["resources"] = Json::array();
    for (const auto& [key, resource] : world.resources()) {
        Json body = resource.body;
        body["id"] = resource.id;
        if (resource.type == version_type)
            body["properties"]["replicationStatus"] = replication_status(resource, world.now);
        document["resources"].push_back(std::move(body));
    }
    for (const auto& [key, deleted] : world.soft_deleted) {
        document["softDeleted"].push_back(Json{{"resource", deleted.resource.body},
                                               {"at", deleted.at_text},
                                               {"consumableUntil", deleted.consumable_until_text},
                                               {"goneAt", deleted.gone_at_text}});
    }
    for (const std::string& principal : world.unknown_principals) document["unknownPrincipals"].push_back(principal);
    for (const std::string& tenant : world.tenants) document["tenants"].push_back(tenant);
    if (!world.subscriptions.empty()) document["subscriptions"] = world.subscriptions;
    if (!world.unreadable_subscriptions.empty()) document["unreadableSubscriptions"] = world.unreadable_subscriptions;
    for (const auto& [client, secret] : world.secrets) document["secrets"][client] = secret;
    save_login_state(world.login, document);
    save_surroundings(world.around, document);
    return document.dump(2) + "\n";
}

}  // namespace galleryd::simulator
