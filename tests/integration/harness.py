"""What the end-to-end tests share: processes with a deadline, a small estate, an ARM client. Standard library only.

Every wait polls something observable with a deadline; nothing sleeps a fixed time. Ports are picked by the OS."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

GALLERYD = os.environ.get("GALLERYD", "")
SOURCE = os.environ.get("GALLERYD_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("GALLERYD_BUILD") or os.path.join(SOURCE, "build/release")
DEMO = os.path.join(SOURCE, "manifests/demo")
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
API = "2024-03-03"
NO_CHANGES = "No changes. Azure matches the manifests."
WRITES = ("PUT", "PATCH", "POST", "DELETE")
SCRIPT_SECONDS_MAX = 115

if not GALLERYD and os.access(os.path.join(BUILD, "galleryd"), os.X_OK):
    GALLERYD = os.path.join(BUILD, "galleryd")


def environment(**more):
    """No setting of the machine reaches the program, and no proxy."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
    return {**kept, "HOME": "/nonexistent", "TZ": "UTC", "NO_COLOR": "1", **more}


def until(condition, what, seconds=30.0, every=0.02, process=None):
    """Polls until condition() is true; returns its value. Fails with `what`, and with the process's last words when it has died."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if process is not None and process.poll() is not None:
            raise AssertionError(f"{what}: the process ended with {process.poll()}\n{process.tail()}")
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}\n{process.tail() if process is not None else ''}")
        time.sleep(every)


class Process:
    """A galleryd that runs on, its output in files. `url` is set once it said that it listens."""

    def __init__(self, arguments, folder, name, env=None, before=()):
        self.arguments = [*before, GALLERYD, *arguments]
        self.name = name
        self.out = os.path.join(folder, f"{name}.out")
        self.err = os.path.join(folder, f"{name}.err")
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.child = subprocess.Popen(self.arguments, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=env or environment(),
                                          cwd=folder, start_new_session=True)
        self.url = None

    def poll(self):
        return self.child.poll()

    def output(self):
        with open(self.out, encoding="utf-8", errors="replace") as file:
            return file.read()

    def errors(self):
        with open(self.err, encoding="utf-8", errors="replace") as file:
            return file.read()

    def tail(self):
        return f"--- {self.name} stdout\n{self.output()[-1500:]}\n--- {self.name} stderr\n{self.errors()[-3000:]}"

    def ready(self, seconds=20.0):
        found = until(lambda: re.search(r"^galleryd: listening on (http://\S+)$", self.output(), re.MULTILINE),
                      f"{self.name}: the line 'galleryd: listening on …'", seconds, process=self)
        self.url = found.group(1).rstrip("/")
        return self

    def signal(self, number):
        if self.child.poll() is None:
            self.child.send_signal(number)

    def wait(self, seconds=10.0):
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {seconds:g} s\n{self.tail()}") from None

    def kill(self):
        if self.child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()


class Case(unittest.TestCase):
    """A temporary folder, and children that never outlive the test."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="galleryd-test-")
        self.children = []
        self.addCleanup(self._end)

    def _end(self):
        for child in self.children:
            child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self, *arguments, name=None, env=None, before=()):
        """`before`: a command that runs galleryd, such as strace."""
        child = Process([str(word) for word in arguments], self.folder, name or f"{arguments[0]}{len(self.children)}", env, before)
        self.children.append(child)
        return child

    def galleryd(self, *arguments, expect=0, seconds=60, env=None, cwd=None):
        """Runs one command to its end; checks the exit code (None: any)."""
        words = [GALLERYD, *[str(word) for word in arguments]]
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=seconds, check=False,
                              env=env or environment(), cwd=cwd or self.folder)
        if expect is not None and done.returncode != expect:
            self.fail(f"{' '.join(arguments if all(isinstance(a, str) for a in arguments) else map(str, arguments))}: exit {done.returncode}, "
                      f"expected {expect}\n--- stdout\n{done.stdout[-3000:]}\n--- stderr\n{done.stderr[-3000:]}")
        return done

    def simulate(self, state, *arguments, time_scale=600, name="simulate"):
        """A running simulator over a copy of the estate; .requests() are what it was asked."""
        file = self.path(f"{name}.json")
        with open(file, "w", encoding="utf-8") as out:
            json.dump(state, out)
        log = self.path(f"{name}.requests")
        child = self.start("simulate", "--listen", "127.0.0.1:0", "--state", file, "--time-scale", time_scale, "--log-requests", log,
                           "--limits", "none", *arguments, name=name)
        child.requests = lambda: requests(log)
        return child.ready()

    def daemon(self, azure, source, *arguments, name="run", state=None, interval="1s", instance="test"):
        return self.start("run", "--source", f"dir:{source}", "--azure", azure, "--credential", "none", "--state-dir", state or self.path("state"),
                          "--http", "127.0.0.1:0", "--interval", interval, "--instance", instance, "--log-format", "json", *arguments, name=name)

    def write(self, name, text):
        """Writes a file in one go, as an editor that saves by renaming."""
        path = name if os.path.isabs(name) else self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new~", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new~", path)
        return path


def requests(log):
    """The simulator's log, whole lines only."""
    if not os.path.exists(log):
        return []
    with open(log, encoding="utf-8") as file:
        return [json.loads(line) for line in file.read().split("\n")[:-1] if line]


QUERIES = "Microsoft.ResourceGraph/resources"      # a POST that reads


def writes(log):
    return [entry for entry in log if entry["method"] in WRITES and not entry["path"].endswith(QUERIES)]


def get(url, seconds=10, headers=None):
    """(status, text); a connection that is refused is status 0."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return 0, ""


def metric(url, name, **labels):
    """The sum of the samples of one metric whose labels include these; None when there is none."""
    total = None
    for line in get(url + "/metrics")[1].splitlines():
        match = re.match(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$", line)
        if match and match.group(1) == name:
            have = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match.group(2) or ""))
            if all(have.get(key) == value for key, value in labels.items()):
                total = (total or 0.0) + float(match.group(3))
    return total


class Arm:
    """Asks the simulator as a client of Azure would."""

    def __init__(self, url):
        self.url = url

    def get(self, path, expand=""):
        status, text = get(f"{self.url}{path}?api-version={API}{expand}")
        if status == 404:
            return None
        if status != 200:
            raise AssertionError(f"GET {path}: {status} {text[:500]}")
        return json.loads(text)

    def send(self, method, path, body=None, api=API):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}?api-version={api}", data=data, method=method, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()

    def list(self, path):
        found, url = [], f"{self.url}{path}?api-version={API}"
        while url:
            status, text = get(url)
            if status != 200:
                raise AssertionError(f"GET {url}: {status} {text[:500]}")
            page = json.loads(text)
            found += page["value"]
            url = page.get("nextLink")
        return found

    def version(self, definition, number, gallery=None):
        return self.get(f"{gallery or gallery_id()}/images/{definition}/versions/{number}", "&$expand=ReplicationStatus")

    def versions(self, definition, gallery=None):
        return sorted((one["name"] for one in self.list(f"{gallery or gallery_id()}/images/{definition}/versions")), key=number_of)

    def tree(self):
        """Everything in every gallery of the subscription, for comparing two runs."""
        found = []
        for gallery in self.list(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/galleries"):
            found.append(gallery)
            for definition in self.list(gallery["id"] + "/images"):
                found.append(definition)
                found += [self.get(one["id"]) for one in self.list(definition["id"] + "/versions")]
        return sorted((settled(one) for one in found), key=lambda one: one["id"])


def number_of(text):
    return tuple(int(part) for part in text.split("."))


def region_of(name):
    return name.replace(" ", "").lower()


def settled(resource):
    """A resource without what two equal histories may differ in: times, order and spelling."""
    def clean(value, key=""):
        if isinstance(value, dict):
            return {name: clean(part, name) for name, part in value.items()
                    if name not in ("publishedDate", "uniqueName", "replicationStatus", "etag", "galleryd-delete-after")}
        if isinstance(value, list):
            return sorted((clean(part, key) for part in value), key=lambda part: json.dumps(part, sort_keys=True))
        if key in ("id", "name") and isinstance(value, str):
            return region_of(value) if " " in value else value.lower()
        return value
    return clean(resource)


# ---- a small estate ----

def group_id(group="rg-test"):
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"


def gallery_id(name="golden", group="rg-test"):
    return f"{group_id(group)}/providers/Microsoft.Compute/galleries/{name}"


def image_id(name):
    return f"{group_id()}/providers/Microsoft.Compute/images/{name}"


def resource_group(name="rg-test", location="canadacentral"):
    return {"id": group_id(name), "name": name, "type": "Microsoft.Resources/resourceGroups", "location": location,
            "properties": {"provisioningState": "Succeeded"}}


def managed_image(name, location="canadacentral"):
    return {"name": name, "id": image_id(name), "type": "Microsoft.Compute/images", "location": location,
            "properties": {"storageProfile": {"osDisk": {"osType": "Linux", "osState": "Generalized", "diskSizeGB": 30, "caching": "ReadWrite",
                                                         "storageAccountType": "Standard_LRS"}, "dataDisks": []},
                           "hyperVGeneration": "V2", "provisioningState": "Succeeded"}}


def small_azure(images=4):
    """A resource group and some managed images: everything else is to be made."""
    return {"resources": [resource_group(), *[managed_image(f"packer-{number}") for number in range(1, images + 1)]]}


GALLERY = f"""apiVersion: galleryd.io/v1alpha1
kind: Gallery
metadata: {{name: golden, namespace: images}}
spec:
  subscriptionId: {SUBSCRIPTION}
  resourceGroup: rg-test
  location: canadacentral
  description: Test images
"""

DEFINITION = """apiVersion: galleryd.io/v1alpha1
kind: ImageDefinition
metadata: {{name: {name}, namespace: images}}
spec:
  gallery: golden
  identifier: {{publisher: Contoso, offer: Ubuntu, sku: {name}}}
  osType: Linux
  osState: Generalized
  hyperVGeneration: V2
  architecture: x64
  description: {description}
"""

VERSION = """apiVersion: galleryd.io/v1alpha1
kind: ImageVersion
metadata: {{name: {definition}-{number}, namespace: images}}
spec:
  imageDefinition: {definition}
  version: {number}
  source: {{managedImage: {source}}}
  targetRegions:
    - {{name: canadacentral, replicas: {replicas}}}
{more}"""


def definition_document(name="ubuntu", description="Ubuntu"):
    return DEFINITION.format(name=name, description=description)


def version_document(number="1.0.0", definition="ubuntu", image="packer-1", replicas=1, regions=(), deletion_policy=None):
    more = "".join(f"    - {{name: {region}, replicas: 1}}\n" for region in regions)
    if deletion_policy:
        more += f"  deletionPolicy: {deletion_policy}\n"
    return VERSION.format(definition=definition, number=number, source=image_id(image), replicas=replicas, more=more)


def small_documents(versions=1, **options):
    return "---\n".join([GALLERY, definition_document(), *[version_document(f"1.0.{number}", **options) for number in range(versions)]])


def main(seconds=SCRIPT_SECONDS_MAX):
    """Runs the script's tests under a hard limit: a hang becomes a failure with a stack, children die with it."""
    if not GALLERYD:
        print("galleryd is not built: make build, or set GALLERYD")
        sys.exit(1)

    def out_of_time(*_):
        signal.alarm(3)   # the tests that are left get no time either
        raise AssertionError(f"the whole script may take {seconds} s")

    signal.signal(signal.SIGALRM, out_of_time)
    signal.signal(signal.SIGTERM, out_of_time)
    signal.alarm(seconds)
    unittest.main(verbosity=2)
