#include "controller/adapters/documents/mapping_parts.h"
#include "controller/core/region.h"

namespace galleryd::documents {

ImageSource Mapper::source() {
    ImageSource result;
    const json* source = child_of(spec_, "source");
    if (source == nullptr) return result;
    struct Single {
        const char* field;
        SourceType type;
        std::string_view resource_type;
    };
    static constexpr Single single[] = {
        {"managedImage", SourceType::managed_image, "microsoft.compute/images"},
        {"virtualMachine", SourceType::virtual_machine, "microsoft.compute/virtualmachines"},
        {"galleryImageVersion", SourceType::gallery_image_version, "microsoft.compute/galleries/images/versions"}};
    for (const Single& one : single) {
        if (!source->contains(one.field)) continue;
        result.type = one.type;
        result.id = id(*source, one.field, "/spec/source", one.resource_type);
    }
    if (source->contains("communityGalleryImage")) {  // /CommunityGalleries/…: not below a subscription
        result.type = SourceType::community_gallery_image;
        result.id = ResourceId(text_of(*source, "communityGalleryImage"));
    }
    const auto disk_id = [this](const json& disk, const std::string& pointer) {
        return disk.contains("snapshot") ? id(disk, "snapshot", pointer, "microsoft.compute/snapshots")
                                         : id(disk, "disk", pointer, "microsoft.compute/disks");
    };
    constexpr std::string_view account_type = "microsoft.storage/storageaccounts";
    if (const json* os = child_of(*source, "osDisk")) {
        result.type = SourceType::os_disk;
        result.id = disk_id(*os, "/spec/source/osDisk");
        if (const json* vhd = child_of(*os, "vhd")) {
            result.vhd_uri = text_of(*vhd, "uri");
            result.storage_account = id(*vhd, "storageAccount", "/spec/source/osDisk/vhd", account_type);
        }
        result.os_host_caching = text_of(*os, "hostCaching");
    }
    if (const json* disks = child_of(*source, "dataDisks")) {
        for (std::size_t i = 0; i < disks->size(); ++i) {
            const std::string pointer = "/spec/source/dataDisks/" + std::to_string(i);
            const json& disk = (*disks)[i];
            DataDiskSource data{.lun = disk.at("lun").get<int>(),
                                .source = disk_id(disk, pointer),
                                .vhd_uri = {},
                                .storage_account = {},
                                .host_caching = text_of(disk, "hostCaching")};
            if (const json* vhd = child_of(disk, "vhd")) {
                data.vhd_uri = text_of(*vhd, "uri");
                data.storage_account = id(*vhd, "storageAccount", pointer + "/vhd", account_type);
            }
            result.data_disks.push_back(std::move(data));
        }
        std::ranges::sort(result.data_disks, {}, &DataDiskSource::lun);
    }
    return result;
}

// spec.encryption is keyed by region, for regions that carry none themselves.
void Mapper::merge_encryption(std::vector<TargetRegion>& regions) {
    const json* by_region = child_of(spec_, "encryption");
    if (by_region == nullptr) return;
    for (const auto& [name, value] : by_region->items()) {
        const std::string at = pointer_join("/spec/encryption", name);
        const auto found = std::ranges::find(regions, normalise_region(name), &TargetRegion::name);
        if (found == regions.end()) {
            add("GD1041", at, "encryption names the region " + name + ", which is not a target region",
                "Add the region to spec.targetRegions, or remove it here.");
        } else if (found->encryption) {
            add("GD1041", at, "encryption of " + name + " is given here and in spec.targetRegions",
                "Keep one of the two.");
        } else {
            found->encryption = encryption(value, at);
        }
    }
}

ImageVersion Mapper::version() {
    ImageVersion version;
    version.meta = meta_;
    version.governance = governance();
    if (spec_.contains("imageDefinition"))
        version.definition =
            ObjectKey{Kind::image_definition, meta_.key.namespace_name, text_of(spec_, "imageDefinition")};
    version.definition_id = id(spec_, "armId", "/spec", "microsoft.compute/galleries/images");
    if (const auto number = parse_image_version_number(text_of(spec_, "version")))
        version.number = *number;  // the schema's rule says the same
    if (const json* location = child_of(spec_, "location")) version.location = region(*location, "/spec/location");
    version.source = source();
    version.replicas_default = number_of(spec_, "replicas", 1);
    version.storage_account_type = text_of(spec_, "storageAccountType");
    if (const json* regions = child_of(spec_, "targetRegions")) {
        version.target_regions =
            target_regions(*regions, "/spec/targetRegions", version.replicas_default, version.storage_account_type);
        merge_encryption(*version.target_regions);
    }
    version.replication_mode = text_of(spec_, "replicationMode");
    version.exclude_from_latest = flag_of(spec_, "excludeFromLatest");
    version.hold_latest_until_replicated = flag_of(spec_, "holdLatestUntilReplicated");
    version.end_of_life = deadline("endOfLifeDate");
    if (const json* safety = child_of(spec_, "safety")) {
        version.block_deletion_before_end_of_life = flag_of(*safety, "blockDeletionBeforeEndOfLife");
        version.allow_deletion_of_replicated_locations = flag_of(*safety, "allowDeletionOfReplicatedLocations");
    }
    version.region_retry =
        text_of(spec_, "regionRetry") == "RemoveAndAdd" ? RegionRetry::remove_and_add : RegionRetry::none;
    if (const json* occupied = child_of(spec_, "occupiedGB")) version.occupied_gb = occupied->get<double>();
    return version;
}

}  // namespace galleryd::documents
