#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "controller/core/boxed.h"
#include "controller/core/document.h"
#include "controller/core/image_version_number.h"
#include "controller/core/resource_id.h"
#include "controller/core/time.h"

// The four kinds after parsing, defaults and normalisation (regions short, dates as instants). The contract's table of
// fields, one member each; the documents adapter alone knows how they are spelled in YAML.
namespace galleryd {

struct Governance {  // common to Gallery, ImageDefinition, ImageVersion
    Mode mode = Mode::manage;
    Adoption adoption = Adoption::never;
    DeletionPolicy deletion_policy = DeletionPolicy::orphan;
    Tags tags;
};

struct RoleAccess {
    std::string role;  // built-in name ("Reader") or a role definition id / GUID
    std::string principal_id;
    std::string principal_type;  // User | Group | ServicePrincipal | ForeignGroup | Device
    friend auto operator<=>(const RoleAccess&, const RoleAccess&) = default;
};

enum class SharingPermissions : std::uint8_t { private_, groups, community };
std::string_view to_string(SharingPermissions permissions);  // Azure's words: Private | Groups | Community

struct CommunityGallery {
    std::string public_name_prefix, publisher_uri, publisher_contact, eula;
    friend bool operator==(const CommunityGallery&, const CommunityGallery&) = default;
};

struct Sharing {
    SharingPermissions permissions = SharingPermissions::private_;
    std::vector<std::string> subscription_ids, tenant_ids;  // sorted, lower case
    std::optional<CommunityGallery> community;
};

struct StagingStorage {
    std::string name, sku, container;
};

struct Budget {
    double monthly = 0;
    std::string currency;
};

struct Gallery {
    Metadata meta;
    Governance governance;
    ResourceId id;  // resolved: subscription, group, azure name
    std::string azure_name;
    std::string subscription_id, resource_group, location;
    std::string credential;  // a Secret of its namespace that every request about it is made with; "" = the daemon's
    bool ensure_resource_group = false;
    std::string description;                   // "" = none declared
    std::vector<std::string> allowed_regions;  // empty = every region
    std::string lifecycle_policy;              // "" = none
    std::optional<bool> soft_delete_enabled;   // nullopt = not declared, left as it is
    std::optional<Sharing> sharing;            // nullopt = not declared, left as it is
    std::vector<RoleAccess> access;
    std::optional<StagingStorage> staging_storage;
    std::optional<Budget> budget;
};

struct RecommendedRange {
    std::optional<int> min, max;
    friend bool operator==(const RecommendedRange&, const RecommendedRange&) = default;
};

struct PurchasePlan {
    std::string name, publisher, product;
    friend bool operator==(const PurchasePlan&, const PurchasePlan&) = default;
};

struct ImageDefinition {
    Metadata meta;
    Governance governance;
    ResourceId id;  // resolved through the gallery document or spec.gallery.armId
    ResourceId gallery_id;
    std::optional<ObjectKey> gallery;  // the gallery's document, when it is one of ours
    std::string azure_name, location;
    std::string publisher, offer, sku;
    std::string os_type, os_state;  // Linux | Windows; Generalized | Specialized
    std::string hyper_v_generation = "V1", architecture = "x64";
    std::string description, eula, privacy_statement_uri, release_note_uri;
    std::optional<TimePoint> end_of_life;
    std::optional<RecommendedRange> recommended_vcpus, recommended_memory_gb;
    std::vector<std::string> disallowed_disk_types;  // sorted
    std::optional<PurchasePlan> purchase_plan;
    std::map<std::string, std::string> features;  // values folded the way Azure does: true -> True
    std::optional<int> max_age_days;
    std::vector<RoleAccess> access;
    std::string lifecycle_policy;              // own, else the gallery's, else ""
    std::vector<std::string> allowed_regions;  // the gallery's
};

struct DiskEncryption {
    std::string os_disk_encryption_set_id;
    std::string cvm_encryption_type, cvm_disk_encryption_set_id;
    std::map<int, std::string> data_disk_encryption_set_ids;  // by lun
    friend bool operator==(const DiskEncryption&, const DiskEncryption&) = default;
};

struct TargetRegion {
    std::string name;  // short form
    int replicas = 1;  // after defaults and `auto`
    std::string storage_account_type = "Standard_LRS";
    std::optional<bool> exclude_from_latest;  // per region; nullopt = not declared
    Boxed<DiskEncryption> encryption;
    friend bool operator==(const TargetRegion&, const TargetRegion&) = default;
};

struct DataDiskSource {
    int lun = 0;
    ResourceId source;  // disk or snapshot
    std::string vhd_uri;
    ResourceId storage_account;
    std::string host_caching;
    friend bool operator==(const DataDiskSource&, const DataDiskSource&) = default;
};

enum class SourceType : std::uint8_t {
    none,
    managed_image,
    virtual_machine,
    gallery_image_version,
    community_gallery_image,
    os_disk
};

struct ImageSource {
    SourceType type = SourceType::none;
    ResourceId id;  // every type but a VHD os_disk
    std::string vhd_uri;
    ResourceId storage_account;
    std::string os_host_caching;
    std::vector<DataDiskSource> data_disks;  // with os_disk
    friend bool operator==(const ImageSource&, const ImageSource&) = default;
};

enum class RegionRetry : std::uint8_t { none, remove_and_add };

struct ImageVersion {
    Metadata meta;
    Governance governance;
    ResourceId id, definition_id;
    std::optional<ObjectKey> definition;  // its document, when it is one of ours
    ImageVersionNumber number;
    std::string location;  // source region
    ImageSource source;
    std::optional<std::vector<TargetRegion>> target_regions;  // nullopt: taken from the policy's tier; sorted by name
    int replicas_default = 1;
    std::string storage_account_type = "Standard_LRS";
    std::string replication_mode = "Full";  // Full | Shallow
    bool exclude_from_latest = false;
    bool hold_latest_until_replicated = false;
    std::optional<TimePoint> end_of_life;
    bool block_deletion_before_end_of_life = false;
    bool allow_deletion_of_replicated_locations = false;
    RegionRetry region_retry = RegionRetry::none;
    std::optional<double> occupied_gb;
};

struct Tier {
    std::string name;
    std::optional<int> newest;                 // nullopt: everything that is left
    std::vector<TargetRegion> target_regions;  // sorted by name
};

enum class Governs : std::uint8_t { all, declared };
enum class RankPer : std::uint8_t { definition, major, major_minor };
enum class RetentionAction : std::uint8_t { report, remove };
enum class InUseRule : std::uint8_t { protect, ignore };

struct DeletionWindow {
    std::vector<int> days;                     // 0 = Sunday … 6; empty = every day
    int from_minute = 0, to_minute = 24 * 60;  // of the day; from > to spans midnight
    std::string time_zone = "UTC";             // IANA name
};

struct Retention {
    RetentionAction action = RetentionAction::report;
    int keep_newest = 1;  // at least 1
    std::optional<std::chrono::seconds> older_than, past_end_of_life, failed_after;
    std::chrono::seconds minimum_age{0};
    InUseRule in_use = InUseRule::protect;
    Tags protect_tags;
    std::chrono::seconds grace{std::chrono::days{7}};
    std::optional<DeletionWindow> window;
    int deletes_per_pass_max = 10;
    int percent_per_pass_max = 20;
    bool approval_required = true;
};

struct LifecyclePolicy {
    Metadata meta;
    Governs governs = Governs::declared;
    RankPer per = RankPer::definition;
    std::vector<Tier> tiers;
    std::optional<int> deprecate_beyond_newest;
    std::optional<std::chrono::seconds> deprecate_older_than;
    std::optional<std::chrono::seconds> end_of_life_after;
    std::optional<Retention> retention;
};

// Everything declared, keyed; references are already resolved into ids.
struct DesiredObjects {
    std::map<ObjectKey, Gallery> galleries;
    std::map<ObjectKey, ImageDefinition> definitions;
    std::map<ObjectKey, ImageVersion> versions;
    std::map<ObjectKey, LifecyclePolicy> policies;
};

// Null when there is no key or no such object.
template <class Object>
const Object* find_object(const std::map<ObjectKey, Object>& objects, const std::optional<ObjectKey>& key) {
    if (!key) return nullptr;
    const auto found = objects.find(*key);
    return found == objects.end() ? nullptr : &found->second;
}

struct DocumentRecord {
    std::optional<ObjectKey> key;  // nullopt: the file did not parse far enough to tell
    std::string file;
    DocumentState state = DocumentState::present;
    std::vector<Diagnostic> problems;
};

// One complete look at one source.
struct Snapshot {
    std::string source;    // "dir:manifests"
    std::string revision;  // digest of the content, or the commit
    bool readable = true;  // false: mount gone, permission lost …: nothing below is meaningful
    std::string unreadable_reason;
    bool unchanged = false;                 // as at the last look, same revision: nothing below is filled
    DesiredObjects objects;                 // the valid ones
    std::vector<DocumentRecord> documents;  // every document and unreadable file, valid or not
    std::vector<Diagnostic> problems() const;
};

}  // namespace galleryd
