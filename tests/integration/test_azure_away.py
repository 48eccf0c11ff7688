#!/usr/bin/env python3
"""Azure that stops answering: told once when it begins and once when it ends, by event, log and /readyz?verbose; nothing else fails."""
import json
import os
import signal

from harness import DEMO, Case, environment, get, main, small_azure, small_documents, until
from proxy import KillingProxy


class Away(Case):
    def setUp(self):
        super().setUp()
        self.write("manifests/all.yaml", small_documents())

    def events(self, daemon, reason):
        return [one for one in json.loads(self.galleryd("events", "--server", daemon.url, "-o", "json").stdout)["items"] if one["reason"] == reason]

    def test_it_is_told_once_and_the_daemon_stays_ready(self):
        azure = self.simulate(small_azure(), time_scale=1)
        daemon = self.start("run", "--source", f"dir:{self.path('manifests')}", "--azure", azure.url, "--credential", "none", "--state-dir", self.path("state"),
                            "--http", "127.0.0.1:0", "--interval", "1s", "--instance", "test", "--log-format", "json", name="run", env=environment()).ready()
        until(lambda: get(daemon.url + "/readyz")[0] == 200, "it is ready", process=daemon)
        self.assertIn("[+]azure ok\n", get(daemon.url + "/readyz?verbose")[1])
        azure.signal(15)
        azure.wait()
        told = until(lambda: self.events(daemon, "AzureUnreachable"), "the event", 40, process=daemon)
        self.assertEqual((told[0]["object"], told[0]["type"]), ("azure", "Warning"))
        self.assertIn("GD3008", told[0]["message"])
        until(lambda: "Azure does not answer" in get(daemon.url + "/readyz?verbose")[1], "the check names it", 5, process=daemon)
        status, text = get(daemon.url + "/readyz?verbose")
        self.assertEqual((status, get(daemon.url + "/readyz")[0], get(daemon.url + "/livez")[0]), (200, 200, 200))
        self.assertRegex(text, r"\[\+\]azure ok; Azure does not answer since \S+ \(\d+ requests\): cannot connect")
        requests = int(text.split(" (")[1].split(" ")[0])
        until(lambda: int(get(daemon.url + "/readyz?verbose")[1].split(" (")[1].split(" ")[0]) > requests + 10, "it is asked again and again", 60, process=daemon)
        loud = [line for line in daemon.errors().splitlines() if "cannot connect" in line]
        self.assertEqual(len(loud), 1, "\n".join(loud))   # the event's own line
        again = self.start("simulate", "--listen", azure.url.split("//")[1], "--state", self.path("simulate.json"), "--limits", "none", name="again").ready()
        until(lambda: self.events(daemon, "AzureReachable"), "the event of its return", 60, process=again)
        self.assertEqual(len(self.events(daemon, "AzureUnreachable")), 1)
        until(lambda: "[+]azure ok\n" in get(daemon.url + "/readyz?verbose")[1], "nothing is left of it", process=daemon)

    def test_an_apply_that_azure_leaves_half_way_says_so_in_its_summary(self):
        with open(os.path.join(DEMO, "azure.json"), encoding="utf-8") as file:
            azure = self.simulate(json.load(file), time_scale=1)
        proxy = KillingProxy(azure.url, 90, True, lambda: azure.signal(signal.SIGKILL))
        self.addCleanup(proxy.close)
        done = self.galleryd("apply", DEMO, "--azure", proxy.url, "--credential", "none", "--instance", "demo", "--state-dir", self.path("state"),
                             "--timeout", "15s", expect=3, seconds=90)
        self.assertTrue(proxy.reached.is_set())
        self.assertRegex(done.stdout, r"\d+ writes? to Azure\. Azure does not answer since \S+ \(\d+ requests\): .*\. \d+ of 12 scopes could not be ended; "
                                      r"what was started goes on in Azure\.\n$")
        self.assertEqual(done.stderr.count("galleryd: Azure does not answer: "), 1, done.stderr)   # told when it happened
        self.assertIn("not done yet\n", done.stderr)
        self.assertIn("GD5008", done.stderr)

    def test_a_plan_says_it_once(self):
        done = self.galleryd("plan", DEMO, "--azure", "http://127.0.0.1:1", "--credential", "none", "--state-dir", self.path("state"), expect=1)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("Connection refused"), 1, done.stderr)
        self.assertIn("images/golden, images/golden/jumpbox, images/golden/rhel-9 and 9 more could not be looked at", done.stderr)
        plan = json.loads(self.galleryd("plan", DEMO, "--azure", "http://127.0.0.1:1", "--credential", "none", "--state-dir", self.path("state"), "-o", "json",
                                        expect=1).stdout)
        self.assertEqual({one["complete"] for one in plan["scopes"]}, {False})


if __name__ == "__main__":
    main()
