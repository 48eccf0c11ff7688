#include <algorithm>
#include <nlohmann/json.hpp>

#include "controller/adapters/azure/decode_tree.h"
#include "controller/core/region.h"

namespace galleryd::azure {
namespace {

std::string read_storage_type(const Json& holder) {
    return word_member(holder, "storageAccountType",
                       {"Standard_LRS", "Standard_ZRS", "Premium_LRS", "PremiumV2_LRS", "StandardSSD_LRS"});
}

// The answer adds an empty securityProfile {} to plain customer-managed-key disks [R]: empty parts read as none.
std::optional<DiskEncryption> read_encryption(const Json& region) {
    const Json& encryption = member(region, "encryption");
    const Json& os_disk = member(encryption, "osDiskImage");
    const Json& security = member(os_disk, "securityProfile");
    DiskEncryption found{.os_disk_encryption_set_id = text_member(os_disk, "diskEncryptionSetId"),
                         .cvm_encryption_type = word_member(security, "confidentialVMEncryptionType",
                                                            {"EncryptedVMGuestStateOnlyWithPmk", "EncryptedWithPmk",
                                                             "EncryptedWithCmk", "NonPersistedTPM"}),
                         .cvm_disk_encryption_set_id = text_member(security, "secureVMDiskEncryptionSetId"),
                         .data_disk_encryption_set_ids = {}};
    const Json& data_disks = member(encryption, "dataDiskImages");
    if (data_disks.is_array()) {
        for (const Json& disk : data_disks) {
            const auto lun = number_member(disk, "lun");
            const std::string set_id = text_member(disk, "diskEncryptionSetId");
            if (lun && !set_id.empty()) found.data_disk_encryption_set_ids.insert_or_assign(*lun, set_id);
        }
    }
    if (found == DiskEncryption{}) return std::nullopt;
    return found;
}

void read_regions(const Json& profile, ObservedVersion& version) {
    const Json& regions = member(profile, "targetRegions");
    if (!regions.is_array()) return;
    for (const Json& region : regions) {
        const std::string name = normalise_region(text_member(region, "name"));
        if (name.empty()) continue;
        std::string storage = read_storage_type(region);
        if (storage.empty()) storage = version.storage_account_type;
        version.target_regions.push_back(
            {.name = name,
             .replicas = number_member(region, "regionalReplicaCount").value_or(version.replica_count),
             .storage_account_type = std::move(storage),
             .exclude_from_latest = flag_member(region, "excludeFromLatest"),
             .encryption = read_encryption(region)});
    }
    std::ranges::sort(version.target_regions, {}, &TargetRegion::name);
}

void read_publishing(const Json& profile, ObservedVersion& version) {
    version.replica_count = number_member(profile, "replicaCount").value_or(1);
    if (const std::string storage = read_storage_type(profile); !storage.empty())
        version.storage_account_type = storage;
    // Echoed only when it was sent [R]: missing means Full.
    if (const std::string mode = word_member(profile, "replicationMode", {"Full", "Shallow"}); !mode.empty())
        version.replication_mode = mode;
    version.exclude_from_latest = flag_member(profile, "excludeFromLatest").value_or(false);
    version.published = parse_azure_time(text_member(profile, "publishedDate"));
    const Json& end_of_life = member(profile, "endOfLifeDate");
    version.end_of_life = parse_azure_deadline(text_member(profile, "endOfLifeDate"));
    version.end_of_life_unparsable = !end_of_life.is_null() && !version.end_of_life;
    read_regions(profile, version);
}

// {id} of a disk or snapshot, or {uri, storageAccountId | id} of a VHD and its storage account (azure-facts §3.3).
struct DiskSource {
    ResourceId id;
    std::string vhd_uri;
    ResourceId storage_account;
    bool empty() const { return id.empty() && vhd_uri.empty(); }
};

DiskSource read_disk_source(const Json& disk) {
    const Json& source = member(disk, "source");
    const std::string id = text_member(source, "id");
    DiskSource found{.id = {},
                     .vhd_uri = text_member(source, "uri"),
                     .storage_account = ResourceId(text_member(source, "storageAccountId"))};
    if (found.vhd_uri.empty()) {
        found.id = ResourceId(id);
    } else if (found.storage_account.empty()) {
        found.storage_account = ResourceId(id);
    }
    return found;
}

SourceType type_of_source(const ResourceId& id) {
    const std::string type = fold_case(id.type());
    if (type == "microsoft.compute/images") return SourceType::managed_image;
    if (type == "microsoft.compute/galleries/images/versions") return SourceType::gallery_image_version;
    if (type == "microsoft.compute/virtualmachines") return SourceType::virtual_machine;  // the form before 2023-07-03
    if (type == "microsoft.compute/disks" || type == "microsoft.compute/snapshots") return SourceType::os_disk;
    return SourceType::none;  // the id is kept: still compared, never guessed
}

ImageSource read_disk_sources(const Json& storage) {
    ImageSource source;
    const Json& os_disk = member(storage, "osDiskImage");
    const DiskSource os_source = read_disk_source(os_disk);
    if (os_source.empty()) return source;
    source.type = SourceType::os_disk;
    source.id = os_source.id;
    source.vhd_uri = os_source.vhd_uri;
    source.storage_account = os_source.storage_account;
    source.os_host_caching = word_member(os_disk, "hostCaching", {"None", "ReadOnly", "ReadWrite"});
    const Json& data_disks = member(storage, "dataDiskImages");
    if (!data_disks.is_array()) return source;
    for (const Json& disk : data_disks) {
        const DiskSource from = read_disk_source(disk);
        if (from.empty()) continue;
        source.data_disks.push_back(
            {.lun = number_member(disk, "lun").value_or(0),
             .source = from.id,
             .vhd_uri = from.vhd_uri,
             .storage_account = from.storage_account,
             .host_caching = word_member(disk, "hostCaching", {"None", "ReadOnly", "ReadWrite"})});
    }
    std::ranges::sort(source.data_disks, {}, &DataDiskSource::lun);
    return source;
}

ImageSource read_source(const Json& storage) {
    const Json& top = member(storage, "source");
    if (const std::string id = text_member(top, "virtualMachineId"); !id.empty()) {
        return {.type = SourceType::virtual_machine,
                .id = ResourceId(id),
                .vhd_uri = {},
                .storage_account = {},
                .os_host_caching = {},
                .data_disks = {}};
    }
    if (const std::string id = text_member(top, "communityGalleryImageId"); !id.empty()) {
        return {.type = SourceType::community_gallery_image,
                .id = ResourceId(id),
                .vhd_uri = {},
                .storage_account = {},
                .os_host_caching = {},
                .data_disks = {}};
    }
    if (const std::string id = text_member(top, "id"); !id.empty()) {
        const ResourceId source(id);
        return {.type = type_of_source(source),
                .id = source,
                .vhd_uri = {},
                .storage_account = {},
                .os_host_caching = {},
                .data_disks = {}};
    }
    return read_disk_sources(storage);
}

void read_sizes(const Json& storage, ObservedVersion& version) {
    version.os_disk_gb = std::max(0, number_member(member(storage, "osDiskImage"), "sizeInGB").value_or(0));
    const Json& data_disks = member(storage, "dataDiskImages");
    if (!data_disks.is_array()) return;
    for (const Json& disk : data_disks)
        version.data_disks_gb += std::clamp(number_member(disk, "sizeInGB").value_or(0), 0, 1 << 20);
}

ReplicationState read_replication_state(const Json& region) {
    const std::string word = fold_case(text_member(region, "state"));
    if (word == "replicating") return ReplicationState::replicating;
    if (word == "completed") return ReplicationState::completed;
    if (word == "failed") return ReplicationState::failed;
    return ReplicationState::unknown;
}

void read_replication(const Json& properties, ObservedVersion& version) {
    const Json& status = member(properties, "replicationStatus");
    const Json& summary = member(status, "summary");
    version.replication_known = summary.is_array();
    if (!version.replication_known) return;
    for (const Json& region : summary) {
        const std::string name = normalise_region(text_member(region, "region"));
        if (name.empty()) continue;
        version.replication.insert_or_assign(
            name, RegionReplication{.state = read_replication_state(region),
                                    .progress = std::clamp(number_member(region, "progress").value_or(0), 0, 100),
                                    .detail = printable(text_member(region, "details"), 2000)});
    }
}

}  // namespace

Result<ObservedVersion> read_version(const Json& tree, const DecodeContext& context) {
    ObservedVersion version;
    if (auto base = read_base(tree, "Microsoft.Compute/galleries/images/versions", context, version); !base) {
        return std::unexpected(base.error());
    }
    version.number = parse_image_version_number(version.name);
    const Json& properties = member(tree, "properties");
    read_publishing(member(properties, "publishingProfile"), version);
    const Json& storage = member(properties, "storageProfile");
    version.source = read_source(storage);
    read_sizes(storage, version);
    const Json& safety = member(properties, "safetyProfile");
    version.block_deletion_before_end_of_life = flag_member(safety, "blockDeletionBeforeEndOfLife");
    version.allow_deletion_of_replicated_locations =
        flag_member(safety, "allowDeletionOfReplicatedLocations").value_or(false);
    read_replication(properties, version);
    return version;
}

}  // namespace galleryd::azure
