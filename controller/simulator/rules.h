#pragma once
#include <optional>
#include <span>
#include <string>

#include "controller/simulator/errors.h"
#include "controller/simulator/world.h"

// Internal: one function for each call of the surface. Each gets the world at the time of the request.
namespace galleryd::simulator {

// ---- galleries, definitions, versions ----
Answer put_gallery(World& world, const Call& call);  // PUT and PATCH
Answer put_definition(World& world, const Call& call);
Answer put_version(World& world, const Call& call);
Answer share_gallery(World& world, const Call& call);
Answer delete_gallery_resource(World& world, const Call& call);
Answer get_gallery_resource(World& world, const Call& call);
Answer list_galleries(World& world, const Call& call);  // subscription and group
Answer list_gallery_children(World& world, const Call& call);
Answer list_soft_deleted(World& world, const Call& call);
Answer get_operation(World& world, const Call& call);
Answer get_consumer_view(World& world, const Call& call);  // shared and community galleries

// ---- the rest of Azure that a gallery needs ----
Answer resource_group(World& world, const Call& call);  // GET, HEAD, PUT, PATCH, DELETE and the list
Answer role_call(World& world, const Call& call);       // Microsoft.Authorization
Answer resource_tags(World& world, const Call& call);  // …/providers/Microsoft.Resources/tags/default of any resource
Answer storage_call(World& world, const Call& call);   // Microsoft.Storage
Answer subscription_call(World& world,
                         const Call& call);  // subscriptions, tenants, locations, providers, usages, resources
Answer permissions_call(const World& world, const Call& call);  // effective rights at a scope
Answer feature_call(const World& world, const Call& call);      // Microsoft.Features
Json provider_body(const World& world, const Call& call, const std::string& name);
Json usages_body(const World& world, const Call& call);
std::span<const std::string_view> known_regions();  // of the cloud
Answer seeded_resource(World& world,
                       const Call& call);  // anything else below a group: GET, list, simple PUT and DELETE

// ---- shared by the above ----
inline constexpr std::string_view gallery_type = "microsoft.compute/galleries";
inline constexpr std::string_view definition_type = "microsoft.compute/galleries/images";
inline constexpr std::string_view version_type = "microsoft.compute/galleries/images/versions";

bool is_gallery_type(std::string_view type);
std::string canonical_id(const Path& path);  // as written, literals spelled as Azure spells them
std::string group_key(const Path& path);     // "/subscriptions/…/resourcegroups/…"
std::string with_group(const std::string& id, const std::string& group);  // the id with the group spelled so
Json shown(const Resource& resource, const Path& path);  // the body, id with the caller's spelling of the group
std::string sort_key(const Json& resource);
// {"value": […], "nextLink"?} of one page; `$skiptoken` in the query says behind which sort_key to go on, so `all` must
// be in that order.
Json page_of(const World& world, const Call& call, std::vector<Json> all);
// Begins the operation and fills in status, headers and Retry-After: 201 create, 200 update, 202 for the rest.
Answer accepted(World& world, const Call& call, Resource& resource, OperationKind kind, Duration lasts);
int retry_after_seconds(const World& world, Duration simulated, int max_simulated = 60);
std::optional<Answer> check_group(const World& world, const Path& path);
std::optional<Answer> check_rights(const World& world, const Call& call);
std::optional<Answer> check_registration(const World& world, const Call& call);
std::optional<Answer> check_enabled(const World& world, const Call& call);
std::optional<Answer> check_lock(const World& world, const Path& path, bool for_delete);
std::optional<Answer> check_tags(const Json& body, std::string_view prefix);
std::optional<Answer> check_location(const Json& body, std::string_view type, std::string_view prefix);
std::optional<Answer> check_quota(const World& world, const Resource& resource, std::size_t limit,
                                  std::string_view name);
std::optional<Answer> check_busy(const Resource& resource, std::string_view what);
std::string azure_date(const std::string& rfc3339);  // "…Z" -> "…+00:00"; other text comes back unchanged
bool api_at_least(const Call& call, std::string_view version);

}  // namespace galleryd::simulator
