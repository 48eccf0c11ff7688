#!/usr/bin/env python3
"""Azure that says no, for every reason of the list: the daemon's condition, its event, plan's words and explain agree; what is not concerned goes on."""
import json
import subprocess
import urllib.request

from harness import GALLERY, SUBSCRIPTION, Arm, Case, environment, gallery_id, group_id, main, small_azure, small_documents, until, writes

TENANT = "aaaaaaaa-0000-0000-0000-000000000001"
CLIENT = "bbbbbbbb-0000-0000-0000-000000000002"
SECOND, THIRD = "00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003"


class Refused(Case):
    def setUp(self):
        super().setUp()
        self.write("manifests/all.yaml", small_documents())
        self.variables = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": "canary-secret"}
        self.credential = "client-secret"

    def azure(self, resources=None, **state):
        estate = {**small_azure(), "tenants": [TENANT], "secrets": {CLIENT: "canary-secret"}, **state}
        if resources is not None:
            estate["resources"] = resources
        return self.simulate(estate, time_scale=1)

    def run_daemon(self, azure):
        return self.start("run", "--source", f"dir:{self.path('manifests')}", "--azure", azure.url, "--credential", self.credential, "--state-dir",
                          self.path("state"), "--http", "127.0.0.1:0", "--interval", "1s", "--instance", "test", "--log-format", "json", name="run",
                          env=environment(**self.variables)).ready()

    def objects(self, daemon):
        return json.loads(self.galleryd("get", "all", "--server", daemon.url, "-o", "json").stdout)["items"]

    def conditions(self, daemon, kind, name):
        found = [one for one in self.objects(daemon) if one["kind"] == kind and one["name"] == name]
        return {one["type"]: one for one in (found[0]["conditions"] if found else [])}

    def check(self, azure, code, reason, words, event_object=None):
        """Condition, event, plan and explain of one refusal, which concerns every document."""
        daemon = self.run_daemon(azure)
        for kind, name in (("Gallery", "golden"), ("ImageDefinition", "ubuntu"), ("ImageVersion", "ubuntu-1.0.0")):
            shown = until(lambda kind=kind, name=name: self.conditions(daemon, kind, name).get("Stalled"), f"{kind} {name} is stalled", 20, process=daemon)
            self.assertEqual((shown["status"], shown["reason"]), ("True", reason), shown)
            ready = self.conditions(daemon, kind, name)["Ready"]
            self.assertEqual((ready["status"], ready["reason"]), ("False", reason))
            self.assertIn(words, ready["message"])
            self.assertTrue(ready["message"].endswith(f"galleryd explain {code}"), ready["message"])
        events = json.loads(self.galleryd("events", "--server", daemon.url, "-o", "json").stdout)["items"]
        told = [one for one in events if one["reason"] == reason and code in one["message"]]
        self.assertEqual(len(told), 1, events)   # once, not once an object
        self.assertEqual(told[0]["object"], event_object or "azure")
        plan = self.galleryd("plan", self.path("manifests"), "--azure", azure.url, "--credential", self.credential, "--instance", "test", "--state-dir",
                             self.path("plan-state"), expect=1, env=environment(**self.variables))
        self.assertIn(words, plan.stderr)
        self.assertIn(f"galleryd explain {code}", plan.stderr)
        self.assertNotIn("No changes", plan.stdout)
        self.assertNotRegex(plan.stdout, r"[1-9]\d* (create|update|delete)")
        self.assertIn(code + ": ", self.galleryd("explain", code).stdout)
        self.assertEqual(writes([one for one in azure.requests() if not one["path"].endswith(("/token", "Microsoft.ResourceGraph/resources"))]), [])
        self.assertNotIn("canary", daemon.errors() + daemon.output() + plan.stderr + plan.stdout)
        return daemon

    def test_a_wrong_secret(self):
        self.variables["AZURE_CLIENT_SECRET"] = "canary-wrong"
        self.check(self.azure(), "GD3011", "AuthenticationFailed", "the client secret is wrong")

    def test_an_unknown_tenant(self):
        self.variables["AZURE_TENANT_ID"] = "contoso.example.com"
        self.check(self.azure(), "GD3014", "AuthenticationFailed", "the tenant is unknown")

    def test_an_expired_certificate(self):
        path = self.path("app.pem")
        for words in (["req", "-newkey", "rsa:2048", "-nodes", "-keyout", path + ".key", "-out", path + ".csr", "-subj", "/CN=galleryd"],
                      ["x509", "-req", "-in", path + ".csr", "-signkey", path + ".key", "-days", "-1", "-out", path + ".crt"]):
            subprocess.run(["openssl", *words], check=True, capture_output=True)
        with open(path + ".key", encoding="utf-8") as key, open(path + ".crt", encoding="utf-8") as certificate:
            self.write("app.pem", key.read() + certificate.read())
        del self.variables["AZURE_CLIENT_SECRET"]
        self.variables["AZURE_CLIENT_CERTIFICATE_PATH"] = path
        self.credential = "client-certificate"
        self.check(self.azure(), "GD3025", "AuthenticationFailed", "the client certificate ended on")

    def test_a_cloud_without_the_api_version(self):
        self.check(self.azure(apiVersions={"Microsoft.Compute/galleries": ["2023-07-03"]}), "GD3063", "AzureError", "The supported api-versions are '2023-07-03'")

    def test_a_provider_that_is_not_registered_until_it_is(self):
        azure = self.azure(providers={"Microsoft.Compute": "NotRegistered"})
        daemon = self.check(azure, "GD3064", "AuthorizationFailed",
                            f"az provider register --namespace Microsoft.Compute --subscription {SUBSCRIPTION}", f"subscription {SUBSCRIPTION}")
        token = json.loads(self.token(azure))["access_token"]
        request = urllib.request.Request(f"{azure.url}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/register?api-version=2021-04-01", data=b"",
                                         method="POST", headers={"Authorization": f"Bearer {token}"})
        urllib.request.urlopen(request, timeout=10).close()
        # By itself it looks again after minutes; a document that changed is looked at now.
        self.write("manifests/all.yaml", small_documents().replace("description: Test images", "description: Registered now").replace("Ubuntu", "Noble"))
        until(lambda: self.conditions(daemon, "Gallery", "golden").get("Ready", {}).get("status") == "True", "it goes on", 30, process=daemon)
        until(lambda: not self.conditions(daemon, "ImageDefinition", "ubuntu").get("Stalled"), "the definition as well", 30, process=daemon)
        events = json.loads(self.galleryd("events", "--server", daemon.url, "-o", "json").stdout)["items"]
        self.assertIn(("Resumed", f"subscription {SUBSCRIPTION}"), [(one["reason"], one["object"]) for one in events])

    def test_one_failure_is_one_line_however_many_scopes_it_stands_in_the_way_of(self):
        for run, status, code, lines in (("told", 403, "AuthorizationFailed", 0), ("untold", 500, "InternalServerError", 1)):
            faults = self.write(f"{run}.yaml", f"- {{path: '*/galleries/golden', method: GET, status: {status}, code: {code}}}\n")
            azure = self.simulate(small_azure(), "--faults", faults, name=f"azure-{run}")
            daemon = self.start("run", "--source", f"dir:{self.path('manifests')}", "--azure", azure.url, "--credential", "none", "--state-dir",
                                self.path(f"state-{run}"), "--http", "127.0.0.1:0", "--interval", "1s", "--instance", "test", "--log-format", "json",
                                name=f"run-{run}", env=environment()).ready()
            for kind, name in (("Gallery", "golden"), ("ImageDefinition", "ubuntu")):
                until(lambda kind=kind, name=name, daemon=daemon: self.conditions(daemon, kind, name).get("Ready", {}).get("status") == "False",
                      f"{kind} was looked at", 30, process=daemon)
            asked = 2 if lines == 0 else 6   # what only a person can mend is asked again after minutes
            until(lambda azure=azure, asked=asked: sum(one["path"].endswith("/galleries/golden") for one in azure.requests()) >= asked, "it was asked again",
                  30, process=daemon)
            log = [json.loads(line) for line in daemon.errors().splitlines()]
            self.assertEqual(len([one for one in log if one["msg"] == "pass ended with an error"]), lines, daemon.errors())
            self.assertEqual(len([one for one in log if one["msg"] == "event" and one["reason"] == "AuthorizationFailed"]), 1 - lines, daemon.errors())

    def token(self, azure):
        form = f"grant_type=client_credentials&client_id={CLIENT}&client_secret=canary-secret&scope=x".encode()
        with urllib.request.urlopen(f"{azure.url}/{TENANT}/oauth2/v2.0/token", data=form, timeout=10) as answer:
            return answer.read().decode()

    def test_no_right_on_one_of_three_subscriptions(self):
        documents = [GALLERY.replace(SUBSCRIPTION, one).replace("metadata: {name: golden,", f"metadata: {{name: golden{number},").replace(
            "spec:\n", f"spec:\n  azureName: golden{number}\n") for number, one in enumerate((SUBSCRIPTION, SECOND, THIRD), 1)]
        self.write("manifests/all.yaml", "---\n".join(documents))
        groups = [{**small_azure()["resources"][0], "id": group_id().replace(SUBSCRIPTION, one)} for one in (SUBSCRIPTION, SECOND, THIRD)]
        azure = self.azure(resources=groups, unreadableSubscriptions=[SECOND])
        plan = self.galleryd("plan", self.path("manifests"), "--azure", azure.url, "--credential", self.credential, "--instance", "test", "--state-dir",
                             self.path("plan-state"), expect=1, env=environment(**self.variables))
        self.assertIn("golden1", plan.stdout)
        self.assertIn("golden3", plan.stdout)
        self.assertNotIn("+ Gallery golden2", plan.stdout)   # unreadable is not empty
        self.assertIn("2 create", plan.stdout)
        self.assertIn("golden2", plan.stderr)
        self.assertIn(f'--role "Reader" --scope {group_id().replace(SUBSCRIPTION, SECOND)}', plan.stderr)
        self.assertIn("GD3020", plan.stderr)
        daemon = self.run_daemon(azure)
        for name in ("golden1", "golden3"):
            until(lambda name=name: self.conditions(daemon, "Gallery", name).get("Ready", {}).get("status") == "True", f"{name} is made", 30, process=daemon)
        missing = until(lambda: self.conditions(daemon, "Gallery", "golden2").get("Stalled"), "golden2 is stalled", 20, process=daemon)
        self.assertEqual(missing["reason"], "AuthorizationFailed")
        self.assertIn("galleryd explain GD3020", missing["message"])
        events = json.loads(self.galleryd("events", "--server", daemon.url, "-o", "json").stdout)["items"]
        self.assertEqual([one["object"] for one in events if one["reason"] == "AuthorizationFailed"], [f"subscription {SECOND}"])
        self.assertEqual([one["path"] for one in writes(azure.requests()) if SECOND in one["path"]], [])


if __name__ == "__main__":
    main()
