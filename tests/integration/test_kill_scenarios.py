#!/usr/bin/env python3
"""Everything that can be asked of galleryd, one thing at a time, killed at a system call of the shipped program; then the same again,
killed in its own start half of the time, and once more to the end. The end is the same Azure as without the kills; at most one request
is sent again for each kill, nothing else is deleted, and everything that was sent was written down before (reliability R2, P1 to P3).

GALLERYD_KILL_SCENARIOS=all takes every call of every scenario (hours), a number so many places of them all; SEED picks others."""
import concurrent.futures
import difflib
import json
import os
import random
import re
import shutil
import signal
import subprocess

from harness import GALLERYD, Arm, Case, environment, main, requests, until, writes
from journal_case import age_deletions, forge, written_down
from kill_scenarios import SCENARIOS

KINDS = ("write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "sendmsg", "sendto")
PLACES = os.environ.get("GALLERYD_KILL_SCENARIOS", "24")
ONLY = os.environ.get("GALLERYD_KILL_ONLY", "")
SEED = int(os.environ.get("SEED", "1"))
AT_ONCE = 4
HOUR_AGO = 3_600_000_000
DELETION_SETTLES = 16        # minutes; reconcilers/lifecycle/record_update.h
STRACE = shutil.which("strace")


class Stage:
    """One scenario, prepared: the Azure and the state directory that every kill of it begins with."""

    def __init__(self, case, scenario, folder):
        self.case, self.scenario, self.folder = case, scenario, folder
        self.source, self.state, self.azure = (os.path.join(folder, name) for name in ("manifests", "state", "azure.json"))
        self.number = 0
        files = scenario.before()
        self.write(files)
        simulator = self.simulate(None)
        if files:
            self.until_done(simulator, self.state)
        for words in scenario.prepare:
            self.must(self.run(simulator, self.state, words))
        scenario.edit(files)
        self.write(files)
        if scenario.removed:
            self.run(simulator, self.state, ("apply",))
            now = int(os.stat(os.path.join(self.state, "galleryd.db")).st_mtime * 1e6)
            forge(self.state, "documents", "first_missing IS NOT NULL", first_missing=now - HOUR_AGO, snapshots_missing=2)
        if scenario.approve:
            for digest in {one["deletions_digest"] for one in self.plan(simulator, self.state)["scopes"]} - {""}:
                self.must(self.run(simulator, self.state, ("approve", digest), plain=True))
        simulator.signal(signal.SIGTERM)
        simulator.wait()

    def write(self, files):
        shutil.rmtree(self.source, ignore_errors=True)
        os.makedirs(self.source)
        for name, text in files.items():
            with open(os.path.join(self.source, name + ".yaml"), "w", encoding="utf-8") as file:
                file.write(text)

    def simulate(self, name):
        """The Azure of the beginning (which it keeps), or a copy."""
        if name is None:
            with open(self.azure, "w", encoding="utf-8") as file:
                json.dump(self.scenario.azure(), file)
            return self.start(self.azure, "first")
        shutil.copy(self.azure, f"{self.azure}-{name}")
        return self.start(f"{self.azure}-{name}", name)

    def start(self, file, name):
        log = os.path.join(self.folder, f"requests-{name}")
        child = self.case.start("simulate", "--listen", "127.0.0.1:0", "--state", file, "--persist", "--operation-time", "1s", "--graph-lag", "0s",
                                "--limits", "none", "--log-requests", log, name=f"simulate-{id(self)}-{name}")
        child.requests = lambda: requests(log)
        return child.ready()

    def words(self, simulator, state, words, plain=False):
        flags = ["--state-dir", state] if plain else ["--azure", simulator.url, "--credential", "none", "--instance", "test", "--state-dir", state]
        sources = [self.source, *self.scenario.flags] if words[0] in ("apply", "plan") else []
        return [GALLERYD, *words, *sources, *flags]

    def run(self, simulator, state, words, *before, plain=False):
        return subprocess.run([*before, *self.words(simulator, state, words, plain)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                              check=False, env=environment(), cwd=self.folder)

    @staticmethod
    def must(done):
        if done.returncode != 0:
            raise AssertionError(f"{done.args} ends with {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
        return done

    def plan(self, simulator, state):
        return json.loads(self.must(self.run(simulator, state, ("plan", "-o", "json"))).stdout)

    def approved(self, simulator, state):
        """apply, with what its plan takes away approved by number, as a person does; a number that is wrong does nothing but tell the right one."""
        if not self.scenario.flags:
            return ("apply", "--timeout", "25s")
        told = re.search(r"takes away (\d+) thing", self.run(simulator, state, ("apply", "--approve-deletes", "999")).stderr)
        return ("apply", "--timeout", "25s", *(("--approve-deletes", told.group(1)) if told else ()))

    def until_done(self, simulator, state):
        """As often as it takes: what becomes due on the way (a region that is taken away in steps) is shown to a person first."""
        for _ in range(6):
            done = self.run(simulator, state, self.approved(simulator, state))
            shown_first = "GD5007" in done.stderr or "run apply again to see it first" in done.stdout
            if done.returncode == 0 or done.returncode == 4 and not shown_first:
                return done.stdout[-2000:]
            if "GD5008" in done.stderr and "nothing was started" in done.stderr and age_deletions(state, DELETION_SETTLES):
                continue     # a DELETE that nobody heard the answer of is not repeated before reads can be believed again
        self.must(done)

    def end(self, name, kills=()):
        """The scenario with these kills in it: (tree, requests, state directory, last words), or None when a kill never came."""
        simulator, state = self.simulate(name), os.path.join(self.folder, f"state-{name}")
        if os.path.exists(self.state):
            shutil.copytree(self.state, state)
        try:
            for call, number in kills:
                words = self.scenario.command or self.approved(simulator, state)
                done = self.run(simulator, state, words, STRACE, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                f"inject={call}:signal=SIGKILL:when={number}")
                if done.returncode >= 0 and (call, number) == kills[0]:
                    return None      # threads share the work in another way each time, and a run may have a call less
            if self.scenario.command:
                again = self.run(simulator, state, self.scenario.command)
                if again.returncode != 0 and "no tag galleryd-hold" not in again.stdout:
                    self.must(again)
            said = self.until_done(simulator, state)
            arm = Arm(simulator.url)
            if not at_rest(arm):      # a request whose answer nobody heard: there is no operation to wait for, only the resource
                until(lambda: at_rest(arm), f"{name}: Azure comes to rest", 20)
                said = self.until_done(simulator, state)
            return arm.tree(), simulator.requests(), state, said
        finally:
            simulator.kill()

    def calls(self):
        """How often each kind is called in a whole run, by its busiest thread: strace counts each thread by itself."""
        simulator, state = self.simulate("count"), os.path.join(self.folder, "state-count")
        if os.path.exists(self.state):
            shutil.copytree(self.state, state)
        log = os.path.join(self.folder, "calls")
        self.run(simulator, state, self.scenario.command or self.approved(simulator, state), STRACE, "-f", "-qq", "-o", log, "-e", "trace=" + ",".join(KINDS))
        simulator.kill()
        found = {}
        with open(log, encoding="utf-8", errors="replace") as file:
            for line in file:
                match = re.match(r"(\d+)\s+(\w+)\(", line)
                if match:
                    found.setdefault(match.group(2), {}).setdefault(match.group(1), 0)
                    found[match.group(2)][match.group(1)] += 1
        return {kind: max(threads.values()) for kind, threads in found.items()}


def at_rest(arm):
    return all(one["properties"].get("provisioningState") in ("Succeeded", "Failed") for one in arm.tree())


def difference(wanted, found):
    """What is there and should not be, and the other way round, line by line."""
    lines = [json.dumps(one, indent=1, sort_keys=True).split("\n") for one in (wanted, found)]
    return [line for line in difflib.unified_diff(*lines, "unharmed", "killed", lineterm="", n=4)][:40]


class KilledScenarios(Case):
    def setUp(self):
        super().setUp()
        if STRACE is None:
            self.skipTest("strace is not installed")

    def compare(self, stage, name, kills, wanted, sent):
        ended = stage.end(name, kills)
        if ended is None:
            return None
        tree, log, state, said = ended
        what = f"{stage.scenario.name}, killed at {kills}"
        problems = []
        if tree != wanted:
            problems.append(f"{what}: ends in another state: {difference(wanted, tree)}\n{said}")
        again = [(entry["method"], entry["path"]) for entry in writes(log)]
        down = written_down(state)
        problems += [f"{what}: {path} was sent and is not written down" for _, path in again if path.lower().removesuffix("/share") not in down]
        for one in sent:
            if one in again:
                again.remove(one)
        if len(again) > len(kills):
            problems.append(f"{what}: sent again: {again}")
        if set(again) - set(sent):
            problems.append(f"{what}: sent what nobody asked for: {again}")
        return problems

    def one_scenario(self, scenario, some, chance):
        """(kills that happened, kills tried, problems) of one scenario."""
        folder = self.path(re.sub(r"\W+", "-", scenario.name))
        os.makedirs(folder)
        try:
            stage = Stage(self, scenario, folder)
            wanted, log, *_ = stage.end("unharmed")
            sent = [(entry["method"], entry["path"]) for entry in writes(log)]
            if not sent and not scenario.removed:
                return 0, 0, [f"{scenario.name}: nothing was written, so nothing is tested"]
            calls = stage.calls()
            places = [(kind, number) for kind, most in sorted(calls.items()) for number in range(1, most + 1)]
            if len(places) < 40:
                return 0, 0, [f"{scenario.name}: only {len(places)} places: {calls}"]
            if some is not None:
                places = chance.sample(places, some)
            happened, problems = 0, []
            for number, place in enumerate(places):
                kills = [place, chance.choice(places)] if chance.random() < 0.5 else [place]
                found = self.compare(stage, f"kill{number}", kills, wanted, sent)
                shutil.rmtree(os.path.join(folder, f"state-kill{number}"), ignore_errors=True)
                if found is not None:
                    happened, problems = happened + 1, problems + found
            return happened, len(places), problems
        except (AssertionError, subprocess.TimeoutExpired) as error:
            return 0, 0, [f"{scenario.name}: {error}"]

    def test_every_scenario_ends_where_it_would_have_ended(self):
        chance = random.Random(SEED)
        chosen = [one for one in SCENARIOS if ONLY in one.name]
        self.assertGreaterEqual(len(SCENARIOS), 25)
        if PLACES == "all":
            shares = [(one, None) for one in chosen]
        elif int(PLACES) >= len(chosen):
            shares = [(one, int(PLACES) // len(chosen)) for one in chosen]
        else:
            shares = [(one, 2) for one in chance.sample(chosen, max(1, int(PLACES) // 2))]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(lambda share: self.one_scenario(*share, random.Random(f"{SEED} {share[0].name}")), shares))
        happened, tried = sum(one[0] for one in results), sum(one[1] for one in results)
        print(f"kills: {happened} of {tried} places in {len(results)} scenarios")
        self.assertEqual([problem for _, _, problems in results for problem in problems][:4], [])
        self.assertGreaterEqual(happened, tried // 2, "most of the kills happened")


if __name__ == "__main__":
    main(seconds=200 if PLACES.isdigit() and int(PLACES) < 60 else 6 * 3600)
