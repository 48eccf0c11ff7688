"""P11: reading documents. Cold, after one edit, and after a restart."""
import json
import os
import re
import statistics
import tempfile
import time

import estate
import process
from harness import environment, until
from sweeps import settle
from table import Table
from world import World, wait_until_ready


def said(daemon, message):
    """How often the daemon has logged this."""
    return sum(1 for line in daemon.errors().splitlines() if line.startswith("{") and json.loads(line).get("msg") == message)


def documents_read(daemon):
    return said(daemon, "documents read")


def validate(table, binary, folder, runs):
    walls, cpus, peaks = [], [], []
    for _ in range(runs):
        code, wall, cpu, peak = process.run_to_end([binary, "validate", folder], environment())
        if code != 0:
            raise AssertionError(f"validate: exit {code}")
        walls.append(wall)
        cpus.append(cpu)
        peaks.append(peak)
    table.row("validate, cold process: wall", walls, "s", 1, f"{statistics.median(cpus):.2f} s CPU")
    table.row("validate, cold process: peak memory", peaks, "MiB", 64)


def edit(folder, number):
    """One tag of one version, as an editor saves it: its definition has to be planned again."""
    path = os.path.join(folder, "s0g50", "s0g50-image-5-1.0.5.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path + ".new~", "w", encoding="utf-8") as file:
        file.write(re.sub(r"team: .*", f"team: platform-{number}", text))
    os.replace(path + ".new~", path)


def one_edit(table, daemon, world, folder, runs):
    cpus, times = [], []
    for number in range(runs):
        settle(daemon, world)
        before, cpu, began = documents_read(daemon), process.cpu_seconds(daemon.child.pid), time.monotonic()
        edit(folder, number)
        until(lambda b=before: documents_read(daemon) > b, "the edit is read", 60, 0.01, daemon)
        times.append((time.monotonic() - began) * 1000)
        settle(daemon, world)
        cpus.append((process.cpu_seconds(daemon.child.pid) - cpu) * 1000)
    table.row("one file edited: CPU until the daemon rests", cpus, "ms", 5, "with the plan of its definition")
    table.row("one file edited: until it is read", times, "ms", note="200 ms of it a file must have stood still, 100 ms for more to come")


def restart(table, world, runs):
    times = []
    for number in range(runs):
        began = time.monotonic()
        daemon = world.daemon("--observe", interval="1h", name="again")   # the same state directory each time
        until(lambda d=daemon: documents_read(d) > 0, "the documents are read", 60, 0.01, daemon)
        if number > 0:   # the first one fills what the others may use
            times.append((time.monotonic() - began) * 1000)
        wait_until_ready(daemon)
        daemon.signal(15)
        daemon.wait(20)
    table.row("restart: from exec until the documents are read", times, "ms", 100)


def parse(binary, runs):
    size = estate.W10K
    with tempfile.TemporaryDirectory(prefix="galleryd-bench-documents-") as folder:
        megabytes = estate.write_documents(size, folder, one_file_each=True)
        table = Table("P11", f"{size.resources:,} documents in as many files, {megabytes:.1f} MB; {size.version_count:,} of them versions")
        validate(table, binary, folder, runs)
        with World(binary, size, manifests=folder) as world:
            world.simulate(service_times=False)
            daemon = world.daemon("--observe", interval="1h")
            wait_until_ready(daemon)
            one_edit(table, daemon, world, folder, runs)
            daemon.kill()
            restart(table, world, runs + 1)
    return table.close()
