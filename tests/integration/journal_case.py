"""What the tests of a damaged state directory share: an estate in which a wrong deletion is one believed byte away, the journal that
knows of it, and hands that forge a journal as galleryd itself would have written it."""
import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess

from harness import GALLERY, GALLERYD, Arm, Case, definition_document, environment, gallery_id, managed_image, small_azure, version_document, writes

POLICY = """apiVersion: galleryd.io/v1alpha1
kind: LifecyclePolicy
metadata: {name: unused, namespace: images}
spec:
  retention: {action: Report, inUse: Ignore}
"""
UBUNTU = gallery_id() + "/images/ubuntu"
VERSIONS = 9      # two of eleven documents may go without freezing the source
REMOVED, HELD = "1.0.1", "1.0.2"     # both documents are gone from the folder; the second one had a hold


def version(number):
    return {"name": number, "id": f"{UBUNTU}/versions/{number}", "type": "Microsoft.Compute/galleries/images/versions", "location": "canadacentral",
            "tags": {"galleryd-owner": f"test/ImageVersion/images/ubuntu-{number}"},
            "properties": {"publishingProfile": {
                "targetRegions": [{"name": "Canada Central", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}],
                "replicaCount": 1, "excludeFromLatest": False, "publishedDate": "2026-01-01T00:00:00+00:00", "storageAccountType": "Standard_LRS"},
                "storageProfile": {"source": {"id": managed_image("packer-1")["id"]},
                                   "osDiskImage": {"sizeInGB": 30, "hostCaching": "ReadWrite", "source": {}}},
                "safetyProfile": {"reportedForPolicyViolation": False, "allowDeletionOfReplicatedLocations": False},
                "provisioningState": "Succeeded"}}


def azure(versions=VERSIONS):
    """Old versions of ours that nobody uses; each still needs a write of ours, so that the journal knows them as ours."""
    estate = small_azure()["resources"]
    estate.append({"name": "golden", "id": gallery_id(), "type": "Microsoft.Compute/galleries", "location": "canadacentral",
                   "tags": {"galleryd-owner": "test/Gallery/images/golden"},
                   "properties": {"description": "old", "identifier": {"uniqueName": "x"}, "provisioningState": "Succeeded"}})
    estate.append({"name": "ubuntu", "id": UBUNTU, "type": "Microsoft.Compute/galleries/images", "location": "canadacentral",
                   "tags": {"galleryd-owner": "test/ImageDefinition/images/ubuntu"},
                   "properties": {"hyperVGeneration": "V2", "architecture": "x64", "osType": "Linux", "osState": "Generalized", "description": "old",
                                  "identifier": {"publisher": "Contoso", "offer": "Ubuntu", "sku": "ubuntu"}, "provisioningState": "Succeeded"}})
    return {"resources": [*estate, *[version(f"1.0.{number}") for number in range(versions)]]}


def row_digest(table, values):
    """What galleryd puts behind each row (controller/adapters/journal/schema.cc)."""
    text = table.encode()
    for value in values:
        if value is None:
            text += b"\x1fn"
        elif isinstance(value, int):
            text += b"\x1fi%d" % value
        else:
            text += b"\x1ft%d:%s" % (len(value), value)
    return hashlib.sha256(text).hexdigest()[:16]


def forge(state, table, where, **changed):
    """Changes rows of a journal and gives them the digest that galleryd would have written."""
    with contextlib.closing(sqlite3.connect(f"{state}/galleryd.db")) as connection, connection:
        connection.text_factory = bytes      # contents are packed
        every = [row[1].decode() for row in connection.execute(f"PRAGMA table_info({table})")]
        columns = every[:-1]
        for row in connection.execute(f"SELECT {','.join(columns)} FROM {table} WHERE {where}").fetchall():
            values = [changed.get(name, value) for name, value in zip(columns, row)]
            values = [value.encode() if isinstance(value, str) else value for value in values]
            marks = ",".join("CAST(? AS TEXT)" if isinstance(value, bytes) else "?" for value in values)
            connection.execute(f"REPLACE INTO {table} VALUES ({marks}, ?)", [*values, row_digest(table, values)])


def age_deletions(state, minutes):
    """What was deleted, or may have been, was so this much longer ago; True when there was any."""
    with contextlib.closing(sqlite3.connect(f"file:{state}/galleryd.db?mode=ro", uri=True)) as connection:
        records = {key: json.loads(record) for key, record in connection.execute("SELECT resource_key, record FROM resources")}
    deleted = {key: record for key, record in records.items() if record["deletedAt"] is not None}
    for key, record in deleted.items():
        forge(state, "resources", f"resource_key = '{key}'", record=json.dumps({**record, "deletedAt": record["deletedAt"] - minutes * 60_000_000}))
    return bool(deleted)


def written_down(state):
    """Every resource that something was sent to, as the journal has it."""
    with contextlib.closing(sqlite3.connect(f"file:{state}/galleryd.db?mode=ro", uri=True)) as connection:
        return [row[0].lower() for row in connection.execute("SELECT resource FROM audit ORDER BY id")]


class JournalCase(Case):
    """`self.good` is the journal of a daemon that ended in order, `self.killed` that of one killed while it ran (its log is full)."""
    SIMULATOR = ("--operation-time", "1s", "--graph-lag", "0s")

    def setUp(self):
        super().setUp()
        self.source = self.path("manifests")
        self.write("manifests/gallery.yaml", GALLERY.replace("description", "lifecyclePolicy: unused\n  deletionPolicy: Delete\n  description"))
        self.write("manifests/policy.yaml", POLICY)
        self.write("manifests/ubuntu.yaml", definition_document())
        for number in range(VERSIONS):
            text = version_document(f"1.0.{number}", replicas=2, deletion_policy="Delete")
            if f"1.0.{number}" == HELD:
                text = text.replace("namespace: images}", "namespace: images, annotations: {galleryd.io/hold: audit 2026}}")
            self.write(f"manifests/ubuntu-{number}.yaml", text)
        self.azure = self.simulate(azure(), *self.SIMULATOR, time_scale=1)

    def words(self, verb, state, *more):
        deletes = () if verb == "plan" else ("--log-level", "warning")
        return [GALLERYD, verb, self.source, "--azure", self.azure.url, "--credential", "none", "--instance", "test", "--state-dir", state,
                "--allow-deletes", "--prune", *deletes, *more]

    def do(self, verb, state, *more, before=()):
        return subprocess.run([*before, *self.words(verb, state, *more)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
                              env=environment(), cwd=self.folder)

    def converge(self, state):
        done = self.do("apply", state)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def remove_documents(self):
        for number in (1, 2):
            os.remove(self.path(f"manifests/ubuntu-{number}.yaml"))

    def copy(self, state, name):
        shutil.copytree(state, self.path(name))
        return self.path(name)

    def deletions(self):
        return [entry["path"] for entry in self.azure.requests() if entry["method"] == "DELETE"]

    def written(self):
        return [(entry["method"], entry["path"]) for entry in writes(self.azure.requests())]

    def versions(self):
        return Arm(self.azure.url).versions("ubuntu")


def codes_of(text):
    """Error codes that a text names, as people see them and as the log has them."""
    found = set()
    for line in text.splitlines():
        if line.startswith("{"):
            found.add(json.loads(line).get("code", ""))
        elif "(GD" in line:
            found.add(line[line.rindex("(GD") + 1:][:6])
    return found - {""}
