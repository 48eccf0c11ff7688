#pragma once
#include <optional>
#include <string>
#include <vector>

#include "controller/simulator/rules.h"

// Internal: the parts of a version PUT.
namespace galleryd::simulator {

inline constexpr std::string_view version_root = "galleryImageVersion.properties.";
inline std::string version_field(std::string_view field) { return std::string(version_root) + std::string(field); }

// Types, required fields, names, regions, counts: what can be said without looking at the world.
std::optional<Answer> check_version_shape(const Call& call, const Json& body, const Resource* old);
// The source exists, in the version's region, and fits the definition.
std::optional<Answer> check_version_source(const World& world, const Call& call, const Json& body,
                                           const Resource& definition);
// Mutability, region removal, running operations.
std::optional<Answer> check_version_update(const Call& call, const Resource& old, const Json& fresh);

// The body as a GET prints it (without provisioningState), and what appears when provisioning has finished.
Json version_body(World& world, const Call& call, const Resource* old, const Json& asked);
Json arriving_disks(const World& world, const Json& storage_profile);
std::vector<std::string> target_regions(const Json& body);  // short names, in order
std::string account_type(const std::string& spelling);      // "standard_lrs" -> "Standard_LRS"; "" when unknown
std::string source_id(const Json& source);                  // whatever kind of id a source names, "" when none

}  // namespace galleryd::simulator
