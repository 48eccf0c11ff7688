#!/usr/bin/env python3
"""The Azure CLI (Debian's 2.45) does with the simulator what an operator does with Azure. The life of one image is one test: a
command of `az` takes one to two seconds before it says anything."""
import json
import os
import shutil
import subprocess

from client_case import CLIENT, FAULTS, SECRET, ClientCase, estate_with_pages, main, regions_of
from harness import SUBSCRIPTION, gallery_id, group_id, image_id

GALLERY = ("-g", "rg-test", "-r", "golden")
IMAGE = (*GALLERY, "-i", "ubuntu")


def version(number):
    return (*IMAGE, "-e", number)


class AzureCli(ClientCase):
    # In a fresh configuration folder the CLI looks once for a newer CLI, and nothing switches that off (handle_version_update).
    MAY_ASK = ("azure.microsoft.com:443",)

    def az(self, *words, expect=0, seconds=90):
        """One command: what it printed as JSON, or its stderr when it is expected to fail."""
        env = self.client_environment(AZURE_CONFIG_DIR=self.path("az"), AZURE_EXTENSION_DIR=self.path("az-extensions"), AZURE_CORE_COLLECT_TELEMETRY="0",
                                      AZURE_CORE_NO_COLOR="1", AZURE_CORE_OUTPUT="json")
        done = subprocess.run(["az", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=seconds, check=False, env=env, cwd=self.folder)
        self.assertEqual(done.returncode, expect, f"az {' '.join(words)}\n--- stdout\n{done.stdout[-2000:]}\n--- stderr\n{done.stderr[-2000:]}")
        self.assertNotIn("Traceback", done.stderr)
        if expect:
            self.assertEqual(done.stdout, "")
            return done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def use(self, azure):
        """Points the CLI at this simulator by cloud settings alone. An authority that ends in /adfs is the one for which its sign-in
        library (msal) does not ask login.microsoftonline.com first."""
        url = f"https://localhost:{azure.port}"
        self.az("cloud", "register", "-n", "simulator", "--endpoint-resource-manager", url, "--endpoint-active-directory", url + "/adfs",
                "--endpoint-active-directory-resource-id", url + "/", "--endpoint-active-directory-graph-resource-id", url + "/")
        self.az("cloud", "set", "-n", "simulator")

    def sign_in(self, secret=SECRET, expect=0):
        return self.az("login", "--service-principal", "-u", CLIENT, "-p", secret, "--tenant", "adfs", expect=expect)

    def test_an_image_lives_from_sign_in_to_deletion(self):
        azure = self.azure(faults=FAULTS)
        self.use(azure)
        refused = self.sign_in("not the secret", expect=1)
        self.assertIn("AADSTS7000215", refused)
        self.assert_asked(azure, "POST", "/adfs/oauth2/token", 401)
        account, = self.sign_in()
        self.assertEqual((account["id"], account["state"], account["user"]["name"]), (SUBSCRIPTION, "Enabled", CLIENT))
        self.assert_asked(azure, "POST", "/adfs/oauth2/token", 200)

        self.create()
        self.read(azure)
        self.change_regions(azure)
        self.change_tags()
        self.fail_in_a_region(azure)
        self.delete(azure)
        self.assert_polled_without_delay(azure)

    def create(self):
        gallery = self.az("sig", "create", *GALLERY, "-l", "canadacentral", "--description", "Made by az", "--tags", "team=images")
        self.assertEqual((gallery["id"], gallery["provisioningState"], gallery["description"]), (gallery_id(), "Succeeded", "Made by az"))
        self.assertEqual(gallery["identifier"]["uniqueName"], f"{SUBSCRIPTION}-GOLDEN")
        self.assertEqual(gallery["tags"], {"team": "images"})
        definition = self.az("sig", "image-definition", "create", *IMAGE, "--publisher", "Contoso", "--offer", "Ubuntu", "--sku", "22.04",
                             "--os-type", "Linux", "--os-state", "Generalized", "--hyper-v-generation", "V2", "--features", "SecurityType=TrustedLaunchSupported")
        self.assertEqual(definition["identifier"], {"publisher": "Contoso", "offer": "Ubuntu", "sku": "22.04"})
        self.assertEqual((definition["location"], definition["provisioningState"], definition["hyperVGeneration"]), ("canadacentral", "Succeeded", "V2"))
        self.assertEqual(definition["features"], [{"name": "SecurityType", "value": "TrustedLaunchSupported"}])
        made = self.az("sig", "image-version", "create", *version("1.0.0"), "--managed-image", image_id("packer-1"), "--target-regions", "canadacentral",
                       "East US 2=2=premium_lrs", "--tags", "build=77")
        self.assertEqual((made["name"], made["provisioningState"]), ("1.0.0", "Succeeded"))
        self.assertEqual(regions_of(made), {"canadacentral": 1, "eastus2": 2})
        self.assertEqual([one["storageAccountType"] for one in made["publishingProfile"]["targetRegions"]], ["Standard_LRS", "Premium_LRS"])
        self.assertEqual(made["storageProfile"]["source"]["id"].lower(), image_id("packer-1").lower())

    def read(self, azure):
        self.assertEqual([one["name"] for one in self.az("sig", "list")], ["golden"])
        self.assert_asked(azure, "GET", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/galleries", 200)
        definition, = self.az("sig", "image-definition", "list", *GALLERY)   # throttled once; the CLI waits and asks again
        self.assert_asked(azure, "GET", "/galleries/golden/images", 429)
        self.assertEqual((definition["name"], definition["osState"]), ("ubuntu", "Generalized"))
        listed, = self.az("sig", "image-version", "list", *IMAGE)
        self.assertEqual((listed["name"], listed["tags"], listed["replicationStatus"]), ("1.0.0", {"build": "77"}, None))
        shown = self.az("sig", "image-version", "show", *version("1.0.0"), "--expand", "ReplicationStatus")
        self.assert_replicated(shown, ["canadacentral", "eastus2"])
        self.assertIn("ResourceNotFound", self.az("sig", "image-version", "show", *version("9.9.9"), expect=3))
        self.assertEqual({one["type"] for one in self.az("resource", "list", "-g", "rg-test")} & {"Microsoft.Compute/galleries"}, {"Microsoft.Compute/galleries"})

    def change_regions(self, azure):
        """The CLI reads, changes and PUTs the whole version, without its source."""
        changed = self.az("sig", "image-version", "update", *version("1.0.0"), "--target-regions", "canadacentral=3", "eastus2=2=premium_lrs", "West US 2")
        self.assertEqual(regions_of(changed), {"canadacentral": 3, "eastus2": 2, "westus2": 1})
        self.assertEqual((changed["provisioningState"], changed["tags"]), ("Succeeded", {"build": "77"}))
        self.assert_asked(azure, "PUT", "/versions/1.0.0", 200)
        two = ("--target-regions", "canadacentral=3", "eastus2=2=premium_lrs")
        refused = self.az("sig", "image-version", "update", *version("1.0.0"), *two, expect=1)
        self.assertIn("allowDeletionOfReplicatedLocations", refused)
        allowed = self.az("sig", "image-version", "update", *version("1.0.0"), "--set", "safetyProfile.allowDeletionOfReplicatedLocations=true")
        self.assertTrue(allowed["safetyProfile"]["allowDeletionOfReplicatedLocations"])
        self.az("sig", "image-version", "update", *version("1.0.0"), *two, "--no-wait")
        self.az("sig", "image-version", "wait", *version("1.0.0"), "--updated", "--interval", "1", "--timeout", "60")
        shown = self.az("sig", "image-version", "show", *version("1.0.0"), "--expand", "ReplicationStatus")
        self.assertEqual(regions_of(shown), {"canadacentral": 3, "eastus2": 2})
        self.assert_replicated(shown, ["canadacentral", "eastus2"])

    def change_tags(self):
        """What `galleryd explain` tells a person to do about an owner tag that is in the way."""
        one = ("--resource-id", f"{gallery_id()}/images/ubuntu/versions/1.0.0")
        merged = self.az("tag", "update", *one, "--operation", "Merge", "--tags", "galleryd-owner=somebody")
        self.assertEqual(merged["properties"]["tags"], {"build": "77", "galleryd-owner": "somebody"})
        self.az("tag", "update", *one, "--operation", "Delete", "--tags", "galleryd-owner=somebody")
        self.assertEqual(self.az("sig", "image-version", "show", *version("1.0.0"))["tags"], {"build": "77"})

    def fail_in_a_region(self, azure):
        """A long operation that ends badly: the CLI exits 1 with Azure's text, and the version says which region it is."""
        failed = self.az("sig", "image-version", "create", *version("1.0.1"), "--managed-image", image_id("packer-2"), "--target-regions", "canadacentral",
                         "eastus2", expect=1)
        self.assertIn("ValidationError", failed)
        self.assertIn("region:eastus2", failed)
        shown = self.az("sig", "image-version", "show", *version("1.0.1"), "--expand", "ReplicationStatus")
        self.assertEqual(shown["provisioningState"], "Failed")
        self.assertEqual({one["region"]: one["state"] for one in shown["replicationStatus"]["summary"]}, {"canadacentral": "Completed", "eastus2": "Failed"})
        self.az("sig", "image-version", "delete", *version("1.0.1"))
        self.assert_asked(azure, "DELETE", "/versions/1.0.1", 202)

    def delete(self, azure):
        refused = self.az("sig", "image-definition", "delete", *IMAGE, expect=1)
        self.assertIn("CannotDeleteResource", refused)
        self.assertIn("galleries/golden/images/ubuntu/versions/1.0.0", refused)
        self.assert_asked(azure, "DELETE", "/images/ubuntu", 409)
        refused = self.az("sig", "delete", *GALLERY, expect=1)
        self.assertIn("CannotDeleteResource", refused)
        self.assertIn("galleries/golden/images/ubuntu", refused)
        self.assert_asked(azure, "DELETE", "/galleries/golden", 409)
        self.az("sig", "image-version", "delete", *version("1.0.0"))
        self.assertEqual(self.az("sig", "image-version", "list", *IMAGE), [])
        self.az("sig", "image-definition", "delete", *IMAGE)
        self.az("sig", "delete", *GALLERY)
        self.assertEqual(self.az("sig", "list", "-g", "rg-test"), [])
        self.assert_asked(azure, "DELETE", "/versions/1.0.0", 202)
        self.az("sig", "image-version", "delete", *version("1.0.0"))   # of what is gone: 204, no error
        self.assert_asked(azure, "DELETE", "/versions/1.0.0", 204)

    def test_pages_are_followed_and_replication_is_seen_while_it_runs(self):
        """At the speed of real time a version takes minutes, so that nothing here can be over by chance."""
        azure = self.azure(estate_with_pages(), time_scale=1)
        self.use(azure)
        self.sign_in(self.certificate())   # the word after -p may be a file with a key and its certificate
        galleries = self.az("sig", "list")
        self.assertEqual((len(galleries), len({one["id"] for one in galleries})), (61, 61))
        versions = [one["name"] for one in self.az("sig", "image-version", "list", *IMAGE)]
        self.assertEqual(sorted(versions), sorted(f"1.0.{number}" for number in range(120)))
        self.assertIsNone(self.az("sig", "image-version", "create", *version("2.0.0"), "--managed-image", image_id("packer-1"), "--target-regions",
                                  "canadacentral", "westeurope=2", "--no-wait"))
        shown = self.az("sig", "image-version", "show", *version("2.0.0"), "--expand", "ReplicationStatus")
        self.assertEqual((shown["provisioningState"], shown["replicationStatus"]["aggregatedState"]), ("Creating", "InProgress"))
        summary = {one["region"]: one for one in shown["replicationStatus"]["summary"]}
        self.assertEqual(set(summary), {"canadacentral", "westeurope"})
        self.assertEqual(summary["westeurope"]["state"], "Replicating")
        self.assertLess(summary["westeurope"]["progress"], 100)
        self.assertEqual(self.az("group", "show", "-n", "rg-test")["id"].lower(), group_id().lower())


if __name__ == "__main__":
    main(None if shutil.which("az") and os.access(shutil.which("az"), os.X_OK) else "the Azure CLI (az) is not installed")
