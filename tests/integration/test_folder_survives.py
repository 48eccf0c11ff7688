#!/usr/bin/env python3
"""The daemon on a folder: whatever happens to the folder, nothing is deleted and the other scopes go on (reliability S1 to S5)."""
import os
import shutil

from folder_case import Folder
from harness import gallery_id, get, main, until


class Survives(Folder):
    def read(self, *names):
        with open(self.path(*names), encoding="utf-8") as file:
            return file.read()

    def test_an_emptied_folder(self):
        daemon = self.run_daemon()
        for name in os.listdir(self.path("manifests")):
            os.unlink(self.path("manifests", name))
        self.assert_nothing_lost(daemon)
        self.fill(self.path("manifests"))
        self.assert_followed(daemon, "rhel", "back again")
        self.assert_nothing_lost(daemon)

    def test_a_folder_of_which_most_is_gone(self):
        daemon = self.run_daemon()
        for name in sorted(os.listdir(self.path("manifests")))[3:]:
            os.unlink(self.path("manifests", name))
        self.assert_nothing_lost(daemon)

    def test_a_folder_that_goes_away_like_a_mount(self):
        daemon = self.run_daemon()
        os.rename(self.path("manifests"), self.path("elsewhere"))
        self.assert_nothing_lost(daemon)
        self.assertEqual(get(daemon.url + "/livez")[0], 200)
        os.rename(self.path("elsewhere"), self.path("manifests"))
        self.assert_followed(daemon, "ubuntu", "mounted again")
        self.assert_nothing_lost(daemon)

    def test_a_broken_file_stops_its_own_scope_only(self):
        daemon = self.run_daemon()
        good = self.read("manifests", "ubuntu.yaml")
        for number, broken in enumerate((good + "\n  : : [", good[:len(good) // 2], "<<<<<<< HEAD\n" + good, "\ufeff\t- x",
                                         good.replace("osType: Linux", "osType: Linux\n  osType: Windows"), "")):
            self.write("manifests/ubuntu.yaml", broken)
            self.assert_followed(daemon, "rhel", f"while the other is broken, {number}")
            self.assertEqual(self.described("ubuntu"), "Ubuntu")
        self.assert_nothing_lost(daemon)
        self.write("manifests/ubuntu.yaml", good)
        self.assert_followed(daemon, "ubuntu", "mended")
        self.assert_nothing_lost(daemon, 2)

    def test_what_stands_on_its_last_good_content_is_still_put_back(self):
        daemon = self.run_daemon()
        good = self.read("manifests", "ubuntu.yaml")
        self.write("manifests/ubuntu.yaml", good.replace("osState: Generalized", "osState: Nonsense"))
        self.assert_followed(daemon, "rhel", "while the other is broken")
        path = f"{gallery_id()}/images/ubuntu"
        live = self.arm.get(path)
        live["properties"]["description"] = "by another hand"
        self.arm.send("PUT", path, {key: live[key] for key in ("location", "tags", "properties")})
        until(lambda: self.described("ubuntu") == "Ubuntu", "the last good content is put back", 30, process=daemon)
        self.assert_nothing_lost(daemon, 2)

    def test_a_broken_version_is_not_a_removed_version(self):
        daemon = self.run_daemon()
        good = self.read("manifests", "ubuntu-0.yaml")
        for broken in (good.replace("version: 1.0.0", "version: 1.0"), good.replace("replicas: 1", "replicas: 0"), good[:-40], ": ["):
            self.write("manifests/ubuntu-0.yaml", broken)
            self.assert_nothing_lost(daemon, 2)
        self.assert_followed(daemon, "rhel", "goes on")

    def test_a_file_while_it_is_being_written(self):
        daemon = self.run_daemon()
        text = self.read("manifests", "ubuntu.yaml").replace("description: Ubuntu", "description: written slowly")
        with open(self.path("manifests", "ubuntu.yaml"), "w", encoding="utf-8") as file:   # truncates, then grows: an editor without rename
            for line in text.splitlines(keepends=True):
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
                self.after_passes(daemon, 1)
        until(lambda: self.described("ubuntu") == "written slowly", "the finished file is followed", 20, process=daemon)
        self.assert_nothing_lost(daemon)

    def test_a_mounted_configmap_is_followed_through_its_swaps(self):
        root = self.path("mounted")
        os.makedirs(root)
        self.fill(os.path.join(root, "..2026_11_21_a"))
        os.symlink("..2026_11_21_a", os.path.join(root, "..data"))
        for name in os.listdir(os.path.join(root, "..data")):
            os.symlink(os.path.join("..data", name), os.path.join(root, name))
        daemon = self.run_daemon(root)
        self.fill(os.path.join(root, "..2026_11_21_b"))
        text = self.read("mounted", "..2026_11_21_b", "ubuntu.yaml")
        self.write(self.path("mounted", "..2026_11_21_b", "ubuntu.yaml"), text.replace("description: Ubuntu", "description: swapped"))
        os.symlink("..2026_11_21_b", os.path.join(root, "..data_tmp"))
        os.rename(os.path.join(root, "..data_tmp"), os.path.join(root, "..data"))
        shutil.rmtree(os.path.join(root, "..2026_11_21_a"))
        until(lambda: self.described("ubuntu") == "swapped", "the swap is followed", 20, process=daemon)
        self.assert_nothing_lost(daemon)


if __name__ == "__main__":
    main()
