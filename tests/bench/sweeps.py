"""P1, P2, P4, P7, P8 and P12: what looking at Azure costs a daemon that has nothing to do."""
import math
import os
import statistics
import time

import estate
import process
from harness import get, metric, until
from table import Table
from world import World, is_graph, of_arm, seconds_of, wait_until_ready, writes

MIB_TOTAL = {"W10k": 32, "W100k": 128}


def settle(daemon, world, seconds=180, quiet=1.0):
    """Until nothing was asked for `quiet` seconds and the process rests. Looks at the kernel and the log alone: it costs the daemon nothing."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before = process.cpu_seconds(daemon.child.pid)
        time.sleep(0.25)
        rests = process.cpu_seconds(daemon.child.pid) - before < 0.01
        if rests and time.time() - os.path.getmtime(world.azure.log_file) > quiet:
            return
        if daemon.poll() is not None:
            raise AssertionError(daemon.tail())
    raise AssertionError(f"{daemon.name} does not come to rest within {seconds} s")


class Tick:
    """One look of a running daemon at Azure, from before its first request until it rests again."""

    def __init__(self, daemon, world, prepare=None, seconds=180):
        pid = daemon.child.pid
        settle(daemon, world, seconds)
        if prepare is not None:
            prepare()
        process.reset_peak(pid)
        asked = len(world.azure.log())
        cpu, rss = process.cpu_seconds(pid), process.rss_mib(pid)
        until(lambda: any(map(is_graph, world.azure.log()[asked:])), "the next look", seconds, 0.05, daemon)
        settle(daemon, world, seconds)
        self.cpu_ms = (process.cpu_seconds(pid) - cpu) * 1000
        self.growth_mib = process.peak_mib(pid) - rss
        log = world.azure.log()[asked:]
        self.requests, self.writes = len(of_arm(log)), len(writes(log))
        self.graph = sum(is_graph(entry) for entry in log)
        self.mib = sum(entry["bytes"] for entry in log) / 1024 / 1024
        self.first = seconds_of(next(entry for entry in log if is_graph(entry)))


def finished_at(daemon):
    return metric(daemon.url, "galleryd_last_full_sync_timestamp_seconds") or float("nan")


def no_op_resync(binary, runs):
    """A complete look comes once in --full-interval, and so does a new plan of each scope, spread over that time: both are the cost of
    it. So a period is measured whole, from one look to the next."""
    size = estate.W10K
    table = Table("P1", f"no-op full resync, {size}; spellings and order vary; {runs} runs of a period with one complete look")
    with World(binary, size) as world:
        world.simulate(noise=True)
        daemon = world.daemon(interval="20s", full_interval="20s")   # every look is a complete one
        pid = daemon.child.pid
        wait_until_ready(daemon)
        Tick(daemon, world)
        ticks, cpus, walls = [], [], []
        for _ in range(runs):
            cpu = process.cpu_seconds(pid)
            ticks.append(Tick(daemon, world))
            cpus.append((process.cpu_seconds(pid) - cpu) * 1000)
            walls.append(finished_at(daemon) - ticks[-1].first)
    table.row("requests", [tick.requests for tick in ticks], "requests", 13,
              f"{ticks[-1].graph} of Resource Graph, {ticks[-1].requests - ticks[-1].graph} reads to audit it; {ticks[-1].mib:.1f} MiB of answers",
              peer=("GET each", size.resources))
    table.row("writes", [tick.writes for tick in ticks], "writes", 0)
    table.row("CPU, of the look and of planning everything", cpus, "ms", 150, f"the look alone: {statistics.median(tick.cpu_ms for tick in ticks):.0f} ms")
    table.row("wall, from the first request", walls, "s", 5, "stretch: 1.5 s")
    table.row("memory: peak over what it was before", [tick.growth_mib for tick in ticks], "MiB", 4)
    return table.close()


def change_some(world, ids, count, round_number):
    """Somebody tags versions that are ours; nothing is to be done about it."""
    world.change([(one, {"tags": {"seen-by": f"somebody {round_number}"}}) for one in ids[:count]])


def audits_max(size, seconds):
    """Requests of the audits that may fall into so long a time: each definition once a day, whatever changes (decision 0025), two reads and
    one for each of its versions."""
    definitions = size.subscriptions * size.galleries * size.definitions
    return math.ceil(definitions * seconds / 86400 + 1) * (2 + size.versions)


def incremental(binary, runs):
    table = Table("P2", "a look at what changed: C versions were tagged by somebody else; nothing is to be done")
    cpu_of = {}
    for size in (estate.W10K, estate.W100K):
        ids = list(estate.version_ids(size))
        ids = [one for start in range(7) for one in ids[start::7]]   # far apart, in a fixed order
        with World(binary, size) as world:
            world.simulate("--graph-lag", "0s")
            daemon = world.daemon(interval="4s")
            wait_until_ready(daemon)
            number = 0
            for count in (0, 1, 10, 100, 1000):
                ticks = []
                for _ in range(runs if count < 100 else 1):   # records stay in sight for ten minutes: more of them would be counted twice
                    number += 1
                    ticks.append(Tick(daemon, world, lambda c=count, n=number: change_some(world, ids, c, n)))
                cpu = [tick.cpu_ms for tick in ticks]
                audits = [min(tick.requests - tick.graph, audits_max(size, 8)) for tick in ticks]
                asked = [tick.requests - audit for tick, audit in zip(ticks, audits)]
                table.row(f"{size.name}, C = {count}: requests", asked, "requests", max(1, -(-count // 1000)) + count,
                          f"besides {max(audits)} of the audits that are spread over the day", peer=("GET each", size.resources))
                table.row(f"{size.name}, C = {count}: CPU", cpu, "ms", 2 + 0.05 * count)
                cpu_of[size.name, count] = sorted(cpu)[len(cpu) // 2]
    for count in (0, 1, 10, 100, 1000):
        table.row(f"W100k over W10k, C = {count}: CPU", cpu_of["W100k", count] / max(cpu_of["W10k", count], 1e-6), "×", 1.2)
    return table.close()


def cold_start(binary, runs):
    table = Table("P4", "from exec to the first complete look at everything: documents read, every scope planned, nothing remembered")
    for size, wall_goal, cpu_goal, times in ((estate.W10K, 3.0, 0.3, runs), (estate.W100K, 35 * 1.1, 3.0, 1)):
        walls, cpus, peaks, counts, source = [], [], [], [], []
        with World(binary, size) as world:
            for run in range(times):
                world.simulate(name=f"azure{run}")
                began, unix = time.monotonic(), time.time()
                daemon = world.daemon(name=f"run{run}")
                wait_until_ready(daemon)
                walls.append(time.monotonic() - began)
                cpus.append(process.cpu_seconds(daemon.child.pid))
                peaks.append(process.peak_mib(daemon.child.pid))
                log = of_arm(world.azure.log())
                counts.append(len(log))
                source.append(seconds_of(log[0]) - unix)
                daemon.kill()
                world.azure.kill()
        table.row(f"{size.name}: wall", walls, "s", wall_goal, f"{sorted(source)[len(source) // 2]:.2f} s of it before the first request: the documents")
        table.row(f"{size.name}: CPU", cpus, "s", cpu_goal, "with the documents' (P11)")
        table.row(f"{size.name}: peak memory", peaks, "MiB")
        table.row(f"{size.name}: requests", counts, "requests", peer=("GET each", size.resources))
    return table.close()


def memory(binary, runs):
    table = Table("P7", "memory for each object, desired and observed, after 10 complete looks")
    with World(binary, estate.ONE) as world:
        world.simulate()
        daemon = world.daemon()
        wait_until_ready(daemon)
        settle(daemon, world, quiet=4)
        empty = process.rss_mib(daemon.child.pid)
    table.row("one gallery, one definition, one version", empty, "MiB")
    for size in (estate.W10K, estate.W100K):
        with World(binary, size) as world:
            # Memory does not depend on how long an answer takes, so W100k need not wait for its quota ten times.
            world.simulate(limits="none", service_times=False)
            daemon = world.daemon(interval="10s", full_interval="10s")
            wait_until_ready(daemon)
            wanted = 10 * (size.resources // 1000 + 1)   # pages of ten complete looks
            start = sum(map(is_graph, world.azure.log()))
            until(lambda w=world: sum(map(is_graph, w.azure.log())) - start >= wanted, "ten complete looks", 600, 1, daemon)
            settle(daemon, world, quiet=4)
            rss, peak = process.rss_mib(daemon.child.pid), process.peak_mib(daemon.child.pid)
        table.row(f"{size.name}: total", rss, "MiB", MIB_TOTAL[size.name], f"peak since the start {peak:.0f} MiB")
        table.row(f"{size.name}: for each object", (rss - empty) * 1024 / size.resources, "KiB", 1, peer=("Go informer", 33))
    return table.close()


def idle(binary, runs):
    size, seconds = estate.W10K, int(os.environ.get("IDLE_SECONDS", "180"))
    table = Table("P8", f"{size}, nothing happens: {seconds} real seconds at --interval 60s, scaled to an hour, plus one complete look")
    with World(binary, size) as world:
        world.simulate()
        daemon = world.daemon(interval="60s")
        pid = daemon.child.pid
        wait_until_ready(daemon)
        start_requests = len(of_arm(world.azure.log()))
        settle(daemon, world)
        cpu, woken, asked, began = process.cpu_seconds(pid), process.wake_ups(pid), len(of_arm(world.azure.log())), time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - began
        cpu, woken, asked = process.cpu_seconds(pid) - cpu, process.wake_ups(pid) - woken, len(of_arm(world.azure.log())) - asked
        daemon.kill()
        daemon = world.daemon(interval="20s", full_interval="20s", name="full")
        wait_until_ready(daemon)
        Tick(daemon, world)
        full = Tick(daemon, world)
    hour = 3600 / passed
    table.row("CPU an hour", cpu * hour + full.cpu_ms / 1000, "s", 3.6, f"a complete look is {full.cpu_ms / 1000:.2f} s of it")
    table.row("wake-ups a second", woken / passed, "/s", 5)
    table.row("requests an hour", asked * hour + full.requests, "requests", 72, f"60 looks and {full.requests} for a complete one; the start took {start_requests}")
    return table.close()


def scrape(binary, runs):
    size = estate.W10K
    table = Table("P12", f"GET /metrics of a daemon with {size}; 20 scrapes")
    with World(binary, size) as world:
        world.simulate()
        daemon = world.daemon()
        wait_until_ready(daemon)
        settle(daemon, world)
        times, cpu = [], process.cpu_seconds(daemon.child.pid)
        for _ in range(20):
            began = time.monotonic()
            status, text = get(daemon.url + "/metrics")
            times.append((time.monotonic() - began) * 1000)
            if status != 200:
                raise AssertionError(f"/metrics answered {status}")
        cpu = (process.cpu_seconds(daemon.child.pid) - cpu) * 1000 / len(times)
    table.row("time", times, "ms", 5, f"with a connection of its own; {cpu:.1f} ms CPU")
    table.row("size", len(text.encode()) / 1000, "KB", 200)
    table.row("series", sum(1 for line in text.splitlines() if line and not line.startswith("#")), "series", 2000)
    return table.close()
