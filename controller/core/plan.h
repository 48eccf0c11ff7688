#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/observed.h"

// The difference between declared and observed as values: steps to do, what is blocked, what is in conflict, and a
// verdict with its rule for every version. A plan reads no clock and does no I/O, so it can be printed, counted,
// compared and refused.
namespace galleryd {

// ---- what a step writes: always the complete writable set, merged by the Azure adapter into the fresh GET's body ----
struct GalleryWrite {
    std::string location, description;
    std::optional<bool> soft_delete_enabled;
    std::optional<SharingPermissions> permissions;  // on creation only (Azure cannot convert later)
    std::optional<CommunityGallery> community;
    Tags tags;                              // ours: set; tags of others stay
    std::vector<std::string> tags_removed;  // ours, to take away
};

struct DefinitionWrite {
    std::string location, publisher, offer, sku, os_type, os_state, hyper_v_generation, architecture;
    std::string description, eula, privacy_statement_uri, release_note_uri;
    std::optional<TimePoint> end_of_life;
    std::optional<RecommendedRange> recommended_vcpus, recommended_memory_gb;
    std::vector<std::string> disallowed_disk_types;
    std::optional<PurchasePlan> purchase_plan;
    std::map<std::string, std::string> features;
    Tags tags;
    std::vector<std::string> tags_removed;
};

struct VersionWrite {
    std::string location;
    std::optional<ImageSource> source;         // on creation only
    std::vector<TargetRegion> target_regions;  // the whole list: what is left out is deleted by Azure
    int replica_count = 1;
    std::string storage_account_type = "Standard_LRS", replication_mode = "Full";
    bool exclude_from_latest = false;
    std::optional<TimePoint> end_of_life;
    bool block_deletion_before_end_of_life = false, allow_deletion_of_replicated_locations = false;
    Tags tags;
    std::vector<std::string> tags_removed;
};

struct EnsureResourceGroup {
    std::string subscription_id, name, location;
    Tags tags;
};
struct CreateGallery {
    GalleryWrite write;
};
struct UpdateGallery {
    GalleryWrite write;
};
struct ShareGallery {
    std::string operation;
    std::vector<std::string> subscription_ids, tenant_ids;
};  // Add | Remove | Reset | EnableCommunity
struct AssignRole {
    ResourceId scope;
    std::string assignment_name;
    RoleAccess access;
    std::string role_definition_id;
};
struct UnassignRole {
    ResourceId assignment;
};
struct EnsureStorage {
    ResourceId account;
    std::string location, sku, container;
};
struct CreateDefinition {
    DefinitionWrite write;
};
struct UpdateDefinition {
    DefinitionWrite write;
};
struct CreateVersion {
    VersionWrite write;
};
struct UpdateVersion {
    VersionWrite write;
};  // also regions, flags, exclude, end of life, mark and unmark (tags)
struct DeleteVersion {};
struct DeleteDefinition {};
struct DeleteGallery {};
using Step = std::variant<EnsureResourceGroup, CreateGallery, UpdateGallery, ShareGallery, AssignRole, UnassignRole,
                          EnsureStorage, CreateDefinition, UpdateDefinition, CreateVersion, UpdateVersion,
                          DeleteVersion, DeleteDefinition, DeleteGallery>;

enum class Action : std::uint8_t { create, update, remove, adopt, mark, unmark, share, assign, unassign };
std::string_view to_string(Action action);  // "create", "update", "delete", …

enum class FieldOp : std::uint8_t { add, remove, replace };

struct FieldChange {
    std::string path;  // "/targetRegions/eastus/replicas"
    FieldOp op = FieldOp::replace;
    std::string before, after;  // as text for people; "" when absent
    std::string effect;         // "latest_falls_back", "latest_moves", "" …
    std::string detail;         // "1.6.9"
    std::string cause;          // what asked: "spec", "default", "policy standard/tier archive", "hold_latest", "azure"
};

enum class Risk : std::uint8_t { none, capacity_removed, latest_moves, access_removed, data_deleted };
std::string_view to_string(Risk risk);

struct Estimate {
    std::optional<std::int64_t> ready_seconds;
    int arm_writes = 1;
    double monthly_cost_delta = 0, one_time_cost = 0;
};

// What the plan saw of the resource, so that the strong GET before the write can tell that it is still the same one.
struct Fingerprint {
    bool existed = false;
    std::optional<TimePoint> published;
    ImageSource source;
    std::string etag;  // digest of the normalised observed state (core/fingerprint.h)
};

struct Change {
    std::string address;  // "images/golden/ubuntu-2404/1.8.0" (namespace/gallery/definition/version)
    std::string
        kind;  // "Gallery", "ImageDefinition", "ImageVersion", "RoleAssignment", "ResourceGroup", "StorageAccount"
    ResourceId arm_id;
    std::optional<ObjectKey> object;  // nullopt: governed by a policy without a document
    SourceLocation manifest;
    Action action = Action::update;
    std::string reason;  // manifest_changed | drift | not_found | adopt | lifecycle | retention | replication_failed |
                         // removed | region_removal | …
    std::string rule;    // "standard/olderThan", "standard/tier current"
    std::string why;     // one sentence for people
    Risk risk = Risk::none;
    bool reversible = true;
    bool destructive = false;  // deletes, removes a region, lowers replicas below the declared number, takes access
                               // away: needs the interlock
    bool usage_asked = false;  // planned because nobody uses the version: asked again right before the request
    std::vector<FieldChange> fields;
    Estimate estimate;
    Fingerprint seen;
    Step step;
    std::string follow_up;  // what a later pass will do, e.g. "then remove brazilsouth, then put the flag back"
};

// One reason why something does not happen, with its way out.
struct BlockReason {
    int interlock_point = 0;  // 1..12 of behaviour §6; 0: another reason
    std::string reason;     // snake_case for JSON and metrics: in_use, usage_unknown, held, min_keep, eol_not_reached,
                            // locked, approval_required, brake, suspended, not_ours, …
    std::string condition;  // CamelCase DeletionBlocked reason: InUse, Held, MinimumKeep, …
    std::string message;    // readable sentence
    std::string way_out;    // what a person can do
};

struct Blocked {
    std::string address, kind;
    ResourceId arm_id;
    SourceLocation manifest;
    Action action = Action::remove;
    std::string rule;
    std::vector<BlockReason> reasons;  // all of them, in the order of the points
    std::map<std::string, std::string> evidence;
};

struct Conflict {
    std::string address, kind;
    ResourceId arm_id;
    std::optional<ObjectKey> object;
    SourceLocation manifest;
    std::string code;    // "GD2103"
    std::string reason;  // Ready reason: ImmutableFieldChanged | NotOwned | …
    std::string path;    // "/targetRegions/westeurope/storageAccountType"
    std::string before, after;
    std::string message;
    std::vector<std::string> ways_out;
};

// Why each version is kept or goes, and when.
struct VersionVerdict {
    std::string address, version;
    ResourceId arm_id;
    std::optional<int> rank;  // 1 = newest usable within `per`
    std::string tier;         // tier name or ""
    std::string state;        // Preview | Active | Deprecated | Retired | Deleted
    bool candidate = false;   // a retention rule names it
    std::string rule;         // "policy/rule" that keeps or removes it ("standard/keepNewest", "unknownPublishedDate")
    std::string text;         // one sentence
    std::optional<TimePoint> delete_after;  // mark's date
    std::vector<BlockReason> blocked_by;
};

struct RegionStatus {
    std::string name;
    int wanted = 0, observed = 0;  // replicas
    ReplicationState state = ReplicationState::unknown;
    bool present = false;  // among Azure's target regions
    int progress = 0;
    std::string detail;
};

struct Cost {
    double before = 0, after = 0, one_time = 0;
    bool upper_bound = false;  // some size was Azure's provisioned size
};

// What is created once something else is there that an earlier pass makes: not a change of this plan yet.
struct LaterCreation {
    std::string address, kind;
    SourceLocation manifest;
    std::string after;  // "its gallery", "its definition"
};

struct Plan {
    std::string scope;  // "images/golden" or "images/golden/ubuntu-2404"
    TimePoint observed_at{};
    bool complete = true;         // the view was complete; without it there are no changes
    std::vector<Change> changes;  // in the order in which they may be applied
    std::vector<Blocked> blocked;
    std::vector<Conflict> conflicts;
    std::vector<VersionVerdict> verdicts;
    std::vector<std::string> waiting;  // addresses with an operation in flight or replication under way
    std::vector<LaterCreation> later;  // of the waiting ones
    std::vector<std::string> notices;  // "images/golden/…: no occupied size, …"
    int unchanged = 0;
    Cost cost;
    std::string observed_digest;  // "sha256:…" over the normalised observed state of the scope
    std::string id;               // "sha256:…" over steps and observed_digest: what `approve` and saved plans name
    std::string
        deletions_digest;  // the same over the destructive changes that wait for approval; "" when there are none
    std::map<std::string, std::vector<RegionStatus>> regions;  // by version address
    std::optional<std::string> latest;                         // version that "latest" resolves to in the home region
    std::map<std::string, std::string> latest_per_region;
    bool converged() const { return complete && changes.empty() && waiting.empty() && conflicts.empty(); }
};

}  // namespace galleryd
