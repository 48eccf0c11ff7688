#include <nlohmann/json.hpp>

#include "controller/adapters/azure/decode.h"
#include "controller/adapters/azure/encode.h"
#include "controller/adapters/azure/encode_merge.h"
#include "controller/core/region.h"

namespace galleryd::azure {
namespace {

Json encode_encryption(const DiskEncryption& encryption) {
    Json encoded = Json::object();
    if (!encryption.os_disk_encryption_set_id.empty())
        encoded["osDiskImage"]["diskEncryptionSetId"] = encryption.os_disk_encryption_set_id;
    if (!encryption.cvm_encryption_type.empty()) {
        Json& security = encoded["osDiskImage"]["securityProfile"];
        security["confidentialVMEncryptionType"] = encryption.cvm_encryption_type;
        set_or_erase(security, "secureVMDiskEncryptionSetId", encryption.cvm_disk_encryption_set_id);
    }
    for (const auto& [lun, set_id] : encryption.data_disk_encryption_set_ids) {
        encoded["dataDiskImages"].push_back({{"lun", lun}, {"diskEncryptionSetId", set_id}});
    }
    return encoded;
}

const TargetRegion* find_region(const std::vector<TargetRegion>& regions, const std::string& name) {
    for (const TargetRegion& region : regions) {
        if (region.name == name) return &region;
    }
    return nullptr;
}

Json find_region_body(const Json& regions, const std::string& name) {
    if (regions.is_array()) {
        for (const Json& region : regions) {
            if (normalise_region(text_member(region, "name")) == name && region.is_object()) return region;
        }
    }
    return Json::object();
}

// The whole list anew: what is left out is deleted by Azure (azure-facts §3.4). A region that was there keeps its
// unknown parts.
Json merge_regions(const Json& present, const std::vector<TargetRegion>& wanted,
                   const std::vector<TargetRegion>& observed) {
    Json merged = Json::array();
    for (const TargetRegion& region : wanted) {
        Json body = find_region_body(present, region.name);
        body["name"] = region.name;
        body["regionalReplicaCount"] = region.replicas;
        if (!body.contains("storageAccountStrategy"))
            body["storageAccountType"] = region.storage_account_type;  // never both
        if (region.exclude_from_latest) body["excludeFromLatest"] = *region.exclude_from_latest;
        const TargetRegion* before = find_region(observed, region.name);
        const bool is_as_read = before != nullptr && before->encryption == region.encryption;
        if (region.encryption && !is_as_read) body["encryption"] = encode_encryption(*region.encryption);
        merged.push_back(std::move(body));
    }
    return merged;
}

Json encode_disk_source(const ResourceId& id, const std::string& vhd_uri, const ResourceId& storage_account) {
    if (vhd_uri.empty()) return {{"id", id.text()}};
    return {{"uri", vhd_uri}, {"storageAccountId", storage_account.text()}};
}

Json encode_os_disk(const ImageSource& source) {
    Json storage = Json::object();
    Json& os_disk = storage["osDiskImage"];
    os_disk["source"] = encode_disk_source(source.id, source.vhd_uri, source.storage_account);
    set_or_erase(os_disk, "hostCaching", source.os_host_caching);
    for (const DataDiskSource& disk : source.data_disks) {
        Json body{{"lun", disk.lun}, {"source", encode_disk_source(disk.source, disk.vhd_uri, disk.storage_account)}};
        set_or_erase(body, "hostCaching", disk.host_caching);
        storage["dataDiskImages"].push_back(std::move(body));
    }
    return storage;
}

Json encode_source(const ImageSource& source) {
    switch (source.type) {
        case SourceType::none: return Json::object();
        case SourceType::managed_image:
        case SourceType::gallery_image_version: return {{"source", {{"id", source.id.text()}}}};
        case SourceType::virtual_machine: return {{"source", {{"virtualMachineId", source.id.text()}}}};
        case SourceType::community_gallery_image: return {{"source", {{"communityGalleryImageId", source.id.text()}}}};
        case SourceType::os_disk: return encode_os_disk(source);
    }
    return Json::object();
}

// The replication mode is fixed, and Azure shows it only where it was once sent [R]: an update sends it as read or not
// at all, because "Full" where nothing was could read as a change.
void set_publishing(Json& profile, const VersionWrite& write, const std::vector<TargetRegion>& observed, bool is_new) {
    profile.erase("publishedDate");
    profile["targetRegions"] = merge_regions(member(profile, "targetRegions"), write.target_regions, observed);
    profile["replicaCount"] = write.replica_count;
    profile["excludeFromLatest"] = write.exclude_from_latest;
    if (is_new) profile["replicationMode"] = write.replication_mode;
    if (!profile.contains("storageAccountStrategy")) profile["storageAccountType"] = write.storage_account_type;
    set_or_erase(profile, "endOfLifeDate", write.end_of_life ? format_rfc3339(*write.end_of_life) : "");
}

// What galleryd does not know of the storage profile goes back; disks and sources are fixed and stay when left out [R].
void keep_storage(Json& properties) {
    Json& storage = object_at(properties, "storageProfile");
    for (const char* fixed : {"source", "osDiskImage", "dataDiskImages"}) storage.erase(fixed);
}

}  // namespace

Result<std::string> encode_version(const VersionWrite& write, const std::optional<ObservedVersion>& base) {
    auto body = writable_body(base ? &*base : nullptr);
    if (!body) return std::unexpected(std::move(body.error()));
    Json& properties = object_at(*body, "properties");
    if (base) {
        keep_storage(properties);
    } else {
        (*body)["location"] = write.location;
        properties["storageProfile"] = encode_source(write.source.value_or(ImageSource{}));
    }
    const std::vector<TargetRegion> observed = base ? base->target_regions : std::vector<TargetRegion>{};
    set_publishing(object_at(properties, "publishingProfile"), write, observed, !base.has_value());
    Json& safety = object_at(properties, "safetyProfile");
    for (const char* read_only : {"reportedForPolicyViolation", "policyViolations"}) safety.erase(read_only);
    safety["allowDeletionOfReplicatedLocations"] = write.allow_deletion_of_replicated_locations;
    safety["blockDeletionBeforeEndOfLife"] = write.block_deletion_before_end_of_life;
    merge_tags(*body, write.tags, write.tags_removed);
    return print(*body);
}

}  // namespace galleryd::azure
