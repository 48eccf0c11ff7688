"""A daemon on a folder with two definitions, for the tests of what happens to the folder."""
import os

from harness import GALLERY, Arm, Case, definition_document, gallery_id, get, metric, small_azure, until, version_document, writes


def deletions(log):
    return [entry for entry in log if entry["method"] == "DELETE"]


class Folder(Case):
    """Two definitions with a version each: two scopes. The daemon may delete and prune, so that only the interlock stands between."""

    def setUp(self):
        super().setUp()
        self.azure = self.simulate(small_azure(), time_scale=6000)
        self.arm = Arm(self.azure.url)
        self.fill(self.path("manifests"))

    def fill(self, folder):
        self.write(os.path.join(folder, "gallery.yaml"), GALLERY.replace("description", "deletionPolicy: Delete\n  description"))
        for name, image in (("ubuntu", "packer-1"), ("rhel", "packer-2")):
            self.write(os.path.join(folder, f"{name}.yaml"), definition_document(name).replace("  gallery:", "  deletionPolicy: Delete\n  gallery:") + "---\n"
                       + version_document("1.0.0", name, image, deletion_policy="Delete"))

    def run_daemon(self, folder=None, interval="1s"):
        daemon = self.daemon(self.azure.url, folder or self.path("manifests"), "--allow-deletes", "--prune", interval=interval).ready()
        until(lambda: self.versions() == {"ubuntu": ["1.0.0"], "rhel": ["1.0.0"]}, "both versions are made", 40, process=daemon)
        until(lambda: get(daemon.url + "/readyz")[0] == 200, "/readyz", process=daemon)
        self.quiet(daemon)
        return daemon

    def versions(self):
        return {name: self.arm.versions(name) for name in ("ubuntu", "rhel") if self.arm.get(f"{gallery_id()}/images/{name}")}

    def passes(self, daemon):
        return metric(daemon.url, "controller_runtime_reconcile_total") or 0

    def after_passes(self, daemon, count, seconds=60):
        """Waits until the daemon has reconciled so many more scopes, each of its three at least."""
        goal = self.passes(daemon) + 3 * count
        until(lambda: self.passes(daemon) >= goal, f"{count} more passes", seconds, every=0.1, process=daemon)

    def quiet(self, daemon, passes=2, seconds=60):
        """Waits until so many passes went by without a write."""
        def silent():
            before = len(writes(self.azure.requests()))
            self.after_passes(daemon, passes)
            return len(writes(self.azure.requests())) == before
        until(silent, "silence", seconds, process=daemon)

    def assert_nothing_lost(self, daemon, passes=2):
        self.after_passes(daemon, passes)
        self.assertEqual(deletions(self.azure.requests()), [])
        self.assertEqual(self.versions(), {"ubuntu": ["1.0.0"], "rhel": ["1.0.0"]})

    def edit(self, name, description):
        path = self.path("manifests", f"{name}.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        before = next(line for line in text.split("\n") if line.startswith("  description:"))
        self.write(path, text.replace(before, f"  description: {description}"))

    def described(self, name):
        return self.arm.get(f"{gallery_id()}/images/{name}")["properties"].get("description")
