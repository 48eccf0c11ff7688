#!/usr/bin/env python3
"""`galleryd usage` and what plan says of versions in use, on the sample estate."""
import json
import os

from harness import DEMO, Case, gallery_id, main, writes

GOLDEN = gallery_id("golden", "rg-golden-images")
CONSUMERS = "00000000-0000-0000-0000-000000000002"


def estate():
    with open(os.path.join(DEMO, "azure.json"), encoding="utf-8") as file:
        return json.load(file)


class Usage(Case):
    def setUp(self):
        super().setUp()
        self.begin(estate())

    def begin(self, state, *arguments, name="simulate"):
        self.azure = self.simulate(state, *arguments, time_scale=1, name=name)
        self.flags = ["--azure", self.azure.url, "--credential", "none", "--state-dir", self.path("state")]

    def usage(self, version, *more, expect=0):
        return self.galleryd("usage", version, *self.flags, *more, expect=expect)

    def test_it_names_the_users_of_a_version_by_name_and_by_id(self):
        for version in ("golden/ubuntu-2204/1.0.5", "images/golden/ubuntu-2204/1.0.5", GOLDEN + "/images/ubuntu-2204/versions/1.0.5"):
            done = self.usage(version)
            self.assertIn("golden/ubuntu-2204/1.0.5   in use\n", done.stdout)
            self.assertIn(f"virtual machine   billing-db   canadacentral   rg-shop   {CONSUMERS}   1.0.5\n", done.stdout)
            self.assertTrue(done.stdout.endswith("1 virtual machine in 1 subscription; 2 subscriptions can be read.\n"), done.stdout)
        self.assertEqual(writes(self.azure.requests()), [])
        self.assertFalse(os.path.exists(self.path("state")), "it leaves nothing behind")

    def test_instances_on_an_old_model_and_sets_that_take_latest_are_users(self):
        self.assertIn("scale set instance   shop-web/2", self.usage("golden/ubuntu-2204/1.0.8").stdout)
        newest = json.loads(self.usage("golden/ubuntu-2404/1.7.0", "-o", "json").stdout)
        self.assertEqual(newest["state"], "in_use")
        self.assertEqual(newest["counts"], {"scale_set_instances": 2, "scale_sets": 1})
        self.assertEqual([user["names"] for user in newest["users"]], ["1.7.0", "1.7.0", "latest"])
        self.assertEqual(newest["subscriptions"]["readable"], ["00000000-0000-0000-0000-000000000001", CONSUMERS])

    def test_exit_codes_are_a_gate_for_scripts(self):
        self.assertIn("not in use", self.usage("golden/rhel-9/9.2.0", "--fail-on", "in-use").stdout)
        self.usage("golden/ubuntu-2204/1.0.5", "--fail-on", "unknown")
        self.usage("golden/ubuntu-2204/1.0.5", "--fail-on", "in-use", expect=3)

    def test_what_cannot_be_known_is_said_with_its_way_out(self):
        state = estate()
        golden = next(one for one in state["resources"] if one["id"] == GOLDEN)
        golden["properties"]["sharingProfile"] = {"permissions": "Groups", "groups": [
            {"type": "Subscriptions", "ids": [CONSUMERS, "00000000-0000-0000-0000-000000000009"]}]}
        self.begin(state, name="shared")
        done = self.usage("golden/rhel-9/9.2.0", "--fail-on", "unknown", expect=3)
        self.assertIn("golden/rhel-9/9.2.0   unknown, which counts as in use\n", done.stdout)
        self.assertIn("! its gallery is shared with subscriptions that cannot be read: 00000000-0000-0000-0000-000000000009\n  do: grant", done.stdout)

    def test_wrong_names_missing_versions_and_doubles_have_their_codes(self):
        self.assertIn("GD5022", self.usage("ubuntu-2204/1.0.5", expect=64).stderr)
        self.assertIn("GD5022", self.usage("golden/ubuntu-2204/newest", expect=64).stderr)
        self.assertIn("GD5023", self.usage("golden/ubuntu-2204/7.0.0", expect=1).stderr)
        state = estate()
        twin = next(one for one in state["resources"] if one["id"] == GOLDEN + "/images/rhel-9/versions/9.6.0")
        state["resources"].append({**twin, "id": twin["id"].replace("000000000001/", "000000000002/")})
        self.begin(state, name="doubles")
        done = self.usage("golden/rhel-9/9.6.0", expect=1)
        self.assertIn("GD5024", done.stderr)
        self.assertEqual(done.stderr.count("/versions/9.6.0"), 2)
        for code in ("GD5022", "GD5023", "GD5024"):
            self.assertIn(code, self.galleryd("explain", code).stdout)

    def test_a_gone_version_may_still_be_named(self):
        state = estate()
        state["resources"] = [one for one in state["resources"] if not one["id"].endswith("/ubuntu-2204/versions/1.0.5")]
        self.begin(state, name="gone")
        done = self.usage(GOLDEN + "/images/ubuntu-2204/versions/1.0.5")
        self.assertIn("This version is not in Azure (any more)", done.stdout)
        self.assertIn("billing-db", done.stdout)

    def test_a_version_in_a_subscription_that_cannot_be_read_is_not_called_gone(self):
        self.begin({**estate(), "unreadableSubscriptions": ["00000000-0000-0000-0000-000000000001"]}, name="closed")
        done = self.usage(GOLDEN + "/images/ubuntu-2204/versions/1.0.5", expect=1)
        self.assertNotIn("not in Azure", done.stdout + done.stderr)
        self.assertIn("cannot be read, so nobody knows who uses it", done.stderr)
        self.assertRegex(done.stderr, r'az role assignment create --assignee-object-id [0-9a-f-]{36} .*--role "Reader" '
                                      r"--scope /subscriptions/00000000-0000-0000-0000-000000000001\b")
        self.assertIn("GD3020", done.stderr)
        self.assertIn("grant this identity Reader there", self.usage("golden/ubuntu-2204/1.0.5", expect=1).stderr)
        elsewhere = GOLDEN.replace("000000000001", "000000000009") + "/images/ubuntu-2204/versions/1.0.5"   # this Azure says 404 there
        done = self.usage(elsewhere, "--fail-on", "unknown", expect=3)
        self.assertNotIn("not in Azure", done.stdout)
        self.assertIn("! its own subscription 00000000-0000-0000-0000-000000000009 cannot be read", done.stdout)
        self.assertIn("--scope /subscriptions/00000000-0000-0000-0000-000000000009", done.stdout)

    def test_a_slow_resource_graph_is_waited_for_aloud_and_off_the_answer(self):
        faults = self.write("slow.yaml", "- {path: '*Microsoft.ResourceGraph/resources', method: POST, delay: 3s, count: 2}\n")
        self.begin(estate(), "--faults", faults, name="slow")
        done = self.usage("golden/ubuntu-2204/1.0.5", "-o", "json")
        self.assertEqual(json.loads(done.stdout)["state"], "in_use")
        self.assertIn("Waiting for Azure Resource Graph …\n", done.stderr)
        self.begin(estate(), "--faults", faults, name="slow2")
        plan = self.galleryd("plan", DEMO, *self.flags, "--instance", "demo", "-o", "json")
        self.assertEqual(json.loads(plan.stdout)["kind"], "Plan")
        self.assertRegex(plan.stderr, r"Waiting for Azure Resource Graph \(\d subscriptions?\) …\n")

    def test_without_resource_graph_it_says_what_failed(self):
        faults = self.write("faults.yaml", "- {match: {path: '*ResourceGraph*'}, do: {status: 403, code: AuthorizationFailed}}\n")
        self.begin(estate(), "--faults", faults, name="faulty")
        done = self.usage("golden/ubuntu-2204/1.0.5", expect=1)
        self.assertEqual(done.stdout, "")
        self.assertIn("AuthorizationFailed", done.stderr)

    def test_plan_says_who_uses_what_retention_would_take(self):
        plan = json.loads(self.galleryd("plan", DEMO, *self.flags, "--instance", "demo", "--allow-deletes", "-o", "json").stdout)
        blocked = {one["address"]: one for one in plan["blocked"]}
        old = blocked["images/golden/ubuntu-2204/1.0.5"]
        self.assertEqual(old["reason"], "in_use")
        self.assertEqual(old["evidence"]["virtual_machines"], 1)
        self.assertEqual(old["evidence"]["subscriptions_readable"], 2)
        self.assertIn("billing-db (virtual machine, group rg-shop, subscription " + CONSUMERS, old["evidence"]["usage"])
        unused = blocked["images/golden/ubuntu-2404/1.5.0"]   # in a region that nobody asked for
        self.assertEqual(unused["reason"], "usage_unknown")
        self.assertIn("a second look", unused["evidence"]["usage"])


if __name__ == "__main__":
    main()
