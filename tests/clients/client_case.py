"""Clients that Microsoft wrote, against `galleryd simulate` over TLS: its own CA is the only one they trust here, its address
the only one they can reach."""
import os
import re
import socket
import subprocess
import sys
import threading
from datetime import datetime

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))
import harness  # noqa: E402
from harness import Case, environment, gallery_id, image_id, managed_image, requests, resource_group, small_azure, until  # noqa: E402

CLIENT = "11111111-2222-3333-4444-555555555555"
SECRET = "a secret+of=some&length"
# What goes wrong in the life of an image: a region of one version fails, and one list is throttled once.
FAULTS = """
- match: {method: PUT, path: "*/versions/1.0.1"}
  do: {failRegion: eastus2}
- match: {method: GET, path: "*/galleries/golden/images", count: 1}
  do: {status: 429, code: OperationNotAllowed, message: "The server rejected the request because too many requests have been received.", retryAfter: 1}
"""
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
SECONDS_MAX = 400   # a loaded machine; alone the slowest script takes a tenth of it
SKIPPED = 77        # what ctest calls "skipped" (cmake/folders.cmake)


class Outside:
    """The proxy for everything that is not this machine. It refuses all and remembers who was asked for: a client that calls a
    public host fails, on a machine with internet too."""

    def __init__(self):
        self.asked = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._refuse, daemon=True).start()

    def _refuse(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    self.asked.append(connection.recv(2000).decode(errors="replace").split("\r\n")[0])
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                except OSError as error:
                    self.asked.append(str(error))

    def close(self):
        self.socket.close()


class ClientCase(Case):
    MAY_ASK = ()   # public hosts that the client may try, in vain, for reasons of its own

    def setUp(self):
        super().setUp()
        self.outside = Outside()
        self.addCleanup(self.outside.close)

    def tearDown(self):
        wrong = [line for line in self.outside.asked if not any(host in line for host in self.MAY_ASK)]
        self.assertEqual(wrong, [], "a client asked for a public host")
        super().tearDown()

    def azure(self, state=None, faults="", time_scale=600):
        """A simulator that speaks TLS; .port, .requests() as in harness. Seven minutes pass in 0.7 s."""
        estate = self.write("azure.json", harness.json.dumps({**(state or small_azure()), "secrets": {CLIENT: SECRET}}))
        log = self.path("azure.requests")
        more = ["--faults", self.write("faults.yaml", faults)] if faults else []
        child = self.start("simulate", "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0", "--tls-dir", self.path("tls"), "--state", estate,
                           "--time-scale", time_scale, "--log-requests", log, *more, name="azure")
        found = until(lambda: re.search(r"^galleryd: listening on https://127\.0\.0\.1:(\d+)$", child.output(), re.MULTILINE), "the address", process=child)
        child.port = int(found.group(1))
        child.ready()   # .url is the plain face, for managed identities
        child.requests = lambda: requests(log)
        return child

    def client_environment(self, **more):
        authority = self.path("tls", "ca.pem")
        return environment(HTTPS_PROXY=self.outside.url, HTTP_PROXY=self.outside.url, NO_PROXY="localhost,127.0.0.1", https_proxy=self.outside.url,
                           no_proxy="localhost,127.0.0.1", REQUESTS_CA_BUNDLE=authority, NODE_EXTRA_CA_CERTS=authority, **more)

    def certificate(self):
        """A file with a key and its certificate, as a person makes them for a service principal."""
        path = self.path("client.pem")
        if not os.path.exists(path):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=client", "-days", "2", "-keyout", path, "-out", path + ".crt"],
                           check=True, capture_output=True, timeout=60)
            with open(path, "a", encoding="utf-8") as both, open(path + ".crt", encoding="utf-8") as certificate:
                both.write(certificate.read())
        return path

    def assert_asked(self, azure, method, path_end, status, api=None):
        """The simulator was asked this, and answered so: what the client printed came from here."""
        for entry in azure.requests():
            if entry["method"] == method and entry["path"].lower().endswith(path_end.lower()) and entry["status"] == status and \
                    (api is None or entry["apiVersion"] == api):
                return
        seen = "\n".join(f"{one['method']} {one['path']} {one['apiVersion']} {one['status']}" for one in azure.requests())
        self.fail(f"not asked: {method} …{path_end} {api or ''} {status}; asked were\n{seen}")

    def assert_polled_without_delay(self, azure):
        """A poll comes when Retry-After says so. Without that header the clients wait for thirty seconds between two polls: nothing
        would fail, everything would take half a minute longer."""
        log = azure.requests()
        polls = [(before, after) for before, after in zip(log, log[1:]) if "/capsoperations/" in after["path"].lower()]
        self.assertTrue(polls, "no operation was followed")
        for before, after in polls:
            waited = datetime.fromisoformat(after["time"]) - datetime.fromisoformat(before["time"])
            self.assertLess(waited.total_seconds(), 20, f"before {after['path']}, after {before['method']} {before['path']}")

    def assert_replicated(self, version, regions):
        """Every one of these regions, and no other, has its copy."""
        status = version["replicationStatus"]
        self.assertEqual(status["aggregatedState"], "Completed", status)
        self.assertEqual({harness.region_of(one["region"]): (one["state"], one["progress"]) for one in status["summary"]},
                         {region: ("Completed", 100) for region in regions})


def estate_with_pages():
    """More galleries and more versions than one page of fifty holds. The groups' names sort one way as names and the other way as
    parts of ids ('-' is before '/'), which a page that continues "behind the last id" must not stumble over."""
    def of(name, **properties):
        return {"id": name, "location": "canadacentral", "properties": properties}

    definition = f"{gallery_id()}/images/ubuntu"
    regions = {"targetRegions": [{"name": "canadacentral", "regionalReplicaCount": 1}]}
    return {"resources": [
        resource_group(), resource_group("rg-test-2"), managed_image("packer-1"), of(gallery_id()),
        *[of(gallery_id(f"more{number}", group)) for group in ("rg-test", "rg-test-2") for number in range(30)],
        of(definition, osType="Linux", osState="Generalized", hyperVGeneration="V2", identifier={"publisher": "c", "offer": "u", "sku": "s"}),
        *[of(f"{definition}/versions/1.0.{number}", publishingProfile=regions, storageProfile={"source": {"id": image_id("packer-1")}}) for number in range(120)]]}


def regions_of(version):
    """{region: replicas} of a version as a client prints it."""
    return {harness.region_of(one["name"]): one["regionalReplicaCount"] for one in version["publishingProfile"]["targetRegions"]}


def main(missing):
    """`missing`: what this machine lacks for the script, or None. CI has everything, so there it is a failure."""
    if missing:
        print(f"{missing}; tests/clients/install brings it where a package mirror can be reached")
        sys.exit(1 if os.environ.get("CI", "").lower() in ("true", "1") else SKIPPED)
    harness.main(SECONDS_MAX)
