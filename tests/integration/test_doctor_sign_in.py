#!/usr/bin/env python3
"""`galleryd doctor` before Azure can be asked: the network, TLS, the clock and every way in which a sign-in fails, each with its repair."""
import base64
import datetime
import email.utils
import http.server
import json
import re
import subprocess
import threading
import time
import urllib.request

from doctor_case import CLIENT, TENANT, Doctor
from harness import main, small_azure, until


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def workload_token(subject):
    claims = {"iss": "https://oidc.example.com/", "sub": subject, "aud": ["api://AzureADTokenExchange"], "exp": int(time.time()) + 3600}
    return f"{part({'alg': 'RS256', 'kid': 'k'})}.{part(claims)}.{base64.urlsafe_b64encode(b's' * 256).rstrip(b'=').decode()}"


class SigningIn(Doctor):
    def failed_sign_in(self, azure, code, fix, **how):
        checks = self.doctor(azure, expect=1, **how)
        self.assertEqual([(one[0], one[2], one[3]) for one in self.only(checks, "failed")], [("sign-in", code, fix)])
        self.assert_rest_is_named(checks, "no token")
        self.assertIn("documents", [one["check"] for one in checks if one["verdict"] == "ok"])
        return next(one["measured"] for one in checks if one["check"] == "sign-in")

    def test_a_wrong_secret(self):
        said = self.failed_sign_in(self.azure(), "GD3011", f"az ad app credential reset --id {CLIENT} --append    # then AZURE_CLIENT_SECRET=<its password>",
                                   AZURE_CLIENT_SECRET="canary-wrong")
        self.assertEqual(said, "sign-in to Azure: the client secret is wrong. Set AZURE_CLIENT_SECRET to the secret's value, not to its id (AADSTS7000215)")

    def test_an_unknown_tenant(self):
        self.failed_sign_in(self.azure(), "GD3014", "az account show --query tenantId --output tsv    # then AZURE_TENANT_ID=<that>, now contoso.example.com",
                            AZURE_TENANT_ID="contoso.example.com")

    def test_what_the_sign_in_service_may_say(self):
        for number, code, fix in (
                (7000222, "GD3012", f"az ad app credential reset --id {CLIENT} --append    # then AZURE_CLIENT_SECRET=<its password>"),
                (700016, "GD3013", f"az ad sp show --id {CLIENT}    # in tenant {TENANT}; then correct AZURE_CLIENT_ID or AZURE_TENANT_ID"),
                (700024, "GD3019", "timedatectl set-ntp true"),
                (53003, "GD3024", None), (4711, "GD3010", None)):
            with self.subTest(number):
                azure = self.simulate({**small_azure(), "tenants": [TENANT]}, *self.faults(f"- {{path: '*/token', aadsts: {number}}}\n"), time_scale=1,
                                      name=f"azure{number}")
                checks = self.doctor(azure, expect=1)
                found = next(one for one in checks if one["check"] == "sign-in")
                self.assertEqual((found["verdict"], found["code"]), ("failed", code))
                self.assertIn(f"AADSTS{number}", found["measured"])
                if fix:
                    self.assertEqual(found["fix"], [fix])

    def certificate(self, days):
        path = self.path("app.pem")
        for words in (["req", "-newkey", "rsa:2048", "-nodes", "-keyout", path + ".key", "-out", path + ".csr", "-subj", "/CN=galleryd"],
                      ["x509", "-req", "-in", path + ".csr", "-signkey", path + ".key", "-days", str(days), "-out", path + ".crt"]):
            subprocess.run(["openssl", *words], check=True, capture_output=True)
        with open(path, "w", encoding="utf-8") as out:
            for part in (".key", ".crt"):
                with open(path + part, encoding="utf-8") as file:
                    out.write(file.read())
        with open(path + ".crt", encoding="utf-8") as file:
            return path, file.read()

    def test_certificates_that_have_ended_are_unknown_or_end_soon(self):
        how = {"credential": "client-certificate", "AZURE_CLIENT_SECRET": ""}
        path, _ = self.certificate(days=-1)
        renew = f"az ad app credential reset --id {CLIENT} --create-cert --append    # then AZURE_CLIENT_CERTIFICATE_PATH=<the file it names>"
        azure = self.azure(certificates={CLIENT: []})
        self.assertIn("ended on", self.failed_sign_in(azure, "GD3025", renew, AZURE_CLIENT_CERTIFICATE_PATH=path, **how))
        path, public = self.certificate(days=7)
        checks = self.doctor(azure, expect=1, AZURE_CLIENT_CERTIFICATE_PATH=path, **how)
        self.assertEqual([(one[0], one[2], one[3]) for one in self.only(checks, "failed")],
                         [("sign-in", "GD3017", f"az ad app credential reset --id {CLIENT} --cert @{path} --append")])
        known = self.simulate({**small_azure(), "tenants": [TENANT], "certificates": {CLIENT: public}}, time_scale=1, name="known")
        checks = self.doctor(known, AZURE_CLIENT_CERTIFICATE_PATH=path, **how)
        self.expect_one(checks, "warning", "certificate", path, "GD3025", renew, "ends in")

    def test_a_token_file_without_its_federated_credential(self):
        file = self.write("token", workload_token("system:serviceaccount:images:other"))
        azure = self.azure(federatedCredentials={CLIENT: [{"issuer": "https://oidc.example.com/", "subject": "system:serviceaccount:images:galleryd",
                                                           "audience": "api://AzureADTokenExchange"}]})
        self.failed_sign_in(azure, "GD3018", f"az ad app federated-credential create --id {CLIENT} --parameters '{{\"name\": \"galleryd\", \"issuer\": "
                            "\"https://oidc.example.com/\", \"subject\": \"system:serviceaccount:images:other\", \"audiences\": "
                            "[\"api://AzureADTokenExchange\"]}'", credential="workload-identity", AZURE_FEDERATED_TOKEN_FILE=file)

    def test_the_chain_says_who_answered_and_why_the_others_did_not(self):
        azure = self.azure(managedIdentities=["system"])
        checks = self.doctor(azure, credential="default", AZURE_CLIENT_SECRET="", AZURE_CLIENT_ID="", AZURE_TENANT_ID="",
                             AZURE_POD_IDENTITY_AUTHORITY_HOST=azure.url, expect=1)   # the identity's tenant is not the subscription's
        found = next(one for one in checks if one["check"] == "sign-in")
        self.assertEqual((found["verdict"], found["about"]), ("ok", "managed-identity"))
        self.assertIn("not used: environment: neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH is set; workload-identity: ", found["measured"])

    def test_nothing_to_sign_in_with(self):
        azure = self.azure()
        checks = self.doctor(azure, expect=1, AZURE_CLIENT_SECRET="", AZURE_TENANT_ID="")
        found = next(one for one in checks if one["check"] == "sign-in")
        self.assertEqual(found["code"], "GD5005")
        self.assertIn("AZURE_TENANT_ID AZURE_CLIENT_SECRET", found["measured"])
        self.assertEqual({one["check"] for one in checks if one["verdict"] == "ok"}, {"documents", "state-directory", "endpoint", "clock", "replicas"})
        self.assert_rest_is_named(checks, "no token")


class Reaching(Doctor):
    def test_nobody_listens_and_the_words_fit_a_machine_without_network(self):
        checks = self.doctor("http://127.0.0.1:1", expect=1)
        self.expect_one(checks, "failed", "endpoint", "http://127.0.0.1:1", "GD3008",
                        "curl -sS -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:1/    # must answer from this machine: name service, routes, "
                        "firewall, --azure", "Connection refused")
        self.assert_rest_is_named(checks, "Azure cannot be reached")

    def test_a_proxy_that_answers_in_azures_place(self):
        class Proxy(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<html>please log in</html>")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        host = f"127.0.0.1:{server.server_port}"
        self.expect_one(self.doctor(f"http://{host}", expect=1), "failed", "endpoint", f"http://{host}", "GD3002",
                        f"let {host} through the proxy or firewall unchanged, or correct --azure", "text/html")

    def test_a_certificate_that_nobody_signed_for_and_the_file_that_mends_it(self):
        azure = self.start("simulate", "--listen", "", "--listen-tls", "127.0.0.1:0", "--tls-dir", self.path("tls"), "--state",
                           self.write("tls.json", json.dumps({**small_azure(), "tenants": [TENANT]})), name="tls")
        url = until(lambda: re.search(r"(https://\S+)", azure.output()), "the address", process=azure).group(1).rstrip("/")
        host = url[len("https://"):]
        checks = self.doctor(url, expect=1)
        self.expect_one(checks, "failed", "endpoint", url, "GD3009",
                        f"--azure-ca-file FILE, with the certificate (PEM) of the authority that signs for {host}; to see it: openssl s_client -connect {host} "
                        "-showcerts </dev/null")
        checks = self.doctor(url, "--azure-ca-file", self.path("tls/ca.pem"))
        self.assertIn("TLS checked with", next(one["measured"] for one in checks if one["check"] == "endpoint"))

    def test_a_person_who_has_waited_long_enough(self):
        azure = self.azure(*self.faults("- {path: '*/providers/*', delay: 60s}\n"))
        doctor = self.start("doctor", "--azure", azure.url, "--credential", "none", "--state-dir", self.path("state"), name="doctor")
        until(lambda: any(one["path"].startswith("/subscriptions/") for one in azure.requests()), "it asks", 10, process=doctor)
        doctor.signal(2)
        self.assertEqual(doctor.wait(5), 130)
        self.assertIn("interrupted", doctor.errors())

    def test_a_simulator_whose_time_flies_is_no_wrong_clock(self):
        azure = self.simulate({**small_azure(), "tenants": [TENANT]}, time_scale=100000)
        azure_now = lambda: email.utils.parsedate_to_datetime(urllib.request.urlopen(f"{azure.url}/subscriptions?api-version=2022-12-01").headers["Date"])
        until(lambda: azure_now() - datetime.datetime.now(datetime.timezone.utc) > datetime.timedelta(minutes=10), "its clock is ahead", process=azure)
        done = self.galleryd("doctor", "--azure", azure.url, "--credential", "none", "--state-dir", self.path("state"), expect=None)
        self.assertIn("skipped  clock           not compared: this is a simulator whose clock runs at 100000 times", done.stdout)

    def test_a_clock_that_is_wrong(self):
        for minutes, verdict, expect in ((-10, "failed", 1), (3, "warning", 0)):
            with self.subTest(minutes):
                date = email.utils.format_datetime(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes), usegmt=True)
                azure = self.simulate({**small_azure(), "tenants": [TENANT]}, *self.faults(f"- {{path: /subscriptions, headers: {{Date: '{date}'}}}}\n"),
                                      time_scale=1, name=f"azure{abs(minutes)}")
                self.expect_one(self.doctor(azure, expect=expect), verdict, "clock", "", "GD3019", "timedatectl set-ntp true",
                                "ahead of" if minutes < 0 else "behind")


if __name__ == "__main__":
    main()
