#!/usr/bin/env python3
"""What Azure really printed (display-name regions, defaults filled in, encryption) against the documents that describe it: no changes."""
import json
import os

from harness import NO_CHANGES, SOURCE, Case, main, writes

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/clitest.rg000001"
IMAGE = f"{GROUP}/providers/Microsoft.Compute/images/managedImage1"
ENCRYPTION_SET = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/des1-000005"

DOCUMENTS = f"""apiVersion: galleryd.io/v1alpha1
kind: Gallery
metadata: {{name: recorded, namespace: images}}
spec:
  azureName: gallery_000003
  subscriptionId: {SUBSCRIPTION}
  resourceGroup: CLITEST.rg000001
  location: East US 2
---
apiVersion: galleryd.io/v1alpha1
kind: ImageDefinition
metadata: {{name: image1, namespace: images}}
spec:
  gallery: recorded
  identifier: {{publisher: publisher1, offer: offer1, sku: sku1}}
  osType: Linux
  osState: Generalized
  hyperVGeneration: V1
  architecture: x64
---
apiVersion: galleryd.io/v1alpha1
kind: ImageVersion
metadata: {{name: image1-1.1.2, namespace: images}}
spec:
  imageDefinition: image1
  version: 1.1.2
  source: {{managedImage: {IMAGE}}}
  replicas: 2
  targetRegions:
    - {{name: eastus2}}
    - {{name: West US 2, replicas: 1}}
---
apiVersion: galleryd.io/v1alpha1
kind: ImageVersion
metadata: {{name: image1-1.1.3, namespace: images}}
spec:
  imageDefinition: image1
  version: 1.1.3
  source: {{managedImage: {IMAGE}}}
  targetRegions:
    - name: eastus2
      encryption:
        osDisk: {{diskEncryptionSetId: {ENCRYPTION_SET}}}
        dataDisks: [{{lun: 0, diskEncryptionSetId: {ENCRYPTION_SET}}}]
"""


def owned(resources):
    """The same bodies with our owner tag, as after an adoption."""
    kinds = {"Microsoft.Compute/galleries": ("Gallery", "recorded"), "Microsoft.Compute/galleries/images": ("ImageDefinition", "image1")}
    found = json.loads(json.dumps(resources))
    for one in found:
        kind, name = kinds.get(one["type"], ("ImageVersion", f"image1-{one['name']}"))
        one["tags"] = {**one.get("tags", {}), "galleryd-owner": f"test/{kind}/images/{name}"}
    return found


class Recorded(Case):
    def setUp(self):
        super().setUp()
        with open(os.path.join(SOURCE, "tests/integration/data/recorded_gallery.json"), encoding="utf-8") as file:
            self.resources = json.load(file)["resources"]

    def plan(self, resources, documents, *flags):
        azure = self.simulate({"resources": resources})
        path = self.write("recorded.yaml", documents)
        done = self.galleryd("plan", path, "--azure", azure.url, "--credential", "none", "--instance", "test", "--state-dir", self.path("state"),
                             "--detailed-exitcode", *flags, expect=None)
        self.assertEqual(writes(azure.requests()), [])
        return done

    def assert_no_changes(self, done):
        self.assertIn(NO_CHANGES, done.stdout, done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_owned_it_plans_to_no_changes(self):
        done = self.plan(owned(self.resources), DOCUMENTS)
        self.assert_no_changes(done)
        self.assertNotIn("conflict", done.stdout)

    def test_exactly_as_printed_and_only_observed_it_plans_to_no_changes(self):
        documents = DOCUMENTS.replace("spec:\n", "spec:\n  mode: Observe\n")
        self.assert_no_changes(self.plan(self.resources, documents))

    def test_exactly_as_printed_it_plans_to_no_changes(self):
        done = self.plan(self.resources, DOCUMENTS)
        self.assert_no_changes(done)
        lines = done.stdout.rstrip("\n").split("\n")
        self.assertEqual(lines[0], "No changes. Azure matches the manifests.")
        self.assertRegex(lines[1], r"^observed \d{4}-\d\d-\d\dT[0-9:.]+Z$")
        self.assertEqual([line for line in lines[2:] if not line.startswith("note: ")], [])
        self.assertEqual(len([line for line in lines if "is not ours; set spec.adoption: Adopt to manage it" in line]), 4)

    def test_adopting_it_changes_nothing_but_tags(self):
        azure = self.simulate({"resources": self.resources})
        path = self.write("recorded.yaml", DOCUMENTS.replace("spec:\n", "spec:\n  adoption: Adopt\n"))
        flags = ["--azure", azure.url, "--credential", "none", "--instance", "test", "--state-dir", self.path("state")]
        self.galleryd("apply", path, *flags, seconds=90)
        self.assert_no_changes(self.galleryd("plan", path, *flags))

    def test_a_difference_is_seen_in_this_estate_too(self):
        done = self.plan(owned(self.resources), DOCUMENTS.replace("name: West US 2, replicas: 1", "name: West US 2, replicas: 3"))
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("westus2", done.stdout)


if __name__ == "__main__":
    main()
