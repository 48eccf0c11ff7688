#!/usr/bin/env python3
"""The switch that takes a point of the interlock out (controller/core/interlock_switch.h) is in the mutation tests and in nothing that ships."""
import json
import os
import unittest

WORDS = (b"galleryd interlock switch: no point", b"interlock_switch15is_switched_off")   # the test's own words; the function's name for the linker
DEFINITION = "GALLERYD_INTERLOCK_SWITCH"
BUILD = os.environ["GALLERYD_BUILD"]
SOURCE = os.environ["GALLERYD_SOURCE"]


def holds(path, words):
    with open(path, "rb") as file:
        return words in file.read()


class NoInterlockSwitch(unittest.TestCase):
    def test_the_mutation_tests_have_it_so_that_what_is_looked_for_can_be_found(self):
        for words in WORDS:
            self.assertTrue(holds(os.path.join(BUILD, "tests", "mutation_tests"), words), words)

    def test_the_program_and_its_libraries_do_not_have_it(self):
        libraries = [os.path.join(BUILD, name) for name in os.listdir(BUILD) if name.startswith("libgalleryd_") and name.endswith(".a")]
        self.assertGreater(len(libraries), 10)
        for path in [os.environ["GALLERYD"], *libraries]:
            for words in WORDS:
                self.assertFalse(holds(path, words), f"{path}: {words}")

    def test_only_files_of_the_mutation_tests_are_compiled_with_it(self):
        with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
            commands = json.load(file)
        with_it = [entry for entry in commands if DEFINITION in entry["command"]]
        self.assertTrue(any(entry["file"].endswith("/interlock.cc") for entry in with_it))
        for entry in with_it:
            self.assertIn("mutation_tests.dir", entry["command"], entry["file"])

    def test_only_its_header_asks_for_it(self):
        asking = []
        for top in ("controller", "reconcilers"):
            for folder, _, names in os.walk(os.path.join(SOURCE, top)):
                asking += [name for name in names if name.endswith((".h", ".cc")) and holds(os.path.join(folder, name), DEFINITION.encode())]
        self.assertEqual(asking, ["interlock_switch.h"])


if __name__ == "__main__":
    unittest.main()
