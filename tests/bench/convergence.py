"""P5 and P10, in hours of simulated time: simulation_tests runs them (throttling_test.cc, operations_test.cc), the engine's own Azure
client on a manual clock against the simulator that enforces the windows. P5: how near its requests come to the fastest schedule that the
windows allow; the ideal is computed from the same table. P10: what it costs to follow a thousand operations. What is measured is a
schedule, not a machine: one run says it."""
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


def operations(binary, runs):
    """One poll of each operation a minute, as a client without an index does it, is seven thousand requests."""
    table = Table("P10", "1,000 creates of 7 minutes over 100 definitions in flight, simulated time (tests/simulation/operations_test.cc)")
    tests = os.path.join(os.path.dirname(binary), "tests", "simulation_tests")
    figures, done = figures_of(tests, "P10*") if os.path.exists(tests) else ({}, None)
    for name, goal in (("1,000 creates", 1100), ("1,000 creates while the index stands still", None)):
        found = figures.get(name)
        if found is None:
            table.missing(name, "simulation_tests is not built" if done is None else f"no test told it (exit {done.returncode})", goal, "requests")
            continue
        table.row(name + ": requests while waiting", found["while_waiting"], "requests", goal, peer=("a poll a minute each", 7000))
        table.row(name + ": end noticed after", found["slowest_s"], "s", 65)
    if done is not None and done.returncode != 0:
        table.missing("the tests", f"simulation_tests -tc='P10*' ends with {done.returncode}")
    return table.close()
