#!/usr/bin/env python3
"""SIGTERM in mid-flight: out within five seconds, nothing lost, and the next start goes on instead of beginning again (P6, B2)."""
import signal
import time

from harness import Arm, Case, gallery_id, main, small_azure, small_documents, until

LIMIT = 5.0


class Stopped(Case):
    def setUp(self):
        super().setUp()
        self.azure = self.simulate(small_azure(), time_scale=60)   # a version takes seven seconds
        self.source = self.path("manifests")
        self.write("manifests/all.yaml", small_documents(versions=3, regions=["canadaeast"]))

    def puts(self):
        return [entry["path"].lower() for entry in self.azure.requests() if entry["method"] == "PUT" and "/versions/" in entry["path"]]

    def stop(self, daemon, number=signal.SIGTERM, times=1):
        began = time.monotonic()
        for _ in range(times):
            daemon.signal(number)
        code = daemon.wait(LIMIT + 5)
        took = time.monotonic() - began
        self.assertLess(took, LIMIT, daemon.tail())
        return code

    def test_in_the_middle_of_creations_and_then_it_resumes(self):
        daemon = self.daemon(self.azure.url, self.source)
        until(lambda: len(self.puts()) >= 3, "three versions are being made", 40, process=daemon)
        self.assertEqual(self.stop(daemon), 0)
        again = self.daemon(self.azure.url, self.source, name="again")
        arm = Arm(self.azure.url)
        until(lambda: all((arm.version("ubuntu", f"1.0.{number}") or {}).get("properties", {}).get("provisioningState") == "Succeeded" for number in range(3)),
              "all three are made", 60, every=0.1, process=again)
        self.assertEqual(sorted(set(self.puts())), sorted(self.puts()), "no version was asked for twice")
        self.stop(again)

    def test_a_storm_of_signals_while_it_starts(self):
        for number in range(5):
            daemon = self.daemon(self.azure.url, self.source, name=f"storm{number}")
            if number:
                until(lambda seen=len(self.azure.requests()): len(self.azure.requests()) > seen, "a first request", 20, process=daemon)
            self.assertIn(self.stop(daemon, times=20), (0, -signal.SIGTERM, 130, 143) if number == 0 else (0,))

    def test_interrupt_stops_it_too(self):
        daemon = self.daemon(self.azure.url, self.source).ready()
        self.assertIn(self.stop(daemon, signal.SIGINT), (0, 130))

    def test_the_simulator_writes_its_state_back(self):
        self.azure.signal(signal.SIGTERM)
        self.assertEqual(self.azure.wait(5), 0)
        kept = self.simulate(small_azure(), "--persist", name="persist")
        Arm(kept.url).send("PUT", gallery_id(), {"location": "canadacentral"})
        kept.signal(signal.SIGTERM)
        self.assertEqual(kept.wait(5), 0)
        with open(self.path("persist.json"), encoding="utf-8") as file:
            self.assertIn("Microsoft.Compute/galleries/golden".lower(), file.read().lower())


if __name__ == "__main__":
    main()
