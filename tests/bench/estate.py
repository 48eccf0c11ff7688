"""Estates of a given size, twice: as the documents that declare them and as the Azure that already has them. Nothing is to be
done between the two, so that what a benchmark shows is the cost of looking.

W10k is what one subscription may hold in one region: 100 galleries of 10 definitions of 10 versions, five target regions each."""
import json
import os

API_GROUP = "galleryd.io/v1alpha1"
INSTANCE = "bench"
REGIONS = (("canadacentral", "Canada Central", 3), ("canadaeast", "Canada East", 2), ("eastus", "East US", 2), ("westeurope", "West Europe", 1),
           ("northeurope", "North Europe", 1))
GROUP = "rg-bench"


class Size:
    def __init__(self, name, subscriptions=1, galleries=100, definitions=10, versions=10):
        self.name, self.subscriptions, self.galleries, self.definitions, self.versions = name, subscriptions, galleries, definitions, versions

    @property
    def resources(self):
        return self.subscriptions * self.galleries * (1 + self.definitions * (1 + self.versions))

    @property
    def version_count(self):
        return self.subscriptions * self.galleries * self.definitions * self.versions

    def __str__(self):
        return f"{self.name} ({self.resources:,} resources)"


W100 = Size("W100", galleries=1, definitions=9)
W1000 = Size("W1000", galleries=9)
W10K = Size("W10k")
W100K = Size("W100k", subscriptions=10)
ONE = Size("one version", galleries=1, definitions=1, versions=1)


def subscription(index):
    return f"00000000-0000-0000-0000-{index + 1:012d}"


def group_id(index):
    return f"/subscriptions/{subscription(index)}/resourceGroups/{GROUP}"


def source_of(index, number):
    return f"{group_id(index)}/providers/Microsoft.Compute/images/packer-{number}"


def galleries_of(size):
    """(index of the subscription, gallery's name), names unique in the whole estate."""
    for index in range(size.subscriptions):
        for number in range(size.galleries):
            yield index, f"s{index}g{number:02d}"


def definitions_of(size, gallery):
    return [f"{gallery}-image-{number}" for number in range(size.definitions)]


def gallery_id(index, gallery):
    return f"{group_id(index)}/providers/Microsoft.Compute/galleries/{gallery}"


def version_ids(size):
    for index, gallery in galleries_of(size):
        for definition in definitions_of(size, gallery):
            for number in range(size.versions):
                yield f"{gallery_id(index, gallery)}/images/{definition}/versions/1.0.{number}"


# ---- documents ----

def gallery_document(index, gallery):
    return (f"apiVersion: {API_GROUP}\nkind: Gallery\nmetadata: {{name: {gallery}, namespace: images}}\nspec:\n"
            f"  subscriptionId: {subscription(index)}\n  resourceGroup: {GROUP}\n  location: canadacentral\n")


def definition_document(gallery, definition):
    return (f"apiVersion: {API_GROUP}\nkind: ImageDefinition\nmetadata: {{name: {definition}, namespace: images}}\nspec:\n  gallery: {gallery}\n"
            f"  identifier: {{publisher: Contoso, offer: bench, sku: {definition}}}\n  osType: Linux\n  osState: Generalized\n"
            "  hyperVGeneration: V2\n  architecture: x64\n")


def version_document(index, definition, number):
    regions = "".join(f"    - name: {name}\n      replicas: {replicas}\n      storageAccountType: Standard_LRS\n" for name, _, replicas in REGIONS)
    return (f"apiVersion: {API_GROUP}\nkind: ImageVersion\nmetadata:\n  name: {definition}-1.0.{number}\n  namespace: images\n  labels:\n"
            f"    built-by: packer\n    pipeline: golden-images\nspec:\n  imageDefinition: {definition}\n  version: 1.0.{number}\n  source:\n"
            f"    managedImage: {source_of(index, number)}\n"
            f"  targetRegions:\n{regions}  replicas: 1\n  storageAccountType: Standard_LRS\n  replicationMode: Full\n  excludeFromLatest: false\n"
            f"  holdLatestUntilReplicated: true\n  endOfLifeDate: 2031-05-21T00:00:00Z\n  safety:\n    blockDeletionBeforeEndOfLife: false\n"
            f"    allowDeletionOfReplicatedLocations: true\n  occupiedGB: 10\n  tags:\n    environment: prod\n    team: platform\n    commit: c{number:039x}\n")


def write_documents(size, folder, one_file_each=False):
    """A folder for each gallery. One file holds a definition with its versions, or, with one_file_each, one document."""
    megabytes = 0.0
    for index, gallery in galleries_of(size):
        place = os.path.join(folder, gallery)
        os.makedirs(place)
        files = {"gallery.yaml": [gallery_document(index, gallery)]}
        for definition in definitions_of(size, gallery):
            own = [definition_document(gallery, definition)]
            versions = [version_document(index, definition, number) for number in range(size.versions)]
            if one_file_each:
                files[f"{definition}.yaml"] = own
                files.update({f"{definition}-1.0.{number}.yaml": [text] for number, text in enumerate(versions)})
            else:
                files[f"{definition}.yaml"] = own + versions
        for name, documents in files.items():
            text = "---\n".join(documents)
            megabytes += len(text) / 1e6
            with open(os.path.join(place, name), "w", encoding="utf-8") as file:
                file.write(text)
    return megabytes


# ---- Azure ----

def owner(kind, name):
    return {"galleryd-owner": f"{INSTANCE}/{kind}/images/{name}"}


def azure_gallery(index, gallery):
    return {"id": gallery_id(index, gallery), "location": "canadacentral", "tags": owner("Gallery", gallery), "properties": {"provisioningState": "Succeeded"}}


def azure_definition(index, gallery, definition):
    return {"id": f"{gallery_id(index, gallery)}/images/{definition}", "location": "canadacentral", "tags": owner("ImageDefinition", definition),
            "properties": {"osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2", "architecture": "x64",
                           "identifier": {"publisher": "Contoso", "offer": "bench", "sku": definition}, "provisioningState": "Succeeded"}}


def azure_version(index, gallery, definition, number):
    return {"id": f"{gallery_id(index, gallery)}/images/{definition}/versions/1.0.{number}", "location": "canadacentral",
            "tags": {**owner("ImageVersion", f"{definition}-1.0.{number}"), "environment": "prod", "team": "platform", "commit": f"c{number:039x}"},
            "properties": {"publishingProfile": {
                "targetRegions": [{"name": shown, "regionalReplicaCount": replicas, "storageAccountType": "Standard_LRS"} for _, shown, replicas in REGIONS],
                "replicaCount": 1, "excludeFromLatest": False, "publishedDate": "2026-10-01T00:00:00+00:00",
                "endOfLifeDate": "2031-05-21T00:00:00+00:00", "storageAccountType": "Standard_LRS", "replicationMode": "Full"},
                "storageProfile": {"source": {"id": source_of(index, number)}, "osDiskImage": {"sizeInGB": 30, "hostCaching": "ReadWrite", "source": {}}},
                "safetyProfile": {"reportedForPolicyViolation": False, "allowDeletionOfReplicatedLocations": True, "blockDeletionBeforeEndOfLife": False},
                "provisioningState": "Succeeded"}}


def azure_resources(size, with_versions=True):
    for index in range(size.subscriptions):
        yield {"id": group_id(index), "location": "canadacentral", "properties": {"provisioningState": "Succeeded"}}
    for index, gallery in galleries_of(size):
        yield azure_gallery(index, gallery)
        for definition in definitions_of(size, gallery):
            yield azure_definition(index, gallery, definition)
            for number in range(size.versions if with_versions else 0):
                yield azure_version(index, gallery, definition, number)


def write_azure(size, path, with_versions=True, **more):
    """A state file of the simulator; `more` are its other members (secrets, tenants). Written one resource at a time: W100k is 150 MB."""
    with open(path, "w", encoding="utf-8") as file:
        head = json.dumps(more)[:-1]
        file.write(head + (", " if more else "") + '"resources": [\n')
        for number, resource in enumerate(azure_resources(size, with_versions)):
            file.write((",\n" if number else "") + json.dumps(resource))
        file.write("\n]}\n")
