#!/usr/bin/env python3
"""A journal that is torn, bit-flipped, older than it should be, of a newer galleryd, or no journal at all (reliability P4, R9, R14), on
the shipped program. Every one is rebuilt or refused with one error that says what to do; nothing is deleted, nothing crashes, `plan`
goes on, and the run after it is in order again.

GALLERYD_DAMAGE=all takes some 3,000 damages instead of a sample; SEED picks another sample."""
import concurrent.futures
import json
import os
import random
import shutil
import signal
import sqlite3

from harness import get, main, until
from journal_case import JournalCase, codes_of, forge

EVERY = os.environ.get("GALLERYD_DAMAGE") == "all"
SEED = int(os.environ.get("SEED", "1"))
AT_ONCE = 4
LONG_AGO = 1767225600000000      # microseconds: 2026-01-01


def cut(length):
    return lambda content: content[:length]


def flip(places):
    def damage(content):
        changed = bytearray(content)
        for at, bit in places:
            changed[at % len(changed)] ^= 1 << bit
        return bytes(changed)
    return damage


def overwrite(at, what):
    return lambda content: content[:at] + what + content[at + len(what):]


def byte_damages(size, label, some):
    """[(name, change of a file's content)]: cut short, flipped, zeroed, overwritten."""
    chance = random.Random(f"{SEED} {label} {size}")
    edges = [0, 1, 99, 100, 511, 4095, 4096, size - 4096, size - 1]
    lengths = [*edges, *range(0, size, 512)] if EVERY else [*chance.sample(edges, 3), *[chance.randrange(size) for _ in range(some)]]
    found = [(f"{label} cut to {length}", cut(length)) for length in lengths if 0 <= length < size]
    for number in range(600 if EVERY else some):
        places = [(chance.randrange(size), chance.randrange(8)) for _ in range(chance.choice((1, 1, 3, 20)))]
        found.append((f"{label} flipped {number}", flip(places)))
    for number in range(150 if EVERY else some // 2):
        at = chance.randrange(size)
        found.append((f"{label} zeroed from {at}", overwrite(at, b"\0" * min(4096, size - at))))
        found.append((f"{label} overwritten from {at}", overwrite(at, chance.randbytes(min(512, size - at)))))
    return found


class Damaged(JournalCase):
    def setUp(self):
        super().setUp()
        self.now = self.path("now")
        self.converge(self.now)
        self.before = self.copy(self.now, "before")        # every document is still there
        self.remove_documents()
        self.converge(self.now)
        self.killed = self.copy(self.before, "killed")     # its last transactions are in the write-ahead log alone
        daemon = self.run_daemon(self.killed)
        until(lambda: get(daemon.url + "/readyz")[0] == 200, "/readyz", process=daemon)
        daemon.signal(signal.SIGKILL)
        daemon.wait()
        self.assertGreater(os.path.getsize(f"{self.killed}/galleryd.db-wal"), 4096)
        self.sent = len(self.written())

    def run_daemon(self, state, *more, name="run"):
        return self.daemon(self.azure.url, self.source, "--allow-deletes", "--prune", *more, state=state, name=name).ready()

    def one(self, name, state, damage):
        """What is wrong about the way it is borne; [] when all is well."""
        problems = []
        folder = self.copy(state, f"case {name}".replace("/", "-").replace(" ", "_"))
        damage(folder)

        def check(what, condition, done):
            if not condition:
                problems.append(f"{name}: {what}\n{done.args[0:2]} -> {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")

        plan = self.do("plan", folder, "-o", "json")
        check("plan does not go on", plan.returncode == 0 and len(codes_of(plan.stderr)) <= 1, plan)
        if plan.returncode == 0:
            check("plan would change something", json.loads(plan.stdout)["changes"] == [], plan)
        first = self.do("apply", folder)
        refused = first.returncode == 1
        codes = codes_of(first.stderr)
        check("neither in order nor refused with one code", first.returncode == 0 and codes <= {"GD4102", "GD4103"} or refused and codes == {"GD4106"}, first)
        if refused:
            check("plan keeps silent about it", codes_of(plan.stderr) == codes, plan)
            check("the error has no way out", "explain" in first.stderr and "--state-dir" in first.stderr, first)
        if "GD4102" in codes and "moved to" in first.stderr:
            check("what was damaged is not kept", any(".corrupt-" in file for file in os.listdir(folder)), first)
        if not refused and codes != {"GD4103"}:
            second = self.do("apply", folder)
            check("the run after it is not in order", second.returncode == 0 and not codes_of(second.stderr), second)
        shutil.rmtree(folder)
        return problems, "refused" if refused else "rebuilt" if codes else "intact"

    def all_of(self, cases):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(lambda case: self.one(*case), cases))
        self.assertEqual([problem for problems, _ in results for problem in problems][:5], [])
        self.assertEqual(self.written()[self.sent:], [], "nothing was sent to Azure")
        ends = [end for _, end in results]
        counts = {end: ends.count(end) for end in sorted(set(ends))}
        print(f"{len(cases)} damaged journals: {counts}")
        return counts

    def test_a_journal_that_lies_would_be_believed(self):
        """The other tests can fail: one row, changed as galleryd itself would have written it, is a deletion."""
        forge(self.now, "documents", "name='ubuntu-1.0.1'", first_missing=LONG_AGO, snapshots_missing=2)
        self.assertEqual([one["actions"] for one in json.loads(self.do("plan", self.now, "-o", "json").stdout)["changes"]], [["delete"]])
        done = self.do("apply", self.now, "--approve-deletes", "1")
        self.assertEqual(len(self.deletions()), 1, done.stdout + done.stderr)

    def test_torn_flipped_and_overwritten(self):
        def of(file, change):
            def damage(folder):
                path = os.path.join(folder, file)
                with open(path, "rb") as before:
                    content = before.read()
                with open(path, "wb") as after:
                    after.write(change(content))
            return damage
        cases = []
        for state, file, some in ((self.now, "galleryd.db", 8), (self.killed, "galleryd.db-wal", 6), (self.killed, "galleryd.db", 3)):
            size = os.path.getsize(os.path.join(state, file))
            cases += [(f"{file} {name}", state, of(file, change)) for name, change in byte_damages(size, f"{os.path.basename(state)} {file}", some)]
        counts = self.all_of(cases)
        self.assertGreater(counts.get("rebuilt", 0), 5)

    def test_an_older_or_a_mixed_copy(self):
        def take(*files):
            def damage(folder):
                for origin, file in files:
                    path = os.path.join(folder, file)
                    if origin is None:
                        os.remove(path)
                    else:
                        shutil.copy(os.path.join(origin, file), path)
            return damage
        db, wal, shm = "galleryd.db", "galleryd.db-wal", "galleryd.db-shm"
        self.all_of([("the copy of before", self.now, take((self.before, db))),
                     ("the copy of before, with a log of later", self.killed, take((self.before, db))),
                     ("the newest, with a log of another", self.now, take((self.killed, wal), (self.killed, shm))),
                     ("the log is lost", self.killed, take((None, wal))),
                     ("the index of the log is lost", self.killed, take((None, shm))),
                     ("only the log is left", self.killed, take((None, db))),
                     ("all is lost but the lock", self.now, take((None, db)))])

    def test_what_is_no_journal(self):
        def become(make):
            def damage(folder):
                path = os.path.join(folder, "galleryd.db")
                for left in (path, path + "-wal", path + "-shm"):
                    if os.path.exists(left):
                        os.remove(left)
                make(path)
            return damage

        def text(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write("not a journal\n" * 2000)

        def other_database(path):
            with sqlite3.connect(path) as connection:
                connection.execute("CREATE TABLE settings (key TEXT, value TEXT)")
            connection.close()

        def sql(statement):
            def damage(folder):
                with sqlite3.connect(os.path.join(folder, "galleryd.db")) as connection:
                    connection.executescript(statement)
                connection.close()
            return damage

        counts = self.all_of([
            ("zero bytes", self.now, become(lambda path: open(path, "w", encoding="utf-8").close())),
            ("a directory", self.now, become(os.mkdir)), ("a named pipe", self.now, become(os.mkfifo)),
            ("a link to nowhere", self.now, become(lambda path: os.symlink("nowhere", path))),
            ("a link to a journal", self.now, become(lambda path: os.symlink(self.before + "/galleryd.db", path))),
            ("text", self.now, become(text)), ("somebody else's database", self.now, become(other_database)),
            ("a row changed by hand", self.now, sql("UPDATE documents SET snapshots_missing = 2, first_missing = 0")),
            ("a row copied by hand", self.now, sql("INSERT INTO approvals SELECT key, value, 1, row_digest FROM settings")),
            ("a table dropped", self.now, sql("DROP TABLE operations")), ("a column too many", self.now, sql("ALTER TABLE audit ADD COLUMN x")),
            ("a trigger", self.now, sql("CREATE TRIGGER t AFTER INSERT ON audit BEGIN DELETE FROM documents; END")),
            ("an older schema number", self.now, sql("PRAGMA user_version = 0")),
            ("a newer schema", self.now, sql("PRAGMA user_version = 99; ALTER TABLE audit ADD COLUMN x")),
            ("a newer schema with rows that nobody here can verify", self.now,
             sql("PRAGMA user_version = 2; ALTER TABLE documents ADD COLUMN since TEXT; UPDATE documents SET row_digest = 'covers more'"))])
        self.assertEqual(counts, {"intact": counts.get("intact"), "rebuilt": counts.get("rebuilt"), "refused": 4})


if __name__ == "__main__":
    main(seconds=3600 if EVERY else 115)
