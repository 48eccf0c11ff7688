"""An Azure with fixed service times, and galleryd beside it, each a process of its own, over HTTPS with a token as on the real road."""
import atexit
import json
import os
import re
import shutil
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
import estate  # noqa: E402
import harness  # noqa: E402
from harness import Process, environment, get, requests, until  # noqa: E402

SERVICE_TIMES = {"get": 60, "put": 150, "list": 400, "graph": 300}   # milliseconds (performance.md §5)
OPERATION_TIME = "7m"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT = "11111111-2222-3333-4444-555555555555"
SECRET = "bench-secret"


def is_graph(entry):
    return entry["policy"] == "ResourceGraphQuery"


def of_arm(log):
    """Without sign-in: a token lasts an hour, and who sweeps how often does not change that."""
    return [entry for entry in log if re.match(r"/+(subscriptions|providers|tenants)\b", entry["path"].lower())]


def writes(log):
    return [entry for entry in of_arm(log) if entry["method"] in ("PUT", "PATCH", "DELETE") or (entry["method"] == "POST" and not is_graph(entry))]


def seconds_of(entry):
    """When the request was answered, as Unix time."""
    from datetime import datetime
    return datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp()


class Shelf:
    """Estates on disk, written once for all benchmarks of a run: W100k is 300 MB."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="galleryd-bench-estates-")
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)

    def documents(self, size):
        path = os.path.join(self.folder, size.name.replace(" ", "-"))
        if not os.path.isdir(path):
            os.mkdir(path)
            estate.write_documents(size, path)
        return path

    def azure(self, size):
        path = os.path.join(self.folder, size.name.replace(" ", "-") + ".json")
        if not os.path.exists(path):
            estate.write_azure(size, path, tenants=[TENANT], secrets={CLIENT: SECRET})
        return path


SHELF = Shelf()


class World:
    """A simulator and what runs against it, in a temporary folder. Use as a context: nothing outlives it. `manifests`: documents
    instead of the size's own, which are shared and not to be changed."""

    def __init__(self, binary, size, manifests=None):
        harness.GALLERYD = binary
        self.size, self.azure, self.children = size, None, []
        self.folder = tempfile.mkdtemp(prefix="galleryd-bench-")
        self.manifests = manifests or SHELF.documents(size)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self, *arguments, name, env=None):
        child = Process([str(word) for word in arguments], self.folder, name, env or environment())
        self.children.append(child)
        return child

    def simulate(self, *arguments, limits="azure", service_times=True, noise=False, name="azure"):
        """Starts a simulator; .port is its TLS port, .url the plain one, .log() what it was asked."""
        state, log = SHELF.azure(self.size), self.path(f"{name}.requests")
        times = ",".join(f"{kind}={milliseconds}ms" for kind, milliseconds in SERVICE_TIMES.items())
        more = ["--service-times", times] if service_times else []
        child = self.start("simulate", "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0", "--tls-dir", self.path("tls"), "--state", state,
                           "--log-requests", log, "--limits", limits, "--operation-time", OPERATION_TIME, "--control", *more, *(["--noise"] if noise else []), *arguments, name=name)
        child.ready(seconds=120)
        child.port = int(re.search(r"https://127\.0\.0\.1:(\d+)", child.output()).group(1))
        child.log_file = log
        child.log = lambda: requests(log)
        self.azure = child
        return child

    def sign_in(self, **more):
        return environment(AZURE_TENANT_ID=TENANT, AZURE_CLIENT_ID=CLIENT, AZURE_CLIENT_SECRET=SECRET, **more)

    def azure_flags(self):
        return ["--azure", f"https://127.0.0.1:{self.azure.port}", "--azure-ca-file", self.path("tls", "ca.pem"), "--credential", "client-secret",
                "--instance", estate.INSTANCE]

    def daemon(self, *arguments, interval="60s", full_interval="24h", name="run"):
        return self.start("run", "--source", f"dir:{self.manifests}", *self.azure_flags(), "--state-dir", self.path(f"{name}.state"), "--http", "127.0.0.1:0",
                          "--interval", interval, "--full-interval", full_interval, "--log-format", "json", *arguments, name=name, env=self.sign_in())

    def change(self, changes, remove=()):
        """Behind everybody's back: no token, no limit, no line in the log."""
        body = json.dumps({"changes": [{"id": one, "patch": patch} for one, patch in changes], "remove": list(remove)}).encode()
        request = urllib.request.Request(self.azure.url + "/simulator/changes", data=body, method="POST", headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())


def wait_until_ready(daemon, seconds=150, every=0.05):
    """Until the daemon has looked at every document and at every scope once. Asking costs it about a hundredth of a millisecond."""
    daemon.ready(seconds)
    until(lambda: get(daemon.url + "/readyz")[0] == 200, "ready", seconds, every, daemon)
