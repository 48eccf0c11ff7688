"""Who else can look at the same estate on this machine: Microsoft's two SDKs, reading each resource as Terraform does, and the Azure CLI.
Each is a process of its own against the same simulator; what it cannot do here is said, never guessed."""
import hashlib
import json
import os
import shutil
import subprocess

import estate
import process
from harness import SOURCE, environment
from world import CLIENT, SECRET, TENANT, of_arm

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS_MAX = 90   # for one sweep; who is refused and asks again in vain may take for ever
SYSTEM_PYTHON = "/usr/bin/python3"   # Debian's azure-cli installs its SDK for this one


class Peer:
    """One sweep: .wall and .cpu in seconds, .rss in MiB, .requests; or .why it was not measured."""

    def __init__(self, name, why=None):
        self.name, self.why = name, why
        self.wall = self.cpu = self.rss = self.requests = None


def all_ids(size):
    for index, gallery in estate.galleries_of(size):
        yield estate.gallery_id(index, gallery)
        for definition in estate.definitions_of(size, gallery):
            yield f"{estate.gallery_id(index, gallery)}/images/{definition}"
    yield from estate.version_ids(size)


def javascript():
    with open(os.path.join(SOURCE, "tests/clients/js/package-lock.json"), "rb") as file:
        name = "js-" + hashlib.sha256(file.read()).hexdigest()[:16]
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "galleryd-tests", name)


def sdk_environment(world):
    authority, url = world.path("tls", "ca.pem"), f"https://localhost:{world.azure.port}"
    return environment(ARM_URL=url, ARM_SUBSCRIPTION=estate.subscription(0), ARM_TENANT=TENANT, ARM_CLIENT=CLIENT, ARM_SECRET=SECRET, CLIENTS_JS=javascript(),
                       REQUESTS_CA_BUNDLE=authority, NODE_EXTRA_CA_CERTS=authority, HOME=world.folder)


def measure(name, world, command):
    peer = Peer(name)
    ids = world.path("ids.json")
    with open(ids, "w", encoding="utf-8") as file:
        json.dump(list(all_ids(world.size)), file)
    before, out, err = len(world.azure.log()), world.path("peer.out"), world.path("peer.err")
    code, peer.wall, peer.cpu, peer.rss = process.run_to_end([*command, ids], sdk_environment(world), out, err, SECONDS_MAX)
    log = of_arm(world.azure.log()[before:])
    peer.requests = len(log)
    with open(out, encoding="utf-8") as file:
        seen = file.read().strip()
    if code is None:
        peer.why = f"not done in {SECONDS_MAX} s: {len(log):,} requests, {sum(entry['status'] == 429 for entry in log):,} of them refused by Azure's limits"
    elif code != 0 or seen != str(world.size.resources):
        with open(err, encoding="utf-8", errors="replace") as file:
            peer.why = f"exit {code}, read {seen or 'nothing'} of {world.size.resources}: {file.read().strip()[-200:]}"
    return peer


def javascript_sdk(world):
    name = "JavaScript SDK"
    if not shutil.which("node") or not os.path.isdir(os.path.join(javascript(), "node_modules")):
        return Peer(name, "the SDK is not installed (make clients-install)")
    return measure(name, world, ["node", os.path.join(HERE, "peer.mjs")])


def python_sdk(world):
    name = "Python SDK"
    has = subprocess.run([SYSTEM_PYTHON, "-c", "import azure.mgmt.compute, msal"], capture_output=True, check=False)
    if has.returncode != 0:
        return Peer(name, "no azure-mgmt-compute for " + SYSTEM_PYTHON)
    return measure(name, world, [SYSTEM_PYTHON, os.path.join(HERE, "peer_sdk.py")])


def azure_cli(world):
    """A script of lists: galleries, the definitions of each, the versions of each definition. Lists tell less than a GET: no replication status."""
    name = "az lists"
    if not shutil.which("az"):
        return Peer(name, "no az (make clients-install)")
    url = f"https://localhost:{world.azure.port}"
    env = {**sdk_environment(world), "AZURE_CONFIG_DIR": world.path("az"), "AZURE_EXTENSION_DIR": world.path("az-extensions"), "AZURE_CORE_COLLECT_TELEMETRY": "0"}

    def az(*words):
        done = subprocess.run(["az", *words, "-o", "none"], env=env, cwd=world.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"az {words[0]} {words[1]}: {done.stderr.strip()[-200:]}")

    peer = Peer(name)
    script = world.path("sweep.sh")
    with open(script, "w", encoding="utf-8") as file:
        file.write("set -e\naz sig list --query '[].name' -o tsv >/dev/null\n")
        for _, gallery in estate.galleries_of(world.size):
            file.write(f"az sig image-definition list -g {estate.GROUP} -r {gallery} >/dev/null\n")
            for definition in estate.definitions_of(world.size, gallery):
                file.write(f"az sig image-version list -g {estate.GROUP} -r {gallery} -i {definition} >/dev/null\n")
    try:
        az("cloud", "register", "-n", "simulator", "--endpoint-resource-manager", url, "--endpoint-active-directory", url + "/adfs",
           "--endpoint-active-directory-resource-id", url + "/", "--endpoint-active-directory-graph-resource-id", url + "/")
        az("cloud", "set", "-n", "simulator")
        az("login", "--service-principal", "-u", CLIENT, "-p", SECRET, "--tenant", "adfs")
    except RuntimeError as error:
        peer.why = str(error)
        return peer
    before, err = len(world.azure.log()), world.path("az.err")
    code, peer.wall, peer.cpu, peer.rss = process.run_to_end(["/bin/sh", script], env, "/dev/null", err, SECONDS_MAX)
    peer.requests = len(of_arm(world.azure.log()[before:]))
    if code != 0:
        with open(err, encoding="utf-8", errors="replace") as file:
            peer.why = f"exit {code}: {file.read().strip()[-200:]}"
    return peer
