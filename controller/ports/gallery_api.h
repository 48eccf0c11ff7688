#pragma once
#include <optional>
#include <string>
#include <vector>

#include "controller/core/observed.h"
#include "controller/core/plan.h"
#include "controller/ports/task.h"

// What galleryd asks of Azure. Every call has a deadline inside the adapter; a list is whole or it is an error (a view
// is never partial); 404 of a named resource is an empty optional, 404 of its subscription or 403 is an error.
namespace galleryd {

struct OperationRef {
    std::string url;  // byte for byte as Azure sent it, at the ARM host, at most 8 KiB; "" when the answer named none
    std::string final_url;  // Location, when there was one
};

struct WriteOutcome {
    int http_status = 0;
    std::optional<OperationRef> operation;  // nullopt: finished with the answer
    std::string correlation_id;
    std::optional<TimePoint> server_date;
};

enum class OperationState : std::uint8_t {
    in_progress,
    succeeded,
    failed,
    canceled,
    unknown_to_azure /* 404 or 410: look at the resource */
};

struct OperationStatus {
    OperationState state = OperationState::in_progress;
    std::optional<std::chrono::seconds> retry_after;
    std::string error_code, error_message;
    std::optional<TimePoint> started, ended;
};

class GalleryApi {
  public:
    virtual ~GalleryApi() = default;

    // Who asks about a resource: a gallery may have a credential of its own (decision 0030). Calls that name something
    // in a gallery find that by themselves; what lies beside it (its group, its storage account, operations) has to be
    // asked of the one who acts for the gallery. Lives as long as this.
    virtual GalleryApi& acting_for(const ResourceId& resource) {
        static_cast<void>(resource);
        return *this;
    }
    // Whether that is somebody else than the identity that the inventory and usage are asked with: what those show of
    // it does not count then.
    virtual bool has_own_credential(const ResourceId& resource) const {
        static_cast<void>(resource);
        return false;
    }

    // ---- reads ----
    virtual Task<std::optional<ObservedResourceGroup>> get_resource_group(std::string subscription,
                                                                          std::string name) = 0;
    virtual Task<std::optional<ObservedGallery>> get_gallery(
        ResourceId id) = 0;  // with $select=Permissions: groups known
    virtual Task<std::vector<ObservedDefinition>> list_definitions(ResourceId gallery) = 0;
    virtual Task<std::optional<ObservedDefinition>> get_definition(ResourceId id) = 0;
    virtual Task<std::vector<ObservedVersion>> list_versions(ResourceId definition) = 0;  // without replication status
    virtual Task<std::optional<ObservedVersion>> get_version(ResourceId id, bool with_replication) = 0;
    virtual Task<std::vector<ObservedRoleAssignment>> list_role_assignments(
        ResourceId scope) = 0;  // of exactly that scope
    virtual Task<std::optional<ObservedStorageAccount>> get_storage_account(ResourceId id) = 0;

    // ---- writes: `base` is the fresh GET whose unknown properties are sent back; nullopt on creation ----
    virtual Task<WriteOutcome> put_resource_group(
        EnsureResourceGroup step) = 0;  // reads first, never replaces tags of others
    virtual Task<WriteOutcome> put_gallery(ResourceId id, GalleryWrite write, std::optional<ObservedGallery> base) = 0;
    virtual Task<WriteOutcome> put_definition(ResourceId id, DefinitionWrite write,
                                              std::optional<ObservedDefinition> base) = 0;
    virtual Task<WriteOutcome> put_version(ResourceId id, VersionWrite write, std::optional<ObservedVersion> base) = 0;
    virtual Task<WriteOutcome> share_gallery(ResourceId id, ShareGallery step) = 0;
    virtual Task<WriteOutcome> put_role_assignment(AssignRole step) = 0;  // RoleAssignmentExists counts as done
    virtual Task<WriteOutcome> delete_role_assignment(ResourceId id) = 0;
    virtual Task<WriteOutcome> put_storage_account(EnsureStorage step) = 0;
    virtual Task<WriteOutcome> delete_resource(
        ResourceId id) = 0;  // version, definition or gallery; 204 counts as done

    // ---- long operations ----
    virtual Task<OperationStatus> poll_operation(OperationRef operation) = 0;
};

}  // namespace galleryd
