#!/usr/bin/env python3
"""Every command of the README's console blocks, as a reader would type it, with the output that the README promises."""
import os
import re
import socket
import subprocess

from harness import GALLERYD, SOURCE, Case, environment, get, main, until

FENCE = re.compile(r"^```console *(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks():
    """(kind, [(command, promised lines)]) of each console block."""
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
        text = file.read()
    found = []
    for kind, body in FENCE.findall(text):
        commands = []
        for line in body.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            elif line.strip():
                commands[-1][1].append(line)
        found.append((kind, commands))
    return found


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Readme(Case):
    def shell(self, command, **variables):
        """In a copy of the tree's top level, so that `build/release/galleryd` and `manifests/demo` are where the README has them."""
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=self.tree(), timeout=100, check=False,
                              env=environment(XDG_STATE_HOME=self.path("home"), **variables))

    def tree(self):
        top = self.path("clone")
        if not os.path.exists(top):
            os.makedirs(os.path.join(top, "build/release"))
            os.symlink(os.path.join(SOURCE, "manifests"), os.path.join(top, "manifests"))
            os.symlink(GALLERYD, os.path.join(top, "build/release/galleryd"))
        return top

    def run_block(self, commands, change=lambda command: command, **variables):
        for command, promised in commands:
            words = change(command)
            if words.endswith("&"):
                child = self.start(*words.removesuffix("&").split()[1:], name="background")
                child.ready()
                continue
            done = self.shell(words, **variables)
            allowed = (0, 4) if " apply " in words else (0,)   # 4: what is left in the sample estate needs a person
            self.assertIn(done.returncode, allowed, f"{words}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
            self.assertTrue(done.stdout.strip() or " validate " in words, words)
            for line in promised:
                self.assertIn(line, done.stdout, words)

    def test_the_commands_against_the_demo(self):
        demo_blocks = [commands for kind, commands in blocks() if kind == "demo"]
        self.assertTrue(demo_blocks)
        demo = self.start("demo", "--http", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--dir", self.path("demo"), name="demo").ready()
        azure = until(lambda: re.search(r"(?im)azure.*?(http://127\.0\.0\.1:\d+)", demo.output()), "the simulator's address", process=demo).group(1)
        until(lambda: get(demo.url + "/readyz")[0] == 200, "/readyz", 40, process=demo)
        for commands in demo_blocks:
            self.run_block(commands, DAEMON=demo.url, AZURE=azure)

    def test_the_commands_by_hand_in_their_order(self):
        port = str(free_port())
        by_hand = [command for kind, commands in blocks() if not kind for command in commands]
        self.assertGreaterEqual(len(by_hand), 5)
        os.makedirs(self.path("manifests"), exist_ok=True)
        self.run_block(by_hand, lambda command: command.replace("4480", port).replace("--state manifests", f"--state {SOURCE}/manifests"))

    def test_every_make_target_it_names_exists(self):
        with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(SOURCE, "Makefile"), encoding="utf-8") as file:
            targets = set(re.findall(r"^([a-z]+):", file.read(), re.MULTILINE))
        named = set(re.findall(r"(?m)^make ([a-z]+)|`make ([a-z]+)`", text))
        self.assertEqual({a or b for a, b in named} - targets, set())


if __name__ == "__main__":
    main()
