#!/usr/bin/env python3
"""How long a developer waits: a clean build of the last commit, and one changed source file to its test result.

    build.py SOURCE      goals on 2 idle cores: 3 minutes and 15 s. The compiler cache is off for both."""
import os
import subprocess
import sys
import tempfile
import time

from table import Table

CHANGED = ("reconcilers/image_version/regions.cc", "controller/program/engine.cc", "tests/unit/core/time_test.cc")


def timed(command, folder):
    began = time.monotonic()
    done = subprocess.run(command, cwd=folder, env={**os.environ, "CCACHE_DISABLE": "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}")
    return time.monotonic() - began


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    source = os.path.abspath(sys.argv[1])
    table = Table("build", f"the compiler cache off, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    with tempfile.TemporaryDirectory(prefix="galleryd-build-") as folder:
        subprocess.run(["git", "clone", "-q", source, folder], check=True)
        table.row("clean make build", timed(["make", "build"], folder), "s", goal=180)
    timed(["make", "check"], source)  # up to date
    for path in CHANGED:
        os.utime(os.path.join(source, path))
        table.row(f"{path} to test result", timed(["make", "check"], source), "s", goal=15)
    sys.exit(table.close())


if __name__ == "__main__":
    main()
