#include "controller/adapters/azure/encode.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controller/adapters/azure/decode.h"
#include "controller/adapters/azure/encode_merge.h"

namespace galleryd::azure {
namespace {

Json encode_community(const CommunityGallery& community) {
    return {{"publicNamePrefix", community.public_name_prefix},
            {"publisherUri", community.publisher_uri},
            {"publisherContact", community.publisher_contact},
            {"eula", community.eula}};
}

// As read, without what only Azure may say: groups change through POST share alone, public names are Azure's.
void keep_sharing_as_read(Json& properties) {
    const auto profile = properties.find("sharingProfile");
    if (profile == properties.end() || !profile->is_object()) return;
    profile->erase("groups");
    const auto community = profile->find("communityGalleryInfo");
    if (community == profile->end() || !community->is_object()) return;
    community->erase("communityGalleryEnabled");
    community->erase("publicNames");
}

// The answer carries what only Azure may say about an identity: its principals.
void keep_identity_as_read(Json& body) {
    const auto identity = body.find("identity");
    if (identity == body.end() || !identity->is_object()) return;
    identity->erase("principalId");
    identity->erase("tenantId");
    const auto assigned = identity->find("userAssignedIdentities");
    if (assigned == identity->end() || !assigned->is_object()) return;
    for (auto& entry : *assigned) entry = Json::object();
}

Json encode_range(const RecommendedRange& range) {
    Json encoded = Json::object();
    if (range.min) encoded["min"] = *range.min;
    if (range.max) encoded["max"] = *range.max;
    return encoded;
}

void set_range(Json& recommended, const char* key, const std::optional<RecommendedRange>& range) {
    if (range) {
        recommended[key] = encode_range(*range);
    } else {
        recommended.erase(key);
    }
}

void set_fixed_fields(Json& properties, const DefinitionWrite& write) {
    properties["identifier"] = {{"publisher", write.publisher}, {"offer", write.offer}, {"sku", write.sku}};
    properties["osType"] = write.os_type;
    properties["osState"] = write.os_state;
    properties["hyperVGeneration"] = write.hyper_v_generation;
    properties["architecture"] = write.architecture;
    set_or_erase(properties, "eula", write.eula);
    set_or_erase(properties, "privacyStatementUri", write.privacy_statement_uri);
    if (write.purchase_plan) {
        properties["purchasePlan"] = {{"name", write.purchase_plan->name},
                                      {"publisher", write.purchase_plan->publisher},
                                      {"product", write.purchase_plan->product}};
    }
}

// Features of the write replace or join those of the body; each keeps what we do not know of it (startsAtVersion).
void merge_features(Json& properties, const std::map<std::string, std::string>& features) {
    Json merged = Json::array();
    std::map<std::string, std::string> left = features;
    if (const Json& present = member(properties, "features"); present.is_array()) {
        for (const Json& row : present) {
            Json feature = row;
            const auto wanted = left.find(fold_feature_name(text_member(row, "name")));
            if (wanted != left.end()) {
                if (fold_feature_value(text_member(row, "value")) != wanted->second) feature["value"] = wanted->second;
                left.erase(wanted);
            }
            merged.push_back(std::move(feature));
        }
    }
    for (const auto& [name, value] : left) merged.push_back({{"name", name}, {"value", value}});
    if (merged.empty()) {
        properties.erase("features");
    } else {
        properties["features"] = std::move(merged);
    }
}

void set_mutable_fields(Json& properties, const DefinitionWrite& write) {
    set_or_erase(properties, "description", write.description);
    set_or_erase(properties, "releaseNoteUri", write.release_note_uri);
    set_or_erase(properties, "endOfLifeDate", write.end_of_life ? format_rfc3339(*write.end_of_life) : "");
    Json& recommended = object_at(properties, "recommended");
    set_range(recommended, "vCPUs", write.recommended_vcpus);
    set_range(recommended, "memory", write.recommended_memory_gb);
    if (recommended.empty()) properties.erase("recommended");
    Json& disallowed = object_at(properties, "disallowed");
    disallowed["diskTypes"] = write.disallowed_disk_types;
    if (write.disallowed_disk_types.empty()) disallowed.erase("diskTypes");
    if (disallowed.empty()) properties.erase("disallowed");
    merge_features(properties, write.features);
}

}  // namespace

Result<Json> writable_body(const ObservedBase* base) {
    if (base == nullptr) return Json::object();
    if (base->raw.empty()) {
        return std::unexpected(Error{.kind = ErrorKind::bug,
                                     .reason = "AzureError",
                                     .message = "update of " + base->id.text() +
                                                " without the body of a fresh read: unknown properties would be lost"});
    }
    auto body = parse_json(base->raw, base->id.text());
    if (!body) return body;
    for (const char* read_only : {"id", "name", "type", "systemData", "etag", "kind", "managedBy"})
        body->erase(read_only);
    Json& properties = object_at(*body, "properties");
    for (const char* read_only : {"provisioningState", "replicationStatus", "validationsProfile", "sharingStatus"})
        properties.erase(read_only);
    return body;
}

Json& object_at(Json& parent, const char* key) {
    Json& child = parent[key];
    if (!child.is_object()) child = Json::object();
    return child;
}

void set_or_erase(Json& object, const char* key, const std::string& value) {
    if (value.empty()) {
        object.erase(key);
    } else {
        object[key] = value;
    }
}

void merge_tags(Json& body, const Tags& ours, const std::vector<std::string>& removed) {
    Json& tags = object_at(body, "tags");
    const auto erase_name = [&tags](const std::string& name) {
        const std::string folded = fold_case(name);
        for (auto tag = tags.begin(); tag != tags.end();)
            tag = fold_case(tag.key()) == folded ? tags.erase(tag) : std::next(tag);
    };
    for (const std::string& name : removed) erase_name(name);
    for (const auto& [name, value] : ours) {
        erase_name(name);
        tags[name] = value;
    }
}

std::string print(const Json& body) { return body.dump(-1, ' ', false, Json::error_handler_t::replace); }

Result<std::string> encode_gallery(const GalleryWrite& write, const std::optional<ObservedGallery>& base) {
    auto body = writable_body(base ? &*base : nullptr);
    if (!body) return std::unexpected(std::move(body.error()));
    Json& properties = object_at(*body, "properties");
    if (base) {
        keep_sharing_as_read(properties);
        keep_identity_as_read(*body);
        properties.erase("identifier");  // holds the unique name only, which is Azure's
    } else {
        (*body)["location"] = write.location;
        if (write.permissions && *write.permissions != SharingPermissions::private_) {
            properties["sharingProfile"] = {{"permissions", to_string(*write.permissions)}};
            if (write.community)
                properties["sharingProfile"]["communityGalleryInfo"] = encode_community(*write.community);
        }
    }
    set_or_erase(properties, "description", write.description);
    if (write.soft_delete_enabled)
        object_at(properties, "softDeletePolicy")["isSoftDeleteEnabled"] = *write.soft_delete_enabled;
    merge_tags(*body, write.tags, write.tags_removed);
    return print(*body);
}

Result<std::string> encode_definition(const DefinitionWrite& write, const std::optional<ObservedDefinition>& base) {
    auto body = writable_body(base ? &*base : nullptr);
    if (!body) return std::unexpected(std::move(body.error()));
    Json& properties = object_at(*body, "properties");
    if (base) {
        // Never left to a default of the api-version: V1 through 2024-03-03, V2 from 2025-03-03 on (azure-facts §2).
        if (text_member(properties, "hyperVGeneration").empty())
            properties["hyperVGeneration"] = base->hyper_v_generation;
    } else {
        (*body)["location"] = write.location;
        set_fixed_fields(properties, write);
    }
    set_mutable_fields(properties, write);
    merge_tags(*body, write.tags, write.tags_removed);
    return print(*body);
}

std::string encode_share(const ShareGallery& step) {
    Json groups = Json::array();
    if (!step.subscription_ids.empty()) groups.push_back({{"type", "Subscriptions"}, {"ids", step.subscription_ids}});
    if (!step.tenant_ids.empty()) groups.push_back({{"type", "AADTenants"}, {"ids", step.tenant_ids}});
    Json body{{"operationType", step.operation}};
    if (!groups.empty()) body["groups"] = std::move(groups);
    return print(body);
}

std::string encode_role_assignment(const RoleAccess& access, const std::string& role_definition_id) {
    Json properties{{"roleDefinitionId", role_definition_id}, {"principalId", access.principal_id}};
    // Without the type a new principal answers 400 PrincipalNotFound until the directory has replicated (azure-facts
    // §10).
    if (!access.principal_type.empty()) properties["principalType"] = access.principal_type;
    return print(Json{{"properties", std::move(properties)}});
}

std::string encode_storage_account(const EnsureStorage& step) {
    const Json properties{
        {"allowBlobPublicAccess", false}, {"minimumTlsVersion", "TLS1_2"}, {"supportsHttpsTrafficOnly", true}};
    return print(Json{{"location", step.location},
                      {"kind", "StorageV2"},
                      {"sku", {{"name", step.sku.empty() ? "Standard_LRS" : step.sku}}},
                      {"properties", properties}});
}

std::string encode_resource_group(const EnsureResourceGroup& step) {
    return print(Json{{"location", step.location}, {"tags", step.tags}});
}

Result<std::string> encode_resource_group_tags(std::string_view current, const Tags& ours) {
    auto group = parse_json(current, "resource group");
    if (!group) return std::unexpected(std::move(group.error()));
    const ObservedTags present = tags_member(*group);
    const bool is_complete = std::ranges::all_of(ours, [&present](const auto& tag) {
        return std::ranges::any_of(present, [&tag](const auto& other) {
            return fold_case(other.first) == fold_case(tag.first) && other.second == tag.second;
        });
    });
    if (is_complete) return std::string{};
    Json body = Json::object();
    body["tags"] = member(*group, "tags");
    merge_tags(body, ours, {});
    return print(body);
}

}  // namespace galleryd::azure
