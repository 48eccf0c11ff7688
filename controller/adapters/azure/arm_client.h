#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controller/adapters/azure/api_versions.h"
#include "controller/adapters/azure/arm_channel.h"
#include "controller/adapters/azure/error_table.h"
#include "controller/adapters/azure/token.h"
#include "controller/adapters/http/transport.h"
#include "controller/ports/clock.h"
#include "controller/ports/gallery_api.h"
#include "controller/ports/log.h"
#include "controller/ports/metrics.h"
#include "controller/ports/usage.h"
#include "controller/ports/version_care.h"

namespace galleryd::azure {

// GalleryApi over ARM's REST interface, with the pinned api-versions of api_versions.h.
//  - A resource id that could break out of its place in the path (blanks, '%', '?', '..') is `invalid` before any
//  request.
//  - nextLink and operation URLs are followed only at the ARM origin: a foreign nextLink is an error of the list
//  (GD3004), a
//    foreign, oversized or unusable operation URL reads as `unknown_to_azure`, so that the resource itself is looked
//    at.
//  - Reads go through retries, writes leave once; after an error of a write nobody knows whether it happened: look
//  again.
//  - A PUT answered 201 or 202 without any operation URL, or with a resource in transition, yields an OperationRef
//  without url;
//    polling that is `unknown_to_azure`.
//  - put_storage_account makes the account only. Its container is data plane (another host, another token audience) and
//  is not made.
// Single-threaded; must outlive the calls in flight.
class ArmClient : public GalleryApi, public MachineLists, public VersionCare {
  public:
    ArmClient(http::Transport& transport, TokenProvider& tokens, Clock& clock, Log& log, Metrics& metrics,
              ArmOptions options, std::shared_ptr<ArmGate> gate = {});

    // To be shared with clients that ask the same Azure with other credentials.
    const std::shared_ptr<ArmGate>& gate() const { return channel_.gate(); }

    Task<std::optional<ObservedResourceGroup>> get_resource_group(std::string subscription, std::string name) override;
    Task<std::optional<ObservedGallery>> get_gallery(ResourceId id) override;
    Task<std::vector<ObservedDefinition>> list_definitions(ResourceId gallery) override;
    Task<std::optional<ObservedDefinition>> get_definition(ResourceId id) override;
    Task<std::vector<ObservedVersion>> list_versions(ResourceId definition) override;
    Task<std::optional<ObservedVersion>> get_version(ResourceId id, bool with_replication) override;
    Task<std::vector<ObservedRoleAssignment>> list_role_assignments(ResourceId scope) override;
    Task<std::optional<ObservedStorageAccount>> get_storage_account(ResourceId id) override;

    Task<std::vector<MachineImage>> list_machines(std::string subscription) override;

    // All galleries of a subscription, for `import`; not part of the port.
    Task<std::vector<ObservedGallery>> list_galleries(std::string subscription);

    Task<WriteOutcome> put_resource_group(EnsureResourceGroup step) override;
    Task<WriteOutcome> put_gallery(ResourceId id, GalleryWrite write, std::optional<ObservedGallery> base) override;
    Task<WriteOutcome> put_definition(ResourceId id, DefinitionWrite write,
                                      std::optional<ObservedDefinition> base) override;
    Task<WriteOutcome> put_version(ResourceId id, VersionWrite write, std::optional<ObservedVersion> base) override;
    Task<WriteOutcome> share_gallery(ResourceId id, ShareGallery step) override;
    Task<WriteOutcome> put_role_assignment(AssignRole step) override;
    Task<WriteOutcome> delete_role_assignment(ResourceId id) override;
    Task<WriteOutcome> put_storage_account(EnsureStorage step) override;
    Task<WriteOutcome> delete_resource(ResourceId id) override;

    Task<OperationStatus> poll_operation(OperationRef operation) override;

    Task<WriteOutcome> merge_tags(ResourceId version, Tags tags) override;
    Task<WriteOutcome> delete_tags(ResourceId version, Tags tags) override;
    Task<WriteOutcome> replace_tags(ResourceId version, Tags tags) override;
    Task<std::vector<SoftDeletedVersion>> list_soft_deleted(ResourceId definition) override;
    Task<WriteOutcome> restore_version(ResourceId version) override;

  private:
    // The answer of a GET: nullopt for "this resource does not exist", an error for everything that is neither.
    Task<std::optional<http::Response>> get(ResourceId id, std::string target, std::string what, Worth worth);
    Task<http::Response> send(ResourceId id, ArmCall call);  // subscription, type and a missing region are filled in
    struct PutLabels {
        std::string what, location;
        Worth worth = Worth::update;
    };
    Task<WriteOutcome> put(ResourceId id, ApiVersion api, Result<std::string> body, PutLabels labels);
    Task<WriteOutcome> patch(ResourceId id, ArmCall call);
    template <class T>
    Task<std::vector<T>> list(ResourceId scope, std::string target, std::string resource_type, std::string what,
                              Result<Page<T>> (*decode)(std::string_view, DecodeContext));
    WriteOutcome outcome_of(const http::Response& answer);
    std::string usable_operation_url(const http::Headers& headers, std::string_view name);
    Result<std::string> own_target(const std::string& url) const;
    DecodeContext context_of(const http::Response& answer) const;
    Error error_of(const std::string& what, const http::Response& answer) const;
    // The provider counts by the region of the gallery: it is remembered from what galleries answer and are sent.
    void remember_region(const ResourceId& gallery, const std::string& location);
    std::string region_of(const ResourceId& id) const;  // "" when its gallery has not been seen yet
    Worth read_worth() const { return channel_.options().read_worth; }

    ArmChannel channel_;
    Clock& clock_;
    Log& log_;
    std::map<std::string, std::string> regions_;  // gallery key -> region; at most regions_max
};

}  // namespace galleryd::azure
