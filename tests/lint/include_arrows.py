#!/usr/bin/env python3
"""Which folder may include which, and which library: the layout's table as a check. Also: first-party includes start at the
root and exist, headers stay free of Beast, JSON and YAML, and no header includes itself by a detour."""
import os
import re

from cxx.source import Report, code_files, expect, line_of, main, read

CORE, PORTS, HTTP = "controller/core", "controller/ports", "controller/adapters/http"
DOCUMENTS, CLOCK, LIFECYCLE = "controller/adapters/documents", "controller/adapters/clock", "reconcilers/lifecycle"
PROCESS = "controller/adapters/process"

# folder: (folders besides itself, libraries besides std)
ARROWS = {
    CORE: ((), ("crypto", "pfr", "zstd")),
    PORTS: ((CORE,), ("awaitable",)),
    "controller/runtime": ((CORE, PORTS), ("asio",)),
    CLOCK: ((CORE, PORTS), ("asio",)),
    HTTP: ((CORE, PORTS, CLOCK), ("asio", "beast", "url", "crypto", "tls", "posix")),
    DOCUMENTS: ((CORE,), ("json", "yaml", "posix")),
    "controller/adapters/folder": ((CORE, PORTS, DOCUMENTS), ("asio", "posix")),
    PROCESS: ((CORE, PORTS), ("asio", "posix")),
    "controller/adapters/azure": ((CORE, PORTS, HTTP, DOCUMENTS, PROCESS), ("asio", "json", "url", "crypto")),
    "controller/adapters/telemetry": ((CORE, PORTS, HTTP), ("asio", "json", "prometheus", "posix")),
    "controller/adapters/journal": ((CORE, PORTS), ("sqlite", "json", "posix")),
    "controller/simulator": ((CORE, PORTS, HTTP, DOCUMENTS), ("asio", "json", "yaml", "url", "crypto", "tls", "posix")),
    LIFECYCLE: ((CORE, PORTS), ("asio",)),
    "reconcilers/gallery": ((CORE, PORTS, LIFECYCLE), ()),
    "reconcilers/image_definition": ((CORE, PORTS, LIFECYCLE, "reconcilers/image_version"), ()),   # one scope: a policy ranks versions against each other
    "reconcilers/image_version": ((CORE, PORTS, LIFECYCLE), ()),
    "controller/program": (("controller", "reconcilers"), ("asio", "json", "yaml", "cli", "posix", "url")),
    "cmake": ((), ("awaitable", "asio", "beast", "json", "tls", "doctest")),
    "tests": (("controller", "reconcilers"), ("asio", "beast", "url", "json", "yaml", "sqlite", "prometheus", "crypto", "tls", "posix", "doctest")),
}

LIBRARIES = [
    ("pfr", r"boost/pfr\.hpp"),
    ("zstd", r"zstd\.h"),
    ("awaitable", r"boost/asio/(awaitable|any_io_executor)\.hpp"),
    ("asio", r"boost/(asio|system)(/.*|\.hpp)"),
    ("beast", r"boost/beast(/.*|\.hpp)"),
    ("url", r"boost/url(/.*|\.hpp)"),
    ("json_fwd", r"nlohmann/json_fwd\.hpp"),
    ("json", r"nlohmann/.*"),
    ("yaml", r"yaml-cpp/.*"),
    ("sqlite", r"sqlite3\.h"),
    ("prometheus", r"prometheus/.*"),
    ("crypto", r"openssl/(evp|rand|err|sha|hmac|crypto|opensslv|pem|pkcs12|x509|x509v3|bio|bn|rsa|ec)\.h"),
    ("tls", r"openssl/.*"),
    ("doctest", r"doctest/.*"),
    ("cli", r"CLI/.*"),
    ("posix", r"((sys|linux|arpa|netinet|net)/[a-z_0-9]+|unistd|fcntl|dirent|poll|pwd|signal|netdb|errno|limits|link|malloc|time|spawn|stdlib|string)\.h"),
    ("std", r"[a-z_0-9]+"),
]
NEVER_IN_HEADERS = {"beast", "cli"}
ONLY_IN_INTERNAL_HEADERS = {"json", "yaml", "sqlite", "prometheus", "tls"}   # no header of another folder includes that one
PURE = re.compile(r"reconcilers/[a-z_]+/(plan|compare)[a-z_]*\.(h|cc)$")  # deciding knows no port and no coroutine
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def folder_of(path):
    """The longest folder of the table that holds the path."""
    fitting = [folder for folder in ARROWS if path.startswith(folder + "/")]
    return max(fitting, key=len) if fitting else None


def library_of(header):
    return next((name for name, pattern in LIBRARIES if re.fullmatch(pattern, header)), None)


def first_party_problem(path, folder, target, exists):
    if not exists(target):
        return f'"{target}" is no file; includes start at the repository root'
    if target.startswith(folder + "/"):
        return None
    if target.startswith("controller/program/") and not path.startswith("tests/"):
        return "nothing includes controller/program"
    if target.startswith("tests/") and not path.startswith("tests/"):
        return "the product does not include its tests"
    if path.startswith("tests/support/") and target.startswith("controller/program/"):
        return "tests/support serves every test, also those below the program"
    if PURE.search(path) and not target.startswith((CORE + "/", LIFECYCLE + "/", "reconcilers/image_version/")):
        return "deciding is pure: plan and comparison include core (and the pure parts of lifecycle) only"
    if not any(target.startswith(allowed + "/") for allowed in ARROWS[folder][0]):
        return f"{folder} may not include {os.path.dirname(target)}"
    return None


def library_problem(path, folder, header):
    library = library_of(header)
    allowed = set(ARROWS[folder][1]) | {"std"}
    if "asio" in allowed:
        allowed.add("awaitable")
    if "json" in allowed:
        allowed.add("json_fwd")
    if library is None:
        return f"<{header}> belongs to no known library: add it to the table in tests/lint/include_arrows.py"
    if library not in allowed:
        return f"{folder} may not include <{header}> ({library})"
    if path.endswith(".h") and library in NEVER_IN_HEADERS and not path.startswith(("tests/", "cmake/")):
        return f"<{header}> stays out of headers (it costs every file that includes this one)"
    if PURE.search(path) and library in ("asio", "awaitable"):
        return "deciding is pure: no coroutine headers in plan and comparison"
    return None


def problems(path, text, exists):
    """(line, what) for each include that breaks a rule."""
    folder = folder_of(path)
    if folder is None:
        return [(1, "this folder is not in the layout: add it to the table in tests/lint/include_arrows.py and to the style document")]
    found = []
    for match in INCLUDE.finditer(text):
        own, foreign = match.groups()
        what = first_party_problem(path, folder, own, exists) if own else library_problem(path, folder, foreign)
        if what:
            found.append((line_of(text, match.start()), what))
    return found


def leaks(includes):
    """(header, library, includer) for heavy headers that a file of another folder includes. includes: {path: [(own, foreign)]}"""
    heavy = {}
    for path, pairs in includes.items():
        libraries = {library_of(foreign) for _, foreign in pairs if foreign} & ONLY_IN_INTERNAL_HEADERS
        if path.endswith(".h") and libraries and not path.startswith(("tests/", "cmake/")):
            heavy[path] = sorted(libraries)[0]
    return [(own, heavy[own], path) for path, pairs in sorted(includes.items()) for own, _ in pairs
            if own in heavy and os.path.dirname(own) != os.path.dirname(path) and not path.startswith("tests/")
            and (path.endswith(".h") or heavy[own] not in ARROWS.get(folder_of(path), ((), ()))[1])]


def cycles(headers):
    """Headers that reach themselves: headers is {path: [included path]}."""
    found, done = [], set()

    def visit(path, trail):
        if path in trail:
            found.append(trail[trail.index(path):] + [path])
            return
        if path in done or path not in headers:
            return
        for target in headers[path]:
            visit(target, trail + [path])
        done.add(path)

    for path in sorted(headers):
        visit(path, [])
    return found


def self_test():
    exists = {"controller/core/plan.h", "controller/ports/clock.h", "controller/program/wiring.h", "controller/adapters/http/client.h",
              "controller/simulator/state.h", "controller/adapters/azure/arm.h"}.__contains__

    def finds(path, line):
        return bool(problems(path, line + "\n", exists))

    expect(not finds("controller/ports/x.h", '#include "controller/core/plan.h"'), "ports may include core")
    expect(not finds("controller/ports/x.h", "#include <boost/asio/awaitable.hpp>"), "ports may include awaitable")
    expect(not finds("controller/adapters/azure/x.h", "#include <nlohmann/json_fwd.hpp>"), "json_fwd is fine in adapters' headers")
    expect(not finds("controller/adapters/azure/x.cc", "#include <nlohmann/json.hpp>"), "adapters may use JSON in sources")
    for path, line in [
            ("controller/core/x.cc", '#include "controller/ports/clock.h"'), ("controller/core/x.cc", "#include <nlohmann/json.hpp>"),
            ("controller/ports/x.h", "#include <boost/asio.hpp>"),
            ("controller/adapters/http/x.h", "#include <boost/beast.hpp>"),
            ("reconcilers/gallery/x.cc", '#include "controller/adapters/http/client.h"'),
            ("reconcilers/gallery/plan.cc", '#include "controller/ports/clock.h"'),
            ("controller/runtime/x.cc", '#include "controller/program/wiring.h"'),
            ("controller/adapters/azure/x.cc", '#include "controller/simulator/state.h"'),
            ("controller/simulator/x.cc", '#include "controller/adapters/azure/arm.h"'),
            ("controller/core/x.cc", '#include "plan.h"'), ("controller/core/x.cc", "#include <fmt/format.h>"),
            ("controller/helpers/x.cc", "#include <map>"), ("tests/support/x.h", '#include "controller/program/wiring.h"')]:
        expect(finds(path, line), f"{path}: {line}")
    json_inside = {"controller/a/x.h": [(None, "nlohmann/json.hpp")], "controller/a/x.cc": [("controller/a/x.h", None)]}
    expect(not leaks(json_inside), "an internal header may show JSON")
    expect(leaks({**json_inside, "controller/b/y.cc": [("controller/a/x.h", None)]}), "a header that shows JSON to another folder")
    expect(cycles({"a.h": ["b.h"], "b.h": ["a.h"]}) and not cycles({"a.h": ["b.h"], "b.h": []}), "a cycle of headers")


def check(root):
    report = Report()
    files = code_files(root)
    headers, includes = {}, {}
    for path in files:
        text = read(root, path)
        includes[path] = [match.groups() for match in INCLUDE.finditer(text)]
        for line, what in problems(path, text, lambda target: os.path.isfile(os.path.join(root, target))):
            report.add(path, line, what)
        if path.endswith(".h"):
            headers[path] = [match.group(1) for match in INCLUDE.finditer(text) if match.group(1)]
    for header, library, includer in leaks(includes):
        report.add(header, 1, f"shows {library} to another folder ({includer}): json_fwd, or hide it")
    for cycle in cycles(headers):
        report.add(cycle[0], 1, "headers in a circle: " + " -> ".join(cycle))
    report.finish("include arrows", len(files))


if __name__ == "__main__":
    main(check, self_test)
