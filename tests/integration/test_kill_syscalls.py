#!/usr/bin/env python3
"""kill -9 of the shipped program at its system calls that write or send: SQLite's pages and syncs, requests, files. Then the same command
again. The end must be the same Azure as without the kill, at most one PUT sent twice, nothing deleted (reliability §6.1 P1 to P3, R2).

GALLERYD_SYSCALL_POINTS=all takes every call; a suite takes some of each kind, other ones each time they are asked for with another SEED."""
import concurrent.futures
import json
import os
import random
import re
import shutil
import subprocess

from harness import GALLERYD, Arm, Case, environment, main, writes
from kill_estate import DOCUMENTS, azure

KINDS = ("write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "sendmsg", "sendto")
POINTS = os.environ.get("GALLERYD_SYSCALL_POINTS", "36")
SEED = int(os.environ.get("SEED", "1"))
AT_ONCE = 4
STRACE = shutil.which("strace")


class KilledAtSystemCalls(Case):
    def setUp(self):
        super().setUp()
        if STRACE is None:
            self.skipTest("strace is not installed")
        self.source = os.path.dirname(self.write("manifests/all.yaml", DOCUMENTS))

    def apply(self, url, name, *strace):
        words = [GALLERYD, "apply", self.source, "--azure", url, "--credential", "none", "--instance", "test", "--state-dir", self.path(f"state-{name}")]
        return subprocess.run([*strace, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False, env=environment(),
                              cwd=self.folder)

    def one_run(self, name, kill=None):
        """A simulator of its own; apply killed at (system call, number), and apply to its end. `None` when that call never came."""
        simulator = self.simulate(azure(), time_scale=6000, name=f"simulate-{name}")
        try:
            if kill:
                call, number = kill
                first = self.apply(simulator.url, name, STRACE, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                   f"inject={call}:signal=SIGKILL:when={number}")
                if first.returncode == 0:
                    return None   # threads share the work in another way each time, and a run may have a call less
            last = self.apply(simulator.url, name)
            if last.returncode != 0:
                raise AssertionError(f"{name}: apply ends with {last.returncode}\n{last.stdout[-1500:]}\n{last.stderr[-1500:]}")
            return Arm(simulator.url).tree(), simulator.requests()
        finally:
            simulator.kill()

    def count(self):
        """How often each kind is called in a whole run, by its busiest thread: strace counts each thread by itself."""
        simulator = self.simulate(azure(), time_scale=6000, name="simulate-count")
        log = self.path("calls")
        done = self.apply(simulator.url, "count", STRACE, "-f", "-qq", "-o", log, "-e", "trace=" + ",".join(KINDS))
        self.assertEqual(done.returncode, 0, done.stderr)
        simulator.kill()
        calls = {}
        with open(log, encoding="utf-8", errors="replace") as file:
            for line in file:
                found = re.match(r"(\d+)\s+(\w+)\(", line)
                if found:
                    calls.setdefault(found.group(2), {}).setdefault(found.group(1), 0)
                    calls[found.group(2)][found.group(1)] += 1
        return {kind: max(threads.values()) for kind, threads in calls.items()}

    def test_killed_at_any_system_call_the_next_run_ends_where_it_would_have_ended(self):
        wanted, log = self.one_run("unharmed")
        puts = [entry["path"] for entry in writes(log)]
        calls = self.count()
        for kind in ("pwrite64", "fdatasync", "sendto"):
            self.assertGreater(calls.get(kind, 0), 10, f"the journal is synced and requests are sent: {calls}")
        places = [(kind, number) for kind, most in sorted(calls.items()) for number in range(1, most + 1)]
        if POINTS != "all":
            places = random.Random(SEED).sample(places, min(int(POINTS), len(places)))

        def attempt(place):
            name = f"{place[0]}-{place[1]}"
            ended = self.one_run(name, place)
            if ended is None:
                return None
            tree, log = ended
            problems = []
            if tree != wanted:
                problems.append(f"{name}: ends in another state\n{json.dumps(tree, indent=1, sort_keys=True)}")
            if any(entry["method"] == "DELETE" for entry in log):
                problems.append(f"{name}: deleted something")
            again = [entry["path"] for entry in writes(log)]
            for path in puts:
                if path in again:
                    again.remove(path)
            if len(again) > 1 or set(again) - set(puts):
                problems.append(f"{name}: wrote more than one request again: {again}")
            return problems

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            results = [result for result in pool.map(attempt, places) if result is not None]
        self.assertEqual([problem for result in results for problem in result], [])
        self.assertGreaterEqual(len(results), len(places) * 3 // 4, "most of the kills happened")
        print(f"kills: {len(results)} of {len(places)} places; calls of a whole run: {calls}")


if __name__ == "__main__":
    main(seconds=300)
