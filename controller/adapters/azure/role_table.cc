#include "controller/adapters/azure/role_table.h"

#include <array>
#include <utility>

#include "controller/core/resource_id.h"

namespace galleryd::azure {
namespace {

// The same in every tenant and cloud (built-in roles). All but the last four: azure-facts §10; Owner, User Access
// Administrator, Virtual Machine Contributor and Storage Blob Data Contributor: Azure's list of built-in roles [U
// here].
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> roles{{
    {"Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7"},
    {"Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c"},
    {"Compute Gallery Image Reader", "cf7c76d2-98a3-4358-a134-615aa78bf44d"},
    {"Compute Gallery Artifacts Publisher", "85a2d0d9-2eba-4c9c-b355-11c2cc0788ab"},
    {"Compute Gallery Sharing Admin", "1ef6a3be-d0ac-425d-8c01-acb62866290b"},
    {"Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"},
    {"User Access Administrator", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"},
    {"Virtual Machine Contributor", "9980e02c-c2be-4d73-94e8-173b1dc7cf3c"},
    {"Storage Blob Data Contributor", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"},
}};

}  // namespace

bool is_guid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (is_dash ? c != '-' : !is_hex) return false;
    }
    return true;
}

std::optional<std::string> role_definition_guid(std::string_view role) {
    const std::string folded = fold_case(role);
    for (const auto& [name, guid] : roles) {
        if (fold_case(name) == folded) return std::string(guid);
    }
    const std::string last = folded.substr(folded.rfind('/') + 1);
    if (!is_guid(last)) return std::nullopt;
    return last;
}

std::string role_for_action(std::string_view action) {
    const std::string folded = fold_case(action);
    if (folded.contains("/galleries/share/")) return "Compute Gallery Sharing Admin";
    if (folded.starts_with("microsoft.authorization/roleassignments/") && !folded.ends_with("/read"))
        return "User Access Administrator";
    if (folded.ends_with("/read")) return "Reader";  // Compute Gallery Image Reader does not hold galleries/read
    if (folded.contains("/galleries")) return "Compute Gallery Artifacts Publisher";
    if (folded.starts_with("microsoft.storage/storageaccounts/")) return "Storage Account Contributor";
    if (folded == "microsoft.resources/tags/write") return "Tag Contributor";
    if (folded.starts_with("microsoft.compute/snapshots/")) return "Disk Snapshot Contributor";
    if (folded == "microsoft.compute/disks/write" || folded == "microsoft.compute/virtualmachines/write")
        return "Compute Gallery Artifacts Publisher";
    return "Contributor";
}

}  // namespace galleryd::azure
