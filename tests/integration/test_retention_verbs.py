#!/usr/bin/env python3
"""What people do about retention: `retention preview`, `hold` and `release`, on the sample estate."""
import json
import os
import re
import sqlite3

from harness import DEMO, Arm, Case, main, until, writes
from sample_case import GOLDEN, TAGS, estate, moved, version_path

FATES = {"keep", "report", "blocked", "marked", "waits", "delete", "gone", "absent"}


class Retention(Case):
    def setUp(self):
        super().setUp()
        self.azure = self.simulate(estate(), "--operation-time", "1s", "--graph-lag", "0s", time_scale=1)
        self.flags = ["--azure", self.azure.url, "--credential", "none", "--state-dir", self.path("state")]
        self.documents = [DEMO, *self.flags, "--instance", "demo"]

    def preview(self, *more, expect=0):
        return self.galleryd("retention", "preview", *self.documents, *more, expect=expect)

    def versions(self, *more):
        told = json.loads(self.preview(*more, "-o", "json").stdout)
        return told, {one["address"].removeprefix("images/golden/"): one for one in told["versions"]}

    def test_on_a_later_date_every_version_has_its_rule_its_dates_and_its_blockers(self):
        told, versions = self.versions("--at", moved("2027-06-01"), "--allow-deletes")
        self.assertEqual(told["at"], moved("2027-06-01") + "T23:59:59Z")
        self.assertTrue(told["observed"]["complete"])
        in_azure = [one["id"] for one in estate()["resources"] if one["type"].lower().endswith("galleries/images/versions")
                    and one["id"].startswith(GOLDEN + "/")]
        self.assertEqual({one["arm_id"] for one in told["versions"]} & set(in_azure), set(in_azure))
        for address, one in versions.items():
            self.assertTrue(one["rule"], address)
            self.assertTrue(one["text"], address)
            self.assertIn(one["fate"], FATES, address)
            if one["fate"] in ("blocked", "waits"):
                self.assertTrue(one["blocked_by"], address)
                self.assertTrue(all(reason["way_out"] for reason in one["blocked_by"]), address)
            if one["fate"] in ("blocked", "waits", "marked", "report", "gone"):
                self.assertIsNotNone(one["named_at"], address)
            if one["fate"] in ("waits", "gone"):
                self.assertLessEqual(one["marked_at"], one["due_at"], address)
        self.assertEqual(sum(told["summary"].values()), len(told["versions"]))
        used = versions["ubuntu-2204/1.0.5"]
        self.assertEqual((used["fate"], used["rule"]), ("blocked", "standard/olderThan"))
        self.assertIn("in_use", [reason["reason"] for reason in used["blocked_by"]])
        self.assertIsNone(used["marked_at"])
        self.assertEqual((versions["ubuntu-2204/1.0.4"]["fate"], versions["ubuntu-2204/1.0.4"]["rule"]), ("keep", "standard/protectTags"))   # a tag without a value protects
        self.assertEqual((versions["ubuntu-2204/1.0.6"]["fate"], versions["ubuntu-2204/1.0.6"]["rule"]), ("keep", "hold"))
        self.assertEqual(versions["ubuntu-2404/1.2.0"]["rule"], "standard/protectTags")
        self.assertEqual(versions["windows-2022/2022.1.0"]["fate"], "report")
        # Published 2025-07-24, older than 540 d from 2027-01-15 on; nobody uses it; grace a week, and a person is asked.
        aged = versions["ubuntu-2404/1.3.0"]
        self.assertEqual((aged["fate"], aged["rule"]), ("waits", "standard/olderThan"))
        self.assertEqual((aged["named_at"], aged["marked_at"]), (moved("2027-01-15") + "T03:12:48Z",) * 2)
        self.assertTrue(aged["due_at"].startswith(moved("2027-01-22") + "T03:12:"), aged["due_at"])
        self.assertIn("approval_required", [reason["reason"] for reason in aged["needs"]])
        self.assertNotIn("sha256:", json.dumps(aged["needs"]))     # of a plan that does not exist yet
        # rhel-9 is nobody's yet and is to be adopted: by then the policy governs its versions.
        self.assertEqual((versions["rhel-9/9.2.0"]["fate"], versions["rhel-9/9.2.0"]["rule"]), ("waits", "standard/olderThan"))
        # Declared, not in Azure yet; made by then.
        self.assertEqual((versions["ubuntu-2404/1.8.0"]["fate"], versions["ubuntu-2404/1.8.0"]["rule"]), ("keep", "newestUsable"))
        text = self.preview("--at", moved("2027-06-01"), "--allow-deletes").stdout
        for address in versions:
            number = address.split("/")[-1]
            self.assertRegex(text, rf"(?m)^  {number.replace('.', '[.]')} ")
        self.assertIn("Assumed until then: ", text)
        self.assertEqual(writes(self.azure.requests()), [])
        self.assertFalse(os.path.exists(self.path("state")), "it leaves nothing behind")

    def test_now_it_says_what_plan_says(self):
        _, versions = self.versions()
        plan = json.loads(self.galleryd("plan", *self.documents, "-o", "json").stdout)
        planned = {one["address"].removeprefix("images/golden/"): one for one in plan["versions"]}
        self.assertEqual(set(planned), set(versions))
        for address, one in planned.items():
            self.assertEqual((one["rule"], one["text"], one["state"], one["rank"], one["tier"]),
                             tuple(versions[address][key] for key in ("rule", "text", "state", "rank", "tier")), address)
            self.assertEqual([reason["reason"] for reason in one.get("blocked_by", [])],
                             [reason["reason"] for reason in versions[address]["blocked_by"]], address)
        self.assertIn("deletes_not_allowed", [reason["reason"] for reason in versions["ubuntu-2404-nightly/2026.11.5"]["needs"]])

    def test_dates_that_make_no_sense_have_one_clear_error(self):
        for text, word in (("next tuesday", "not a date"), ("2027-02-30", "not a date"), ("2020-01-01", "in the past"), ("2999-01-01", "hundred years")):
            done = self.preview("--at", text, expect=64)
            self.assertEqual(done.stdout, "")
            self.assertEqual(done.stderr.count("GD5030"), 2, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(word, done.stderr)
        self.assertIn("retention preview", self.galleryd("explain", "GD5030").stdout)
        self.galleryd("retention", expect=64)

    def tags(self, definition, number):
        return Arm(self.azure.url).version(definition, number, GOLDEN)["tags"]

    def audit(self):
        with sqlite3.connect(f"file:{self.path('state', 'galleryd.db')}?mode=ro", uri=True) as database:
            return database.execute("SELECT step, reason, asked_by, detail, outcome FROM audit ORDER BY id").fetchall()

    def test_hold_and_release_change_one_tag_and_are_written_down(self):
        before = Arm(self.azure.url).version("ubuntu-2404", "1.4.0", GOLDEN)
        done = self.galleryd("hold", "golden/ubuntu-2404/1.4.0", "--reason", "incident 4711", *self.flags)
        self.assertTrue(done.stdout.startswith("Held golden/ubuntu-2404/1.4.0: incident 4711\n"), done.stdout)
        after = Arm(self.azure.url).version("ubuntu-2404", "1.4.0", GOLDEN)
        self.assertEqual(after["tags"], {**before["tags"], "galleryd-hold": "incident 4711"})
        for part in ("publishingProfile", "storageProfile"):
            self.assertEqual(after["properties"].get(part), before["properties"].get(part), part)
        self.assertEqual(after["properties"]["safetyProfile"], before["properties"]["safetyProfile"])
        self.assertEqual([(entry["method"], entry["path"].split("?")[0]) for entry in writes(self.azure.requests())],
                         [("PATCH", version_path("ubuntu-2404", "1.4.0") + TAGS)])
        _, versions = self.versions("--at", moved("2028-06-01"), "--allow-deletes")
        self.assertEqual((versions["ubuntu-2404/1.4.0"]["fate"], versions["ubuntu-2404/1.4.0"]["rule"]), ("keep", "hold"))
        again = self.galleryd("hold", "golden/ubuntu-2404/1.4.0", "--reason", "another", *self.flags)
        self.assertIn("is held already: incident 4711", again.stdout)
        self.assertIn("that hold stays", again.stderr)
        released = self.galleryd("release", version_path("ubuntu-2404", "1.4.0"), *self.flags)
        self.assertTrue(released.stdout.startswith("Released golden/ubuntu-2404/1.4.0. It was held: incident 4711\n"), released.stdout)
        self.assertEqual(self.tags("ubuntu-2404", "1.4.0"), before["tags"])
        self.assertIn("carries no tag galleryd-hold", self.galleryd("release", "golden/ubuntu-2404/1.4.0", *self.flags).stdout)
        self.assertEqual([entry["method"] for entry in writes(self.azure.requests())], ["PATCH", "PATCH"])
        audit = self.audit()
        self.assertEqual([(step, reason) for step, reason, *_ in audit], [("UpdateVersion", "hold"), ("UpdateVersion", "release")])
        self.assertEqual([outcome for *_, outcome in audit], ["done", "done"])
        self.assertTrue(audit[0][2].startswith("hold by "), audit)
        self.assertIn("galleryd-hold: - -> incident 4711", audit[0][3])

    def test_what_cannot_be_held_is_refused_and_nothing_is_written(self):
        version = "golden/ubuntu-2404/1.4.0"
        for arguments, code, expect in (
                (("hold", version, "--observe"), "GD5031", 64), (("release", version, "--observe"), "GD5031", 64),
                (("hold", "golden/ubuntu-2404"), "GD5022", 64), (("hold", "golden/ubuntu-2404/9.9.9"), "GD5023", 1),
                (("hold", version_path("ubuntu-2404", "9.9.9")), "GD5023", 1), (("hold", version, "--reason", "x" * 257), "GD5034", 64),
                (("release", "sha256:" + "0" * 64), "GD5032", 64)):
            done = self.galleryd(*arguments, *self.flags, expect=expect)
            self.assertIn(code, done.stderr)
            self.assertIn(code, self.galleryd("explain", code).stdout)
        self.assertEqual(writes(self.azure.requests()), [])

    def test_a_hold_works_beside_the_daemon_and_takes_the_mark_off(self):
        daemon = self.daemon(self.azure.url, DEMO, "--full-interval", "1s", instance="demo").ready()
        marked = "2026.11.5"
        until(lambda: "galleryd-delete-after" in self.tags("ubuntu-2404-nightly", marked), "the daemon marks it", process=daemon)
        done = self.galleryd("hold", f"golden/ubuntu-2404-nightly/{marked}", *self.flags)
        self.assertIn("It was marked for deletion", done.stdout)
        until(lambda: "galleryd-delete-after" not in self.tags("ubuntu-2404-nightly", marked), "the mark goes", process=daemon)
        self.assertTrue(self.tags("ubuntu-2404-nightly", marked)["galleryd-hold"].startswith("held by "))
        self.assertIn(("UpdateVersion", "hold"), [row[:2] for row in self.audit()])
        daemon.signal(15)
        self.assertEqual(daemon.wait(), 0)


if __name__ == "__main__":
    main()
