#!/usr/bin/env python3
"""Every row of docs/explanation/azure-faults.md has tests that carry its id, and names every file that has one."""
import pathlib
import re
import sys

PAGE = pathlib.Path("docs/explanation/azure-faults.md")
CASE = re.compile(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
ROW = re.compile(r"^\| (Z\d+) \|.*\| ([^|]*) \|$", re.M)
IDS = [f"Z{number}" for number in range(1, 16)]


def tests_by_row(root):
    """Row id -> files below tests/ whose test cases are named after it."""
    found = {}
    for path in sorted((root / "tests").rglob("*_test.cc")):
        for match in CASE.finditer(path.read_text(encoding="utf-8")):
            name = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match.group(1)))
            head = name.split(":", 1)[0]
            for row in re.findall(r"\bZ\d+\b", head) if ":" in name else []:
                found.setdefault(row, set()).add(str(path.relative_to(root / "tests")))
    return found


def findings(root):
    named = {row: set(re.findall(r"`([^`]+)`", cell)) for row, cell in ROW.findall((root / PAGE).read_text("utf-8"))}
    tests = tests_by_row(root)
    for row in IDS:
        if row not in named:
            yield f"{PAGE}:1: {row} is missing"
        if row not in tests:
            yield f"{PAGE}:1: no test case is named after {row}"
        for path in sorted(tests.get(row, set()) - named.get(row, set())):
            yield f"{PAGE}:1: {row} does not name tests/{path}"
        for path in sorted(named.get(row, set())):
            if not (root / "tests" / path).exists():
                yield f"{PAGE}:1: {row} names tests/{path}, which is not there"
            elif path.endswith("_test.cc") and path not in tests.get(row, set()):
                yield f"{PAGE}:1: {row} names tests/{path}, which has no case of that name"


def main(root):
    problems = list(findings(pathlib.Path(root)))
    for problem in problems:
        print(problem)
    print(f"fault rows: {len(problems)} findings in {len(IDS)} rows")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
