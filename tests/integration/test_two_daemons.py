#!/usr/bin/env python3
"""Two daemons: one state directory admits one; two instances over one estate do not fight (P8)."""
import signal

from harness import Arm, Case, gallery_id, get, main, small_azure, small_documents, until, writes


class Two(Case):
    def setUp(self):
        super().setUp()
        self.azure = self.simulate(small_azure(), time_scale=6000)
        self.write("manifests/all.yaml", small_documents())

    def ready(self, daemon):
        until(lambda: get(daemon.url + "/readyz")[0] == 200, "/readyz", 30, process=daemon)
        return daemon

    def test_a_second_daemon_on_the_same_state_directory_is_refused(self):
        first = self.ready(self.daemon(self.azure.url, self.path("manifests")).ready())
        second = self.daemon(self.azure.url, self.path("manifests"), name="second")
        self.assertEqual(second.wait(10), 1)
        self.assertIn(self.path("state"), second.errors() + second.output())
        self.assertEqual(get(first.url + "/livez")[0], 200)
        first.signal(signal.SIGKILL)
        first.wait()
        self.ready(self.daemon(self.azure.url, self.path("manifests"), name="third").ready())

    def test_another_instance_leaves_what_the_first_one_owns(self):
        first = self.daemon(self.azure.url, self.path("manifests"), name="one", instance="one").ready()
        arm = Arm(self.azure.url)
        until(lambda: arm.get(gallery_id()) and arm.get(gallery_id() + "/images/ubuntu") and arm.version("ubuntu", "1.0.0"), "made", 40, process=first)
        first.signal(signal.SIGTERM)
        first.wait()
        before = len(writes(self.azure.requests()))
        self.write("manifests/all.yaml", small_documents().replace("description: Ubuntu", "description: mine now"))
        other = self.ready(self.daemon(self.azure.url, self.path("manifests"), name="two", instance="two", state=self.path("other")).ready())
        seen = len(self.azure.requests())
        until(lambda: len(self.azure.requests()) > seen + 20, "several looks", 30, process=other)
        self.assertEqual(writes(self.azure.requests())[before:], [])
        self.assertEqual(arm.get(gallery_id() + "/images/ubuntu")["properties"]["description"], "Ubuntu")


if __name__ == "__main__":
    main()
