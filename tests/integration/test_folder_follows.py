#!/usr/bin/env python3
"""The daemon on a folder: an edit converges, drift is taken back, a document that is really gone takes its version with it, and
then there is silence."""
import os

from folder_case import Folder
from harness import gallery_id, main, metric, until

INTERVALS_OF_SILENCE = 40   # six hours and forty minutes of Azure's time, full looks among them


class Follows(Folder):
    def test_an_edit_is_followed_and_then_forty_intervals_write_nothing(self):
        daemon = self.run_daemon()
        self.assert_followed(daemon, "ubuntu", "edited")
        self.quiet(daemon)
        before = self.writes(daemon)
        asked = self.queries(daemon)
        self.after_passes(daemon, INTERVALS_OF_SILENCE, 80)
        self.assertEqual(self.writes(daemon), before)
        self.assertGreaterEqual(self.queries(daemon), asked + INTERVALS_OF_SILENCE, "it did ask")

    def test_drift_in_azure_is_taken_back(self):
        daemon = self.run_daemon()
        path = f"{gallery_id()}/images/ubuntu"
        live = self.arm.get(path)
        live["properties"]["description"] = "changed in the portal"
        self.arm.send("PUT", path, live)
        until(lambda: self.described("ubuntu") == "Ubuntu", "the drift is taken back", 20, process=daemon)
        self.assert_nothing_lost(daemon)

    def test_a_version_whose_document_is_removed_goes_and_no_other(self):
        """The counter-test of everything in test_folder_survives: here nothing stands in the way. Fifteen minutes do, at first."""
        daemon = self.run_daemon()
        os.unlink(self.path("manifests", "ubuntu-0.yaml"))
        self.after_passes(daemon, 3)                          # thirty simulated minutes, but only one complete look at the folder
        self.assertTrue(self.all_there())
        self.assert_followed(daemon, "rhel", "looked again")  # the second one
        until(lambda: self.versions()["ubuntu"] == ["1.0.1", "1.0.2"], "1.0.0 is deleted", 40, process=daemon)
        self.quiet(daemon)
        self.assertEqual(self.versions(), {"ubuntu": ["1.0.1", "1.0.2"], "rhel": ["1.0.0", "1.0.1", "1.0.2"]})
        self.assertEqual(metric(daemon.url, "galleryd_arm_requests_total", method="DELETE"), 1)


if __name__ == "__main__":
    main()
