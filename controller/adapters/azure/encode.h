#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "controller/core/observed.h"
#include "controller/core/plan.h"
#include "controller/core/result.h"

// Bodies of writes: pure. An update starts from the fresh GET's body (`base->raw`), so that properties this program
// does not know go back as they came (reliability I7); read-only ones are dropped.
//  - The write is the complete writable set: an empty mutable field (description, release note, end of life,
//  recommended,
//    disallowed) is taken out of the body. Not declared and left alone: soft delete without a value, a region's
//    exclude-from-latest without a value, sharing after creation, features that the write does not name.
//  - Fixed fields of a definition go back as read (azure-facts §3.2: a tag-only PUT whose eula differs is refused).
//  - A version's storageProfile is {} on update, the recorded form; its source never changes.
//  - Always sent, because their default moves between api-versions: both safety flags, storage account types, replica
//  counts,
//    replication mode, exclude from latest, generation. End of life: sent when there is one.
//  - Tags: those of others stay (a null value too), `tags_removed` go, ours are set; names compare without case, as in
//  Azure.
// Errors: `bug` when `base` has no body (a row of a list), `transient` when its body cannot be read.
namespace galleryd::azure {

Result<std::string> encode_gallery(const GalleryWrite& write, const std::optional<ObservedGallery>& base);
Result<std::string> encode_definition(const DefinitionWrite& write, const std::optional<ObservedDefinition>& base);
Result<std::string> encode_version(const VersionWrite& write, const std::optional<ObservedVersion>& base);

std::string encode_share(const ShareGallery& step);
// `role_definition_id` is the full id: /subscriptions/…/providers/Microsoft.Authorization/roleDefinitions/{guid}.
std::string encode_role_assignment(const RoleAccess& access, const std::string& role_definition_id);
// Secure defaults: no public blob access, TLS 1.2, https only, StorageV2.
std::string encode_storage_account(const EnsureStorage& step);
std::string encode_resource_group(const EnsureResourceGroup& step);  // PUT of a group that does not exist
// PATCH with the whole tag map after the change (a PATCH replaces it); "" when `current`, a GET's body, holds all of
// `ours`.
Result<std::string> encode_resource_group_tags(std::string_view current, const Tags& ours);

}  // namespace galleryd::azure
