#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace galleryd::azure {

// GUID of a built-in role by its name, compared without case ("Reader"), or the GUID itself when `role` is one or ends
// in one (a role definition id). nullopt: unknown; a custom role must be named by its role definition id. Source:
// azure-facts §10.
std::optional<std::string> role_definition_guid(std::string_view role);

// The built-in role that holds an action, for advice ("Compute Gallery Artifacts Publisher" for
// …/galleries/images/write).
std::string role_for_action(std::string_view action);

bool is_guid(std::string_view text);  // 8-4-4-4-12 hex digits

}  // namespace galleryd::azure
