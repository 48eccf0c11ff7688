#include "controller/simulator/errors.h"

#include <array>

namespace galleryd::simulator {

Answer error_answer(int status, std::string_view code, std::string message, std::string_view target) {
    Answer answer;
    answer.status = status;
    Json error = Json::object();
    error["code"] = code;
    error["message"] = std::move(message);
    if (!target.empty()) error["target"] = target;
    answer.body["error"] = std::move(error);
    return answer;
}

std::string type_display(std::string_view folded_type) {
    static constexpr std::array<std::string_view, 21> known{"Microsoft.Compute/galleries",
                                                            "Microsoft.Compute/galleries/images",
                                                            "Microsoft.Compute/galleries/images/versions",
                                                            "Microsoft.Compute/images",
                                                            "Microsoft.Compute/snapshots",
                                                            "Microsoft.Compute/disks",
                                                            "Microsoft.Compute/virtualMachines",
                                                            "Microsoft.Compute/virtualMachineScaleSets",
                                                            "Microsoft.Compute/diskEncryptionSets",
                                                            "Microsoft.Storage/storageAccounts",
                                                            "Microsoft.Authorization/roleAssignments",
                                                            "Microsoft.Authorization/roleDefinitions",
                                                            "Microsoft.Authorization/locks",
                                                            "Microsoft.Compute/galleries/applications",
                                                            "Microsoft.Compute/galleries/applications/versions",
                                                            "Microsoft.Compute/locations/communityGalleries",
                                                            "Microsoft.Compute/locations/sharedGalleries",
                                                            "Microsoft.KeyVault/vaults",
                                                            "Microsoft.ManagedIdentity/userAssignedIdentities",
                                                            "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
                                                            "Microsoft.VirtualMachineImages/imageTemplates"};
    for (const std::string_view type : known) {
        if (std::ranges::equal(type, folded_type,
                               [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; }))
            return std::string(type);
    }
    return std::string(folded_type);
}

Answer no_content() {
    Answer answer;
    answer.status = 204;
    return answer;
}

Answer resource_not_found(const Path& path) {
    std::string what = type_display(path.type);
    for (const std::string& name : path.names) what += "/" + name;
    return error_answer(404, "ResourceNotFound",
                        "The Resource '" + what + "' under resource group '" + path.group +
                            "' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix");
}

Answer group_not_found(const std::string& group) {
    return error_answer(404, "ResourceGroupNotFound", "Resource group '" + group + "' could not be found.");
}

Answer parent_not_found(const std::string& parent) {
    return error_answer(
        404, "ParentResourceNotFound",
        "Can not perform requested operation on nested resource. Parent resource '" + parent + "' not found.");
}

Answer property_change_not_allowed(const std::string& target) {
    return error_answer(409, "PropertyChangeNotAllowed", "Changing property '" + target + "' is not allowed.", target);
}

Answer invalid_parameter(std::string message, std::string_view target) {
    return error_answer(400, "InvalidParameter", std::move(message), target);
}

Answer missing_parameter(const std::string& target) {
    return invalid_parameter("Required parameter '" + target + "' is missing (null).", target);
}

Answer wrong_type(const std::string& target, std::string_view expected) {
    // The code and text of a wrong JSON type were not recorded for galleries (unverified).
    return invalid_parameter("Error converting value of '" + target + "' to type '" + std::string(expected) + "'.",
                             target);
}

Answer nested_resources_exist(const std::vector<std::string>& relative_ids) {
    std::string listed;
    for (const std::string& id : relative_ids) listed += (listed.empty() ? "" : ",") + id;
    return error_answer(
        409, "CannotDeleteResource",
        "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: '" + listed +
            "'. Please delete all nested resources before deleting this resource.");
}

Answer conflict(std::string_view code, std::string message) { return error_answer(409, code, std::move(message)); }

Answer location_change(const std::string& name, const std::string& location, const std::string& group,
                       const std::string& wanted) {
    return conflict("InvalidResourceLocation", "The resource '" + name + "' already exists in location '" + location +
                                                   "' in resource group '" + group +
                                                   "'. A resource with the same name cannot be created in location '" +
                                                   wanted + "'. Please select a new resource name.");
}

Answer location_unavailable(const std::string& location, std::string_view type) {
    return error_answer(400, "LocationNotAvailableForResourceType",
                        "The provided location '" + location + "' is not available for resource type '" +
                            type_display(type) +
                            "'. List of available regions for the resource type is "
                            "'eastus,eastus2,westus,westus2,westeurope,northeurope'.");
}

Answer unknown_api_version(const std::string& location, const std::string& version, std::string_view type,
                           const std::string& supported) {
    const std::size_t slash = type.find('/');
    return error_answer(400, "NoRegisteredProviderFound",
                        "No registered resource provider found for location '" + location + "' and API version '" +
                            version + "' for type '" +
                            std::string(slash == std::string_view::npos ? type : type.substr(slash + 1)) +
                            "'. The supported api-versions are '" + supported + "'.");
}

}  // namespace galleryd::simulator
