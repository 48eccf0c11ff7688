"""A daemon on a folder with two definitions, for the tests of what happens to the folder. The Azure is the simulator inside the
daemon's process: both share one clock, which runs 600 times as fast, so that "gone for 15 minutes" is a second and a half."""
import json
import os

from harness import GALLERY, QUERIES, WRITES, Arm, Case, definition_document, gallery_id, get, metric, small_azure, until, version_document

SCALE = 600
INTERVAL = "1s"         # of real time: ten simulated minutes pass between two looks
POLICY = """apiVersion: galleryd.io/v1alpha1
kind: LifecyclePolicy
metadata: {name: unused, namespace: images}
spec:
  retention: {action: Report, inUse: Ignore}
"""


class Folder(Case):
    """Two definitions: two scopes. The daemon may delete and prune, and nothing counts as in use: only the rules about sources
    stand between a folder that went wrong and a deletion."""

    def setUp(self):
        super().setUp()
        self.arm = None
        self.fill(self.path("manifests"))

    def fill(self, folder):
        self.write(os.path.join(folder, "gallery.yaml"), GALLERY.replace("description", "lifecyclePolicy: unused\n  deletionPolicy: Delete\n  description"))
        self.write(os.path.join(folder, "policy.yaml"), POLICY)
        for name, image in (("ubuntu", "packer-1"), ("rhel", "packer-2")):
            self.write(os.path.join(folder, f"{name}.yaml"), definition_document(name).replace("  gallery:", "  deletionPolicy: Delete\n  gallery:"))
            for number in range(3):
                self.write(os.path.join(folder, f"{name}-{number}.yaml"), version_document(f"1.0.{number}", name, image, deletion_policy="Delete"))

    def start_daemon(self, folder=None, azure=None, name="run"):
        estate = self.path("azure.json")
        with open(estate, "w", encoding="utf-8") as file:
            json.dump(azure or small_azure(), file)
        daemon = self.daemon("simulator", folder or self.path("manifests"), "--allow-deletes", "--prune", "--time-scale", SCALE, "--simulator-state", estate,
                             interval=INTERVAL, name=name).ready()
        address = until(lambda: next((json.loads(line).get("azure") for line in daemon.errors().splitlines() if '"azure"' in line and line.startswith("{")), None),
                        "the simulator's address in the log", process=daemon)
        self.arm = Arm(address.rstrip("/"))
        return daemon

    def run_daemon(self, folder=None):
        daemon = self.start_daemon(folder)
        until(lambda: self.all_there() and self.settled(), "all six versions are made", 40, process=daemon)
        until(lambda: get(daemon.url + "/readyz")[0] == 200, "/readyz", process=daemon)
        self.quiet(daemon)
        return daemon

    def versions(self):
        if self.arm.get(gallery_id()) is None:
            return {}
        return {name: self.arm.versions(name) for name in ("ubuntu", "rhel") if self.arm.get(f"{gallery_id()}/images/{name}")}

    def all_there(self):
        every = [f"1.0.{number}" for number in range(3)]
        return self.versions() == {"ubuntu": every, "rhel": every}

    def settled(self):
        return all(self.arm.version(name, number)["properties"]["provisioningState"] == "Succeeded" for name, numbers in self.versions().items() for number in numbers)

    def passes(self, daemon):
        """How often the daemon has asked what changed in Azure; a scope where nothing did is not looked at."""
        return metric(daemon.url, "controller_runtime_reconcile_total", controller="inventory") or 0

    def queries(self, daemon):
        return metric(daemon.url, "galleryd_arm_requests_total", method="POST", resource_type=QUERIES) or 0

    def writes(self, daemon):
        """Mutating requests that the daemon has sent."""
        return sum(metric(daemon.url, "galleryd_arm_requests_total", method=method) or 0 for method in WRITES) - self.queries(daemon)

    def after_passes(self, daemon, count, seconds=60):
        """Waits until the daemon has asked Azure so many more times, and nothing that it queued then is left to do."""
        goal = self.passes(daemon) + count
        until(lambda: self.passes(daemon) >= goal and not metric(daemon.url, "workqueue_depth"), f"{count} more passes", seconds, every=0.05, process=daemon)

    def quiet(self, daemon, passes=2, seconds=60):
        """Waits until so many passes went by without a write."""
        def silent():
            before = self.writes(daemon)
            self.after_passes(daemon, passes)
            return self.writes(daemon) == before
        until(silent, "silence", seconds, process=daemon)

    def assert_nothing_lost(self, daemon, passes=4):
        """Four looks are 40 simulated minutes: more than the 15 after which a document that is really gone may count."""
        self.after_passes(daemon, passes)
        self.assertFalse(metric(daemon.url, "galleryd_arm_requests_total", method="DELETE"), "a deletion was sent")
        self.assertTrue(self.all_there(), self.versions())
        self.assertEqual(self.waiting_for_approval(daemon), {}, "only a person's word stands between this and a deletion")

    def waiting_for_approval(self, daemon):
        """{digest: [what]} of deletions that would be done if a person approved them: the interlock's point 10 is all that is left."""
        found = {}
        for plan in json.loads(get(daemon.url + "/api/v1/plan")[1])["items"]:
            waits = [one["address"] for one in plan["blocked"] if one["reasons"] and {reason["point"] for reason in one["reasons"]} == {10}]
            if waits and plan["deletionsDigest"]:
                found[plan["deletionsDigest"]] = waits
        return found

    def edit(self, name, description):
        path = self.path("manifests", f"{name}.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        before = next(line for line in text.split("\n") if line.startswith("  description:"))
        self.write(path, text.replace(before, f"  description: {description}"))

    def described(self, name):
        return self.arm.get(f"{gallery_id()}/images/{name}")["properties"].get("description")

    def assert_followed(self, daemon, name, description):
        """An edit of this definition arrives in Azure."""
        self.edit(name, description)
        until(lambda: self.described(name) == description, f"{name}: '{description}' arrives", 20, process=daemon)
