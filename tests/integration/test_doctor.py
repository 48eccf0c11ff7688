#!/usr/bin/env python3
"""`galleryd doctor`: green where everything is right, and for each thing that is wrong its line, its code and the exact repair."""
import os
import signal

from doctor_case import CLIENT, OBJECT, SECOND, TENANT, THIRD, Doctor, grant
from harness import GALLERY, SUBSCRIPTION, definition_document, group_id, main, small_azure, small_documents, until

READS = ["*/read"]
PUBLISHER = ["Microsoft.Compute/galleries/*", "Microsoft.Authorization/*/read", "Microsoft.Resources/subscriptions/resourceGroups/read"]


class Healthy(Doctor):
    def test_everything_green_and_nothing_written(self):
        azure = self.azure()
        checks = self.doctor(azure)
        self.assertEqual(self.only(checks, "failed") + self.only(checks, "warning"), [])
        made = {one["check"] for one in checks if one["verdict"] == "ok"}
        self.assertEqual(made, {"documents", "state-directory", "endpoint", "clock", "sign-in", "subscription", "provider", "regions", "rights", "quota",
                                "api-version", "resource-graph", "replicas"})
        self.assertEqual([one[0] for one in self.only(checks, "skipped")], ["request-budget"])   # this Azure keeps no budgets
        sign_in = next(one for one in checks if one["check"] == "sign-in")
        for part in ("client-secret", CLIENT, OBJECT, TENANT, "token ends in"):
            self.assertIn(part, sign_in["about"] + sign_in["measured"])
        self.assertFalse(os.path.exists(self.path("state")), "a check makes no state directory")
        text = self.galleryd("doctor", self.path("manifests"), "--azure", azure.url, "--credential", "none", "--state-dir", self.path("state")).stdout
        self.assertIn("ok       subscription    " + SUBSCRIPTION, text)
        self.assertIn("0 failed", text)

    def test_without_documents_every_visible_subscription_is_looked_at(self):
        azure = self.azure(subscriptions=[SUBSCRIPTION, SECOND])
        checks = self.doctor(azure, documents=False)
        self.assertEqual([one["about"] for one in checks if one["check"] == "galleries"], [SUBSCRIPTION, SECOND])
        self.assertEqual(self.only(checks, "failed"), [])

    def test_what_is_known_is_printed_at_once_and_stands_when_it_is_interrupted(self):
        azure = self.azure(*self.faults("- {path: '*/permissions', delay: 60s}\n"))
        self.write("manifests/all.yaml", small_documents())
        child = self.start("doctor", self.path("manifests"), "--azure", azure.url, "--credential", "none", "--state-dir", self.path("state"), name="doctor")
        until(lambda: "ok       provider" in child.output(), "the lines before the question that hangs", 20, process=child)
        child.signal(signal.SIGINT)
        self.assertEqual(child.wait(), 130)
        self.assertIn("ok       endpoint", child.output())
        self.assertIn("interrupted by a signal", child.errors())

    def test_the_simulator_in_the_process_needs_no_server(self):
        done = self.galleryd("doctor", "--azure", "simulator", "--state-dir", self.path("state"))
        self.assertIn("ok       sign-in", done.stdout)


class Subscriptions(Doctor):
    def three(self):
        documents = ""
        for number, subscription in enumerate((SUBSCRIPTION, SECOND, THIRD), 1):
            documents += GALLERY.replace(SUBSCRIPTION, subscription).replace("name: golden", f"name: golden{number}") + "---\n"
        self.write("three/all.yaml", documents)
        resources = [{**small_azure()["resources"][0], "id": group_id().replace(SUBSCRIPTION, one)} for one in (SUBSCRIPTION, SECOND, THIRD)]
        return resources

    def test_one_of_three_cannot_be_read_and_the_others_go_on(self):
        azure = self.simulate({"resources": self.three(), "tenants": [TENANT], "unreadableSubscriptions": [SECOND]}, time_scale=1)
        checks = self.doctor(azure, documents=[self.path("three")], expect=1)
        by_verdict = {one["about"]: one["verdict"] for one in checks if one["check"] == "subscription"}
        self.assertEqual(by_verdict, {SUBSCRIPTION: "ok", SECOND: "failed", THIRD: "ok"})
        found = next(one for one in checks if one["check"] == "subscription" and one["about"] == SECOND)
        self.assertEqual((found["code"], found["fix"]), ("GD3020", [
            grant("Reader", f"/subscriptions/{SECOND}"), grant("Compute Gallery Artifacts Publisher", group_id().replace(SUBSCRIPTION, SECOND))]))
        self.assertEqual([one["check"] for one in checks if one["verdict"] == "failed"], ["subscription"])   # one cause, one line
        self.assertEqual({one["verdict"] for one in checks if one["check"] == "quota" and THIRD in one["about"]}, {"ok"})
        self.assertIn("answers for 2 subscriptions", next(one["measured"] for one in checks if one["check"] == "resource-graph"))

    def test_a_disabled_one(self):
        checks = self.doctor(self.azure(subscriptionStates={SUBSCRIPTION: "Disabled"}), expect=1)
        self.expect_one(checks, "failed", "subscription", SUBSCRIPTION, "GD3044", f"az account subscription enable --id {SUBSCRIPTION}", "Disabled")

    def test_one_that_was_warned(self):
        checks = self.doctor(self.azure(subscriptionStates={SUBSCRIPTION: "Warned"}))
        self.expect_one(checks, "warning", "subscription", SUBSCRIPTION, "GD3044",
                        f"the account's owner settles the payment or warning of subscription {SUBSCRIPTION}")

    def test_one_of_another_tenant(self):
        other = "cccccccc-0000-0000-0000-000000000003"
        checks = self.doctor(self.azure(tenants=[TENANT, other], subscriptionTenants={SUBSCRIPTION: other}), expect=1)
        self.expect_one(checks, "failed", "subscription", SUBSCRIPTION, "GD3016", f"AZURE_TENANT_ID={other}", other)

    def test_a_provider_that_is_not_registered(self):
        checks = self.doctor(self.azure(providers={"Microsoft.Compute": "NotRegistered"}), expect=1)
        found = next(one for one in checks if one["check"] == "provider" and one["verdict"] == "failed")
        self.assertEqual((found["about"], found["code"], found["fix"]), (f"Microsoft.Compute in {SUBSCRIPTION}", "GD3064",
                         [f"az provider register --namespace Microsoft.Compute --subscription {SUBSCRIPTION}"]))

    def test_storage_only_counts_when_a_document_wants_it(self):
        azure = self.azure(providers={"Microsoft.Storage": "NotRegistered"})
        self.assertEqual(self.only(self.doctor(azure), "failed"), [])
        self.write("manifests/all.yaml", GALLERY + "  stagingStorage: {name: stgolden01, sku: Standard_LRS, container: vhds}\n")
        checks = self.doctor(azure, documents=[self.path("manifests")], expect=1)
        self.expect_one(checks, "failed", "provider", f"Microsoft.Storage in {SUBSCRIPTION}", "GD3064",
                        f"az provider register --namespace Microsoft.Storage --subscription {SUBSCRIPTION}")

    def test_a_cloud_without_the_api_version(self):
        checks = self.doctor(self.azure(apiVersions={"Microsoft.Compute/galleries": ["2021-10-01", "2023-07-03"]}), expect=1)
        self.expect_one(checks, "failed", "api-version", "Microsoft.Compute/galleries 2024-03-03", "GD3063",
                        "use a galleryd that is pinned to 2023-07-03 or older: galleryd version", "2021-10-01, 2023-07-03")

    def test_a_region_without_galleries(self):
        checks = self.doctor(self.azure(computeRegions=["westeurope"]), expect=1)
        self.expect_one(checks, "failed", "regions", SUBSCRIPTION, "GD3062",
                        'az account list-locations --query "[].name" --output tsv    # then correct the documents', "canadacentral")

    def test_soft_delete_needs_its_feature(self):
        self.write("manifests/all.yaml", GALLERY + "  softDelete: {enabled: true}\n")
        for name, state, verdict, command in (("none", "NotRegistered", "failed", "register"), ("wait", "Registering", "warning", "show")):
            with self.subTest(state):
                azure = self.simulate({**small_azure(), "tenants": [TENANT], "features": {"Microsoft.Compute/SIGSoftDelete": state}}, time_scale=1, name=name)
                checks = self.doctor(azure, documents=[self.path("manifests")], expect=1 if verdict == "failed" else 0)
                fix = f"az feature {command} --namespace Microsoft.Compute --name SIGSoftDelete --subscription {SUBSCRIPTION}"
                if command == "show":
                    fix += " --query properties.state    # wait for Registered"
                self.expect_one(checks, verdict, "feature", f"Microsoft.Compute/SIGSoftDelete in {SUBSCRIPTION}", "GD3065", fix, state)
        azure = self.simulate({**small_azure(), "tenants": [TENANT], "features": {"Microsoft.Compute/SIGSoftDelete": ""}}, time_scale=1, name="gone")
        checks = self.doctor(azure, documents=[self.path("manifests")])
        self.assertIn(("feature", f"Microsoft.Compute/SIGSoftDelete in {SUBSCRIPTION}", "", ""), self.only(checks, "skipped"))

    def test_a_quota_that_is_used_up(self):
        azure = self.azure(usageLimits={"GalleryImage": 0})
        checks = self.doctor(azure, expect=1)
        self.expect_one(checks, "failed", "quota", f"canadacentral in {SUBSCRIPTION}", "GD3031",
                        "delete what is not needed (galleryd plan --explain says what keeps each version), or ask for more: portal, subscription "
                        f"{SUBSCRIPTION}, Usage + quotas, Compute, canadacentral", "definitions 0 of 0 (1 declared)")

    def test_resource_graph_that_refuses_is_a_warning(self):
        azure = self.azure(*self.faults("- {path: '*Microsoft.ResourceGraph/resources', method: POST, status: 403, code: AuthorizationFailed, message: no}\n"))
        checks = self.doctor(azure)
        self.expect_one(checks, "warning", "resource-graph", "", "GD3007", grant("Reader", f"/subscriptions/{SUBSCRIPTION}"), "ARM lists are used instead")

    def test_a_budget_that_is_nearly_gone(self):
        azure = self.azure(*self.faults("- {path: '*', headers: {x-ms-ratelimit-remaining-subscription-reads: '3'}}\n"))
        self.expect_one(self.doctor(azure), "warning", "request-budget", "", "GD3030",
                        "wait a minute; if it stays: a lower --arm-share, a longer --interval, or find the other caller in the activity log",
                        "subscription-reads 3")

    def test_a_hanging_answer_costs_its_deadline_and_not_the_others(self):
        azure = self.azure(*self.faults("- {path: '*/usages', delay: 60s}\n"))
        checks = self.doctor(azure)
        self.assertEqual([one[:2] for one in self.only(checks, "skipped") if one[0] == "quota"], [("quota", f"canadacentral in {SUBSCRIPTION}")])
        self.assertEqual({one["verdict"] for one in checks if one["check"] == "resource-graph"}, {"ok"})


class Rights(Doctor):
    def failing(self, azure, *arguments, documents=True, expect=1):
        checks = self.doctor(azure, *arguments, documents=documents, expect=expect)
        return {(one["verdict"], one["measured"].split(" (")[0], one["fix"][0]) for one in checks if one["check"] == "rights" and one["fix"]}

    def test_a_reader_lacks_what_writes_and_deletes(self):
        azure = self.azure(rights=[{"scope": f"/subscriptions/{SUBSCRIPTION}", "actions": READS}])
        publisher = grant("Compute Gallery Artifacts Publisher", group_id())
        self.assertEqual(self.failing(azure), {
            ("failed", "missing: Microsoft.Compute/galleries/images/versions/write, Microsoft.Compute/galleries/images/write, "
                       "Microsoft.Compute/galleries/write", publisher),
            ("warning", "missing: Microsoft.Compute/galleries/delete, Microsoft.Compute/galleries/images/delete, "
                        "Microsoft.Compute/galleries/images/versions/delete", publisher)})
        self.assertEqual(self.failing(azure, "--observe", expect=0), set())
        with_deletes = self.failing(azure, "--allow-deletes")
        self.assertEqual({one[0] for one in with_deletes}, {"failed"})
        self.assertIn("Microsoft.Compute/galleries/images/versions/delete", " ".join(one[1] for one in with_deletes))

    def test_the_publisher_role_is_enough_for_plain_documents(self):
        azure = self.azure(rights=[{"scope": group_id(), "actions": [*PUBLISHER, "Microsoft.Compute/images/*"],
                                    "notActions": ["Microsoft.Compute/galleries/share/action"]}])
        self.assertEqual(self.failing(azure, expect=0), set())

    def test_sharing_access_storage_and_groups_need_more(self):
        azure = self.azure(rights=[{"scope": group_id(), "actions": PUBLISHER, "notActions": ["Microsoft.Compute/galleries/share/action"]}])
        self.write("manifests/all.yaml", GALLERY + f"""  ensureResourceGroup: true
  sharing: {{permissions: Groups, subscriptionIds: [{SECOND}]}}
  access: [{{role: Reader, principalId: {OBJECT}, principalType: Group}}]
  stagingStorage: {{name: stgolden01, sku: Standard_LRS, container: vhds}}
""")
        found = self.failing(azure, documents=[self.path("manifests")])
        self.assertEqual(found, {
            ("failed", "missing: Microsoft.Compute/galleries/share/action", grant("Compute Gallery Sharing Admin", group_id())),
            ("failed", "missing: Microsoft.Authorization/roleAssignments/write", grant("User Access Administrator", group_id())),
            ("warning", "missing: Microsoft.Authorization/roleAssignments/delete", grant("User Access Administrator", group_id())),
            ("failed", "missing: Microsoft.Storage/storageAccounts/read", grant("Reader", group_id())),
            ("failed", "missing: Microsoft.Storage/storageAccounts/write", grant("Storage Account Contributor", group_id())),
            ("failed", "missing: Microsoft.Resources/subscriptions/resourceGroups/write", grant("Contributor", f"/subscriptions/{SUBSCRIPTION}"))})

    def test_who_deletes_must_be_able_to_see_who_uses(self):
        azure = self.azure(rights=[{"scope": group_id(), "actions": ["*"]}])
        policy = """---
apiVersion: galleryd.io/v1alpha1
kind: LifecyclePolicy
metadata: {name: standard, namespace: images}
spec: {retention: {action: Delete, keepNewest: 3, olderThan: 90d}}
"""
        self.write("manifests/all.yaml", small_documents().replace("  description: Test images", "  lifecyclePolicy: standard\n  description: Test images") + policy)
        self.assertEqual(self.failing(azure, documents=[self.path("manifests")]), {
            ("failed", "missing: Microsoft.Compute/virtualMachineScaleSets/read, Microsoft.Compute/virtualMachines/read",
             grant("Reader", f"/subscriptions/{SUBSCRIPTION}"))})

    def test_a_source_that_may_not_be_read(self):
        group = group_id().replace("rg-test", "rg-packer")
        image = {**small_azure()["resources"][1], "id": group + "/providers/Microsoft.Compute/images/packer-1"}
        azure = self.simulate({"resources": [*small_azure()["resources"], image], "tenants": [TENANT],
                               "rights": [{"scope": group_id(), "actions": ["*"]}]}, time_scale=1)
        self.write("manifests/all.yaml", small_documents().replace("rg-test/providers/Microsoft.Compute/images", "rg-packer/providers/Microsoft.Compute/images"))
        self.assertEqual(self.failing(azure, documents=[self.path("manifests")]), {("failed", "missing: Microsoft.Compute/images/read", grant("Reader", group))})

    def test_a_group_that_is_missing_and_may_not_be_made(self):
        azure = self.simulate({"resources": [], "tenants": [TENANT]}, time_scale=1)
        self.write("manifests/all.yaml", GALLERY + "---\n" + definition_document())
        checks = self.doctor(azure, documents=[self.path("manifests")], expect=1)
        self.expect_one(checks, "failed", "group", group_id(), "GD3041",
                        f"az group create --name rg-test --location canadacentral --subscription {SUBSCRIPTION}    # or spec.ensureResourceGroup: true")


class Local(Doctor):
    def test_documents_with_errors_are_told_and_the_rest_is_checked(self):
        self.write("manifests/all.yaml", small_documents())
        self.write("manifests/bad.yaml", definition_document("rhel").replace("osType: Linux", "osType: Lunix"))
        checks = self.doctor(self.azure(), documents=[self.path("manifests")], expect=1)
        path = self.path("manifests")
        self.assertEqual([(one[0], one[1], one[3]) for one in self.only(checks, "failed")], [("documents", path, f"galleryd validate {path}")])
        self.assertIn("osType", next(one["measured"] for one in checks if one["check"] == "documents"))
        self.assertEqual({one["verdict"] for one in checks if one["check"] == "rights"}, {"ok"})

    def test_a_state_directory_that_is_in_use(self):
        azure = self.azure()
        self.write("manifests/all.yaml", small_documents())
        daemon = self.daemon(azure.url, self.path("manifests"), "--observe").ready()
        checks = self.doctor(azure, documents=[self.path("manifests")])
        number = daemon.child.pid
        self.expect_one(checks, "warning", "state-directory", self.path("state"), "GD4101",
                        f"nothing, when that daemon is meant to run; else: kill {number}, or give the second one a --state-dir of its own")
        daemon.signal(15)
        daemon.wait()
        self.assertEqual(self.only(self.doctor(azure, documents=[self.path("manifests")]), "warning"), [])

    def test_a_state_directory_that_is_no_directory(self):
        file = self.write("file", "")
        done = self.galleryd("doctor", "--azure", "simulator", "--state-dir", file, expect=1)
        self.assertIn("failed   state-directory " + file, done.stdout)
        self.assertIn("fix: --state-dir DIR, where DIR is a folder", done.stdout)

    def test_wrong_uses(self):
        for words in (("--azure", "http://example.com"), ("--source", "ftp:x"), ("--arm-share", "0"), ("--log-level", "loud"), ("-o", "xml")):
            self.galleryd("doctor", *words, expect=64)


if __name__ == "__main__":
    main()
