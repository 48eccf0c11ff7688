"""C++ sources as the lint scripts see them: files of the tree, and code without comments and literals."""
import os
import re
import sys

CODE_FOLDERS = ("controller", "reconcilers", "tests", "cmake")


def code_files(root, suffixes=(".h", ".cc")):
    """Paths relative to root, sorted."""
    found = []
    for folder in CODE_FOLDERS:
        for path, folders, files in os.walk(os.path.join(root, folder)):
            folders[:] = [name for name in folders if name != "__pycache__"]
            found += [os.path.relpath(os.path.join(path, name), root) for name in files if name.endswith(suffixes)]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


_TOKEN = re.compile(
    r"""(?P<line>//[^\n]*)|(?P<block>/\*.*?\*/)|R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"|"""
    r"""(?P<string>"(?:[^"\\\n]|\\.)*")|(?<![0-9A-Za-z_])(?P<char>'(?:[^'\\\n]|\\.)+')""",
    re.DOTALL | re.VERBOSE)


def blank_out(text):
    """The same text with comments and the inside of literals as spaces: offsets and line numbers stay."""

    def blank(match):
        found = match.group(0)
        inside = re.sub(r"[^\n]", " ", found)
        if match.group("line") or match.group("block"):
            return inside
        return '"' + inside[1:-1] + '"' if len(found) >= 2 else inside

    return _TOKEN.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def allowed_lines(text, rule):
    """Lines that carry, or follow, a comment `lint: allow RULE (reason)`. The reason is not optional."""
    lines = set()
    for number, line in enumerate(text.split("\n"), 1):
        if re.search(r"lint: allow " + re.escape(rule) + r" \([^)]{8,}\)", line):
            lines |= {number, number + 1}
    return lines


class Report:
    """Collects `file:line: what` and ends the process with 1 when there was a finding."""

    def __init__(self):
        self.findings = []

    def add(self, path, line, what):
        self.findings.append(f"{path}:{line}: {what}")

    def finish(self, name, checked):
        for finding in self.findings:
            print(finding)
        print(f"{name}: {len(self.findings)} findings in {checked} files")
        sys.exit(1 if self.findings else 0)


def expect(condition, what):
    """For self-tests: a lint that does not see its planted fault is itself broken."""
    if not condition:
        print(f"self-test failed: {what}")
        sys.exit(2)


def main(check, self_test):
    """`script.py ROOT` runs the self-test and then the check; `script.py --self-test` only the former."""
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} SOURCE_ROOT | --self-test")
        sys.exit(64)
    self_test()
    if sys.argv[1] == "--self-test":
        print("self-test passed")
        sys.exit(0)
    check(sys.argv[1])
