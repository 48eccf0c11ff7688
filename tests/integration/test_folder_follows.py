#!/usr/bin/env python3
"""The daemon on a folder: an edit converges, drift is taken back, and then there is silence."""
from folder_case import Folder
from harness import gallery_id, main, until, writes

PASSES_OF_SILENCE = 100


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
        daemon = self.run_daemon()
        path = f"{gallery_id()}/images/ubuntu"
        live = self.arm.get(path)
        live["properties"]["description"] = "changed in the portal"
        self.arm.send("PUT", path, live)
        until(lambda: self.described("ubuntu") == "Ubuntu", "the drift is taken back", 20, process=daemon)
        self.assert_nothing_lost(daemon)


if __name__ == "__main__":
    main()
