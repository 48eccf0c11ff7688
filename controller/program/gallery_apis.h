#pragma once
#include <functional>
#include <string>

#include "controller/ports/gallery_api.h"
#include "reconcilers/lifecycle/gallery_credentials.h"

namespace galleryd {

// Every request about a gallery with the gallery's own credential, everything else with galleryd's (decision 0030).
// A call that names a gallery or something in it finds who acts by itself; a call about what lies beside galleries
// (group, storage account, operation) is refused as a bug here and goes to acting_for(gallery): without the gallery
// nobody could tell whose credential it needs, and galleryd's own is no way out. `own` and the choices outlive it.
class GalleryApis : public GalleryApi {
  public:
    // Who acts with a credential; always the same for the same choice, and outlives this.
    using Actor = std::function<GalleryApi&(const CredentialChoice&)>;
    GalleryApis(GalleryApi& own, const GalleryCredentials& choices, Actor actor)
        : own_(own), choices_(choices), actor_(std::move(actor)) {}

    GalleryApi& acting_for(const ResourceId& resource) override;
    bool has_own_credential(const ResourceId& resource) const override { return choices_.find(resource) != nullptr; }

    Task<std::optional<ObservedResourceGroup>> get_resource_group(std::string subscription, std::string name) override;
    Task<std::optional<ObservedGallery>> get_gallery(ResourceId id) override;
    Task<std::vector<ObservedDefinition>> list_definitions(ResourceId gallery) override;
    Task<std::optional<ObservedDefinition>> get_definition(ResourceId id) override;
    Task<std::vector<ObservedVersion>> list_versions(ResourceId definition) override;
    Task<std::optional<ObservedVersion>> get_version(ResourceId id, bool with_replication) override;
    Task<std::vector<ObservedRoleAssignment>> list_role_assignments(ResourceId scope) override;
    Task<std::optional<ObservedStorageAccount>> get_storage_account(ResourceId id) override;

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

  private:
    GalleryApi& own_;
    const GalleryCredentials& choices_;
    Actor actor_;
};

}  // namespace galleryd
