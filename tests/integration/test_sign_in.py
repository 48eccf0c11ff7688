#!/usr/bin/env python3
"""Signing in over real sockets, files and child programs, against the built-in Azure; and that no secret is ever printed."""
import base64
import json
import os
import time

from harness import Case, environment, main, small_azure, small_documents

TENANT = "aaaaaaaa-0000-0000-0000-000000000001"
CLIENT = "bbbbbbbb-0000-0000-0000-000000000002"
SECRET = "canary-secret"


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def workload_token(life, subject="system:serviceaccount:images:galleryd"):
    claims = {"iss": "https://oidc.example.com/", "sub": subject, "aud": ["api://AzureADTokenExchange"], "exp": int(time.time()) + life}
    return f"{part({'alg': 'RS256', 'kid': 'k'})}.{part(claims)}.{base64.urlsafe_b64encode(b's' * 256).rstrip(b'=').decode()}"


class SignIn(Case):
    def setUp(self):
        super().setUp()
        state = small_azure()
        state.update({
            "tenants": [TENANT], "secrets": {CLIENT: SECRET}, "managedIdentities": ["system"], "identityHeader": "canary-header",
            "federatedCredentials": {CLIENT: [{"issuer": "https://oidc.example.com/", "subject": "system:serviceaccount:images:galleryd",
                                               "audience": "api://AzureADTokenExchange"}]}})
        self.azure = self.simulate(state, time_scale=1)
        self.write("manifests/all.yaml", small_documents())

    def plan(self, credential="default", expect=0, **variables):
        """The machine that runs the tests may have an identity endpoint of its own: never asked."""
        variables.setdefault("AZURE_POD_IDENTITY_AUTHORITY_HOST", self.azure.url)
        done = self.galleryd("plan", self.path("manifests"), "--azure", self.azure.url, "--credential", credential, "--instance", "test",
                             "--state-dir", self.path("state"), "--log-level", "debug", expect=expect, env=environment(**variables))
        for canary in (SECRET, "canary", "eyJ", "access_token"):
            self.assertNotIn(canary, done.stdout + done.stderr)
        return done

    def application(self, **more):
        return {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, **more}

    def token_requests(self):
        return [entry["path"] for entry in self.azure.requests() if entry["path"].endswith("/token")]

    def test_a_client_secret_signs_in_and_a_wrong_one_is_told_once(self):
        self.assertIn("Plan: ", self.plan(**self.application(AZURE_CLIENT_SECRET=SECRET)).stdout)
        self.assertEqual(self.token_requests(), [f"/{TENANT}/oauth2/v2.0/token"])
        wrong = self.plan(expect=1, **self.application(AZURE_CLIENT_SECRET="canary-wrong"))
        self.assertEqual(wrong.stderr.count("see `galleryd explain GD3011`"), 1)
        self.assertEqual(wrong.stdout, "")
        unknown = self.plan(expect=1, AZURE_TENANT_ID="contoso.example.com", AZURE_CLIENT_ID=CLIENT, AZURE_CLIENT_SECRET=SECRET)
        self.assertIn("GD3014", unknown.stderr)

    def test_a_workload_s_token_file_is_enough(self):
        file = self.write("token", workload_token(3600))
        self.assertIn("Plan: ", self.plan(**self.application(AZURE_FEDERATED_TOKEN_FILE=file)).stdout)
        self.write("token", workload_token(-3600))
        self.assertIn("GD3019", self.plan(expect=1, **self.application(AZURE_FEDERATED_TOKEN_FILE=file)).stderr)
        self.write("token", workload_token(3600, subject="system:serviceaccount:images:canary"))
        self.assertIn("GD3018", self.plan(expect=1, **self.application(AZURE_FEDERATED_TOKEN_FILE=file)).stderr)
        self.write("token", "")
        self.assertIn("GD3026", self.plan(expect=1, **self.application(AZURE_FEDERATED_TOKEN_FILE=file)).stderr)

    def test_managed_identities_of_machines_and_of_app_service(self):
        self.assertIn("Plan: ", self.plan().stdout)  # default: found at the metadata service
        self.assertEqual(self.token_requests(), ["/metadata/identity/oauth2/token"] * 2)
        service = {"IDENTITY_ENDPOINT": self.azure.url + "/msi/token", "IDENTITY_HEADER": "canary-header"}
        self.assertIn("Plan: ", self.plan(**service).stdout)
        self.assertIn("GD3027", self.plan(expect=1, AZURE_CLIENT_ID=CLIENT, **service).stderr)  # no such identity
        service["IDENTITY_HEADER"] = "canary-wrong"
        self.assertIn("GD3027", self.plan(expect=1, **service).stderr)

    def test_the_azure_cli_signs_in_when_nothing_else_is_there(self):
        nobody = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"}
        tools = self.path("tools")
        os.makedirs(tools)
        none = self.plan(expect=1, PATH=tools, **nobody).stderr
        for words in ("GD5005", "environment: ", "workload-identity: ", "managed-identity: nothing answers", "azure-cli: there is no program az"):
            self.assertIn(words, none)
        script = self.write("tools/az", "#!/bin/sh\necho \"ERROR: Please run 'az login' to setup account.\" >&2\nexit 1\n")
        os.chmod(script, 0o755)
        self.assertIn("azure-cli: nobody has signed in with az login", self.plan(expect=1, PATH=tools, **nobody).stderr)
        # A token that this Azure did not issue: the CLI is asked, and Azure's refusal is told.
        self.write("tools/az", f"#!/bin/sh\necho '{{\"accessToken\":\"canary-az\",\"expires_on\":{int(time.time()) + 3600}}}'\n")
        os.chmod(script, 0o755)
        self.assertIn("GD3015", self.plan(expect=1, PATH=tools, **nobody).stderr)

    def test_half_a_configuration_and_a_foreign_endpoint_are_refused_before_any_request(self):
        before = len(self.azure.requests())
        self.assertIn("AZURE_TENANT_ID", self.plan(expect=1, AZURE_CLIENT_SECRET=SECRET).stderr)
        self.assertIn("GD3027", self.plan(expect=1, IDENTITY_ENDPOINT="http://identity.example.com/x", IDENTITY_HEADER="canary").stderr)
        self.assertIn("GD5005", self.plan(expect=1, **self.application(AZURE_CLIENT_SECRET=SECRET, AZURE_AUTHORITY_HOST="http://login.example.com")).stderr)
        self.assertEqual(len(self.azure.requests()), before)


if __name__ == "__main__":
    main()
