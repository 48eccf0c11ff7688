#!/usr/bin/env python3
"""promtool, out of Debian's prometheus package, reads /metrics without a complaint. Skipped when the package cannot be had, unless CI=true."""
import os
import shutil
import subprocess

from harness import Case, get, main, small_azure, small_documents, until

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "galleryd")


def find_promtool():
    """On the path, in the cache, or unpacked from the package (installing it would pull in 35 others and start a service)."""
    kept = os.path.join(CACHE, "promtool")
    found = shutil.which("promtool") or (kept if os.access(kept, os.X_OK) else None)
    if found:
        return found
    work = os.path.join(CACHE, f"prometheus-{os.getpid()}")
    try:
        os.makedirs(work, exist_ok=True)
        subprocess.run(["apt-get", "download", "prometheus"], cwd=work, check=True, capture_output=True, timeout=60)
        package = next(name for name in os.listdir(work) if name.endswith(".deb"))
        subprocess.run(["dpkg", "-x", package, "."], cwd=work, check=True, capture_output=True, timeout=40)
        os.replace(os.path.join(work, "usr/bin/promtool"), kept)
        return kept
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        print(f"promtool cannot be had: {error}")
        return None
    finally:
        shutil.rmtree(work, ignore_errors=True)


class Metrics(Case):
    def test_promtool_reads_what_a_busy_daemon_exposes(self):
        promtool = find_promtool()
        if promtool is None:
            if os.environ.get("CI") == "true":
                self.fail("CI=true and no promtool")
            self.skipTest("no promtool: apt-get download prometheus failed")
        azure = self.simulate(small_azure(), time_scale=6000)
        self.write("manifests/all.yaml", small_documents(versions=2))
        daemon = self.daemon(azure.url, self.path("manifests"), "--metrics", "127.0.0.1:0").ready()
        until(lambda: get(daemon.url + "/readyz")[0] == 200, "/readyz", process=daemon)
        until(lambda: 'state="succeeded"' in get(daemon.url + "/metrics")[1], "a version counted as succeeded", 40, process=daemon)
        text = get(daemon.url + "/metrics")[1]
        done = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, timeout=20, check=False)
        self.assertEqual((done.returncode, done.stderr.strip()), (0, ""), done.stdout + done.stderr)
        self.assertGreater(len(text.splitlines()), 50)
        for line in text.splitlines():
            for label in ("namespace=", "pod=", "job=", "instance=", "container="):
                self.assertNotIn("{" + label, line)
                self.assertNotIn("," + label, line)


if __name__ == "__main__":
    main()
