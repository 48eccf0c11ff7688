#include "controller/adapters/documents/mapping_parts.h"

namespace galleryd::documents {
namespace {

// Azure folds some feature values (recorded: ConfidentialVm -> ConfidentialVM, true -> True; azure-facts §3.2).
// Compared and kept the way Azure answers, so that a spelling is never a difference.
std::string fold_feature_value(const std::string& value) {
    static constexpr std::array known{"True",
                                      "False",
                                      "Standard",
                                      "TrustedLaunch",
                                      "TrustedLaunchSupported",
                                      "ConfidentialVM",
                                      "ConfidentialVMSupported",
                                      "TrustedLaunchAndConfidentialVmSupported",
                                      "SCSI",
                                      "NVMe",
                                      "SCSI, NVMe"};
    for (const char* word : known) {
        if (fold_case(word) == fold_case(value)) return word;
    }
    return value;
}

std::optional<RecommendedRange> range_of(const json* recommended, const char* field) {
    const json* range = recommended == nullptr ? nullptr : child_of(*recommended, field);
    if (range == nullptr) return std::nullopt;
    return RecommendedRange{optional_number(*range, "min"), optional_number(*range, "max")};
}

}  // namespace

std::optional<Sharing> Mapper::sharing() {
    const json* source = child_of(spec_, "sharing");
    if (source == nullptr) return std::nullopt;
    Sharing sharing;
    const std::string permissions = text_of(*source, "permissions");
    sharing.permissions = permissions == "Groups"      ? SharingPermissions::groups
                          : permissions == "Community" ? SharingPermissions::community
                                                       : SharingPermissions::private_;
    sharing.subscription_ids = sorted_texts(*source, "subscriptionIds", true);
    sharing.tenant_ids = sorted_texts(*source, "tenantIds", true);
    if (const json* community = child_of(*source, "community")) {
        sharing.community =
            CommunityGallery{text_of(*community, "publicNamePrefix"), text_of(*community, "publisherUri"),
                             text_of(*community, "publisherContact"), text_of(*community, "eula")};
    }
    return sharing;
}

Gallery Mapper::gallery() {
    Gallery gallery;
    gallery.meta = meta_;
    gallery.governance = governance();
    gallery.azure_name = spec_.contains("azureName") ? text_of(spec_, "azureName") : meta_.key.name;
    gallery.subscription_id = fold_case(text_of(spec_, "subscriptionId"));
    gallery.resource_group = text_of(spec_, "resourceGroup");
    gallery.id = gallery_id(gallery.subscription_id, gallery.resource_group, gallery.azure_name);
    gallery.location = region(spec_.at("location"), "/spec/location");
    if (const json* credential = child_of(spec_, "credential")) gallery.credential = text_of(*credential, "name");
    gallery.ensure_resource_group = flag_of(spec_, "ensureResourceGroup");
    gallery.description = text_of(spec_, "description");
    if (const json* list = child_of(spec_, "allowedRegions")) {
        for (std::size_t i = 0; i < list->size(); ++i)
            gallery.allowed_regions.push_back(region((*list)[i], "/spec/allowedRegions/" + std::to_string(i)));
        std::ranges::sort(gallery.allowed_regions);
        gallery.allowed_regions.erase(std::ranges::unique(gallery.allowed_regions).begin(),
                                      gallery.allowed_regions.end());
    }
    gallery.lifecycle_policy = text_of(spec_, "lifecyclePolicy");
    if (const json* soft_delete = child_of(spec_, "softDelete"))
        gallery.soft_delete_enabled = flag_of(*soft_delete, "enabled");
    gallery.sharing = sharing();
    gallery.access = access();
    if (const json* staging = child_of(spec_, "stagingStorage")) {
        gallery.staging_storage =
            StagingStorage{text_of(*staging, "name"), text_of(*staging, "sku"), text_of(*staging, "container")};
    }
    if (const json* budget = child_of(spec_, "budget"))
        gallery.budget = Budget{budget->at("monthly").get<double>(), text_of(*budget, "currency")};
    return gallery;
}

ImageDefinition Mapper::definition() {
    ImageDefinition definition;
    definition.meta = meta_;
    definition.governance = governance();
    if (spec_.contains("gallery"))
        definition.gallery = ObjectKey{Kind::gallery, meta_.key.namespace_name, text_of(spec_, "gallery")};
    definition.gallery_id = id(spec_, "armId", "/spec", "microsoft.compute/galleries");
    definition.azure_name = spec_.contains("azureName") ? text_of(spec_, "azureName") : meta_.key.name;
    if (const json* location = child_of(spec_, "location")) definition.location = region(*location, "/spec/location");
    const json& identifier = spec_.at("identifier");
    definition.publisher = text_of(identifier, "publisher");
    definition.offer = text_of(identifier, "offer");
    definition.sku = text_of(identifier, "sku");
    definition.os_type = text_of(spec_, "osType");
    definition.os_state = text_of(spec_, "osState");
    definition.hyper_v_generation = text_of(spec_, "hyperVGeneration");
    definition.architecture = text_of(spec_, "architecture");
    definition.description = text_of(spec_, "description");
    definition.eula = text_of(spec_, "eula");
    definition.privacy_statement_uri = text_of(spec_, "privacyStatementUri");
    definition.release_note_uri = text_of(spec_, "releaseNoteUri");
    definition.end_of_life = deadline("endOfLifeDate");
    const json* recommended = child_of(spec_, "recommended");
    definition.recommended_vcpus = range_of(recommended, "vCPUs");
    definition.recommended_memory_gb = range_of(recommended, "memoryGB");
    definition.disallowed_disk_types = sorted_texts(spec_, "disallowedDiskTypes", false);
    if (const json* plan = child_of(spec_, "purchasePlan"))
        definition.purchase_plan =
            PurchasePlan{text_of(*plan, "name"), text_of(*plan, "publisher"), text_of(*plan, "product")};
    if (const json* features = child_of(spec_, "features")) {
        for (const json& feature : *features)
            definition.features[text_of(feature, "name")] = fold_feature_value(text_of(feature, "value"));
    }
    definition.max_age_days = optional_number(spec_, "maxAgeDays");
    definition.access = access();
    definition.lifecycle_policy = text_of(spec_, "lifecyclePolicy");
    return definition;
}

}  // namespace galleryd::documents
