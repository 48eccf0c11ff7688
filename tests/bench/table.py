"""The one form of a benchmark's result: a row of goal, figure and verdict, printed and kept as JSON in build/bench/."""
import json
import os


class Table:
    def __init__(self, name, about):
        self.name, self.rows = name, []
        print(f"{name}: {about}", flush=True)

    def row(self, what, figure, unit, goal=None, note=""):
        """`goal` is the most that is good; without one the row is information."""
        verdict = "" if goal is None else "reached" if figure <= goal else "MISSED"
        shown = f"{figure:.0f}" if figure >= 100 or figure == int(figure) else f"{figure:.2f}"
        aim = "" if goal is None else f"goal {goal:g} {unit}"
        print(f"  {what:52} {shown:>9} {unit:4} {aim:16} {verdict:8} {note}".rstrip(), flush=True)
        self.rows.append({"what": what, "figure": figure, "unit": unit, "goal": goal, "verdict": verdict or "information", "note": note})

    def close(self):
        folder = os.path.join(os.path.dirname(__file__), "..", "..", "build", "bench")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, self.name + ".json"), "w", encoding="utf-8") as file:
            json.dump({"bench": self.name, "cores": os.cpu_count(), "rows": self.rows}, file, indent=2)
            file.write("\n")
        return 0 if all(row["verdict"] != "MISSED" for row in self.rows) else 1
