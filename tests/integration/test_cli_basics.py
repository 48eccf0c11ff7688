#!/usr/bin/env python3
"""The command line: help, wrong usage, suggestions, validation."""
import json
import re

from harness import DEMO, GALLERY, Case, definition_document, main, small_documents, until


class CommandLine(Case):
    def test_help_names_every_verb_and_goes_to_stdout(self):
        done = self.galleryd("--help")
        for verb in ("run", "demo", "plan", "apply", "validate", "render", "simulate", "get", "events", "wait", "explain", "crds", "version"):
            self.assertRegex(done.stdout, rf"\b{verb}\b")
        self.assertEqual(done.stderr, "")

    def test_each_verb_has_its_own_help(self):
        for verb in ("run", "plan", "apply", "validate", "simulate"):
            self.assertIn("--", self.galleryd(verb, "--help").stdout, verb)
        self.assertIn("--allow-deletes", self.galleryd("run", "--help").stdout)
        self.assertIn("--time-scale", self.galleryd("simulate", "--help").stdout)

    def test_version_names_the_program_and_the_pinned_api_version(self):
        done = self.galleryd("version")
        self.assertRegex(done.stdout, r"galleryd \d+\.\d+\.\d+")
        self.assertIn("2024-03-03", done.stdout)

    def test_wrong_usage_is_64_and_explained_on_stderr(self):
        for words in ([], ["plan", "--no-such-flag"], ["run"], ["validate"], ["run", "--source", "dir:x", "--azure"], ["simulate", "--time-scale", "fast"],
                      ["run", "--source", "ftp://x"], ["run", "--source", "dir:x", "--credential", "nonsense"],
                      ["plan", "x", "--credential", "nonsense"], ["doctor", "--credential", "nonsense"], ["run", "--source", "dir:x", "--credential", "none", "--arm-share", "0"]):
            done = self.galleryd(*words, expect=64)
            self.assertEqual(done.stdout, "", words)
            self.assertTrue(done.stderr.strip(), words)

    def test_a_port_that_is_taken_has_a_code_and_a_way_out(self):
        azure = self.simulate({"resources": []})
        taken = azure.url.split("//")[1]
        for words in (["simulate", "--listen", taken], ["demo", "--listen", taken, "--http", "127.0.0.1:0"], ["demo", "--http", taken]):
            done = self.galleryd(*words, expect=1)
            self.assertIn("another program listens there already", done.stderr, words)
            self.assertIn("galleryd explain GD5027", done.stderr, words)

    def test_an_estate_with_an_unknown_key_is_refused_by_name(self):
        estate = self.write("azure.json", '{"resources": [], "unreadableSubscription": []}')
        for words in (["simulate", "--state", estate], ["doctor", "--azure", "simulator", "--simulator-state", estate]):
            self.assertIn('did you mean "unreadableSubscriptions"?', self.galleryd(*words, expect=64).stderr)

    def test_a_source_that_is_not_there_is_told_with_its_code_once_and_what_to_do(self):
        done = self.galleryd("plan", self.path("nowhere"), "--azure", "simulator", "--state-dir", self.path("state"), expect=64)
        self.assertEqual(done.stderr.count("GD4001"), 2, done.stderr)   # (GD4001, see `galleryd explain GD4001`)
        self.assertIn("name the folder that is meant with --source dir:PATH", done.stderr)
        daemon = self.daemon("simulator", self.path("nowhere")).ready()
        until(lambda: "name the folder that is meant" in daemon.errors(), "the daemon says so too", 20, process=daemon)

    def test_a_mistyped_verb_is_guessed(self):
        done = self.galleryd("plna", expect=64)
        self.assertRegex(done.stderr, r"(?i)did you mean .*\bplan\b")
        self.assertRegex(self.galleryd("validte", expect=64).stderr, r"\bvalidate\b")

    def test_crds_prints_the_four_kinds(self):
        text = self.galleryd("crds").stdout
        for kind in ("Gallery", "ImageDefinition", "ImageVersion", "LifecyclePolicy"):
            self.assertRegex(text, rf"(?m)^ *kind: {kind}$")

    def test_explain_knows_the_code_that_validate_prints(self):
        path = self.write("bad.yaml", GALLERY.replace("location:", "locaton:"))
        code = re.search(r"GD\d{4}", self.galleryd("validate", path, expect=1).stderr + self.galleryd("validate", path, expect=1).stdout).group(0)
        done = self.galleryd("explain", code)
        self.assertIn(code, done.stdout)
        self.assertGreater(len(done.stdout), 80)
        self.assertIn(self.galleryd("explain", "GD9999", expect=None).returncode, (1, 64))


class Validation(Case):
    def test_the_demo_estate_is_valid(self):
        self.galleryd("validate", DEMO)

    def test_a_valid_file_is_silent_about_problems(self):
        path = self.write("good.yaml", small_documents())
        answer = json.loads(self.galleryd("validate", path, "-o", "json").stdout)
        self.assertNotIn("GD", json.dumps(answer))

    def test_a_fault_is_named_with_file_line_column_field_and_code(self):
        path = self.write("bad.yaml", GALLERY + "---\n" + definition_document().replace("osType: Linux", "osType: Lunix"))
        done = self.galleryd("validate", path, expect=1)
        said = done.stdout + done.stderr
        line = (GALLERY + "---\n" + definition_document().replace("osType: Linux", "osType: Lunix"))[:].split("\n").index("  osType: Lunix") + 1
        self.assertRegex(said, rf"bad\.yaml:{line}:\d+")
        self.assertIn("osType", said)
        self.assertRegex(said, r"GD\d{4}")
        self.assertIn("Linux", said)

    def test_a_misspelt_region_is_guessed(self):
        path = self.write("bad.yaml", small_documents().replace("{name: canadacentral", "{name: canadcentral"))
        self.assertIn("canadacentral", (lambda done: done.stdout + done.stderr)(self.galleryd("validate", path, expect=None)))

    def test_render_shows_defaults(self):
        path = self.write("good.yaml", small_documents())
        rendered = self.galleryd("render", path).stdout
        for word in ("adoption", "Never", "replicationMode", "Full", "Standard_LRS"):
            self.assertIn(word, rendered)


if __name__ == "__main__":
    main()
