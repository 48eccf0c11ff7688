#include "controller/adapters/azure/decode.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "controller/adapters/azure/decode_tree.h"
#include "controller/adapters/azure/json_read.h"
#include "controller/core/region.h"

namespace galleryd::azure {
namespace {

constexpr std::array<std::string_view, 4> feature_names{"SecurityType", "IsAcceleratedNetworkSupported",
                                                        "IsHibernateSupported", "DiskControllerTypes"};
constexpr std::array<std::string_view, 8> feature_values{"True",
                                                         "False",
                                                         "Standard",
                                                         "TrustedLaunch",
                                                         "TrustedLaunchSupported",
                                                         "ConfidentialVM",
                                                         "ConfidentialVMSupported",
                                                         "TrustedLaunchAndConfidentialVmSupported"};

template <std::size_t N>
std::string known_spelling(std::string_view text, const std::array<std::string_view, N>& known) {
    const std::string folded = fold_case(text);
    for (const std::string_view word : known) {
        if (fold_case(word) == folded) return std::string(word);
    }
    return std::string(text);
}

SharingPermissions read_permissions(const Json& profile) {
    const std::string word = fold_case(text_member(profile, "permissions"));
    if (word == "groups") return SharingPermissions::groups;
    if (word == "community") return SharingPermissions::community;
    return SharingPermissions::private_;
}

void read_groups(const Json& groups, ObservedGallery& gallery) {
    for (const Json& group : groups) {
        const std::string type = fold_case(text_member(group, "type"));
        auto& ids = type == "aadtenants" ? gallery.shared_tenant_ids : gallery.shared_subscription_ids;
        if (type != "aadtenants" && type != "subscriptions") continue;
        const Json& listed = member(group, "ids");
        if (!listed.is_array()) continue;
        for (const Json& id : listed) {
            if (id.is_string()) ids.push_back(fold_case(id.get_ref<const std::string&>()));
        }
    }
    for (auto* ids : {&gallery.shared_subscription_ids, &gallery.shared_tenant_ids}) {
        std::ranges::sort(*ids);
        const auto repeated = std::ranges::unique(*ids);
        ids->erase(repeated.begin(), repeated.end());
    }
}

void read_sharing(const Json& properties, bool groups_asked, ObservedGallery& gallery) {
    const Json& profile = member(properties, "sharingProfile");
    gallery.permissions = read_permissions(profile);
    const Json& groups = member(profile, "groups");
    gallery.sharing_groups_known = groups.is_array() || groups_asked;
    if (groups.is_array()) read_groups(groups, gallery);
    const Json& community = member(profile, "communityGalleryInfo");
    if (!community.is_object() || community.empty()) return;
    gallery.community_enabled = flag_member(community, "communityGalleryEnabled").value_or(false);
    gallery.community = CommunityGallery{.public_name_prefix = text_member(community, "publicNamePrefix"),
                                         .publisher_uri = text_member(community, "publisherUri"),
                                         .publisher_contact = text_member(community, "publisherContact"),
                                         .eula = text_member(community, "eula")};
}

std::optional<RecommendedRange> read_range(const Json& recommended, std::string_view key) {
    const Json& range = member(recommended, key);
    const RecommendedRange found{.min = number_member(range, "min"), .max = number_member(range, "max")};
    if (!found.min && !found.max) return std::nullopt;
    return found;
}

void read_image_facts(const Json& properties, ObservedDefinition& definition) {
    const Json& identifier = member(properties, "identifier");
    definition.publisher = text_member(identifier, "publisher");
    definition.offer = text_member(identifier, "offer");
    definition.sku = text_member(identifier, "sku");
    definition.os_type = word_member(properties, "osType", {"Linux", "Windows"});
    definition.os_state = word_member(properties, "osState", {"Generalized", "Specialized"});
    definition.hyper_v_generation = word_member(properties, "hyperVGeneration", {"V1", "V2"});
    if (definition.hyper_v_generation.empty()) definition.hyper_v_generation = "V1";  // the default through 2024-03-03
    definition.architecture = word_member(properties, "architecture", {"x64", "Arm64"});
    if (definition.architecture.empty()) definition.architecture = "x64";  // filled in by the server [R]
    definition.description = text_member(properties, "description");
    definition.eula = text_member(properties, "eula");
    definition.privacy_statement_uri = text_member(properties, "privacyStatementUri");
    definition.release_note_uri = text_member(properties, "releaseNoteUri");
    definition.end_of_life = parse_azure_deadline(text_member(properties, "endOfLifeDate"));
}

void read_image_limits(const Json& properties, ObservedDefinition& definition) {
    const Json& recommended = member(properties, "recommended");
    definition.recommended_vcpus = read_range(recommended, "vCPUs");
    definition.recommended_memory_gb = read_range(recommended, "memory");
    const Json& disk_types = member(member(properties, "disallowed"), "diskTypes");
    if (disk_types.is_array()) {
        for (const Json& type : disk_types) {
            if (type.is_string()) definition.disallowed_disk_types.push_back(type.get<std::string>());
        }
        std::ranges::sort(definition.disallowed_disk_types);
    }
    const Json& plan = member(properties, "purchasePlan");
    const PurchasePlan found{.name = text_member(plan, "name"),
                             .publisher = text_member(plan, "publisher"),
                             .product = text_member(plan, "product")};
    if (found != PurchasePlan{}) definition.purchase_plan = found;
    const Json& features = member(properties, "features");
    if (!features.is_array()) return;
    for (const Json& feature : features) {
        const std::string name = fold_feature_name(text_member(feature, "name"));
        if (!name.empty())
            definition.features.insert_or_assign(name, fold_feature_value(text_member(feature, "value")));
    }
}

template <class T, class Read>
Result<T> decode_text(std::string_view json, const DecodeContext& context, std::string_view what, Read read) {
    auto tree = parse_json(json, what);
    if (!tree) return std::unexpected(std::move(tree.error()));
    Result<T> decoded = read(*tree, context);
    if (decoded && context.keep_raw) decoded->raw = std::string(json);
    return decoded;
}

}  // namespace

std::string fold_feature_name(std::string_view name) {
    if (fold_case(name) == "diskcontrollertype") return "DiskControllerTypes";  // the docs' table has the singular
    return known_spelling(name, feature_names);
}

std::string fold_feature_value(std::string_view value) { return known_spelling(value, feature_values); }

Result<void> read_base(const Json& tree, std::string_view type, const DecodeContext& context, ObservedBase& base) {
    const std::string id = text_member(tree, "id");
    const auto parsed = parse_resource_id(id);
    if (!parsed || fold_case(parsed->type()) != fold_case(type)) {
        return unreadable("GD3005",
                          "the answer names no " + std::string(type) + ", its id is \"" + printable(id, 200) + "\"");
    }
    base.id = *parsed;
    base.name = text_member(tree, "name");
    if (base.name.empty()) base.name = base.id.name();
    base.location = normalise_region(text_member(tree, "location"));
    base.tags = tags_member(tree);
    base.state = parse_provisioning_state(text_member(member(tree, "properties"), "provisioningState"));
    base.read_at = context.read_at;
    base.server_date = context.server_date;
    return {};
}

Result<ObservedGallery> read_gallery(const Json& tree, const DecodeContext& context) {
    ObservedGallery gallery;
    if (auto base = read_base(tree, "Microsoft.Compute/galleries", context, gallery); !base)
        return std::unexpected(base.error());
    const Json& properties = member(tree, "properties");
    gallery.description = text_member(properties, "description");
    gallery.soft_delete_enabled = flag_member(member(properties, "softDeletePolicy"), "isSoftDeleteEnabled");
    read_sharing(properties, context.groups_asked, gallery);
    return gallery;
}

Result<ObservedDefinition> read_definition(const Json& tree, const DecodeContext& context) {
    ObservedDefinition definition;
    if (auto base = read_base(tree, "Microsoft.Compute/galleries/images", context, definition); !base)
        return std::unexpected(base.error());
    const Json& properties = member(tree, "properties");
    read_image_facts(properties, definition);
    read_image_limits(properties, definition);
    return definition;
}

Result<ObservedRoleAssignment> read_role_assignment(const Json& tree) {
    const Json& properties = member(tree, "properties");
    ObservedRoleAssignment assignment{
        .id = ResourceId(text_member(tree, "id")),
        .scope = text_member(properties, "scope"),
        .role_definition_id = text_member(properties, "roleDefinitionId"),
        .principal_id = text_member(properties, "principalId"),
        .principal_type =
            word_member(properties, "principalType", {"User", "Group", "ServicePrincipal", "ForeignGroup", "Device"})};
    // Inherited assignments live at management groups or at the root, so the id need not begin with a subscription.
    if (!assignment.id.key().contains("/roleassignments/") || assignment.role_definition_id.empty()) {
        return unreadable("GD3005", "the answer names no role assignment, its id is \"" +
                                        printable(assignment.id.text(), 200) + "\"");
    }
    if (assignment.scope.empty()) {
        const auto provider = assignment.id.key().rfind("/providers/microsoft.authorization/");
        if (provider != std::string::npos) assignment.scope = assignment.id.text().substr(0, provider);
    }
    return assignment;
}

Result<ObservedGallery> decode_gallery(std::string_view json, DecodeContext context) {
    return decode_text<ObservedGallery>(json, context, "gallery", read_gallery);
}
Result<ObservedDefinition> decode_definition(std::string_view json, DecodeContext context) {
    return decode_text<ObservedDefinition>(json, context, "image definition", read_definition);
}
Result<ObservedVersion> decode_version(std::string_view json, DecodeContext context) {
    return decode_text<ObservedVersion>(json, context, "image version", read_version);
}

Result<ObservedRoleAssignment> decode_role_assignment(std::string_view json) {
    const auto tree = parse_json(json, "role assignment");
    if (!tree) return std::unexpected(tree.error());
    return read_role_assignment(*tree);
}

Result<ObservedStorageAccount> decode_storage_account(std::string_view json) {
    const auto tree = parse_json(json, "storage account");
    if (!tree) return std::unexpected(tree.error());
    ObservedBase base;
    if (auto read = read_base(*tree, "Microsoft.Storage/storageAccounts", {}, base); !read)
        return std::unexpected(read.error());
    return ObservedStorageAccount{
        .id = base.id,
        .location = base.location,
        .sku = word_member(member(*tree, "sku"), "name",
                           {"Standard_LRS", "Standard_ZRS", "Standard_GRS", "Standard_RAGRS", "Premium_LRS"}),
        .provisioning_state = text_member(member(*tree, "properties"), "provisioningState")};
}

Result<ObservedResourceGroup> decode_resource_group(std::string_view json) {
    const auto tree = parse_json(json, "resource group");
    if (!tree) return std::unexpected(tree.error());
    const std::string name = text_member(*tree, "name");
    if (name.empty()) return unreadable("GD3005", "the answer names no resource group");
    ObservedResourceGroup group{.name = name, .location = normalise_region(text_member(*tree, "location")), .tags = {}};
    for (const auto& [tag, value] : tags_member(*tree)) group.tags.emplace(tag, value.value_or(""));
    return group;
}

}  // namespace galleryd::azure
