#pragma once
#include "controller/adapters/azure/decode.h"
#include "controller/adapters/azure/json_read.h"

// Readers over a parsed tree, shared by the single-resource and the page decoders; internal to this folder.
namespace galleryd::azure {

Result<void> read_base(const Json& tree, std::string_view type, const DecodeContext& context, ObservedBase& base);
Result<ObservedGallery> read_gallery(const Json& tree, const DecodeContext& context);
Result<ObservedDefinition> read_definition(const Json& tree, const DecodeContext& context);
Result<ObservedVersion> read_version(const Json& tree, const DecodeContext& context);
Result<ObservedRoleAssignment> read_role_assignment(const Json& tree);

}  // namespace galleryd::azure
