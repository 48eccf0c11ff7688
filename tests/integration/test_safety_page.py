#!/usr/bin/env python3
"""Every command that docs/explanation/safety.md shows, in one shell and in its order, with the output that the page promises; and every
reason that a deletion can be blocked by stands on the page."""
import os
import re
import signal
import subprocess
import threading
import unittest

from harness import BUILD, GALLERYD, SOURCE, Case, environment, get, main, until
from test_readme import FENCE, free_port

PAGE = os.path.join(SOURCE, "docs/explanation/safety.md")
SLOW = 150
NEEDED = ("unit_tests", "plans_tests", "simulation_tests", "mutation_tests")


def page():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def commands():
    """[(command, promised lines)]"""
    found = []
    for _, body in FENCE.findall(page()):
        for line in body.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.strip():
                found[-1][1].append(line)
    return found


class Shell:
    """A bash that is told one command after another."""

    def __init__(self, folder, env):
        self.child = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, env=env,
                                      start_new_session=True)

    def run(self, command):
        """(exit code, output)"""
        self.child.stdin.write(f"{command}\necho \"@@ $?\"\n")
        self.child.stdin.flush()
        timer = threading.Timer(SLOW, self.close)
        timer.start()
        lines = []
        for line in self.child.stdout:
            if line.startswith("@@ "):
                timer.cancel()
                return int(line[3:]), "".join(lines)
            lines.append(line)
        raise AssertionError(f"{command}: not within {SLOW} s\n{''.join(lines)[-2000:]}")

    def close(self):
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()


class SafetyPage(Case):
    def tree(self):
        """A copy of the repository's top: what the page names is where the page has it, and what it writes is not."""
        top = self.path("clone")
        os.makedirs(os.path.join(top, "build/release"))
        for name in ("manifests", "controller", "reconcilers", "tests", "docs"):
            os.symlink(os.path.join(SOURCE, name), os.path.join(top, name))
        os.symlink(GALLERYD, os.path.join(top, "build/release/galleryd"))
        os.symlink(os.path.join(BUILD, "tests"), os.path.join(top, "build/release/tests"))
        return top

    def of_make(self, command):
        """What `make` would run of this command, without building anew: a test may not change the build it tests."""
        target, *settings = command.split()[1:]
        done = subprocess.run(["make", "-n", target, *settings], cwd=SOURCE, capture_output=True, text=True, check=False, env=environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        runs = "\n".join(line for line in done.stdout.splitlines() if "cmake" not in line)
        self.assertIn("build/release/tests/", runs, done.stdout)
        return f"({runs})"      # a recipe may end its shell

    def test_every_command_does_what_the_page_says(self):
        missing = [name for name in NEEDED if not os.access(os.path.join(BUILD, "tests", name), os.X_OK)]
        if missing:
            raise unittest.SkipTest(f"not built: {missing}")
        shown = commands()
        self.assertGreaterEqual(len(shown), 20)
        port = str(free_port())
        shell = Shell(self.tree(), environment())
        self.addCleanup(shell.close)
        for command, promised in shown:
            words = (self.of_make(command) if command.startswith("make ") else command).replace("4480", port)
            if "python3 tests/" in words:      # not for galleryd itself, which reads GALLERYD_SOURCE as --source
                words = f"env GALLERYD={GALLERYD} GALLERYD_BUILD={BUILD} GALLERYD_SOURCE={SOURCE} {words}"
            code, output = shell.run(words)
            allowed = (0, 3, 4) if " apply " in words else (2, 0) if " plan " in words and "|" not in words else (0,)    # 3, 4: time, people
            self.assertIn(code, allowed, f"{command}\n{output[-3000:]}")
            if "[doctest]" in output:
                self.assertRegex(output, r"test cases: +[1-9]\d* \| +[1-9]\d* passed \| +0 failed", f"{command}: a filter that finds no test case")
            for line in promised:
                self.assertIn(line.strip(), output, command)
            if words.endswith("&"):
                until(lambda: get(f"http://127.0.0.1:{port}/subscriptions?api-version=2020-01-01")[0], "the simulator")

    def test_every_reason_of_the_interlock_stands_on_the_page_with_its_point(self):
        with open(os.path.join(SOURCE, "reconcilers/lifecycle/interlock.cc"), encoding="utf-8") as file:
            text = file.read()
        reasons = {}
        for point, names in re.findall(r"points\.stop\(\s*(\d+),\s*([^,]+(?:\?[^,]+)?),", text):
            reasons.setdefault(int(point), set()).update(re.findall(r'"(\w+)"', names))
        rows = {}
        for line in page().splitlines():
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) == 6 and cells[1].isdigit():
                rows[int(cells[1])] = set(re.findall(r"`(\w+)`", cells[3]))
        self.assertEqual(rows, reasons)
        self.assertEqual(sorted(rows), list(range(1, 13)))

    def test_the_numbers_that_it_names_are_those_of_the_tests(self):
        from kill_scenarios import SCENARIOS
        self.assertIn(f"in {len(SCENARIOS)} scenarios", page())
        for name in re.findall(r"`((?:GALLERYD|DAMAGED)_\w+)=", page()):
            found = subprocess.run(["grep", "-rlF", f'"{name}"', os.path.join(SOURCE, "tests")], capture_output=True, text=True, check=False).stdout
            self.assertTrue(found, name)


if __name__ == "__main__":
    main(seconds=400)
