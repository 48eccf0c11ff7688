"""What can be asked of galleryd, one thing at a time: for each, an estate, the documents of before and of after, and the command that
is killed. The tests that kill take these."""
import dataclasses
from collections.abc import Callable

from harness import GALLERY, definition_document, small_azure, version_document
from journal_case import POLICY, azure

PERSON = "7f1c2a90-3d6b-4a51-9d5e-1c0b7a6e2f44"
OTHER = "00000000-0000-0000-0000-00000000000f"
ACCESS = f"  access: [{{role: Reader, principalId: {PERSON}, principalType: Group}}]\n"
SILVER = GALLERY.replace("name: golden", "name: silver")
SHARING = f"  sharing: {{permissions: Groups, subscriptionIds: [{OTHER}]}}\n"
DELETES = ("--allow-deletes", "--prune")
RETENTION = POLICY.replace("{action: Report, inUse: Ignore}", "{action: Delete, keepNewest: 1, olderThan: 30d, inUse: Ignore, grace: %s, maxPercentPerPass: 100}")


def base():
    """A gallery, a definition and three versions, all of them declared; a policy that deletes nothing."""
    files = {"gallery": GALLERY.replace("  description", "  lifecyclePolicy: unused\n  deletionPolicy: Delete\n  description"), "policy": POLICY,
             "ubuntu": definition_document().replace("  gallery:", "  deletionPolicy: Delete\n  gallery:")}
    for number in range(3):
        files[f"ubuntu-{number}"] = version_document(f"1.0.{number}", replicas=2, deletion_policy="Delete")
    return files


def estate(*without, owner=True):
    """Azure as `base` wants it, but for what every resource still needs written; less the resources of these types' last words."""
    resources = [one for one in azure(versions=3)["resources"] if one["type"].split("/")[-1].lower() not in without]
    for one in resources:
        if not owner:
            one.pop("tags", None)
    return {"resources": resources}


@dataclasses.dataclass
class Scenario:
    name: str
    edit: Callable            # changes the documents of before into those of after
    flags: tuple = ()
    before: Callable = base   # {} : the killed run is the first one
    azure: Callable = estate
    command: tuple = ()       # instead of apply; then apply ends the work
    prepare: tuple = ()       # commands after the documents of before were applied
    removed: bool = False     # a document goes: it has been gone for an hour when the kill comes
    approve: bool = False     # a person approves what the plan deletes


def replaced(file, old, new):
    def edit(files):
        if old not in files[file]:
            raise AssertionError(f"{file} has no {old!r}")
        files[file] = files[file].replace(old, new)
    return edit


def added(file, text):
    return lambda files: files.update({file: text})


def appended(file, text):
    return lambda files: files.update({file: files[file] + text})


def gone(*names):
    return lambda files: [files.pop(name) for name in names]


def both(*edits):
    return lambda files: [edit(files) for edit in edits]


def nothing(_):
    return None


def before(edit):
    def made():
        files = base()
        edit(files)
        return files
    return made


def empty():
    return {}


CENTRAL = "    - {name: canadacentral, replicas: 2}\n"
EAST = "    - {name: canadaeast, replicas: 1}\n"
IN_TWO_REGIONS = before(replaced("ubuntu-0", CENTRAL, CENTRAL + EAST))
LOWER = tuple(replaced(f"ubuntu-{number}", "replicas: 2", "replicas: 1") for number in range(3))
ADOPT = both(*[replaced(file, "spec:\n", "spec:\n  adoption: Adopt\n") for file in ("gallery", "ubuntu", "ubuntu-0", "ubuntu-1", "ubuntu-2")])

SCENARIOS = [
    Scenario("everything is made", lambda files: files.update(base()), before=empty, azure=small_azure),
    Scenario("a resource group is made", added("gallery", GALLERY.replace("  resourceGroup:", "  ensureResourceGroup: true\n  resourceGroup:")), before=empty,
             azure=lambda: {"resources": []}),
    Scenario("a gallery is made", added("second", SILVER)),
    Scenario("a definition is made", added("rhel", definition_document("rhel"))),
    Scenario("a version is made", added("ubuntu-3", version_document("1.0.3"))),
    Scenario("a version is made in two regions", added("ubuntu-3", version_document("1.0.3", regions=["canadaeast"]))),
    Scenario("a version is made and kept out of latest until it is everywhere",
             added("ubuntu-3", version_document("1.0.3", regions=["canadaeast"]).replace("  imageDef", "  holdLatestUntilReplicated: true\n  imageDef"))),
    Scenario("a definition and its version are made", both(added("rhel", definition_document("rhel")), added("rhel-0", version_document("1.0.0", "rhel")))),
    Scenario("a gallery's text is changed", replaced("gallery", "Test images", "Other images")),
    Scenario("a gallery's tags are changed", appended("gallery", "  tags: {team: images}\n")),
    Scenario("a definition's text is changed", replaced("ubuntu", "description: Ubuntu", "description: Other")),
    Scenario("replicas are raised", replaced("ubuntu-0", "replicas: 2", "replicas: 3")),
    Scenario("replicas are lowered", both(*LOWER), DELETES),
    Scenario("a region is added", replaced("ubuntu-0", CENTRAL, CENTRAL + EAST)),
    Scenario("a region is added everywhere", both(*[replaced(f"ubuntu-{number}", CENTRAL, CENTRAL + EAST) for number in range(3)])),
    Scenario("a region is removed", replaced("ubuntu-0", EAST, ""), DELETES, before=IN_TWO_REGIONS, approve=True),
    Scenario("a region takes the place of another", replaced("ubuntu-0", EAST, EAST.replace("canadaeast", "eastus")), DELETES, before=IN_TWO_REGIONS, approve=True),
    Scenario("a version is left out of latest", appended("ubuntu-2", "  excludeFromLatest: true\n")),
    Scenario("versions are deprecated by rank", replaced("policy", "spec:\n", "spec:\n  deprecate: {beyondNewest: 1}\n")),
    Scenario("an end of life is declared", appended("ubuntu-0", "  endOfLifeDate: 2030-01-01T00:00:00Z\n")),
    Scenario("an end of life comes from the policy", replaced("policy", "spec:\n", "spec:\n  endOfLife: {after: 3650d}\n")),
    Scenario("a version's tags are changed", appended("ubuntu-0", "  tags: {build: '17'}\n")),
    Scenario("everything is adopted", lambda files: (files.update(base()), ADOPT(files)), before=empty, azure=lambda: estate(owner=False)),
    Scenario("a shared gallery is made", added("second", SILVER + SHARING)),
    Scenario("a gallery is shared with one more", replaced("second", f"[{OTHER}]", f"[{OTHER}, {OTHER[:-1]}e]"), before=before(added("second", SILVER + SHARING))),
    Scenario("a gallery is no longer shared", replaced("second", f"[{OTHER}]", "[]"), DELETES, before=before(added("second", SILVER + SHARING))),
    Scenario("access is granted", appended("gallery", ACCESS)),
    Scenario("access is granted at a definition", appended("ubuntu", ACCESS)),
    Scenario("a storage account for staging is made", appended("gallery", "  stagingStorage: {name: stagingimages}\n")),
    Scenario("versions are marked for deletion", added("policy", RETENTION % "7d"), DELETES),
    Scenario("a mark is taken off", added("policy", POLICY), DELETES, before=before(added("policy", RETENTION % "7d"))),
    Scenario("marked versions are deleted", nothing, DELETES, before=before(added("policy", RETENTION % "1s")), approve=True),
    Scenario("a version is held", nothing, command=("hold", "golden/ubuntu/1.0.0", "--reason", "incident 4711")),
    Scenario("a marked version is held", nothing, DELETES, before=before(added("policy", RETENTION % "7d")),
             command=("hold", "golden/ubuntu/1.0.0", "--reason", "incident 4711")),
    Scenario("a hold is released", nothing, prepare=(("hold", "golden/ubuntu/1.0.0", "--reason", "incident 4711"),),
             command=("release", "golden/ubuntu/1.0.0")),
    Scenario("a version goes with its document", gone("ubuntu-0"), DELETES, removed=True, approve=True),
    Scenario("a definition goes with its documents", gone("rhel"), DELETES, before=before(added("rhel", definition_document("rhel").replace(
        "  gallery:", "  deletionPolicy: Delete\n  gallery:"))), removed=True, approve=True),
    Scenario("a document goes and its version stays", gone("ubuntu-0"), DELETES, removed=True,
             before=before(replaced("ubuntu-0", "deletionPolicy: Delete", "deletionPolicy: Orphan"))),
]
