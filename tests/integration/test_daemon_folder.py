#!/usr/bin/env python3
"""The daemon on a folder: an edit converges and then there is silence; whatever happens to the folder, nothing is deleted."""
import os
import shutil
import signal

from harness import GALLERY, Arm, Case, definition_document, gallery_id, get, main, metric, small_azure, until, version_document, writes

PASSES_OF_SILENCE = 100


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

    def run_daemon(self, folder=None, interval="100ms"):
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

    def quiet(self, daemon, passes=5, seconds=60):
        """Waits until so many passes went by without a write."""
        def silent():
            before = len(writes(self.azure.requests()))
            self.after_passes(daemon, passes)
            return len(writes(self.azure.requests())) == before
        until(silent, "silence", seconds, process=daemon)

    def assert_nothing_lost(self, daemon, passes=5):
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


class Follows(Folder):
    def test_an_edit_is_followed_and_then_a_hundred_passes_write_nothing(self):
        daemon = self.run_daemon()
        self.edit("ubuntu", "edited")
        until(lambda: self.described("ubuntu") == "edited", "the edit arrives in Azure", 20, process=daemon)
        self.quiet(daemon)
        before = len(self.azure.requests())
        self.after_passes(daemon, PASSES_OF_SILENCE, 80)
        later = self.azure.requests()[before:]
        self.assertEqual(writes(later), [])
        self.assertGreater(len(later), PASSES_OF_SILENCE, "it did look")

    def test_drift_in_azure_is_taken_back(self):
        daemon = self.run_daemon(interval="300ms")
        path = f"{gallery_id()}/images/ubuntu"
        live = self.arm.get(path)
        live["properties"]["description"] = "changed in the portal"
        self.arm.send("PUT", path, live)
        until(lambda: self.described("ubuntu") == "Ubuntu", "the drift is taken back", 20, process=daemon)
        self.assert_nothing_lost(daemon)


class Survives(Folder):
    def test_an_emptied_folder(self):
        daemon = self.run_daemon()
        for name in os.listdir(self.path("manifests")):
            os.unlink(self.path("manifests", name))
        self.assert_nothing_lost(daemon, 10)
        self.fill(self.path("manifests"))
        self.edit("rhel", "back again")
        until(lambda: self.described("rhel") == "back again", "the folder is followed again", 20, process=daemon)
        self.assert_nothing_lost(daemon)

    def test_a_folder_that_goes_away_like_a_mount(self):
        daemon = self.run_daemon()
        os.rename(self.path("manifests"), self.path("elsewhere"))
        self.assert_nothing_lost(daemon, 10)
        self.assertEqual(get(daemon.url + "/livez")[0], 200)
        os.rename(self.path("elsewhere"), self.path("manifests"))
        self.edit("ubuntu", "mounted again")
        until(lambda: self.described("ubuntu") == "mounted again", "the folder is followed again", 20, process=daemon)
        self.assert_nothing_lost(daemon)

    def test_an_unmounted_folder_at_start_deletes_nothing_either(self):
        daemon = self.run_daemon()
        daemon.signal(signal.SIGTERM)
        daemon.wait()
        os.rename(self.path("manifests"), self.path("elsewhere"))
        os.mkdir(self.path("manifests"))
        again = self.daemon(self.azure.url, self.path("manifests"), "--allow-deletes", "--prune", interval="100ms", name="again").ready()
        before = len(self.azure.requests())
        os.rmdir(self.path("manifests"))
        os.rename(self.path("elsewhere"), self.path("manifests"))
        self.edit("ubuntu", "after the restart")
        until(lambda: self.described("ubuntu") == "after the restart", "the folder is followed", 20, process=again)
        self.assertEqual(deletions(self.azure.requests()[before:]), [])
        self.assert_nothing_lost(again)

    def test_a_broken_file_stops_its_own_scope_only(self):
        daemon = self.run_daemon()
        good = open(self.path("manifests", "ubuntu.yaml"), encoding="utf-8").read()
        for broken in (good + "\n  : : [", good[:len(good) // 2], "<<<<<<< HEAD\n" + good, "\ufeff\t- x", good.replace("osType: Linux", "osType: Linux\n  osType: Windows")):
            self.write("manifests/ubuntu.yaml", broken)
            text = f"edit {len(broken)} of the healthy one"
            self.edit("rhel", text)
            until(lambda: self.described("rhel") == text, "the other scope goes on", 20, process=daemon)
            self.assert_nothing_lost(daemon, 3)
        self.assertEqual(self.described("ubuntu"), "Ubuntu")
        self.write("manifests/ubuntu.yaml", good)
        self.edit("ubuntu", "mended")
        until(lambda: self.described("ubuntu") == "mended", "the mended file is followed", 20, process=daemon)
        self.assert_nothing_lost(daemon)

    def test_a_file_while_it_is_being_written(self):
        daemon = self.run_daemon()
        path = self.path("manifests", "ubuntu.yaml")
        text = open(path, encoding="utf-8").read().replace("description: Ubuntu", "description: written slowly")
        with open(path, "w", encoding="utf-8") as file:   # truncates, then grows: what an editor without rename does
            for part in text.split("\n"):
                file.write(part + "\n")
                file.flush()
                os.fsync(file.fileno())
        until(lambda: self.described("ubuntu") == "written slowly", "the finished file is followed", 20, process=daemon)
        self.assert_nothing_lost(daemon)

    def test_a_mounted_configmap_is_followed_through_its_swaps(self):
        root = self.path("mounted")
        os.makedirs(root)
        self.fill(os.path.join(root, "..2026_11_21_a"))
        os.symlink("..2026_11_21_a", os.path.join(root, "..data"))
        for name in ("gallery.yaml", "ubuntu.yaml", "rhel.yaml"):
            os.symlink(os.path.join("..data", name), os.path.join(root, name))
        daemon = self.run_daemon(root)
        self.fill(os.path.join(root, "..2026_11_21_b"))
        swapped = os.path.join(root, "..2026_11_21_b", "ubuntu.yaml")
        self.write(swapped, open(swapped, encoding="utf-8").read().replace("description: Ubuntu", "description: swapped"))
        os.symlink("..2026_11_21_b", os.path.join(root, "..data_tmp"))
        os.rename(os.path.join(root, "..data_tmp"), os.path.join(root, "..data"))
        shutil.rmtree(os.path.join(root, "..2026_11_21_a"))
        until(lambda: self.described("ubuntu") == "swapped", "the swap is followed", 20, process=daemon)
        self.assert_nothing_lost(daemon)


if __name__ == "__main__":
    main()
