"""P9: `galleryd plan` as a cold process, beside Microsoft's clients that look at the same estate."""
import estate
import peers
import process
from table import Table
from world import World, of_arm

NO_CHANGES = "No changes. Azure matches the manifests."


class Plan:
    """One `galleryd plan` with an empty state directory."""

    def __init__(self, world, binary, number):
        before, out, err = len(world.azure.log()), world.path("plan.out"), world.path("plan.err")
        command = [binary, "plan", world.manifests, *world.azure_flags(), "--state-dir", world.path(f"plan{number}.state"), "--summary"]
        code, self.wall, self.cpu, self.rss = process.run_to_end(command, world.sign_in(), out, err)
        self.requests = len(of_arm(world.azure.log()[before:]))
        with open(out, encoding="utf-8") as file:
            text = file.read()
        if code != 0 or NO_CHANGES not in text:
            with open(err, encoding="utf-8", errors="replace") as file:
                raise AssertionError(f"plan: exit {code}\n{text[-1500:]}\n{file.read()[-1500:]}")


def scaled(peer, factor):
    """What the same peer would take for more, if time grew with the number of requests: kind to it, because Azure's limits are left out."""
    grown = peers.Peer(peer.name + ", scaled", peer.why)
    if peer.why is None:
        grown.wall, grown.requests = peer.wall * factor, round(peer.requests * factor)
    return grown


def rows(table, size, plans, best, wall_goal):
    wall, requests = [plan.wall for plan in plans], [plan.requests for plan in plans]
    table.row(f"{size.name}: wall", wall, "s", wall_goal, peer=(best.name, best.wall) if best else None)
    table.row(f"{size.name}: requests", requests, "requests", 13 if size is estate.W10K else None, peer=(best.name, best.requests) if best else None)
    table.row(f"{size.name}: CPU", [plan.cpu for plan in plans], "s", note="with the documents' (P11)")
    table.row(f"{size.name}: peak memory", [plan.rss for plan in plans], "MiB", 64, peer=(best.name, best.rss) if best and best.rss else None)


def note_peers(table, size, measured):
    """Rows of what each peer took; returns the fastest of those that read everything."""
    for peer in measured:
        if peer.why:
            table.note(f"{size.name}: {peer.name}", "not measured: " + peer.why)
        else:
            cpu = f", {peer.cpu:.1f} s CPU" if peer.cpu else ""
            table.row(f"{size.name}: {peer.name}, wall", peer.wall, "s", note=f"{peer.requests:,} requests{cpu}")
    ran = [peer for peer in measured if peer.why is None and not peer.name.startswith("az")]
    return min(ran, key=lambda peer: peer.wall, default=None)


def plan_with(binary, size, runs, who=()):
    with World(binary, size) as world:
        world.simulate()
        plans = [Plan(world, binary, number) for number in range(runs)]
        return plans, [peer(world) for peer in who]


def cold_plan(binary, runs):
    table = Table("P9", "galleryd plan, a cold process; peers read each resource by its id, ten at a time, as a Terraform refresh does")
    _, measured = plan_with(binary, estate.W100, 0, (peers.javascript_sdk, peers.python_sdk, peers.azure_cli))
    # A new Azure each time: three plans within three seconds are more reads than its bucket holds (250 and 25 a second), and wait.
    plans = [plan_with(binary, estate.W100, 1)[0][0] for _ in range(runs)]
    rows(table, estate.W100, plans, note_peers(table, estate.W100, measured), 0.4)
    with World(binary, estate.W1000) as world:   # W10k takes a peer twelve minutes: 2,000 GETs of versions in three minutes are Azure's limit
        world.simulate()
        measured = [peers.javascript_sdk(world), peers.python_sdk(world)]
    note_peers(table, estate.W1000, measured)
    best = note_peers(table, estate.W10K, [scaled(peer, estate.W10K.resources / estate.W1000.resources) for peer in measured])
    plans, _ = plan_with(binary, estate.W10K, runs)
    rows(table, estate.W10K, plans, best, 5)
    walls = sorted(plan.wall for plan in plans)
    if best is None:
        table.missing("W10k: times as fast as the fastest peer", "no peer could be measured", 100, "×", at_least=True)
    else:
        table.row("W10k: times as fast as the fastest peer", best.wall / walls[len(walls) // 2], "×", 100, at_least=True)
        table.row("W10k: times fewer requests", best.requests / max(plan.requests for plan in plans), "×", 850, at_least=True)
    return table.close()
