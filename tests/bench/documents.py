#!/usr/bin/env python3
"""10,000 version documents validated and planned in one command: wall time and memory.

    documents.py GALLERYD [COUNT]      goal for validating and planning: 2 s wall on 2 cores, 128 MiB

The goal is measured with an Azure that has the galleries and definitions and none of the versions, so that the figure is galleryd's own
work: reading, validating, planning. The second figure compares every version with a live one and reads each one's replication status, a
request a version; Resource Graph replaces those requests later."""
import json
import os
import subprocess
import sys
import tempfile
import time

from table import Table

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GALLERIES, DEFINITIONS = 2, 10   # of each gallery; versions are spread evenly
GOAL_SECONDS, GOAL_MIB = 2.0, 128


def write_documents(folder, count):
    """One file a definition, as a generator writes them: each version about 1 KB."""
    def spread(gallery, definition):
        return range(count * (gallery * DEFINITIONS + definition) // (GALLERIES * DEFINITIONS), count * (gallery * DEFINITIONS + definition + 1) // (GALLERIES * DEFINITIONS))

    for gallery in range(GALLERIES):
        with open(os.path.join(folder, f"gallery{gallery}.yaml"), "w", encoding="utf-8") as file:
            file.write(f"apiVersion: galleryd.io/v1alpha1\nkind: Gallery\nmetadata: {{name: golden{gallery}, namespace: images}}\nspec:\n"
                       f"  subscriptionId: {SUBSCRIPTION}\n  resourceGroup: rg-bench\n  location: canadacentral\n")
        for definition in range(DEFINITIONS):
            name = f"image-{gallery}-{definition}"
            with open(os.path.join(folder, f"{name}.yaml"), "w", encoding="utf-8") as file:
                file.write(f"apiVersion: galleryd.io/v1alpha1\nkind: ImageDefinition\nmetadata: {{name: {name}, namespace: images}}\nspec:\n  gallery: golden{gallery}\n"
                           f"  identifier: {{publisher: Contoso, offer: bench, sku: {name}}}\n  osType: Linux\n  osState: Generalized\n  hyperVGeneration: V2\n  architecture: x64\n")
                for number in spread(gallery, definition):
                    file.write(version(name, number))


def version(definition, number):
    regions = "".join(f"    - name: {region}\n      replicas: {replicas}\n      storageAccountType: Standard_LRS\n"
                      for region, replicas in (("canadacentral", 3), ("canadaeast", 2), ("eastus", 2), ("westeurope", 1)))
    return (f"---\napiVersion: galleryd.io/v1alpha1\nkind: ImageVersion\nmetadata:\n  name: {definition}-1.0.{number}\n  namespace: images\n  labels:\n"
            f"    built-by: packer\n    pipeline: golden-images\nspec:\n  imageDefinition: {definition}\n  version: 1.0.{number}\n  source:\n"
            f"    managedImage: /subscriptions/{SUBSCRIPTION}/resourceGroups/rg-packer/providers/Microsoft.Compute/images/packer-{number}\n"
            f"  targetRegions:\n{regions}  replicas: 1\n  storageAccountType: Standard_LRS\n  replicationMode: Full\n  excludeFromLatest: false\n"
            f"  holdLatestUntilReplicated: true\n  endOfLifeDate: 2031-05-21T00:00:00Z\n  safety:\n    blockDeletionBeforeEndOfLife: false\n"
            f"    allowDeletionOfReplicatedLocations: true\n  occupiedGB: 10\n  tags:\n    environment: prod\n    team: platform\n    commit: c{number:039x}\n")


def azure(count, with_versions):
    """What the documents describe, so that planning compares everything and finds little to do."""
    resources = [{"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-bench", "name": "rg-bench", "type": "Microsoft.Resources/resourceGroups",
                  "location": "canadacentral", "properties": {"provisioningState": "Succeeded"}}]
    for gallery in range(GALLERIES):
        gallery_id = f"{resources[0]['id']}/providers/Microsoft.Compute/galleries/golden{gallery}"
        resources.append({"id": gallery_id, "name": f"golden{gallery}", "type": "Microsoft.Compute/galleries", "location": "canadacentral",
                          "tags": {"galleryd-owner": f"bench/Gallery/images/golden{gallery}"}, "properties": {"provisioningState": "Succeeded"}})
        for definition in range(DEFINITIONS):
            name = f"image-{gallery}-{definition}"
            resources.append({"id": f"{gallery_id}/images/{name}", "name": name, "type": "Microsoft.Compute/galleries/images", "location": "canadacentral",
                              "tags": {"galleryd-owner": f"bench/ImageDefinition/images/{name}"},
                              "properties": {"osType": "Linux", "osState": "Generalized", "hyperVGeneration": "V2", "architecture": "x64",
                                             "identifier": {"publisher": "Contoso", "offer": "bench", "sku": name}, "provisioningState": "Succeeded"}})
            first, last = (count * (gallery * DEFINITIONS + definition + more) // (GALLERIES * DEFINITIONS) for more in (0, 1))
            for number in range(first, last) if with_versions else ():
                resources.append({"id": f"{gallery_id}/images/{name}/versions/1.0.{number}", "name": f"1.0.{number}", "type": "Microsoft.Compute/galleries/images/versions",
                                  "location": "canadacentral",
                                  "tags": {"galleryd-owner": f"bench/ImageVersion/images/{name}-1.0.{number}", "environment": "prod", "team": "platform", "commit": f"c{number:039x}"},
                                  "properties": {"publishingProfile": {
                                      "targetRegions": [{"name": region, "regionalReplicaCount": replicas, "storageAccountType": "Standard_LRS"}
                                                        for region, replicas in (("Canada Central", 3), ("Canada East", 2), ("East US", 2), ("West Europe", 1))],
                                      "replicaCount": 1, "excludeFromLatest": False, "publishedDate": "2026-10-01T00:00:00+00:00",
                                      "endOfLifeDate": "2031-05-21T00:00:00+00:00", "storageAccountType": "Standard_LRS", "replicationMode": "Full"},
                                      "storageProfile": {"source": {"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-packer/providers/Microsoft.Compute/images/packer-{number}"},
                                                         "osDiskImage": {"sizeInGB": 30, "hostCaching": "ReadWrite", "source": {}}},
                                      "safetyProfile": {"reportedForPolicyViolation": False, "allowDeletionOfReplicatedLocations": True, "blockDeletionBeforeEndOfLife": False},
                                      "provisioningState": "Succeeded"}})
    return {"resources": resources}


def measure(table, what, command, goals=(None, None), accepted=(0,)):
    """Runs a command as the only child, so that its peak memory is the children's peak."""
    began = time.monotonic()
    pid = os.posix_spawn(command[0], command, {**os.environ, "NO_COLOR": "1"}, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, os.path.join(tempfile.gettempdir(), "galleryd-bench.err"),
                                                                os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)])
    _, status, usage = os.wait4(pid, 0)
    seconds, mib = time.monotonic() - began, usage.ru_maxrss / 1024
    code = os.waitstatus_to_exitcode(status)
    if code not in accepted:
        with open(os.path.join(tempfile.gettempdir(), "galleryd-bench.err"), encoding="utf-8", errors="replace") as file:
            print(file.read()[-2000:])
        sys.exit(1)
    table.row(what, seconds, "s", goals[0], f"{usage.ru_utime + usage.ru_stime:.2f} s CPU")
    table.row(what + ", memory", mib, "MiB", goals[1])


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__)
        sys.exit(64)
    program, count = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 10_000
    with tempfile.TemporaryDirectory(prefix="galleryd-bench-") as folder:
        manifests = os.path.join(folder, "manifests")
        os.mkdir(manifests)
        write_documents(manifests, count)
        megabytes = sum(os.path.getsize(os.path.join(manifests, name)) for name in os.listdir(manifests)) / 1e6
        table = Table("documents", f"{count} version documents, {megabytes:.1f} MB, {GALLERIES * DEFINITIONS} definitions; {os.cpu_count()} cores")
        measure(table, "validate", [program, "validate", manifests])
        for what, with_versions in ((f"validate and plan {count} creations", False), ("the same, all there, one GET each", True)):
            state = os.path.join(folder, "azure.json")
            with open(state, "w", encoding="utf-8") as file:
                json.dump(azure(count, with_versions), file)
            simulator = subprocess.Popen([program, "simulate", "--listen", "127.0.0.1:0", "--state", state, "--limits", "none"], stdout=subprocess.PIPE, text=True)
            try:
                url = simulator.stdout.readline().split()[-1]
                measure(table, what, [program, "plan", manifests, "--azure", url, "--credential", "none", "--instance", "bench",
                                      "--summary", "--state-dir", os.path.join(folder, "state")],
                        (None, None) if with_versions or count != 10_000 else (GOAL_SECONDS, GOAL_MIB))
            finally:
                simulator.terminate()
                simulator.wait()
    sys.exit(table.close())


if __name__ == "__main__":
    main()
