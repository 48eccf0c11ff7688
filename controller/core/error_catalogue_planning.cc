#include "controller/core/error_catalogue.h"

// GD20xx: whose resource it is, and what cannot be made. GD21xx: what cannot change on a version, and what was given
// up. GD22xx: galleries and definitions. GD23xx: what the interlock says (behaviour §6); the number after GD23 is its
// point.
namespace galleryd {

std::span<const CatalogueEntry> planning_errors() {
    static constexpr CatalogueEntry table[] = {
        {"GD2001", "the image version is already there and is not ours",
         "A document describes a version that Azure has, without our owner tag and different from the document, and "
         "spec.adoption is Never. Nothing is written to what we did not make. (One that is as declared is only "
         "noticed.)",
         "Set spec.adoption: Adopt to take it over as it is (only a tag is written), or publish under another version "
         "number.",
         "spec: {adoption: Adopt}"},
        {"GD2002", "the image version belongs to somebody else",
         "The tag galleryd-owner on the live version names another instance or another document, or cannot be read. "
         "Two writers would undo each other.",
         "Remove one of the two documents. To hand it over: remove the other document with deletionPolicy: Orphan, "
         "take the tag galleryd-owner off, and set spec.adoption: Adopt.",
         ""},
        {"GD2003", "there is nothing to adopt",
         "spec.adoption is Adopt, which never creates, and Azure has no such version.",
         "Set spec.adoption: AdoptOrCreate to have it made, or correct the version number.",
         "spec: {adoption: AdoptOrCreate}"},
        {"GD2004", "a version has to be made and names no source",
         "Azure needs exactly one source to make a version from.", "Name a source, or remove the document.",
         "spec: {source: {managedImage: /subscriptions/…/images/packer-1182}}"},
        {"GD2005", "the version number is soft-deleted",
         "A version of this number was deleted lately in a gallery with soft delete. Putting it again restores the old "
         "image instead of using the new source.",
         "Publish under a new version number, or purge the soft-deleted version, or wait until it is gone.", ""},
        {"GD2101", "the source of a version cannot change",
         "Source, disks and LUNs are fixed when a version is made. galleryd never deletes and makes again.",
         "Publish a new version with the new source, or set it back.", ""},
        {"GD2102", "the source region of a version cannot change", "location is fixed when a version is made.",
         "Publish a new version in that region, or set it back.", ""},
        {"GD2103", "the storage account type of a region cannot change",
         "storageAccountType is fixed for a region that the version already has; only new regions may have another.",
         "Publish a new version with that storage type, or set it back.",
         "targetRegions: [{name: canadacentral, storageAccountType: Standard_ZRS}]"},
        {"GD2104", "the replication mode of a version cannot change", "Full and Shallow versions are made differently.",
         "Publish a new version, or set replicationMode back.", ""},
        {"GD2105", "the encryption of a region cannot change",
         "The disk encryption sets of a region are fixed when the version comes to it.",
         "Publish a new version, or set the encryption back.", ""},
        {"GD2106", "a Shallow version cannot move",
         "A Shallow version has its home region and one replica, and neither can change later.",
         "Publish a Full version, or take targetRegions and replicas out of the document.", ""},
        {"GD2110", "replication to a region was given up",
         "The region failed, was retried, and was removed and added again three times (spec.regionRetry: "
         "RemoveAndAdd).",
         "Take the region out of targetRegions for now, and open a support case with the correlation id. When it is "
         "declared again it is tried afresh.",
         ""},
        // ---- GD2200 to GD2299: galleries and image definitions ----
        {"GD2200", "the resource exists and is not managed by galleryd",
         "A gallery or definition of that name is already in Azure, carries no tag galleryd-owner, differs from its "
         "document, and spec.adoption is Never (the default). It may have been made by hand or by another tool, or "
         "somebody "
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
         "Azure makes the public name from publicNamePrefix when the gallery is created; consumers have it in their "
         "templates.",
         "Set spec.sharing.community.publicNamePrefix back, or declare a new Gallery.", ""},
        {"GD2207", "the staging storage account differs",
         "A storage account of that name exists with another SKU or in another location. galleryd creates a "
         "missing account, and never changes, replaces or deletes one.",
         "Declare what is there, or name another account.",
         "spec:\n  stagingStorage: {name: stgolden02, sku: Standard_LRS, container: vhds}"},
        {"GD2210", "osType and osState cannot change", "Azure fixes them when the image definition is created.",
         "Set the field back, or declare a new ImageDefinition and publish the versions there.", ""},
        {"GD2211", "hyperVGeneration and architecture cannot change",
         "Azure fixes them when the image definition is created. A document that says nothing means V1 and x64.",
         "Say what Azure has, or declare a new ImageDefinition for the other generation or architecture.",
         "spec:\n  hyperVGeneration: V2"},
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
         "Set the list back, or declare a new ImageDefinition with the new features.",
         "spec:\n  features: [{name: SecurityType, value: TrustedLaunchSupported}]"},
        {"GD2216", "the location of an image definition cannot change",
         "Azure fixes the location when the definition is created.",
         "Set spec.location back, or declare a new ImageDefinition.", ""},
        {"GD2220", "the gallery is not empty",
         "The Gallery document is gone with deletionPolicy: Delete, and image definitions are still in the gallery "
         "(or are still declared below it). galleryd never deletes a gallery together with what is in it.",
         "Remove the definitions first (their documents with deletionPolicy: Delete, or by hand), or put the "
         "Gallery document back with deletionPolicy: Orphan.",
         ""},
        {"GD2221", "the image definition is not empty",
         "The ImageDefinition document is gone with deletionPolicy: Delete, and versions are still in it: "
         "declared, published by others, or soft-deleted. galleryd never deletes a definition together with its "
         "versions.",
         "Remove the versions first, or put the document back with deletionPolicy: Orphan.", ""},
        // ---- end of GD2200 to GD2299 ----
        {"GD2301", "deletion needs permission",
         "Nothing is deleted, no region and no replica taken away, without --allow-deletes and spec.mode: Manage of "
         "version, definition and gallery.",
         "Start galleryd with --allow-deletes; set spec.mode: Manage.", "galleryd run --allow-deletes"},
        {"GD2302", "nothing proves that it is ours",
         "The owner tag on the live version and our own record (the state directory, or finalizer and UID) have to "
         "name this instance and document. Versions that others published go only by a policy with governs: All and "
         "action: Delete, in a definition that is ours.",
         "If the state directory was lost, let the daemon write the resource once more, or delete it by hand.", ""},
        {"GD2303", "nothing asks for the deletion",
         "A removed document counts with deletionPolicy: Delete, with --prune, and gone in two complete snapshots at "
         "least 15 minutes apart; or a retention rule has to name the version.",
         "Wait, start galleryd with --prune, or write a retention rule.", ""},
        {"GD2304", "the sources are not whole",
         "A source that cannot be read, is empty or frozen, or a document of the scope that is not valid, stops "
         "everything that takes away.",
         "Correct the documents (galleryd validate), or release the revision after looking at it.",
         "galleryd approve REVISION"},
        {"GD2305", "the version is not in a state to be deleted",
         "Its state must be Succeeded or Failed with no operation in flight, its published date readable, and a "
         "refusal by Azure at least an hour old.",
         "Wait; look at the resource in Azure if it stays.", ""},
        {"GD2306", "the version is held",
         "A hold annotation or tag, a protected tag, a tag without a value, an Azure lock, or "
         "blockDeletionBeforeEndOfLife keeps it. galleryd removes none of them.",
         "Remove the hold when it has served its purpose.", "galleryd release golden/ubuntu-2404/1.8.0"},
        {"GD2307", "the version is in use, or that is not known",
         "Virtual machines, scale sets or other versions refer to it, or some subscription cannot be read. Unknown "
         "counts as in use.",
         "Move its users to a newer version; give the identity Reader where they are; or set retention.inUse: Ignore.",
         ""},
        {"GD2308", "it is too early",
         "Grace and end of life have to be over by our clock and by Azure's, and the two may differ by less than five "
         "minutes.",
         "Wait; set this machine's clock.", ""},
        {"GD2309", "a keep rule keeps it",
         "The newest usable version, what latest resolves to in some region, the newest keepNewest, and everything "
         "younger than minimumAge stay.",
         "Publish a newer version, or change the policy.", ""},
        {"GD2310", "a brake is engaged",
         "A plan that takes away more than maxDeletesPerPass, maxPercentPerPass or 20 an hour, or outside the window, "
         "deletes nothing of it before a person approved its digest.",
         "Look at the list and approve exactly that set.", "galleryd approve sha256:…"},
        {"GD2311", "this process does not hold the lease", "Only the leader writes.",
         "None needed: the leader does it.", ""},
        {"GD2312", "the journal cannot be written",
         "Every deletion is recorded on disk before the request leaves; without that nothing is taken away.",
         "Make the state directory writable (disk full?) and restart.", ""},
    };
    return table;
}

}  // namespace galleryd
