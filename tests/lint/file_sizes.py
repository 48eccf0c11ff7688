#!/usr/bin/env python3
"""A file beyond 400 lines holds a second idea, a function beyond 80 a second job."""
import re

from cxx.source import Report, blank_out, code_files, expect, main, read

LINES_MAX = 400
FUNCTION_LINES_MAX = 80
NO_FUNCTION = re.compile(r"^(namespace|struct|class|enum|union|extern|#|\}|template <[^>]*>\s*(struct|class)|TEST_)|=\s*\{|\{\{")


def long_functions(text):
    """(line, length) of functions at namespace scope: clang-format puts their braces into the first column. Rows of a table
    (lines that end in a comma) do not count: a long table is one thing."""
    found, start, rows = [], None, 0
    for number, line in enumerate(blank_out(text).split("\n"), 1):
        if start is None:
            if line[:1] not in ("", " ", "}") and line.rstrip().endswith("{") and not NO_FUNCTION.search(line):
                start, rows = number, 0
        elif line.startswith("}"):
            if number - start - 1 - rows > FUNCTION_LINES_MAX:
                found.append((start, number - start - 1 - rows))
            start = None
        else:
            rows += line.rstrip().endswith(",") or not line.strip()
    return found


def problems(path, text):
    lines = text.count("\n")
    found = []
    if lines > LINES_MAX:
        found.append((1, f"{lines} lines; at {LINES_MAX} look for the second idea"))
    if path.endswith((".h", ".cc")):
        found += [(line, f"a function of {length} lines (at most {FUNCTION_LINES_MAX})") for line, length in long_functions(text)
                  if not path.startswith("tests/")]
    return found


def self_test():
    body = "    ++x;\n" * 90
    expect(problems("controller/a.cc", "int f() {\n" + body + "}\n"), "a long function")
    expect(not problems("controller/a.cc", "int f() {\n    return 1;\n}\n"), "a short function")
    expect(not problems("controller/a.cc", "Rows f() {\n    static const Rows rows{\n" + '        {"a", "b"},\n' * 200 + "    };\n    return rows;\n}\n"), "a table")
    expect(not problems("controller/a.cc", "namespace x {\n" + "int y;\n" * 90 + "}\n"), "a namespace is no function")
    expect(problems("controller/a.cc", "int x;\n" * 401), "a long file")


def check(root):
    report = Report()
    files = code_files(root, (".h", ".cc", ".py", ".cmake"))
    for path in files:
        for line, what in problems(path, read(root, path)):
            report.add(path, line, what)
    report.finish("file sizes", len(files))


if __name__ == "__main__":
    main(check, self_test)
