#!/usr/bin/env python3
"""manifests/demo: azure.json is what its script writes, ids are consistent, and what the README of the estate promises is in it."""
import json
import os
import subprocess
import sys

from cxx.source import Report, expect, main

SCRIPT, STATE = "tests/tools/make_demo_estate.py", "manifests/demo/azure.json"


def problems(resources):
    """What would make the estate unloadable or its story untrue."""
    found, ids = [], {}
    for number, one in enumerate(resources):
        key = one.get("id", "").lower()
        if not key.startswith("/subscriptions/") or not key.endswith("/" + one.get("name", "?").lower()):
            found.append(f"resource {number}: its id does not end in its name: {one.get('id')}")
        if key in ids:
            found.append(f"{one['id']} is there twice")
        ids[key] = one
        for value in (one.get("tags") or {}).values():
            if value is not None and not isinstance(value, str):
                found.append(f"{one['id']}: a tag is neither text nor null")
    for key, one in ids.items():
        if "/versions/" in key or "/images/" in key and "/galleries/" in key:
            parent = key.rsplit("/", 2)[0]
            if parent not in ids:
                found.append(f"{one['id']}: its parent is not in the estate")
        if one["type"].endswith("/versions"):
            regions = [region["name"].replace(" ", "").lower() for region in one["properties"]["publishingProfile"]["targetRegions"]]
            if one["location"] not in regions:
                found.append(f"{one['id']}: its own region is not among its target regions")
    return found


def self_test():
    good = {"id": "/subscriptions/1/resourceGroups/g", "name": "g", "type": "x"}
    expect(not problems([good]), "a good one")
    expect(problems([good, good]), "twice")
    expect(problems([{**good, "name": "h"}]), "another name")
    expect(problems([{"id": "/subscriptions/1/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/b", "name": "b", "type": "x"}]), "an orphan")


def check(root):
    report = Report()
    done = subprocess.run([sys.executable, os.path.join(root, SCRIPT), "--check", root], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        report.add(STATE, 1, (done.stdout + done.stderr).strip())
    with open(os.path.join(root, STATE), encoding="utf-8") as file:
        resources = json.load(file)["resources"]
    for what in problems(resources):
        report.add(STATE, 1, what)
    versions = sum(one["type"].endswith("/versions") for one in resources)
    if not 38 <= versions <= 60:
        report.add(STATE, 1, f"{versions} versions; about forty are promised")
    report.finish("demo estate", 1)


if __name__ == "__main__":
    main(check, self_test)
