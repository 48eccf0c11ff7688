"""P5: how near the engine's requests come to the fastest schedule that Azure's windows allow. Hours of simulated time, so the
simulation tests run it (tests/simulation/throttling_test.cc): the engine's Azure client against the simulator that enforces the
windows; the ideal is computed from the same table. What is measured is a schedule, not a machine: one run says it."""
import json
import os
import subprocess
import tempfile

from table import Table


def figures_of(tests, cases):
    """What the named test cases have found: {scenario: {name: figure}}. A test that fails is said by the caller."""
    with tempfile.TemporaryDirectory(prefix="galleryd-bench-") as folder:
        path = os.path.join(folder, "figures")
        done = subprocess.run([tests, f"-tc={cases}", "--no-skip"], env={**os.environ, "BENCH_FIGURES": path}, capture_output=True, text=True, check=False)
        lines = []
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file]
    return {line.pop("scenario"): line for line in lines}, done


def throttling(binary, runs):
    table = Table("P5", "convergence under throttling, simulated time: the ideal schedule over the actual one")
    tests = os.path.join(os.path.dirname(binary), "tests", "simulation_tests")
    figures, done = figures_of(tests, "P5*") if os.path.exists(tests) else ({}, None)
    scenarios = ["create 100", "create 1,000", "create 9,990", "delete 1,000", "create 1,000, one in 20 refused at random", "delete 1,000, one in 20 refused at random",
                 "create 1,000 beside a neighbour", "delete 1,000 beside a neighbour"]
    for name in scenarios:
        found = figures.get(name)
        if found is None:
            table.missing(name, "simulation_tests is not built" if done is None else f"the test did not get there (exit {done.returncode})", 95, "%", at_least=True)
            continue
        table.row(name + ": of the ideal", found["of_ideal"] * 100, "%", 95, f"{found['actual_s'] / 60:.1f} min, ideal {found['ideal_s'] / 60:.1f} min", at_least=True)
        table.row(name + ": wasted requests", found["wasted"] * 100, "%", 1, f"of {found['sent']:.0f}")
        table.row(name + ": early retries", found["early"], "requests", 0)
        if "neighbour" in found:
            table.row(name + ": the neighbour's success", found["neighbour"] * 100, "%", 99.9, at_least=True)
    if done is not None and done.returncode != 0:
        table.missing("the tests", f"simulation_tests -tc='P5*' ends with {done.returncode}")
    return table.close()
