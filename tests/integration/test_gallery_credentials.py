#!/usr/bin/env python3
"""Galleries with credentials of their own: each is read and written with its own alone, a broken one stops its gallery and no other, and the
simulator's log tells who did what."""
import json
import os

from harness import GALLERY, SUBSCRIPTION, Case, definition_document, environment, main, managed_image, metric, resource_group, until, version_document, writes

TENANT = "aaaaaaaa-0000-0000-0000-000000000001"
OWN, TEAM_A, TEAM_B, TEAM_C = (f"bbbbbbbb-0000-0000-0000-00000000000{number}" for number in range(4))
SUBSCRIPTIONS = {"a": SUBSCRIPTION, "b": "00000000-0000-0000-0000-000000000002", "c": "00000000-0000-0000-0000-000000000003"}
SECRETS = {OWN: "canary-own", TEAM_A: "canary-a", TEAM_B: "canary-b", TEAM_C: "canary-c"}
ALL = [{"client": client, "scope": f"/subscriptions/{SUBSCRIPTIONS[team]}", "actions": ["*"]}
       for client, team in ((TEAM_A, "a"), (TEAM_B, "b"), (TEAM_C, "c"), (OWN, "a"))]


def of(team, text):
    """A document or resource of the first subscription, moved to the team's."""
    return text.replace(SUBSCRIPTION, SUBSCRIPTIONS[team])


def gallery(team, more="", name=None, credential=True):
    name = name or f"golden{team}"
    text = GALLERY.replace("name: golden", f"name: {name}") + (f"  credential: {{name: team-{team}}}\n" if credential else "") + more
    return of(team, text)


def estate(team):
    """A gallery with one definition and one version."""
    definition = definition_document(f"ubuntu-{team}").replace("gallery: golden", f"gallery: golden{team}")
    return "---\n".join([gallery(team), definition, of(team, version_document("1.0.0", f"ubuntu-{team}"))])


class Credentials(Case):
    def setUp(self):
        super().setUp()
        for team, client in (("a", TEAM_A), ("b", TEAM_B), ("c", TEAM_C)):
            self.secret(team, AZURE_TENANT_ID=TENANT, AZURE_CLIENT_ID=client, AZURE_CLIENT_SECRET=SECRETS[client])

    def secret(self, team, **values):
        """A Secret as Kubernetes mounts it: values in a dated folder behind ..data; replaced in one rename."""
        folder = self.path("credentials", "images", f"team-{team}")
        number = len([one for one in os.listdir(folder) if one.startswith("..20")]) if os.path.isdir(folder) else 0
        for key, value in values.items():
            self.write(f"credentials/images/team-{team}/..2026_{number}/{key}", value + "\n")
            if not os.path.lexists(os.path.join(folder, key)):
                os.symlink(f"..data/{key}", os.path.join(folder, key))
        os.symlink(f"..2026_{number}", os.path.join(folder, "..new"))
        os.replace(os.path.join(folder, "..new"), os.path.join(folder, "..data"))

    def azure(self, rights=None, **state):
        resources = [json.loads(of(team, json.dumps(one))) for team in SUBSCRIPTIONS for one in (resource_group(), managed_image("packer-1"))]
        return self.simulate({"resources": resources, "tenants": [TENANT], "secrets": SECRETS, "rights": rights or ALL, **state}, time_scale=600)

    def flags(self, azure, own=True):
        flags = ["--azure", azure.url, "--credential", "client-secret" if own else "none", "--credentials-dir", self.path("credentials"), "--instance", "test"]
        variables = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": OWN, "AZURE_CLIENT_SECRET": SECRETS[OWN]} if own else {}
        return flags, environment(**variables)

    def run_daemon(self, azure, own=True, name="run"):
        flags, env = self.flags(azure, own)
        return self.start("run", "--source", f"dir:{self.path('manifests')}", *flags, "--state-dir", self.path("state"), "--http", "127.0.0.1:0",
                          "--interval", "1s", "--log-format", "json", name=name, env=env).ready()

    def conditions(self, daemon, kind, name):
        items = json.loads(self.galleryd("get", "all", "--server", daemon.url, "-o", "json").stdout)["items"]
        found = [one for one in items if one["kind"] == kind and one["name"] == name]
        return {one["type"]: one for one in (found[0]["conditions"] if found else [])}

    def is_ready(self, daemon, kind, name):
        return self.conditions(daemon, kind, name).get("Ready", {}).get("status") == "True"

    def who(self, azure, team):
        """Clients that asked anything below the team's subscription."""
        return {one["principal"] for one in azure.requests() if SUBSCRIPTIONS[team] in one["path"]}

    def wait_for(self, daemon, team):
        until(lambda: self.is_ready(daemon, "ImageVersion", f"ubuntu-{team}-1.0.0"), f"the version of {team} is ready", 40, process=daemon)
        until(lambda: self.is_ready(daemon, "Gallery", f"golden{team}"), f"the gallery of {team} is ready", 20, process=daemon)

    def assert_secret(self, *processes):
        for one in processes:
            self.assertNotIn("canary", one.errors() + one.output())
            self.assertNotIn("eyJ", one.errors() + one.output())

    def test_each_gallery_with_its_own_credential_and_a_broken_one_alone_stops(self):
        os.remove(self.path("credentials/images/team-c/..data/AZURE_CLIENT_SECRET"))
        self.write("manifests/all.yaml", "---\n".join(estate(team) for team in "abc"))
        azure = self.azure()
        daemon = self.run_daemon(azure, own=False)
        for team in "ab":
            self.wait_for(daemon, team)
        for kind, name in (("Gallery", "goldenc"), ("ImageDefinition", "ubuntu-c"), ("ImageVersion", "ubuntu-c-1.0.0")):
            stalled = until(lambda kind=kind, name=name: self.conditions(daemon, kind, name).get("Stalled"), f"{name} is stalled", 20, process=daemon)
            self.assertEqual((stalled["status"], stalled["reason"]), ("True", "AuthenticationFailed"))
            self.assertIn("the credential images/team-c cannot be used", stalled["message"])
            self.assertIn("lacks one of AZURE_CLIENT_SECRET", stalled["message"])
            self.assertTrue(stalled["message"].endswith("galleryd explain GD3029"), stalled["message"])
        self.assertEqual(self.who(azure, "a"), {TEAM_A})
        self.assertEqual(self.who(azure, "b"), {TEAM_B})
        self.assertEqual(self.who(azure, "c"), set())   # nobody's: neither read nor written
        self.assertEqual({one["principal"] for one in writes(azure.requests()) if "/oauth2/" not in one["path"]}, {TEAM_A, TEAM_B})
        events = json.loads(self.galleryd("events", "--server", daemon.url, "-o", "json").stdout)["items"]
        told = [one["object"] for one in events if one["reason"] == "AuthenticationFailed"]
        self.assertEqual(told, ["credential images/team-c"])   # once, not once an object
        self.assertIsNotNone(metric(daemon.url, "galleryd_arm_token_expiry_timestamp_seconds", credential="images/team-a"))
        self.assertIn("GD3029: ", self.galleryd("explain", "GD3029").stdout)
        self.assert_secret(daemon)
        # What was missing comes: no restart, and the others were never asked to do it.
        self.secret("c", AZURE_TENANT_ID=TENANT, AZURE_CLIENT_ID=TEAM_C, AZURE_CLIENT_SECRET=SECRETS[TEAM_C])
        self.wait_for(daemon, "c")
        self.assertEqual(self.who(azure, "c"), {TEAM_C})

    def test_a_credential_without_rights_is_not_helped_by_galleryd_s_own(self):
        rights = [one for one in ALL if one["client"] != TEAM_B] + [{"client": OWN, "scope": "/", "actions": ["*"]}]
        self.write("manifests/all.yaml", "---\n".join([estate("a"), estate("b"), gallery("a", name="plain", credential=False)]))
        azure = self.azure(rights)
        daemon = self.run_daemon(azure)
        self.wait_for(daemon, "a")
        until(lambda: self.is_ready(daemon, "Gallery", "plain"), "the gallery without a credential", 20, process=daemon)
        stalled = until(lambda: self.conditions(daemon, "Gallery", "goldenb").get("Stalled"), "goldenb is stalled", 20, process=daemon)
        self.assertEqual(stalled["reason"], "AuthorizationFailed")
        self.assertIn("Asked with the credential images/team-b", stalled["message"])
        self.assertEqual(self.who(azure, "b"), {TEAM_B})
        self.assertEqual([one for one in writes(azure.requests()) if SUBSCRIPTIONS["b"] in one["path"]], [])
        # Two credentials in one subscription: each gallery by its own.
        by_gallery = {}
        for one in azure.requests():
            for name in ("goldena", "plain"):
                if f"/galleries/{name}" in one["path"]:
                    by_gallery.setdefault(name, set()).add(one["principal"])
        self.assertEqual(by_gallery, {"goldena": {TEAM_A}, "plain": {OWN}})
        self.assert_secret(daemon)

    def test_a_rotation_needs_no_restart_and_a_removed_gallery_is_deleted_with_its_own_credential(self):
        self.write("manifests/a.yaml", gallery("a", more="  deletionPolicy: Delete\n"))
        self.write("manifests/b.yaml", estate("b"))
        azure = self.azure()
        daemon = self.run_daemon(azure, own=False)
        self.wait_for(daemon, "b")
        until(lambda: self.is_ready(daemon, "Gallery", "goldena"), "goldena is made", 20, process=daemon)
        self.assertEqual(self.who(azure, "a"), {TEAM_A})
        # Another application takes the first subscription over.
        self.secret("a", AZURE_TENANT_ID=TENANT, AZURE_CLIENT_ID=OWN, AZURE_CLIENT_SECRET=SECRETS[OWN])
        before = len(azure.requests())
        until(lambda: any(one["principal"] == OWN for one in azure.requests()[before:]), "the new client asks", 30, process=daemon)
        after = next(at for at, one in enumerate(azure.requests()) if one["principal"] == OWN)
        until(lambda: len([one for one in azure.requests()[after:] if SUBSCRIPTION in one["path"]]) > 3, "more looks", 20, process=daemon)
        self.assertEqual({one["principal"] for one in azure.requests()[after:] if SUBSCRIPTION in one["path"]}, {OWN})
        daemon.kill()
        # Its document goes; who asks what is left of it is still the one that it had.
        os.remove(self.path("manifests/a.yaml"))
        flags, env = self.flags(azure, own=False)
        before = len(azure.requests())
        plan = self.galleryd("plan", self.path("manifests"), *flags, "--state-dir", self.path("state"), "--allow-deletes", "--prune", "-o", "json", env=env)
        self.assertIn("goldena", plan.stdout)
        self.assertEqual({one["principal"] for one in azure.requests()[before:] if SUBSCRIPTION in one["path"]}, {OWN})

    def test_plan_and_apply(self):
        self.write("manifests/all.yaml", "---\n".join(estate(team) for team in "ab"))
        azure = self.azure()
        flags, env = self.flags(azure, own=False)
        plan = self.galleryd("plan", self.path("manifests"), *flags, "--state-dir", self.path("state"), env=env)
        self.assertIn("+ Gallery images/goldena ", plan.stdout)
        self.assertIn("+ Gallery images/goldenb ", plan.stdout)
        self.galleryd("apply", self.path("manifests"), *flags, "--state-dir", self.path("state"), env=env)
        self.assertEqual((self.who(azure, "a"), self.who(azure, "b")), ({TEAM_A}, {TEAM_B}))
        without = self.galleryd("plan", self.path("manifests"), "--azure", azure.url, "--credential", "none", "--instance", "test", "--state-dir",
                                self.path("state"), env=env, expect=1)
        self.assertIn("galleryd runs without --credentials-dir", without.stderr)
        self.assertIn("galleryd explain GD3029", without.stderr)
        self.assertNotIn("No changes", without.stdout)
        self.assertEqual((self.who(azure, "a"), self.who(azure, "b")), ({TEAM_A}, {TEAM_B}))

    def test_the_doctor_checks_each_credential_by_itself(self):
        rights = [one for one in ALL if one["client"] not in (TEAM_B, OWN)] + [
            {"client": TEAM_B, "scope": f"/subscriptions/{SUBSCRIPTIONS['b']}", "actions": ["*/read"]}, {"client": OWN, "scope": "/", "actions": ["*"]}]
        os.remove(self.path("credentials/images/team-c/..data/AZURE_CLIENT_ID"))
        self.write("manifests/all.yaml", "---\n".join(estate(team) for team in "abc"))
        azure = self.simulate({"resources": [json.loads(of(team, json.dumps(resource_group()))) for team in SUBSCRIPTIONS], "tenants": [TENANT],
                               "secrets": SECRETS, "rights": rights}, time_scale=1)
        flags, env = self.flags(azure, own=False)
        flags = [*flags, "--state-dir", self.path("state"), "-o", "json"]
        done = self.galleryd("doctor", self.path("manifests"), *flags, env=env, expect=1)
        self.assertNotIn("canary", done.stdout + done.stderr)
        checks = json.loads(done.stdout)["checks"]
        sign_ins = {one["about"]: (one["verdict"], one["code"]) for one in checks if one["check"] == "sign-in"}
        self.assertEqual(sign_ins, {"images/team-a": ("ok", ""), "images/team-b": ("ok", ""), "images/team-c": ("failed", "GD3029")})
        missing = next(one for one in checks if one["about"] == "images/team-c")
        self.assertIn("lacks AZURE_CLIENT_ID", missing["measured"])
        self.assertTrue(missing["fix"], missing)
        rights = {(one["about"].split("(credential ")[-1].rstrip(")"), one["verdict"]) for one in checks if one["check"] == "rights" and one["verdict"] != "skipped"}
        self.assertEqual({one for one in rights if one[1] == "failed"}, {("images/team-b", "failed")})
        self.assertIn(("images/team-a", "ok"), rights)
        self.assertEqual([one["check"] for one in checks].count("endpoint"), 1)
        self.write("credentials/images/team-a/..data/AZURE_CLIENT_SECRET", "canary-wrong")
        checks = json.loads(self.galleryd("doctor", self.path("manifests"), *flags, env=env, expect=1).stdout)["checks"]
        wrong = next(one for one in checks if one["about"] == "images/team-a" and one["check"] == "sign-in")
        place = self.path("credentials/images/team-a")
        self.assertEqual(wrong["fix"], [f"az ad app credential reset --id {TEAM_A} --append    # then write <its password> into {place}/AZURE_CLIENT_SECRET"])
        self.assertIn(f"the credential images/team-a (its values are the files in {place}): ", wrong["measured"])
        self.assertEqual((self.who(azure, "a"), self.who(azure, "b"), self.who(azure, "c")), ({TEAM_A}, {TEAM_B}, set()))


if __name__ == "__main__":
    main()
