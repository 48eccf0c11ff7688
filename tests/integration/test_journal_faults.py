#!/usr/bin/env python3
"""A disk that fails under the shipped program: full, not writable, syncs and writes that end with EIO or ENOSPC (reliability P4, R14).
From the failure on nothing is sent to Azure that is not written down, looking goes on and says so, and after a restart on a sound disk
everything is as if nothing had been.

GALLERYD_DISK_POINTS=all fails every single write and sync of a run instead of a sample; SEED picks another sample."""
import concurrent.futures
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess

from harness import GALLERYD, Arm, Case, environment, gallery_id, get, main, metric, until, writes
from journal_case import written_down
from kill_estate import DOCUMENTS, azure

POINTS = os.environ.get("GALLERYD_DISK_POINTS", "16")
SEED = int(os.environ.get("SEED", "1"))
AT_ONCE = 4
STRACE = shutil.which("strace")
FAULTS = (("fdatasync", "EIO"), ("fsync", "EIO"), ("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("ftruncate", "EIO"))
DEFINITION = gallery_id() + "/images/taken"


def may_mount():
    return subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False).returncode == 0


class Disk(Case):
    def setUp(self):
        super().setUp()
        self.source = os.path.dirname(self.write("manifests/all.yaml", DOCUMENTS))

    def words(self, verb, url, state, *more):
        return [GALLERYD, verb, self.source, "--azure", url, "--credential", "none", "--instance", "test", "--state-dir", state, *more]

    def do(self, verb, url, state, *more, before=()):
        words = [*before, *self.words(verb, url, state, "--timeout", "40s", *more)]
        return subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False, env=environment(), cwd=self.folder)


class FailingCalls(Disk):
    """`apply` with one kind of system call failing from its n-th time on."""

    def setUp(self):
        super().setUp()
        if STRACE is None:
            self.skipTest("strace is not installed")

    def one_run(self, name, fault=None):
        """(tree, log, problems) of an apply on a failing disk and one on a sound one."""
        simulator = self.simulate(azure(), time_scale=6000, name=f"simulate-{name}")
        state, problems = self.path(f"state-{name}"), []
        try:
            if fault:
                call, error, number = fault
                trace = self.path(f"trace-{name}")
                first = self.do("apply", simulator.url, state, before=(STRACE, "-f", "-qq", "-s", "16", "-o", trace, "-e", f"trace={call},sendto,sendmsg",
                                                                       "-e", f"inject={call}:error={error}:when={number}+"))
                with open(trace, encoding="utf-8", errors="replace") as file:
                    calls = file.read()
                if "(INJECTED)" not in calls:
                    return None
                sent = writes(simulator.requests())
                if first.returncode < 0 or first.returncode > 4:
                    problems.append(f"{name}: ends with {first.returncode}\n{first.stderr[-1500:]}")
                if re.search(r'send(?:to|msg)\(.*"(?:PUT|PATCH|DELETE) ', self.after_the_stop(calls, call)):
                    problems.append(f"{name}: wrote to Azure after the disk had failed\n{first.stderr[-1500:]}")
                if len(sent) < 7 and "GD4105" not in first.stderr:
                    problems.append(f"{name}: does not say why it stops ({first.returncode})\n{first.stdout[-500:]}\n{first.stderr[-1500:]}")
                left = written_down(state) if os.path.exists(f"{state}/galleryd.db") and sent else []
                for entry in sent:
                    if entry["path"].lower() not in left:
                        problems.append(f"{name}: {entry['path']} was sent and is not written down")
            last = self.do("apply", simulator.url, state)
            begun = not fault or bool(sent)      # a first start that failed leaves an empty journal, which is said once
            if last.returncode != 0 or "GD41" in last.stderr and (begun or "was empty" not in last.stderr):
                problems.append(f"{name}: the next run ends with {last.returncode}\n{last.stdout[-1000:]}\n{last.stderr[-1500:]}")
            return Arm(simulator.url).tree(), simulator.requests(), problems
        finally:
            simulator.kill()

    @staticmethod
    def after_the_stop(calls, call):
        """What the process still did once a commit had failed. Two failures are allowed for: SQLite may retry a sync of its own accord, and
        a failing checkpoint loses nothing, because the log still holds what it was to copy."""
        lines = calls.split("\n")
        failed = [index for index, line in enumerate(lines) if "(INJECTED)" in line]
        return "\n".join(lines[failed[min(2, len(failed) - 1)]:]) if call != "ftruncate" else ""

    def test_a_write_or_sync_that_fails_stops_every_request_and_the_next_run_ends_the_work(self):
        wanted, log, problems = self.one_run("unharmed")
        self.assertEqual(problems, [])
        puts = [entry["path"] for entry in writes(log)]
        self.assertEqual(len(puts), 7)
        places = [(call, error, number) for call, error in FAULTS for number in range(1, 260 if call == "pwrite64" else 90)]
        if POINTS != "all":
            chance = random.Random(SEED)
            some = int(POINTS)
            always = [("fdatasync", "EIO", 1), ("pwrite64", "ENOSPC", 1)]
            places = [*always, *chance.sample([one for one in places if one[2] <= 40 and one not in always], some)]

        def attempt(place):
            name = "-".join(map(str, place))
            ended = self.one_run(name, place)
            if ended is None:
                return None
            tree, requests, found = ended
            if tree != wanted:
                found.append(f"{name}: ends in another state\n{json.dumps(tree, indent=1, sort_keys=True)}")
            again = [entry["path"] for entry in writes(requests)]
            for path in puts:
                if path in again:
                    again.remove(path)
            if len(again) > 1 or any(entry["method"] == "DELETE" for entry in requests):
                found.append(f"{name}: wrote again: {again}")
            return found

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            results = [result for result in pool.map(attempt, places) if result is not None]
        self.assertEqual([problem for result in results for problem in result][:5], [])
        self.assertGreaterEqual(len(results), 8 if POINTS != "all" else 100, "the calls were made to fail")
        print(f"failing disks: {len(results)} of {len(places)} places were reached")


class FailingDirectories(Disk):
    """The daemon, on state directories of other file systems."""

    def setUp(self):
        super().setUp()
        if not may_mount():
            self.skipTest("file systems cannot be mounted here")
        self.azure = self.simulate(azure(), time_scale=60)
        self.state = self.path("state")

    def mounted(self, how, *more, name="run"):
        """The daemon in a mount name space of its own, with `how` done first; $1 is the state directory."""
        os.makedirs(self.state, exist_ok=True)
        words = self.words("run", self.azure.url, self.state, "--http", "127.0.0.1:0", "--interval", "1s", "--log-format", "json", *more)
        words[2:3] = ["--source", f"dir:{self.source}"]
        child = self.start(*words[1:], name=name, before=("unshare", "-m", "sh", "-c", how + ' && shift && exec "$@"', "sh", self.state))
        return child.ready()

    def describe(self, text):
        self.write("manifests/all.yaml", DOCUMENTS.replace("description: new", f"description: {text}"))

    def described(self):
        return Arm(self.azure.url).get(DEFINITION)["properties"].get("description")

    @staticmethod
    def quiet(daemon):
        items = json.loads(get(daemon.url + "/api/v1/plan")[1])["items"]
        return all(not one["changes"] and not one.get("waiting") for one in items)

    def assert_only_looks(self, daemon, code, sent):
        """Not ready and says which part; metric, log and plan say it too; it goes on to look and sends nothing."""
        def not_ready():
            status, text = get(daemon.url + "/readyz?verbose")
            return status == 503 and "journal" in text and "nothing is sent to Azure" in text
        until(not_ready, "/readyz names the journal", process=daemon)
        until(lambda: metric(daemon.url, "galleryd_journal_writable") == 0, "the metric", process=daemon)
        self.assertEqual(get(daemon.url + "/livez")[0], 200)
        self.assertIn(code, daemon.errors())
        looked = len(self.azure.requests())
        until(lambda: len(self.azure.requests()) > looked + 6, "it goes on to look", process=daemon)
        self.assertEqual(len(json.loads(get(daemon.url + "/api/v1/plan")[1])["items"]), 3, "the plan is shown")
        self.assertEqual(writes(self.azure.requests())[sent:], [])

    def assert_recovers(self, text):
        """Another daemon on a sound directory with the same state ends the work."""
        daemon = self.daemon(self.azure.url, self.source, state=self.state, name="sound").ready()
        until(lambda: self.described() == text, "the work is ended", 40, process=daemon)
        until(lambda: get(daemon.url + "/readyz")[0] == 200, "/readyz", process=daemon)
        self.assertEqual(metric(daemon.url, "galleryd_journal_writable"), 1)
        self.assertNotIn("GD41", daemon.errors())
        self.assertEqual([entry for entry in self.azure.requests() if entry["method"] == "DELETE"], [])

    def test_a_directory_that_cannot_be_written(self):
        self.describe("old hand")
        daemon = self.mounted('mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"')
        self.assert_only_looks(daemon, "GD4104", 0)
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)
        self.assert_recovers("old hand")

    def test_a_disk_that_is_full_from_the_start(self):
        self.describe("old hand")
        daemon = self.mounted('mount -t tmpfs -o size=64k none "$1" && ! cat /dev/zero >"$1/ballast" 2>&1')
        self.assert_only_looks(daemon, "GD4105", 0)
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)
        self.assert_recovers("old hand")

    def test_a_disk_that_fills_up_and_is_emptied_again(self):
        daemon = self.mounted('mount -t tmpfs -o size=4m none "$1"')
        until(lambda: get(daemon.url + "/readyz")[0] == 200 and self.described() == "new" and self.quiet(daemon), "everything is made", 40, process=daemon)
        inside = f"/proc/{daemon.child.pid}/root{self.state}"
        with contextlib.suppress(OSError), open(f"{inside}/ballast", "wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(1024))
        sent = len(writes(self.azure.requests()))
        self.describe("somebody else")
        self.assert_only_looks(daemon, "GD4105", sent)
        os.remove(f"{inside}/ballast")
        self.assert_only_looks(daemon, "GD4105", sent)       # what is on that disk nobody knows: a restart reads it
        shutil.copytree(inside, self.state, dirs_exist_ok=True)
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)
        self.assert_recovers("somebody else")


class InTheWay(Disk):
    def test_what_stands_in_the_journals_place_stops_the_daemon_with_one_error_and_observing_not_at_all(self):
        simulator = self.simulate(azure(), time_scale=60)
        os.makedirs(self.path("state/galleryd.db"))
        refused = self.daemon(simulator.url, self.source)
        self.assertEqual(refused.wait(), 1)
        told = refused.errors().strip().split("\n")
        self.assertEqual(len(told), 1, told)
        self.assertIn("(GD4106", told[0])
        self.assertIn("move it away", told[0])
        observing = self.daemon(simulator.url, self.source, "--observe", name="observe").ready()
        until(lambda: get(observing.url + "/readyz")[0] == 200, "/readyz", process=observing)
        plan = json.loads(get(observing.url + "/api/v1/plan")[1])["items"]
        self.assertIn("images/golden/taken", [blocked["address"] for one in plan for blocked in one["blocked"]])
        self.assertIn('"code":"GD4106"', observing.errors())
        self.assertEqual(writes(simulator.requests()), [])
        observing.signal(signal.SIGTERM)
        self.assertEqual(observing.wait(), 0)
        os.rmdir(self.path("state/galleryd.db"))
        again = self.daemon(simulator.url, self.source, name="again").ready()
        until(lambda: (Arm(simulator.url).get(DEFINITION) or {}).get("properties", {}).get("description") == "new", "the work is done", process=again)


if __name__ == "__main__":
    main(seconds=3600 if POINTS == "all" else 115)
