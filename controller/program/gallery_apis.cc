#include "controller/program/gallery_apis.h"

namespace galleryd {
namespace {

std::unexpected<Error> whose(const std::string& what) {
    return fail(ErrorKind::bug, "Bug", what + ": asked without saying for which gallery, so nobody's credential fits");
}

}  // namespace

GalleryApi& GalleryApis::acting_for(const ResourceId& resource) {
    const CredentialChoice* const choice = choices_.find(resource);
    return choice == nullptr ? own_ : actor_(*choice);
}

Task<std::optional<ObservedGallery>> GalleryApis::get_gallery(ResourceId id) { return acting_for(id).get_gallery(id); }

Task<std::vector<ObservedDefinition>> GalleryApis::list_definitions(ResourceId gallery) {
    return acting_for(gallery).list_definitions(gallery);
}

Task<std::optional<ObservedDefinition>> GalleryApis::get_definition(ResourceId id) {
    return acting_for(id).get_definition(id);
}

Task<std::vector<ObservedVersion>> GalleryApis::list_versions(ResourceId definition) {
    return acting_for(definition).list_versions(definition);
}

Task<std::optional<ObservedVersion>> GalleryApis::get_version(ResourceId id, bool with_replication) {
    return acting_for(id).get_version(id, with_replication);
}

Task<std::vector<ObservedRoleAssignment>> GalleryApis::list_role_assignments(ResourceId scope) {
    return acting_for(scope).list_role_assignments(scope);
}

Task<WriteOutcome> GalleryApis::put_gallery(ResourceId id, GalleryWrite write, std::optional<ObservedGallery> base) {
    return acting_for(id).put_gallery(id, std::move(write), std::move(base));
}

Task<WriteOutcome> GalleryApis::put_definition(ResourceId id, DefinitionWrite write,
                                               std::optional<ObservedDefinition> base) {
    return acting_for(id).put_definition(id, std::move(write), std::move(base));
}

Task<WriteOutcome> GalleryApis::put_version(ResourceId id, VersionWrite write, std::optional<ObservedVersion> base) {
    return acting_for(id).put_version(id, std::move(write), std::move(base));
}

Task<WriteOutcome> GalleryApis::share_gallery(ResourceId id, ShareGallery step) {
    return acting_for(id).share_gallery(id, std::move(step));
}

Task<WriteOutcome> GalleryApis::put_role_assignment(AssignRole step) {
    GalleryApi& api = acting_for(step.scope);
    return api.put_role_assignment(std::move(step));
}

Task<WriteOutcome> GalleryApis::delete_role_assignment(ResourceId id) {
    return acting_for(id).delete_role_assignment(id);
}

Task<WriteOutcome> GalleryApis::delete_resource(ResourceId id) { return acting_for(id).delete_resource(id); }

Task<std::optional<ObservedResourceGroup>> GalleryApis::get_resource_group(std::string, std::string name) {
    co_return whose("read resource group " + name);
}

Task<std::optional<ObservedStorageAccount>> GalleryApis::get_storage_account(ResourceId id) {
    co_return whose("read storage account " + id.text());
}

Task<WriteOutcome> GalleryApis::put_resource_group(EnsureResourceGroup step) {
    co_return whose("create resource group " + step.name);
}

Task<WriteOutcome> GalleryApis::put_storage_account(EnsureStorage step) {
    co_return whose("create storage account " + step.account.text());
}

Task<OperationStatus> GalleryApis::poll_operation(OperationRef) { co_return whose("follow an operation"); }

}  // namespace galleryd
