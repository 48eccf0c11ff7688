#include "controller/core/error_catalogue.h"

namespace galleryd {

std::span<const CatalogueEntry> planning_errors() {
    static constexpr CatalogueEntry table[] = {
        // ---- GD2200 to GD2299: galleries and image definitions ----
        {"GD2200", "the resource exists and is not managed by galleryd",
         "A gallery or definition of that name is already in Azure, carries no tag galleryd-owner, and "
         "spec.adoption is Never (the default). It may have been made by hand or by another tool, or somebody "
         "removed our tag. Untagged resources are never changed.",
         "Set spec.adoption: Adopt to take it over as it is (only the fields you declare are written), or choose "
         "another spec.azureName.",
         "spec:\n  adoption: Adopt"},
        {"GD2201", "the resource belongs to another instance or document",
         "The tag galleryd-owner on the live resource names another galleryd instance, another document, or cannot "
         "be read. Two writers of one resource undo each other's work, so the later one stops, whatever "
         "spec.adoption says.",
         "Keep one of the two documents. To move a resource: remove the old document with deletionPolicy: Orphan, "
         "take the tag galleryd-owner off the resource, and set spec.adoption: Adopt in the new document.",
         "az tag update --operation Delete --resource-id ID --tags galleryd-owner=VALUE"},
        {"GD2202", "there is nothing to adopt",
         "spec.adoption is Adopt, which takes over an existing resource and never creates one, and Azure has no "
         "resource of that name.",
         "Set spec.adoption: AdoptOrCreate to have it created when it is missing, or correct spec.azureName.",
         "spec:\n  adoption: AdoptOrCreate"},
        {"GD2203", "the location of a gallery cannot change",
         "Azure fixes the location when the gallery is created; galleryd never deletes a gallery to make it again "
         "somewhere else.",
         "Set spec.location back, or declare a new Gallery in the new location and publish the versions there. "
         "Replicas reach other regions through targetRegions of the versions.",
         ""},
        {"GD2204", "sharing permissions cannot be converted",
         "Azure sets Groups and Community when the gallery is created; a Private gallery cannot become shared, and "
         "Groups and Community cannot become each other. Only Reset to Private exists, and it is final.",
         "Set spec.sharing.permissions back, or declare a new Gallery with these permissions and publish the "
         "versions there. For consumers in your own tenant, spec.access (role assignments) needs no conversion.",
         "spec:\n  access:\n    - {role: Reader, principalId: GUID, principalType: Group}"},
        {"GD2205", "unknown role",
         "A role in spec.access is neither a built-in role that galleryd knows by name nor a role definition id. "
         "While one role is unknown, no role assignment of that resource is taken away.",
         "Correct the name, or give the GUID of the role.",
         "az role definition list --name \"My Role\" --query [].name"},
        {"GD2206", "the public name of a community gallery cannot change",
         "Azure makes the public name from publicNamePrefix when the gallery is created; consumers have it in their templates.",
         "Set spec.sharing.community.publicNamePrefix back, or declare a new Gallery.", ""},
        {"GD2207", "the staging storage account differs",
         "A storage account of that name exists with another SKU or in another location. galleryd creates a "
         "missing account, and never changes, replaces or deletes one.",
         "Declare what is there, or name another account.", "spec:\n  stagingStorage: {name: stgolden02, sku: Standard_LRS, container: vhds}"},
        {"GD2210", "osType and osState cannot change",
         "Azure fixes them when the image definition is created.",
         "Set the field back, or declare a new ImageDefinition and publish the versions there.", ""},
        {"GD2211", "hyperVGeneration and architecture cannot change",
         "Azure fixes them when the image definition is created. A document that says nothing means V1 and x64.",
         "Say what Azure has, or declare a new ImageDefinition for the other generation or architecture.", "spec:\n  hyperVGeneration: V2"},
        {"GD2212", "the identifier of an image definition cannot change",
         "publisher, offer and sku are fixed when the definition is created and unique within the gallery.",
         "Set them back, or declare a new ImageDefinition with another azureName and the new identifier.", ""},
        {"GD2213", "eula and privacyStatementUri cannot change",
         "Azure answers PropertyChangeNotAllowed to a change of these texts after creation.",
         "Set the field back or take it out of the document, or declare a new ImageDefinition.", ""},
        {"GD2214", "the purchase plan cannot change",
         "Azure fixes name, publisher and product of the plan when the definition is created.",
         "Set it back, or declare a new ImageDefinition.", ""},
        {"GD2215", "the features of an image definition cannot change",
         "Security type, disk controller types and the other features are fixed at creation; galleryd does not use "
         "allowUpdateImage, because versions that exist would then promise what they were not tested for.",
         "Set the list back, or declare a new ImageDefinition with the new features.", "spec:\n  features: [{name: SecurityType, value: TrustedLaunchSupported}]"},
        {"GD2216", "the location of an image definition cannot change",
         "Azure fixes the location when the definition is created.",
         "Set spec.location back, or declare a new ImageDefinition.", ""},
        {"GD2220", "the gallery is not empty",
         "The Gallery document is gone with deletionPolicy: Delete, and image definitions are still in the gallery "
         "(or are still declared below it). galleryd never deletes a gallery together with what is in it.",
         "Remove the definitions first (their documents with deletionPolicy: Delete, or by hand), or put the "
         "Gallery document back with deletionPolicy: Orphan.", ""},
        {"GD2221", "the image definition is not empty",
         "The ImageDefinition document is gone with deletionPolicy: Delete, and versions are still in it: "
         "declared, published by others, or soft-deleted. galleryd never deletes a definition together with its "
         "versions.",
         "Remove the versions first, or put the document back with deletionPolicy: Orphan.", ""},
        // ---- end of GD2200 to GD2299 ----
    };
    return table;
}

}  // namespace galleryd
