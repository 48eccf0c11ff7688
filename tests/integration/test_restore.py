#!/usr/bin/env python3
"""`restore` brings a soft-deleted version back, held and without the mark that it was deleted by."""
import json
import os
import re
import signal
import sqlite3

from harness import DEMO, Arm, Case, gallery_id, main, until, writes

GOLDEN = gallery_id("golden", "rg-golden-images")
NAME = "golden/ubuntu-2404/1.4.0"
PLACE = f"{GOLDEN}/images/ubuntu-2404/versions/1.4.0"
MARK = {"galleryd-delete-after": "2026-01-08T00:00:00Z", "galleryd-delete-rule": "standard/olderThan"}


def estate(soft_delete=True):
    with open(os.path.join(DEMO, "azure.json"), encoding="utf-8") as file:
        state = json.load(file)
    for resource in state["resources"]:
        if resource["id"] == GOLDEN and soft_delete:
            resource["properties"]["softDeletePolicy"] = {"isSoftDeleteEnabled": True}
        if resource["id"] == PLACE:
            resource["tags"].update(MARK)
    return state


class Restore(Case):
    def begin(self, *arguments, soft_delete=True):
        self.azure = self.simulate(estate(soft_delete), "--operation-time", "1s", "--graph-lag", "0s", *arguments, time_scale=1)
        self.flags = ["--azure", self.azure.url, "--credential", "none", "--state-dir", self.path("state")]
        self.arm = Arm(self.azure.url)

    def delete(self):
        self.arm.send("DELETE", PLACE)
        until(lambda: self.arm.get(PLACE) is None, "Azure has deleted it", process=self.azure)
        kept = self.arm.list(f"{GOLDEN}/softDeletedArtifactTypes/Images/artifacts/ubuntu-2404/versions")
        self.assertEqual([one["name"] for one in kept], ["1.4.0"])

    def audit(self):
        """Every request that was written down; none before there is a journal."""
        try:
            with sqlite3.connect(f"file:{self.path('state', 'galleryd.db')}?mode=ro", uri=True) as database:
                return database.execute("SELECT reason, outcome, detail, asked_by FROM audit ORDER BY id").fetchall()
        except sqlite3.OperationalError:
            return []

    def writes(self):
        return [(entry["method"], entry["path"].split("?")[0].removeprefix(PLACE)) for entry in writes(self.azure.requests())
                if entry["method"] != "DELETE"]

    def test_it_comes_back_as_it_was_held_and_without_its_mark(self):
        self.begin()
        before = self.arm.get(PLACE)
        self.delete()
        done = self.galleryd("restore", NAME, *self.flags)
        self.assertRegex(done.stdout, rf"^Restored {re.escape(NAME)} \(deleted .*; could be restored for about 6d23h more\), in canadacentral[.]\n")
        after = self.arm.get(PLACE)
        hold = after["tags"].pop("galleryd-hold")
        self.assertRegex(hold, r"^until \d{4}-\d\d-\d\d; restored by ")
        self.assertIn(f"  Held {hold[:16]}: restored by ", done.stdout)
        self.assertIn("The mark that it was deleted by is off: 2026-01-08T00:00:00Z, standard/olderThan", done.stdout)
        self.assertEqual(after["tags"], {name: value for name, value in before["tags"].items() if name not in MARK})
        self.assertEqual(after["properties"], before["properties"])
        tags = "/providers/Microsoft.Resources/tags/default"
        self.assertEqual(self.writes(), [("PATCH", ""), ("PATCH", tags), ("PATCH", tags)])
        audit = self.audit()
        self.assertEqual([row[:2] for row in audit], [("restore", "done"), ("hold", "done"), ("unmark", "done")])
        self.assertIn("galleryd-delete-after: 2026-01-08T00:00:00Z -> -", audit[2][2])
        self.assertTrue(all(row[3].startswith("restore by ") for row in audit), audit)
        again = self.galleryd("restore", NAME, *self.flags, expect=1)     # repeated, it does no harm
        self.assertIn("GD5037", again.stderr)
        self.assertEqual(len(self.writes()), 3)

    def test_a_daemon_leaves_what_was_restored_alone(self):
        self.begin()
        self.delete()
        self.galleryd("restore", PLACE, "--until", "2099-01-01", "--reason", "still needed", *self.flags)
        preview = json.loads(self.galleryd("retention", "preview", DEMO, *self.flags, "--instance", "demo", "--allow-deletes", "--at", "2098-01-01",
                                           "-o", "json", seconds=110).stdout)
        restored = {one["address"]: one for one in preview["versions"]}["images/golden/ubuntu-2404/1.4.0"]
        self.assertEqual((restored["fate"], restored["rule"]), ("keep", "hold"))
        self.assertIn("until 2099-01-01; still needed", restored["text"])

    def test_killed_while_azure_restores_it_is_held_already(self):
        with open(self.path("faults.yaml"), "w", encoding="utf-8") as file:
            json.dump([{"method": "PATCH", "path": "*/versions/1.4.0", "hangOperation": True}], file)
        self.begin("--faults", self.path("faults.yaml"))
        self.delete()
        child = self.start("restore", NAME, *self.flags)
        until(lambda: len(self.audit()) == 3 and self.audit()[2][1], "hold and mark are written while Azure works", process=child)
        child.signal(signal.SIGKILL)
        child.wait()
        self.assertEqual([row[:2] for row in self.audit()], [("restore", ""), ("hold", "done"), ("unmark", "done")])
        version = self.arm.get(PLACE)
        self.assertEqual(version["properties"]["provisioningState"], "Updating")
        self.assertIn("galleryd-hold", version["tags"])
        self.assertFalse(MARK.keys() & version["tags"].keys())
        again = self.galleryd("restore", NAME, *self.flags, expect=1)
        self.assertIn("GD5037", again.stderr)

    def test_what_cannot_be_restored_says_why(self):
        self.begin()
        live = self.galleryd("restore", NAME, *self.flags, expect=1)
        self.assertIn("GD5037", live.stderr)
        self.assertIn(f"marked for deletion after 2026-01-08T00:00:00Z: galleryd hold {NAME} stops that", live.stderr)
        never = self.galleryd("restore", "golden/ubuntu-2404/9.9.9", *self.flags, expect=1)
        self.assertIn("GD5038", never.stderr)
        unseen = self.galleryd("restore", "golden/ubuntu-9999/1.0.0", *self.flags, expect=1)
        self.assertIn("GD5023", unseen.stderr)
        observing = self.galleryd("restore", NAME, "--observe", *self.flags, expect=64)
        self.assertIn("GD5031", observing.stderr)
        self.assertEqual(self.writes(), [])
        for code in ("GD5036", "GD5037", "GD5038", "GD5039"):
            self.assertIn(code, self.galleryd("explain", code).stdout)

    def test_without_soft_delete_what_is_deleted_is_gone(self):
        self.begin(soft_delete=False)
        self.arm.send("DELETE", PLACE)
        until(lambda: self.arm.get(PLACE) is None, "Azure has deleted it", process=self.azure)
        done = self.galleryd("restore", NAME, *self.flags, expect=1)
        self.assertIn("GD5039", done.stderr)
        self.assertIn("soft delete is not switched on in gallery golden", done.stderr)
        self.assertEqual(self.writes(), [])


if __name__ == "__main__":
    main()
