#!/usr/bin/env python3
"""Bad input of every kind (reliability S2, S3, S5, S6, A1, A2, B4, T2): one clear error each, bounded time and memory, the others go on."""
import json
import os
import re
import resource
import subprocess
import time

from harness import GALLERY, GALLERYD, Arm, Case, definition_document, environment, gallery_id, get, main, small_azure, small_documents, until, version_document, writes

CODE = re.compile(r"GD\d{4}")
MEMORY_MAX = 192 * 1024 * 1024   # of the whole process, for a megabyte of hostile input
SECONDS_MAX = 5.0                # on a machine that does other things too; the figure itself is measured by the unit tests


class Rejected(Case):
    """validate: exit 1, a code, a place, no crash, no hang."""

    def check(self, text, *expected, name="bad.yaml", problems=None):
        path = self.write(name, text) if isinstance(text, str) else self.write_bytes(name, text)
        began = time.monotonic()
        child = subprocess.Popen([GALLERYD, "validate", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), cwd=self.folder,
                                 preexec_fn=None)
        out, err = child.communicate(timeout=30)
        said = (out + err).decode(errors="replace")
        self.assertEqual(child.returncode, 1, f"{name}: exit {child.returncode}\n{said[-2000:]}")
        self.assertLess(time.monotonic() - began, SECONDS_MAX, name)
        self.assertRegex(said, CODE)
        self.assertIn(os.path.basename(name), said)
        for part in expected:
            self.assertRegex(said, part)
        if problems is not None:
            self.assertEqual(len(re.findall(rf"{re.escape(os.path.basename(name))}:\d+:\d+", said)), problems, said)
        return said

    def write_bytes(self, name, content):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_text_that_is_no_yaml(self):
        good = small_documents()
        self.check(good.replace("spec:", "spec: [", 1))
        self.check("<<<<<<< HEAD\n" + good + "=======\n>>>>>>> theirs\n")
        self.check(good[:len(good) // 2] + "\n   - {")
        self.check(good.replace("  location", "\tlocation", 1))
        self.check(",")
        self.check("\x00\x01\x02", name="binary.yaml")
        self.check(b"\xff\xfe\x00a", name="utf16.yaml")
        self.check(b"kind: \xc3\x28\n", name="bad_utf8.yaml")
        self.check("{" + good, name="bad.json")

    def test_keys_that_are_unknown_or_there_twice(self):
        self.check(GALLERY + "  locaton: westus\n", r"locaton", r"location")
        self.check(GALLERY + "  location: westus\n", r"location", r"(?i)twice|duplicate|already")
        self.check(GALLERY.replace("kind: Gallery", "kind: Galery"), r"Galery", r"Gallery")
        self.check(GALLERY.replace("v1alpha1", "v9"), r"v9")

    def test_alias_bombs_depth_and_size(self):
        bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8))
        for name, text in (("bomb.yaml", bomb), ("cycle.yaml", "a: &x [*x]\n"), ("deep.yaml", "a: " + "[" * 20000), ("deeper.json", "[" * 200000),
                           ("scalar.yaml", GALLERY + "  description: " + "x" * 900_000 + "\n"),
                           ("keys.yaml", GALLERY + "  tags:\n" + "".join(f"    k{n}: v\n" for n in range(60_000))),
                           ("huge.yaml", "# " + "x" * 40_000_000 + "\n")):
            with self.subTest(name):
                self.check(text, name=name)
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        self.assertLess(used, MEMORY_MAX if "ASAN_OPTIONS" not in os.environ else 10 * MEMORY_MAX)

    def test_values_at_and_beyond_the_edge(self):
        good = small_documents()
        for wrong, expected in [("replicas: 0", "replicas"), ("replicas: -1", "replicas"), ("replicas: 101", "replicas"), ("replicas: 1000000000", "replicas"),
                                ("replicas: 99999999999999999999", "99999999999999999999"), ("replicas: 1.5", "replicas"), ("replicas: many", "replicas")]:
            with self.subTest(wrong):
                self.check(good.replace("replicas: 1}", wrong + "}", 1), expected)
        for wrong in ("1.2", "1.2.3.4", "1.2.x", "01.2.3", "1.2.2147483648", "v1.0.0", '""'):
            with self.subTest(wrong):
                self.check(good.replace("version: 1.0.0", f"version: {wrong}"), "version")
        self.check(small_documents(regions=["Canada Central"]), "Canada Central", "canadacentral", "one region")
        self.check(good.replace("name: canadacentral, replicas: 1", "name: canadaeast, replicas: 1"), "(?i)source region|canadacentral")
        self.check(good.replace("azureName", "x").replace("spec:\n  subscriptionId", "spec:\n  azureName: has-dash\n  subscriptionId"), "azureName")
        self.check(good.replace("  description: Ubuntu", "  endOfLifeDate: 2029-02-30\n  description: Ubuntu"), "endOfLifeDate")
        self.check(good.replace("  description: Ubuntu", "  endOfLifeDate: tomorrow\n  description: Ubuntu"), "endOfLifeDate")
        self.check(good.replace("imageDefinition: ubuntu", "imageDefinition: ubunut"), "ubunut", "ubuntu")

    def test_names_that_would_reach_into_a_request(self):
        for name in ("../other", "a/b", "a%2fb", "a?b", "a#b", "a b", "a\\nb", "golden\\u0000", "gölden", "a" * 200):
            with self.subTest(name):
                self.check(GALLERY.replace("spec:\n", f'spec:\n  azureName: "{name}"\n'), "azureName|control character")
        self.check(GALLERY.replace("resourceGroup: rg-test", 'resourceGroup: "../rg"'), "resourceGroup")

    def test_two_documents_that_claim_one_resource_are_both_refused(self):
        said = self.check(small_documents() + "---\n" + version_document("1.0.0").replace("name: ubuntu-1.0.0", "name: another"))
        self.assertIn("another", said)
        self.assertIn("ubuntu-1.0.0", said)

    def test_each_fault_is_reported_once_and_all_of_them(self):
        text = small_documents().replace("osType: Linux", "osType: Lunix").replace("replicas: 1}", "replicas: 0}").replace("location: canadacentral", "location: canadacentrl")
        said = self.check(text, "osType", "replicas", "canadacentrl")
        self.assertEqual(len(re.findall(r"bad\.yaml:16:\d+", said)), 1, said)


class InAFolder(Case):
    """The same through the daemon's eyes: files that are no files, links that lead out, one bad scope among good ones."""

    def setUp(self):
        super().setUp()
        self.azure = self.simulate(small_azure(), time_scale=6000)
        self.arm = Arm(self.azure.url)
        self.write("manifests/gallery.yaml", GALLERY)
        self.write("manifests/ubuntu.yaml", definition_document() + "---\n" + version_document())

    def run_until_made(self, *definitions):
        daemon = self.daemon(self.azure.url, self.path("manifests"), "--allow-deletes", "--prune").ready()
        for name in definitions:
            until(lambda name=name: self.arm.get(gallery_id()) and self.arm.get(f"{gallery_id()}/images/{name}") and self.arm.version(name, "1.0.0"),
                  f"{name} is made", 30, process=daemon)
        return daemon

    def test_a_bad_scope_does_not_hold_up_the_good_ones_and_recovers(self):
        bad = definition_document("rhel") + "---\n" + version_document("1.0.0", "rhel", "packer-2", replicas=0)
        self.write("manifests/rhel.yaml", bad)
        daemon = self.run_until_made("ubuntu")
        self.assertEqual([entry["path"] for entry in writes(self.azure.requests()) if "/images/rhel/versions" in entry["path"]], [])
        self.write("manifests/rhel.yaml", bad.replace("replicas: 0", "replicas: 1"))
        until(lambda: self.arm.get(f"{gallery_id()}/images/rhel") and self.arm.version("rhel", "1.0.0"), "rhel is made once it is right", 30, process=daemon)

    def test_links_and_things_that_are_no_files_are_not_followed(self):
        outside = self.write("outside/secret.yaml", definition_document("outside").replace("Ubuntu", "Outside"))
        os.symlink(outside, self.path("manifests", "link.yaml"))
        os.symlink("/etc/passwd", self.path("manifests", "passwd.yaml"))
        os.symlink("../outside", self.path("manifests", "folder"))
        os.symlink("loop.yaml", self.path("manifests", "loop.yaml"))
        os.mkfifo(self.path("manifests", "pipe.yaml"))
        os.mkdir(self.path("manifests", "folder.yaml"))
        daemon = self.run_until_made("ubuntu")
        seen = len(self.azure.requests())
        until(lambda: len(self.azure.requests()) > seen + 10, "it goes on", 20, process=daemon)
        self.assertIsNone(self.arm.get(f"{gallery_id()}/images/outside"))
        self.assertNotIn("root:x:0", daemon.errors() + daemon.output())

    def test_a_file_that_may_not_be_read_is_unreadable_and_not_removed(self):
        daemon = self.run_until_made("ubuntu")
        os.rename(self.path("manifests/ubuntu.yaml"), self.path("kept.yaml"))
        os.mkdir(self.path("manifests/ubuntu.yaml"))   # also root cannot read this as a file
        seen = len(self.azure.requests())
        until(lambda: len(self.azure.requests()) > seen + 20, "several looks", 20, process=daemon)
        self.assertEqual([entry for entry in self.azure.requests() if entry["method"] == "DELETE"], [])

    def conditions(self, daemon):
        """name -> (Ready, reason, message)"""
        found = {}
        for kind in ("galleries", "definitions", "versions", "policies"):
            done = self.galleryd("get", kind, "--server", daemon.url, "-o", "json", expect=None)
            for item in json.loads(done.stdout or '{"items": []}')["items"]:
                ready = next(one for one in item["conditions"] if one["type"] == "Ready")
                found[item["name"]] = (ready["status"], ready["reason"], ready["message"])
        return found

    def test_a_policy_that_is_gone_hides_nothing_and_a_broken_file_is_blamed_itself(self):
        policy = "apiVersion: galleryd.io/v1alpha1\nkind: LifecyclePolicy\nmetadata: {name: standard, namespace: images}\nspec:\n  retention: {keepNewest: 1, inUse: Ignore}\n"
        self.write("manifests/policy.yaml", policy)
        self.write("manifests/gallery.yaml", GALLERY + "  lifecyclePolicy: standard\n")
        daemon = self.run_until_made("ubuntu")
        os.rename(self.path("manifests/policy.yaml"), self.path("policy.kept"))
        until(lambda: self.conditions(daemon).get("standard", ("",))[0] == "False", "the policy says that it is gone", 20, process=daemon)
        shown = until(lambda: (lambda now: now.get("golden", ("",))[0] == "False" and now)(self.conditions(daemon)), "so does the gallery", 20, process=daemon)
        self.assertEqual(sorted(shown), ["golden", "standard", "ubuntu", "ubuntu-1.0.0"])
        self.assertIn("its document is gone, and Gallery/images/golden names it", shown["standard"][2])
        self.assertIn("GD1032", shown["golden"][2])
        until(lambda: "stays in force" in self.conditions(daemon)["ubuntu-1.0.0"][2], "the version is in order, on its last good content", 20, process=daemon)
        os.rename(self.path("policy.kept"), self.path("manifests/policy.yaml"))
        until(lambda: {one[0] for one in self.conditions(daemon).values()} == {"True"}, "all is well again", 20, process=daemon)

        self.write("manifests/ubuntu.yaml", definition_document() + "\t: {\n")
        self.write("manifests/version.yaml", version_document())
        shown = until(lambda: (lambda now: now["ubuntu"][0] == "False" and now)(self.conditions(daemon)), "the definition's file is broken", 20, process=daemon)
        self.assertEqual(shown["ubuntu"][1], "InvalidSpec")
        self.assertRegex(shown["ubuntu"][2], r"ubuntu\.yaml:\d+: GD1")
        self.assertEqual(shown["ubuntu-1.0.0"][0], "True", shown)
        until(lambda: re.search(r"^\[\+\]sources ok; dir:\S+: \d documents are not valid \(galleryd get sources\)$", get(daemon.url + "/readyz?verbose")[1], re.MULTILINE),
              "the readiness page names it", 10, process=daemon)
        events = self.galleryd("events", "--server", daemon.url).stdout
        self.assertEqual(events.count("BrakeEngaged"), 1, events)   # when the policy, one of four, was gone; not for a broken file
        self.assertEqual(events.count("galleryd approve"), 1, events)

    def test_problems_are_shown_by_the_client_and_in_json(self):
        self.write("manifests/rhel.yaml", definition_document("rhel").replace("osType: Linux", "osType: Lunix"))
        daemon = self.run_until_made("ubuntu")
        found = until(lambda: (lambda done: "rhel" in done.stdout and done)(self.galleryd("get", "sources", "--server", daemon.url, "-o", "json", expect=None)),
                      "the source's problem", 20, process=daemon)
        json.loads(found.stdout)


if __name__ == "__main__":
    main()
