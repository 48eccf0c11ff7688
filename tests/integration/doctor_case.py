"""What the tests of `galleryd doctor` share: an estate, one run of the command, and what must hold of every report."""
import json

from harness import SUBSCRIPTION, Case, environment, small_azure, small_documents, writes

TENANT = "aaaaaaaa-0000-0000-0000-000000000001"
CLIENT = "bbbbbbbb-0000-0000-0000-000000000002"
OBJECT = "0581142e-ae8f-4bc0-9a0d-ffb7cbad05b2"   # of every token that the built-in Azure gives out
SECRET = "canary-secret"
SECOND, THIRD = "00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003"


def grant(role, scope, object_id=OBJECT):
    return f'az role assignment create --assignee-object-id {object_id} --assignee-principal-type ServicePrincipal --role "{role}" --scope {scope}'


class Doctor(Case):
    def azure(self, *arguments, **state):
        estate = small_azure()
        estate.update({"tenants": [TENANT], "secrets": {CLIENT: SECRET}, **state})
        return self.simulate(estate, *arguments, time_scale=1)

    def faults(self, text):
        return ("--faults", self.write("faults.yaml", text))

    def doctor(self, azure, *arguments, documents=True, credential="client-secret", expect=0, **variables):
        if documents is True:
            documents = [self.write("manifests/all.yaml", small_documents()) and self.path("manifests")]
        url = azure if isinstance(azure, str) else azure.url
        env = environment(**{"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": SECRET, **variables})
        done = self.galleryd("doctor", *(documents or []), "--azure", url, "--credential", credential, "--state-dir", self.path("state"), "-o", "json",
                             *arguments, expect=expect, env=env)
        self.assertNotIn("canary", done.stdout + done.stderr)
        self.assertNotIn("eyJ", done.stdout + done.stderr)
        report = json.loads(done.stdout)
        for check in report["checks"]:
            if check["verdict"] in ("failed", "warning"):
                self.assertTrue(check["fix"] and all(check["fix"]), check)
                self.assertRegex(check["code"], r"^GD\d{4}$", check)
            else:
                self.assertEqual(check["fix"], [], check)
        self.assertEqual(expect, 1 if report["summary"]["failed"] else 0)
        if not isinstance(azure, str):
            self.assertEqual(writes([one for one in azure.requests() if not one["path"].endswith(("/token", "Microsoft.ResourceGraph/resources"))]), [])
        return report["checks"]

    def only(self, checks, verdict):
        """The findings with this verdict, as (check, about, code, first fix)."""
        return [(one["check"], one["about"], one["code"], one["fix"][0] if one["fix"] else "") for one in checks if one["verdict"] == verdict]

    def assert_rest_is_named(self, checks, why):
        """What hangs on an earlier answer is named, one by one."""
        named = {one["check"]: one["measured"] for one in checks if one["verdict"] == "skipped"}
        self.assertEqual(named, {check: f"not checked: {why}" for check in
                                 ("subscription", "provider", "regions", "rights", "quota", "api-version", "resource-graph")})

    def expect_one(self, checks, verdict, check, about, code, fix, measured=""):
        self.assertEqual(self.only(checks, verdict), [(check, about, code, fix)])
        self.assertIn(measured, next(one["measured"] for one in checks if one["verdict"] == verdict))
