#!/usr/bin/env python3
"""`hold` and `release` write one tag and nothing else, whoever writes at the same time; a hold may have an end."""
import json
import sqlite3

from harness import DEMO, Arm, Case, main, until
from sample_case import GOLDEN, TAGS, estate, moved, version_path


class Holds(Case):
    def begin(self, *faults):
        """A simulator of the sample estate with these faults."""
        with open(self.path("faults.yaml"), "w", encoding="utf-8") as file:
            json.dump(list(faults), file)
        self.azure = self.simulate(estate(), "--operation-time", "1s", "--graph-lag", "0s", "--faults", self.path("faults.yaml"), time_scale=1)
        self.flags = ["--azure", self.azure.url, "--credential", "none", "--state-dir", self.path("state")]

    def hand(self, definition, number, patch):
        """Somebody else writes that version between the read and the write of the verb."""
        self.begin({"count": 1, "method": "PATCH", "path": "*" + TAGS,
                    "foreignWrite": {"id": version_path(definition, number), "patch": json.dumps(patch)}})

    def tags(self, definition, number):
        return Arm(self.azure.url).version(definition, number, GOLDEN)["tags"]

    def audit(self):
        """(reason, outcome) of every request; none before there is a journal."""
        try:
            with sqlite3.connect(f"file:{self.path('state', 'galleryd.db')}?mode=ro", uri=True) as database:
                return database.execute("SELECT reason, outcome FROM audit ORDER BY id").fetchall()
        except sqlite3.OperationalError:
            return []

    def preview(self, at):
        done = self.galleryd("retention", "preview", DEMO, *self.flags, "--instance", "demo", "--allow-deletes", "--at", at, "-o", "json")
        return {one["address"].removeprefix("images/golden/"): one for one in json.loads(done.stdout)["versions"]}

    def test_what_somebody_adds_between_the_read_and_the_write_of_a_hold_survives(self):
        regions = [{"name": "Canada Central", "regionalReplicaCount": 4, "storageAccountType": "Standard_LRS"},
                   {"name": "Canada East", "regionalReplicaCount": 2, "storageAccountType": "Standard_LRS"}]
        added = {"tags": {"team": "web"}, "properties": {"publishingProfile": {"targetRegions": regions, "excludeFromLatest": True}}}
        self.hand("ubuntu-2404", "1.4.0", added)
        before = Arm(self.azure.url).version("ubuntu-2404", "1.4.0", GOLDEN)
        self.assertEqual(len(before["properties"]["publishingProfile"]["targetRegions"]), 1)
        self.galleryd("hold", "golden/ubuntu-2404/1.4.0", "--reason", "incident 4711", *self.flags)
        after = Arm(self.azure.url).version("ubuntu-2404", "1.4.0", GOLDEN)
        self.assertEqual(after["properties"]["publishingProfile"]["targetRegions"], regions)
        self.assertTrue(after["properties"]["publishingProfile"]["excludeFromLatest"])
        self.assertEqual(after["tags"], {**before["tags"], "team": "web", "galleryd-hold": "incident 4711"})

    def test_a_release_takes_off_what_it_read_and_nothing_that_somebody_wrote_since(self):
        self.hand("ubuntu-2204", "1.0.6", {"tags": {"galleryd-hold": "the court wants it"}})
        done = self.galleryd("release", "golden/ubuntu-2204/1.0.6", *self.flags, expect=1)
        self.assertIn("GD5035", done.stderr)
        self.assertIn("is held: the court wants it", done.stderr)
        self.assertEqual(self.tags("ubuntu-2204", "1.0.6")["galleryd-hold"], "the court wants it")

    def test_who_may_write_versions_and_not_tags_can_hold_all_the_same(self):
        self.begin({"method": "PATCH", "path": "*" + TAGS, "status": 403, "code": "AuthorizationFailed",
                    "message": "The client 'x' does not have authorization to perform action 'Microsoft.Resources/tags/write' over scope 'y'"})
        before = Arm(self.azure.url).version("ubuntu-2404", "1.4.0", GOLDEN)
        self.galleryd("hold", "golden/ubuntu-2404/1.4.0", "--reason", "incident 4711", *self.flags)
        after = Arm(self.azure.url).version("ubuntu-2404", "1.4.0", GOLDEN)
        self.assertEqual(after["tags"], {**before["tags"], "galleryd-hold": "incident 4711"})
        self.assertEqual(after["properties"]["publishingProfile"], before["properties"]["publishingProfile"])
        self.galleryd("release", "golden/ubuntu-2404/1.4.0", *self.flags)
        self.assertEqual(self.tags("ubuntu-2404", "1.4.0"), before["tags"])
        self.assertEqual([reason for reason, _ in self.audit()], ["hold", "hold", "release", "release"])
        self.assertEqual([outcome.split(":")[0] for _, outcome in self.audit()], ["failed", "done"] * 2)

    def test_on_that_road_too_a_hold_that_somebody_changed_meanwhile_stays(self):
        refused = {"method": "PATCH", "path": "*" + TAGS, "status": 403, "code": "AuthorizationFailed", "message": "no Microsoft.Resources/tags/write"}
        patch = json.dumps({"tags": {"galleryd-hold": "the court wants it"}})
        self.begin({**refused, "count": 1, "foreignWrite": {"id": version_path("ubuntu-2204", "1.0.6"), "patch": patch}}, refused)
        done = self.galleryd("release", "golden/ubuntu-2204/1.0.6", *self.flags, "--timeout", "3s", expect=None)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.tags("ubuntu-2204", "1.0.6")["galleryd-hold"], "the court wants it")

    def test_killed_between_intent_and_answer_it_is_written_down_and_can_be_repeated(self):
        self.begin({"method": "PATCH", "path": "*" + TAGS, "count": 1, "delay": "20s"})
        version = "golden/ubuntu-2404/1.4.0"
        child = self.start("hold", version, "--reason", "incident 4711", *self.flags)
        until(self.audit, "the intent is on disk", process=child)
        child.kill()
        self.assertEqual(self.audit(), [("hold", "")])
        for _ in range(2):
            self.galleryd("hold", version, "--reason", "incident 4711", *self.flags)
            self.assertEqual(self.tags("ubuntu-2404", "1.4.0")["galleryd-hold"], "incident 4711")
        for _ in range(2):
            self.galleryd("release", version, *self.flags)
            self.assertNotIn("galleryd-hold", self.tags("ubuntu-2404", "1.4.0"))
        self.assertEqual(self.audit(), [("hold", ""), ("release", "done")])     # it had arrived; the daemon closes what nobody answered

    def test_a_hold_with_an_end_is_told_with_it_and_ends(self):
        self.begin()
        version, end = "golden/ubuntu-2404/1.3.0", moved("2027-03-01")
        done = self.galleryd("hold", version, "--reason", "incident 4711", "--until", end, *self.flags)
        self.assertTrue(done.stdout.startswith(f"Held {version} until {end}: incident 4711\n"), done.stdout)
        self.assertEqual(self.tags("ubuntu-2404", "1.3.0")["galleryd-hold"], f"until {end}; incident 4711")
        versions = self.preview(moved("2027-02-01"))
        held = versions["ubuntu-2404/1.3.0"]
        self.assertEqual((held["fate"], held["rule"]), ("keep", "hold"))
        self.assertIn(f"until {end}; incident 4711", held["text"])
        ended = moved("2027-03-02") + "T12:00:0"           # where that day ends last on earth
        self.assertTrue(held["marked_at"].startswith(ended), held)
        versions = self.preview(moved("2027-04-01"))
        freed = versions["ubuntu-2404/1.3.0"]
        self.assertEqual((freed["fate"], freed["rule"]), ("waits", "standard/olderThan"))
        self.assertIn(f"its hold ended with {end}", freed["text"])
        # Longer, never shorter.
        shorter = self.galleryd("hold", version, "--until", moved("2027-01-01"), *self.flags)
        self.assertIn("is held already", shorter.stdout)
        longer = self.galleryd("hold", version, "--until", moved("2027-09-01"), *self.flags)
        self.assertTrue(longer.stdout.startswith(f"Holds {version} until {moved('2027-09-01')} now: incident 4711\n"), longer.stdout)
        self.galleryd("release", version, *self.flags)
        self.assertNotIn("galleryd-hold", self.tags("ubuntu-2404", "1.3.0"))
        for wrong in ("2020-01-01", "soon"):
            refused = self.galleryd("hold", version, "--until", wrong, *self.flags, expect=64)
            self.assertIn("GD5036", refused.stderr)


if __name__ == "__main__":
    main()
