"""The one form of a benchmark's result: rows of goal, figure and verdict, printed and kept as JSON in build/bench/.

A figure is the median of its runs, with the worst beside it. Times, CPU and memory are judged by the median; what is counted
(requests, writes, series) by the worst, because a count has no noise. What could not be measured counts as not met."""
import datetime
import json
import os
import statistics
import subprocess

import why

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
COUNTED = ("requests", "writes", "series", "bytes", "files")
ALL = []   # every row of this process, for the table at the end


def shown(figure):
    if figure is None:
        return ""
    if figure >= 1000:
        return f"{figure:,.0f}"
    return f"{figure:.0f}" if figure >= 100 or figure == int(figure) else f"{figure:.2g}" if figure < 0.1 else f"{figure:.2f}"


def excess(figure, goal):
    """How far a figure is beyond its goal, in words."""
    if goal == 0:
        return f"missed by {shown(figure)}"
    ratio = figure / goal
    return f"missed by {ratio:.1f} ×" if ratio >= 2 else f"missed by {(ratio - 1) * 100:.0f} %"


class Table:
    def __init__(self, name, about):
        self.name, self.about, self.rows = name, about, []
        self.began, self.load = datetime.datetime.now(datetime.timezone.utc), os.getloadavg()[0]
        print(f"{name}: {about}", flush=True)

    def row(self, what, figures, unit, goal=None, note="", at_least=False, peer=None):
        """`figures`: one, or one a run. `goal` is the most that is good (at_least: the least); without one the row is information.
        `peer`: (name, figure) of somebody else doing the same; a name that ends in "scaled" was measured smaller."""
        runs = list(figures) if isinstance(figures, (list, tuple)) else [figures]
        median, worst = statistics.median(runs), min(runs) if at_least else max(runs)
        judged = worst if unit in COUNTED else median
        if goal is None:
            verdict = "information"
        elif at_least:
            verdict = "met" if judged >= goal else f"missed: {judged / goal * 100:.1f} % of it" if goal else "met"
        else:
            verdict = "met" if judged <= goal else excess(judged, goal)
        self._add({"what": what, "goal": goal, "at_least": at_least, "unit": unit, "median": median, "worst": worst, "runs": runs, "verdict": verdict, "note": note,
                   "peer": None if peer is None else {"name": peer[0], "figure": peer[1], "ratio": peer[1] / median if median else None}})

    def missing(self, what, why, goal=None, unit="", at_least=False):
        """A figure that could not be taken. It counts as not met."""
        self._add({"what": what, "goal": goal, "at_least": at_least, "unit": unit, "median": None, "worst": None, "runs": [], "verdict": f"not measured: {why}",
                   "note": "", "peer": None})

    def note(self, what, text):
        """Information that is no figure."""
        self._add({"what": what, "goal": None, "at_least": False, "unit": "", "median": None, "worst": None, "runs": [], "verdict": "information", "note": text, "peer": None})

    def _add(self, row):
        self.rows.append(row)
        ALL.append({"id": self.name, **row})
        print("  " + line_of(row), flush=True)

    def close(self):
        """Writes build/bench/NAME.json; 0 when every goal is met."""
        folder = os.path.join(ROOT, "build", "bench")
        os.makedirs(folder, exist_ok=True)
        revision = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout.strip()
        with open(os.path.join(folder, self.name + ".json"), "w", encoding="utf-8") as file:
            json.dump({"bench": self.name, "about": self.about, "revision": revision, "began": self.began.isoformat(timespec="seconds"),
                       "cores": os.cpu_count(), "load_before": round(self.load, 2), "load_after": round(os.getloadavg()[0], 2), "rows": self.rows},
                      file, indent=2, ensure_ascii=False)
            file.write("\n")
        return 0 if all(is_good(row) for row in self.rows) else 1


def is_good(row):
    return row["verdict"] in ("met", "information")


def line_of(row, name=""):
    goal = "" if row["goal"] is None else f"{'≥' if row['at_least'] else '≤'} {shown(row['goal'])} {row['unit']}"
    figure = "" if row["median"] is None else f"{shown(row['median'])} {row['unit']}"
    worst = "" if row["median"] is None or len(row["runs"]) < 2 else shown(row["worst"])
    verdict = "" if row["verdict"] == "information" else row["verdict"]
    peer = row["peer"]
    beside = "" if peer is None else f"{peer['name']}: {shown(peer['figure'])}" + (f" ({peer['ratio']:.1f} ×)" if peer["ratio"] else "")
    return f"{name:5}{row['what']:46} {goal:>16} {figure:>14} {worst:>8}  {verdict:20} {beside} {row['note']}".rstrip()


def print_all():
    """Everything at once, at the end of a long run."""
    print(f"\n{'id':5}{'what':46} {'goal':>16} {'median':>14} {'worst':>8}  {'verdict':20} peer, note")
    for row in ALL:
        print(line_of(row, row["id"]))
    missed = [row for row in ALL if not is_good(row)]
    if missed:
        print("\nMissed, and why:")
    for row in missed:
        print(f"{row['id']:5}{row['what']}: {row['verdict']}; {why.reason_of(row)}")
    judged = [row for row in ALL if row["goal"] is not None or row["verdict"].startswith("not measured")]
    print(f"\n{len(judged) - len(missed)} of {len(judged)} goals met; figures with every run: build/bench/*.json", flush=True)
    return 1 if missed else 0
