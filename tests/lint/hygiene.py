#!/usr/bin/env python3
"""Tracked text: nothing of the machine it was written on, no leftovers, links that lead somewhere, scripts that need only Python."""
import ast
import json
import os
import re
import subprocess
import sys

from cxx.source import Report, expect, main, read

# Written in pieces, so that this file passes its own check.
MACHINE_PATHS = re.compile("|".join(["/wo" + "rk/", "/ro" + "ot/", "/home/" + r"\w"]))
LEFTOVERS = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
CONFLICT = re.compile(r"^(<{7}|={7}|>{7})( |$)", re.MULTILINE)
TEXT = (".h", ".cc", ".py", ".md", ".yaml", ".yml", ".json", ".txt", ".cmake", ".sh", "Makefile", "LICENSE", ".ci/run", ".ci/install_packages")
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")


def text_files(root):
    """Tracked files where there is git, else every file outside build/."""
    listing = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=False)
    if listing.returncode == 0 and listing.stdout:
        names = listing.stdout.splitlines()
    else:
        names = []
        for path, folders, files in os.walk(root):
            folders[:] = [name for name in folders if name not in ("build", ".git", "__pycache__")]
            names += [os.path.relpath(os.path.join(path, name), root) for name in files]
    return sorted(name for name in names if name.endswith(TEXT) and os.path.isfile(os.path.join(root, name)))


def line_problems(path, text):
    found = []
    if path.startswith("crds/examples/"):   # wrong on purpose
        return found
    for number, line in enumerate(text.split("\n"), 1):
        if MACHINE_PATHS.search(line):
            found.append((number, "a path of the machine it was written on"))
        if LEFTOVERS.search(line) and not path.endswith("hygiene.py"):
            found.append((number, "unfinished: do it, or open an issue"))
        if line != line.rstrip() and path.endswith((".h", ".cc", ".py", "Makefile")):
            found.append((number, "blanks at the end of the line"))
        if "\t" in line and path.endswith((".h", ".cc", ".py", ".yaml", ".json")):
            found.append((number, "a tab"))
        if "\r" in line:
            found.append((number, "a carriage return"))
    if CONFLICT.search(text) and not path.endswith(".md"):
        found.append((1, "a conflict marker"))
    if text and not text.endswith("\n"):
        found.append((text.count("\n") + 1, "no newline at the end"))
    return found


def python_problems(text):
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return [(error.lineno or 1, f"Python does not read it: {error.msg}")]
    own = {"client_case", "cxx", "doctor_case", "folder_case", "harness", "kill_estate", "proxy", "sample_case", "table",
           "command", "convergence", "estate", "peers", "process", "source", "sweeps", "why", "world",
           "azure", "msal"}   # the second line: tests/bench; the third: tests/bench/peer_sdk.py, which the Azure CLI's own Python runs
    found = []
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else \
            [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
        found += [(node.lineno, f"import {name}: only the standard library is there on a fresh machine") for name in names
                  if name.split(".")[0] not in sys.stdlib_module_names and name.split(".")[0] not in own]
    return found


def link_problems(path, text, exists):
    found = []
    for match in LINK.finditer(text):
        target = match.group(1)
        if re.match(r"[a-z]+:", target):
            continue
        if not exists(os.path.normpath(os.path.join(os.path.dirname(path), target))):
            found.append((text.count("\n", 0, match.start()) + 1, f"the link {target} leads nowhere"))
    return found


def problems(path, text, exists):
    found = line_problems(path, text)
    if path.endswith(".py"):
        found += python_problems(text)
    if path.endswith(".md"):
        found += link_problems(path, text, exists)
    if path.endswith(".json"):
        try:
            json.loads(text)
        except ValueError as error:
            found.append((1, f"no JSON: {error}"))
    return found


def self_test():
    def finds(path, text):
        return problems(path, text, lambda target: target == "docs/index.md")

    for path, text in [("a.cc", "// see /wo" + "rk/x\n"), ("a.h", "// TO" + "DO later\n"), ("a.cc", "int x; \n"), ("a.py", "import yaml\n"), ("a.py", "def f(:\n"),
                       ("a.md", "[x](nowhere.md)\n"), ("a.json", "{\n"), ("a.yaml", "a: 1"), ("a.yaml", "\ta: 1\n"), ("a.cc", "<<<<<<< HEAD\n")]:
        expect(finds(path, text), f"planted: {path}: {text!r}")
    for path, text in [("README.md", "[x](docs/index.md#safety) [y](https://example.org)\n"), ("a.py", "import os, json\n"), ("a.json", "{}\n"), ("a.cc", "int x;\n")]:
        expect(not finds(path, text), f"harmless: {path}: {text!r} {finds(path, text)}")


def check(root):
    report = Report()
    files = text_files(root)
    for path in files:
        for line, what in problems(path, read(root, path), lambda target: os.path.exists(os.path.join(root, target))):
            report.add(path, line, what)
    report.finish("hygiene", len(files))


if __name__ == "__main__":
    main(check, self_test)
