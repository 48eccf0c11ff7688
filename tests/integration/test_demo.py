#!/usr/bin/env python3
"""`galleryd demo` puts the sample estate right within a minute, and three curls prove it."""
import json
import os
import re
import time

from harness import Arm, Case, environment, gallery_id, get, main, metric, region_of, until

GOLDEN = gallery_id("golden", "rg-golden-images")


def regions(version):
    return {region_of(one["name"]): one["regionalReplicaCount"] for one in version["properties"]["publishingProfile"]["targetRegions"]}


class Leftovers(Case):
    def test_a_clean_end_leaves_no_folder_behind(self):
        os.mkdir(self.path("tmp"))
        demo = self.start("demo", "--http", "127.0.0.1:0", "--listen", "127.0.0.1:0", name="demo", env=environment(TMPDIR=self.path("tmp"))).ready()
        self.assertEqual(len(os.listdir(self.path("tmp"))), 1)
        demo.signal(2)
        self.assertEqual(demo.wait(), 0)
        self.assertEqual(os.listdir(self.path("tmp")), [])


class Demo(Case):
    def approve_what_waits(self, demo):
        """What an owner does: reads what waits for approval in the nightly definition, and approves exactly that."""
        for item in json.loads(get(demo.url + "/api/v1/plan")[1])["items"]:
            waits = [one for one in item["blocked"] if [reason["reason"] for reason in one["reasons"]] == ["approval_required"]]
            if item["scope"].endswith("nightly") and item["deletionsDigest"] and waits:
                self.galleryd("approve", item["deletionsDigest"], "--state-dir", self.path("demo/state"))

    def test_it_converges_within_a_minute(self):
        began = time.monotonic()
        demo = self.start("demo", "--http", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--dir", self.path("demo"), name="demo").ready()
        azure = until(lambda: re.search(r"(?m)^.*[Aa]zure.*?(http://127\.0\.0\.1:\d+)", demo.output()), "the simulator's address", process=demo).group(1)
        arm = Arm(azure)
        until(lambda: get(demo.url + "/readyz")[0] == 200, "/readyz", 30, process=demo)

        def converged():
            self.approve_what_waits(demo)
            made = arm.version("ubuntu-2404", "1.8.0", GOLDEN)
            return made and regions(made) == {"canadacentral": 3, "canadaeast": 2} and not made["properties"]["publishingProfile"]["excludeFromLatest"] \
                and {one["state"] for one in made["properties"]["replicationStatus"]["summary"]} == {"Completed"} \
                and regions(arm.version("ubuntu-2204", "1.0.12", GOLDEN)) == {"canadacentral": 3, "canadaeast": 2} \
                and arm.get(gallery_id("golden_dev", "rg-golden-images-dev")) is not None \
                and len(arm.versions("ubuntu-2404-nightly", GOLDEN)) == 5

        until(converged, "the estate is put right", 60 - (time.monotonic() - began), every=0.5, process=demo)
        print(f"converged after {time.monotonic() - began:.1f} s")

        # What nobody uses is marked or taken back after two looks a quarter of an hour apart; what somebody uses is not.
        until(lambda: "galleryd-delete-after" in arm.version("rhel-9", "9.2.0", GOLDEN)["tags"], "9.2.0 is marked", 60, every=0.5, process=demo)
        until(lambda: "eastus" not in regions(arm.version("ubuntu-2404", "1.5.0", GOLDEN)), "East US is taken back", 60, every=0.5, process=demo)
        self.assertNotIn("galleryd-delete-after", arm.version("ubuntu-2204", "1.0.5", GOLDEN)["tags"])
        self.assertIn("billing-db", self.galleryd("usage", "golden/ubuntu-2204/1.0.5", "--azure", azure, "--credential", "none",
                                                  "--state-dir", self.path("demo/state")).stdout)
        self.assertEqual(metric(demo.url, "galleryd_usage_subscriptions", state="readable"), 2)

        status, text = get(demo.url + "/metrics")
        self.assertEqual(status, 200)
        for name in ("controller_runtime_reconcile_total", "workqueue_depth", "galleryd_plan_changes", "galleryd_image_versions", "galleryd_build_info"):
            self.assertIn(name, text)
        self.assertGreater(metric(demo.url, "controller_runtime_reconcile_total"), 0)
        self.assertEqual(get(demo.url + "/livez")[0], 200)
        self.assertEqual(get(demo.url + "/healthz")[0], 200)
        self.assertIn("ok", get(demo.url + "/readyz?verbose")[1])
        # What must not have happened.
        self.assertIn("1.0.6", arm.versions("ubuntu-2204", GOLDEN), "held")
        self.assertIn("1.0.4", arm.versions("ubuntu-2204", GOLDEN), "a null tag protects")
        self.assertEqual(arm.get(GOLDEN + "/images/windows-2022")["properties"]["hyperVGeneration"], "V1")
        self.assertEqual(arm.get(gallery_id("research", "rg-research"))["tags"], {"owner": "research"})


if __name__ == "__main__":
    main()
