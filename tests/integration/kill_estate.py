"""The estate of the tests that kill: what Azure has before, and documents that ask for creations and updates of every kind."""
from harness import GALLERY, definition_document, gallery_id, managed_image, small_azure, version_document

TAKEN = gallery_id() + "/images/taken"


def azure():
    """A definition that is ours with a version that needs a region more and replicas more; everything else is to be made."""
    estate = small_azure()["resources"]
    tags = {"galleryd-owner": "test/Gallery/images/golden"}
    estate.append({"name": "golden", "id": gallery_id(), "type": "Microsoft.Compute/galleries", "location": "canadacentral", "tags": tags,
                   "properties": {"description": "old", "identifier": {"uniqueName": "x"}, "provisioningState": "Succeeded"}})
    estate.append({"name": "taken", "id": TAKEN, "type": "Microsoft.Compute/galleries/images", "location": "canadacentral",
                   "tags": {"galleryd-owner": "test/ImageDefinition/images/taken"},
                   "properties": {"hyperVGeneration": "V2", "architecture": "x64", "osType": "Linux", "osState": "Generalized", "description": "old",
                                  "identifier": {"publisher": "Contoso", "offer": "Ubuntu", "sku": "taken"}, "provisioningState": "Succeeded"}})
    source = managed_image("packer-1")["id"]
    estate.append({"name": "1.0.0", "id": TAKEN + "/versions/1.0.0", "type": "Microsoft.Compute/galleries/images/versions", "location": "canadacentral",
                   "tags": {"galleryd-owner": "test/ImageVersion/images/taken-1.0.0"},
                   "properties": {"publishingProfile": {
                       "targetRegions": [{"name": "Canada Central", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}],
                       "replicaCount": 1, "excludeFromLatest": False, "publishedDate": "2026-10-01T00:00:00+00:00", "storageAccountType": "Standard_LRS"},
                       "storageProfile": {"source": {"id": source}, "osDiskImage": {"sizeInGB": 30, "hostCaching": "ReadWrite", "source": {}}},
                       "safetyProfile": {"reportedForPolicyViolation": False, "allowDeletionOfReplicatedLocations": False},
                       "provisioningState": "Succeeded"}})
    return {"resources": estate}


DOCUMENTS = "---\n".join([
    GALLERY, definition_document("taken", "new"), version_document("1.0.0", "taken", "packer-1", replicas=2, regions=["canadaeast"]),
    definition_document("fresh", "fresh"), version_document("1.0.0", "fresh", "packer-2", regions=["canadaeast"]),
    version_document("1.0.1", "fresh", "packer-3").replace("imageDefinition:", "holdLatestUntilReplicated: true\n  imageDefinition:")])
