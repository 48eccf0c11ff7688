#!/usr/bin/env python3
"""The figures of design/performance.md against their goals.

    run.py GALLERYD [ROW …]      rows: P1 P2 P4 P5 P7 P8 P9 P10 P11 P12 documents build; default: all but build
    environment: RUNS=3 (of each figure), IDLE_SECONDS=180 (P8)

Exit 0 when every goal is met. tests/bench/README.md says how to read the table."""
import os
import signal
import subprocess
import sys
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
import command  # noqa: E402
import convergence  # noqa: E402
import source  # noqa: E402
import sweeps  # noqa: E402
import table  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def script(name, *arguments):
    """A benchmark that is a program of its own; it prints and stores its own table."""
    return lambda binary, runs: subprocess.run([sys.executable, os.path.join(HERE, name), *[word or binary for word in arguments]], check=False).returncode


ROWS = {
    "P1": sweeps.no_op_resync, "P2": sweeps.incremental, "P4": sweeps.cold_start, "P5": convergence.throttling, "P7": sweeps.memory, "P8": sweeps.idle,
    "P9": command.cold_plan, "P10": convergence.operations, "P11": source.parse, "P12": sweeps.scrape, "documents": script("documents.py", None), "build": script("build.py", os.path.join(HERE, "..", "..")),
}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    binary, runs = os.path.abspath(sys.argv[1]), int(os.environ.get("RUNS", "3"))
    wanted = [word for words in sys.argv[2:] for word in words.split(",") if word] or [name for name in ROWS if name != "build"]
    unknown = [name for name in wanted if name not in ROWS]
    if unknown:
        sys.exit(f"no benchmark is called {unknown[0]}; there are {' '.join(ROWS)}")
    print(f"{binary}: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {runs} runs of each figure")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))   # so that what was started ends, too
    status = 0
    for name in wanted:
        try:
            status |= ROWS[name](binary, runs)
        except Exception as error:   # one benchmark that breaks must not hide the others; it counts as not met
            traceback.print_exc()
            broken = table.Table(name, "broke")
            broken.missing("the whole benchmark", f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}")
            broken.close()
    sys.exit(status | table.print_all())


if __name__ == "__main__":
    main()
