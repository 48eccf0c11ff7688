#pragma once
#include <array>
#include <string>
#include <string_view>

// The pinned api-versions, shown by `galleryd version`. Moving one changes defaults that Azure fills in (azure-facts
// §2): every field that could move is sent explicitly, and a move is a decision of its own.
namespace galleryd::azure {

struct ApiVersion {
    std::string_view resource;
    std::string_view version;
};

inline constexpr ApiVersion gallery_api{"Microsoft.Compute/galleries", "2024-03-03"};
inline constexpr ApiVersion role_assignment_api{"Microsoft.Authorization/roleAssignments", "2022-04-01"};
inline constexpr ApiVersion resource_group_api{"Microsoft.Resources/resourceGroups", "2024-07-01"};
inline constexpr ApiVersion storage_account_api{"Microsoft.Storage/storageAccounts", "2023-05-01"};
inline constexpr ApiVersion resource_graph_api{"Microsoft.ResourceGraph/resources", "2024-04-01"};
inline constexpr ApiVersion machine_api{"Microsoft.Compute/virtualMachines", "2024-07-01"};  // scale sets, too
inline constexpr std::array<ApiVersion, 6> api_versions{gallery_api,         role_assignment_api, resource_group_api,
                                                        storage_account_api, resource_graph_api,  machine_api};

// Asked by verbs of people alone (hold, release, restore), so it is none of the daemon's.
inline constexpr ApiVersion tags_api{"Microsoft.Resources/tags", "2024-07-01"};

inline std::string api_query(const ApiVersion& api) { return "?api-version=" + std::string(api.version); }

}  // namespace galleryd::azure
