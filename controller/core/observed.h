#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/image_version_number.h"
#include "controller/core/resource_id.h"
#include "controller/core/time.h"

// Azure's answers, normalised once on the way in (ids case-folded for comparison, regions short, defaults filled in,
// empty objects dropped, feature values folded). `raw` keeps the body as it came, so that a PUT can send unknown
// properties back.
namespace galleryd {

enum class ProvisioningState : std::uint8_t { unknown, creating, updating, failed, succeeded, deleting, migrating };
std::string_view to_string(ProvisioningState state);
ProvisioningState parse_provisioning_state(std::string_view text);
inline bool is_in_transition(ProvisioningState s) {
    return s == ProvisioningState::creating || s == ProvisioningState::updating || s == ProvisioningState::deleting ||
           s == ProvisioningState::migrating;
}

// A tag whose value is null in Azure has no value here; it protects (behaviour §5: a null tag means keep).
using ObservedTags = std::map<std::string, std::optional<std::string>>;

struct ObservedBase {
    ResourceId id;
    std::string name, location;
    ObservedTags tags;
    ProvisioningState state = ProvisioningState::unknown;
    std::string raw;                       // the JSON body as received ("" for rows of a list kept compact)
    TimePoint read_at{};                   // our clock, when the answer came
    std::optional<TimePoint> server_date;  // the Date header of the answer
};

struct ObservedGallery : ObservedBase {
    std::string description;
    std::optional<bool> soft_delete_enabled;
    SharingPermissions permissions = SharingPermissions::private_;
    std::vector<std::string> shared_subscription_ids,
        shared_tenant_ids;  // sorted, lower case; needs $select=Permissions
    bool sharing_groups_known = false;
    bool community_enabled = false;
    std::optional<CommunityGallery> community;
};

struct ObservedDefinition : ObservedBase {
    std::string publisher, offer, sku, os_type, os_state, hyper_v_generation, architecture;
    std::string description, eula, privacy_statement_uri, release_note_uri;
    std::optional<TimePoint> end_of_life;
    std::optional<RecommendedRange> recommended_vcpus, recommended_memory_gb;
    std::vector<std::string> disallowed_disk_types;
    std::optional<PurchasePlan> purchase_plan;
    std::map<std::string, std::string> features;
};

enum class ReplicationState : std::uint8_t { unknown, replicating, completed, failed };
std::string_view to_string(ReplicationState state);

struct RegionReplication {
    ReplicationState state = ReplicationState::unknown;
    int progress = 0;  // percent
    std::string detail;
};

struct ObservedVersion : ObservedBase {
    std::optional<ImageVersionNumber> number;  // nullopt: a name that is not MAJOR.MINOR.PATCH: kept, never touched
    std::vector<TargetRegion> target_regions;  // sorted by name; replicas and storage type filled in from the profile
    int replica_count = 1;
    std::string storage_account_type = "Standard_LRS";
    std::string replication_mode = "Full";
    bool exclude_from_latest = false;
    std::optional<TimePoint> published, end_of_life;  // nullopt: missing or unparsable
    bool end_of_life_unparsable = false;
    ImageSource source;
    std::optional<bool> block_deletion_before_end_of_life;  // nullopt: not reported by Azure
    bool allow_deletion_of_replicated_locations = false;
    int os_disk_gb = 0, data_disks_gb = 0;                 // 0: not reported yet
    bool replication_known = false;                        // came with $expand=ReplicationStatus
    std::map<std::string, RegionReplication> replication;  // by short region name
};

struct ObservedRoleAssignment {
    ResourceId id;  // …/roleAssignments/{guid}
    std::string scope, role_definition_id, principal_id, principal_type;
};

struct ObservedStorageAccount {
    ResourceId id;
    std::string location, sku;
    std::string provisioning_state;
};

struct ObservedResourceGroup {
    std::string name, location;
    Tags tags;
};

// A gallery with what hangs on it. nullopt = Azure said 404; a read that failed never becomes an empty view.
struct GalleryView {
    std::optional<ObservedResourceGroup> group;
    std::optional<ObservedGallery> gallery;
    std::optional<std::vector<ObservedRoleAssignment>> role_assignments;  // nullopt: not asked for
    std::optional<ObservedStorageAccount> storage;
    std::vector<std::string> definition_names;  // children, for deletion
    bool complete = false;                      // every page arrived
    TimePoint at{};
};

// A definition with all its versions: one planning scope, because a policy ranks versions against each other.
struct DefinitionView {
    bool gallery_exists = false;
    std::optional<ObservedDefinition> definition;
    std::vector<ObservedVersion> versions;  // in the order of the list
    std::optional<std::vector<ObservedRoleAssignment>> role_assignments;
    bool complete = false;
    TimePoint at{};
};

}  // namespace galleryd
