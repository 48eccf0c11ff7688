#!/usr/bin/env python3
"""kill -9 at every request of a run, before it arrives or before its answer does; then start again. The end must be the same
Azure as without the kill, no version made twice, nothing deleted (reliability B2, P1 to P3, R2)."""
import concurrent.futures
import json
import os
import signal
import threading

from harness import Arm, Case, gallery_id, main, until, writes
from kill_estate import DOCUMENTS, azure
from proxy import KillingProxy

POINTS = int(os.environ.get("GALLERYD_KILL_POINTS", "44"))
AT_ONCE = 12


class Killed(Case):
    def setUp(self):
        super().setUp()
        self.source = os.path.dirname(self.write("manifests/all.yaml", DOCUMENTS))
        self.lock = threading.Lock()

    def one_run(self, name, at=0, after_answer=False):
        """A whole life: a simulator of its own, a daemon that is killed at that request, a second daemon that ends the work."""
        with self.lock:
            simulator = self.simulate(azure(), time_scale=6000, name=f"simulate-{name}")
        first = None
        proxy = KillingProxy(simulator.url, at, after_answer, lambda: first.signal(signal.SIGKILL))
        state = self.path(f"state-{name}")
        try:
            first = self.daemon(proxy.url, self.source, name=f"first-{name}", state=state)
            daemon = first
            if at:
                until(lambda: proxy.reached.is_set() and first.poll() is not None, f"{name}: request {at}", 40)
                daemon = self.daemon(proxy.url, self.source, name=f"second-{name}", state=state)
            tree = self.settle(simulator, daemon, name)
            return tree, simulator.requests(), proxy.count
        finally:
            for child in self.children:
                if child.name.endswith(f"-{name}"):
                    child.kill()
            proxy.close()

    def settle(self, simulator, daemon, name):
        """The tree once everything asked for is there and a while passed without a write."""
        arm = Arm(simulator.url)

        def done():
            for definition, number, regions in (("taken", "1.0.0", 2), ("fresh", "1.0.0", 2), ("fresh", "1.0.1", 1)):
                if arm.get(f"{gallery_id()}/images/{definition}") is None:
                    return False
                version = arm.version(definition, number)
                if version is None or version["properties"]["provisioningState"] != "Succeeded":
                    return False
                summary = version["properties"]["replicationStatus"]["summary"]
                if len(summary) != regions or any(one["state"] != "Completed" for one in summary):
                    return False
            return not arm.version("fresh", "1.0.1")["properties"]["publishingProfile"]["excludeFromLatest"]

        until(done, f"{name}: everything is made", 40, every=0.1, process=daemon)

        def silent():
            before = len(simulator.requests())
            wrote = len(writes(simulator.requests()))
            until(lambda: len(simulator.requests()) >= before + 12, "more looks", 20, every=0.1, process=daemon)
            return len(writes(simulator.requests())) == wrote
        until(silent, f"{name}: silence", 30, process=daemon)
        return arm.tree()

    def test_killed_at_any_request_it_ends_where_it_would_have_ended(self):
        wanted, log, total = self.one_run("unharmed")
        creations = {entry["path"] for entry in log if entry["method"] == "PUT"}
        busy = max(index for index, entry in enumerate(log, 1) if entry["method"] in ("PUT", "PATCH")) + 6
        places = [(at, after) for at in range(1, min(busy, total) + 1) for after in (False, True)]
        step = max(1, len(places) // POINTS)
        places = places[::step]
        self.assertGreaterEqual(len(places), min(POINTS, 40), f"only {len(places)} points in a run of {total} requests")

        def attempt(place):
            at, after = place
            name = f"{at}{'a' if after else 'b'}"
            tree, log, _ = self.one_run(name, at, after)
            problems = []
            if tree != wanted:
                problems.append(f"{name}: ends in another state\n{json.dumps(tree, indent=1, sort_keys=True)}")
            if any(entry["method"] == "DELETE" for entry in log):
                problems.append(f"{name}: deleted something")
            strange = {entry["path"] for entry in log if entry["method"] == "PUT"} - creations
            if strange:
                problems.append(f"{name}: wrote to {sorted(strange)}")
            extra = len([entry for entry in log if entry["method"] == "PUT"]) - len([entry for entry in unharmed_log if entry["method"] == "PUT"])
            if extra > 1:
                problems.append(f"{name}: {extra} more PUTs than without the kill (at most one is repeated)")
            return problems

        unharmed_log = log
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            problems = [problem for found in pool.map(attempt, places) for problem in found]
        print(f"{len(places)} kill points in a run of {total} requests")
        self.assertEqual(problems, [], "\n".join(problems))


if __name__ == "__main__":
    main()
