#!/usr/bin/env python3
"""The daemon on a folder: whatever happens to the folder, nothing is deleted and the other scopes go on."""
import os
import shutil
import signal

from folder_case import Folder, deletions
from harness import get, main, until


class Survives(Folder):
    def test_an_emptied_folder(self):
        daemon = self.run_daemon()
        for name in os.listdir(self.path("manifests")):
            os.unlink(self.path("manifests", name))
        self.assert_nothing_lost(daemon, 4)
        self.fill(self.path("manifests"))
        self.edit("rhel", "back again")
        until(lambda: self.described("rhel") == "back again", "the folder is followed again", 20, process=daemon)
        self.assert_nothing_lost(daemon)

    def test_a_folder_that_goes_away_like_a_mount(self):
        daemon = self.run_daemon()
        os.rename(self.path("manifests"), self.path("elsewhere"))
        self.assert_nothing_lost(daemon, 4)
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
        again = self.daemon(self.azure.url, self.path("manifests"), "--allow-deletes", "--prune", interval="1s", name="again").ready()
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
            self.assert_nothing_lost(daemon, 1)
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
