#include <doctest/doctest.h>

#include "controller/core/role_table.h"
#include "reconcilers/lifecycle/access.h"
#include "tests/unit/planning_gallery/estate.h"

using namespace galleryd;

namespace {

const std::string scope_name = "images/golden";

std::vector<std::string> reasons_of(const Blocked& blocked) {
    std::vector<std::string> reasons;
    for (const BlockReason& reason : blocked.reasons) reasons.push_back(reason.reason);
    return reasons;
}

}  // namespace

TEST_CASE("groups are added at once and taken away only through the interlock") {
    Gallery gallery = estate::gallery();
    gallery.sharing = Sharing{SharingPermissions::groups, {"s1", "s2"}, {"t1"}, {}};
    GalleryView view = estate::view(gallery);
    view.gallery->permissions = SharingPermissions::groups;
    view.gallery->shared_subscription_ids = {"s2", "s3"};
    view.gallery->shared_tenant_ids = {"t1"};
    Policy policy = estate::policy();
    estate::remember(policy, gallery.id, gallery.meta.key);

    const Plan plan = estate::plan(gallery, view, policy);
    REQUIRE(plan.changes.size() == 2);
    const auto& add = std::get<ShareGallery>(plan.changes[0].step);
    CHECK(add.operation == "Add");
    CHECK(add.subscription_ids == std::vector<std::string>{"s1"});
    CHECK(add.tenant_ids.empty());
    CHECK_FALSE(plan.changes[0].destructive);
    const auto& remove = std::get<ShareGallery>(plan.changes[1].step);
    CHECK(remove.operation == "Remove");
    CHECK(remove.subscription_ids == std::vector<std::string>{"s3"});
    CHECK(plan.changes[1].destructive);
    CHECK(plan.changes[1].risk == Risk::access_removed);

    policy.allow_deletes = false;
    const Plan held = estate::plan(gallery, view, policy);
    CHECK(held.changes.size() == 1);
    REQUIRE(held.blocked.size() == 1);
    CHECK(reasons_of(held.blocked[0]) == std::vector<std::string>{"deletes_not_allowed"});
    CHECK(held.blocked[0].action == Action::share);
}

TEST_CASE("groups that were not read are not compared") {
    Gallery gallery = estate::gallery();
    gallery.sharing = Sharing{SharingPermissions::groups, {"s1"}, {}, {}};
    GalleryView view = estate::view(gallery);
    view.gallery->permissions = SharingPermissions::groups;
    view.gallery->sharing_groups_known = false;
    const Plan plan = estate::plan(gallery, view, estate::policy());
    CHECK(plan.changes.empty());
    CHECK(plan.blocked.empty());
    CHECK(plan.notices.size() == 1);
}

TEST_CASE("back to Private is one final step, and needs our own record of the gallery") {
    Gallery gallery = estate::gallery();
    gallery.sharing = Sharing{};
    GalleryView view = estate::view(gallery);
    Policy policy = estate::policy();
    for (const auto is : {SharingPermissions::groups, SharingPermissions::community}) {
        view.gallery->permissions = is;
        const Plan held = estate::plan(gallery, view, policy);
        CHECK(held.changes.empty());
        CHECK(reasons_of(held.blocked.at(0)) == std::vector<std::string>{"not_ours"});

        Policy sure = policy;
        estate::remember(sure, gallery.id, gallery.meta.key);
        const Plan plan = estate::plan(gallery, view, sure);
        REQUIRE(plan.changes.size() == 1);
        CHECK(std::get<ShareGallery>(plan.changes[0].step).operation == "Reset");
        CHECK_FALSE(plan.changes[0].reversible);
        CHECK(plan.changes[0].destructive);
        CHECK(plan.conflicts.empty());
    }
}

TEST_CASE("a community gallery is switched on after its creation, once") {
    Gallery gallery = estate::gallery();
    gallery.sharing =
        Sharing{SharingPermissions::community, {}, {}, CommunityGallery{"contoso", "https://c", "a@c", "https://e"}};
    GalleryView view = estate::view(gallery);
    view.gallery->permissions = SharingPermissions::community;
    view.gallery->community = gallery.sharing->community;
    const Plan plan = estate::plan(gallery, view, estate::policy());
    REQUIRE(plan.changes.size() == 1);
    CHECK(std::get<ShareGallery>(plan.changes[0].step).operation == "EnableCommunity");
    view.gallery->community_enabled = true;
    CHECK(estate::plan(gallery, view, estate::policy()).converged());

    gallery.sharing->community->publisher_contact = "b@c";
    const Plan update = estate::plan(gallery, view, estate::policy());
    REQUIRE(update.changes.size() == 1);
    CHECK(update.changes[0].fields.at(0).path == "/sharing/community/publisherContact");
    CHECK(std::get<UpdateGallery>(update.changes[0].step).write.community == gallery.sharing->community);
}

TEST_CASE("role assignments: missing ones are made, ours that are undeclared go, those of others stay") {
    Gallery gallery = estate::gallery();
    gallery.access = {{"Reader", estate::principal, "Group"},
                      {"Compute Gallery Image Reader", "22222222-0000-0000-0000-000000000002", "Group"}};
    GalleryView view = estate::view(gallery);
    Policy policy = estate::policy();
    estate::remember(policy, gallery.id, gallery.meta.key);
    const std::string gone = "33333333-0000-0000-0000-000000000003";
    const std::string ours = assignment_name(gallery.id, estate::reader_guid, gone);
    auto& rows = *view.role_assignments;
    rows.push_back(estate::assignment(gallery.id, "99999999-9999-4999-8999-999999999999",
                                      "ACDD72A7-3385-48EF-BD42-F606FBA81AE7", estate::principal));
    rows.push_back(estate::assignment(gallery.id, ours, estate::reader_guid, gone));
    rows.push_back(estate::assignment(gallery.id, "88888888-8888-4888-8888-888888888888", estate::reader_guid, gone));
    ObservedRoleAssignment inherited = estate::assignment(gallery.id, ours, estate::reader_guid, gone);
    inherited.scope = "/subscriptions/" + estate::subscription;
    rows.push_back(inherited);

    const Plan plan = estate::plan(gallery, view, policy);
    REQUIRE(plan.changes.size() == 2);
    const auto& made = std::get<AssignRole>(plan.changes[0].step);
    CHECK(made.access.principal_id == "22222222-0000-0000-0000-000000000002");
    CHECK(made.role_definition_id.ends_with("cf7c76d2-98a3-4358-a134-615aa78bf44d"));
    CHECK(plan.changes[0].manifest.line == 20);
    CHECK(std::get<UnassignRole>(plan.changes[1].step).assignment.name() == ours);
    CHECK(plan.changes[1].destructive);
    CHECK(plan.changes[1].address == scope_name);
    CHECK(plan.unchanged == 2);  // the gallery and the assignment that somebody else made for the same pair

    SUBCASE("without --allow-deletes nothing is taken away") {
        policy.allow_deletes = false;
        const Plan held = estate::plan(gallery, view, policy);
        CHECK(held.changes.size() == 1);
        CHECK(held.blocked.at(0).action == Action::unassign);
        CHECK(held.blocked.at(0).kind == "RoleAssignment");
    }
    SUBCASE("an unknown role keeps everything that may be meant by it") {
        gallery.access[1].role = "Image Reader";
        const Plan unknown = estate::plan(gallery, view, policy);
        CHECK(unknown.changes.empty());
        REQUIRE(unknown.conflicts.size() == 1);
        CHECK(unknown.conflicts[0].code == "GD2205");
        CHECK(unknown.conflicts[0].ways_out.at(0) == "did you mean \"Compute Gallery Image Reader\"?");
    }
}

TEST_CASE("a role is one role by name, by GUID and by role definition id") {
    const std::string full =
        "/subscriptions/S/providers/Microsoft.Authorization/roleDefinitions/ACDD72A7-3385-48ef-bd42-f606fba81ae7";
    for (const std::string& spelling : {std::string("Reader"), std::string("reader"), estate::reader_guid, full}) {
        CAPTURE(spelling);
        CHECK(find_role_guid(spelling) == estate::reader_guid);
    }
    for (const char* wrong : {"", "Readers", "acdd72a7", "acdd72a7-3385-48ef-bd42-f606fba81ae",
                              "xcdd72a7-3385-48ef-bd42-f606fba81ae7", "/x/acdd72a7-3385-48ef-bd42-f606fba81ae7"}) {
        CAPTURE(wrong);
        CHECK_FALSE(find_role_guid(wrong).has_value());
    }
    CHECK(suggest_role("Readers") == "Reader");
    CHECK_FALSE(suggest_role("Key Vault Administrator").has_value());
    CHECK(role_name(estate::reader_guid) == "Reader");
}

TEST_CASE("assignment names are stable across spellings and releases") {
    const ResourceId scope = gallery_id("S", "RG", "golden");
    const std::string name = assignment_name(scope, estate::reader_guid, "ABCDEF00-0000-0000-0000-000000000000");
    CHECK(name == assignment_name(ResourceId(fold_case(scope.text())), "ACDD72A7-3385-48EF-BD42-F606FBA81AE7",
                                  "abcdef00-0000-0000-0000-000000000000"));
    CHECK(name != assignment_name(scope, estate::reader_guid, "abcdef00-0000-0000-0000-000000000001"));
    // Frozen: assignments made by an older release must still be recognised as ours.
    CHECK(name == "32a7d1f2-e6ae-59e6-b1f0-f058fb2135d1");
}

TEST_CASE("the staging account is made when missing and never changed") {
    Gallery gallery = estate::gallery();
    gallery.staging_storage = StagingStorage{"stgolden01", "Standard_LRS", "vhds"};
    GalleryView view = estate::view(gallery);
    const Plan made = estate::plan(gallery, view, estate::policy());
    REQUIRE(made.changes.size() == 1);
    CHECK(made.changes[0].kind == "StorageAccount");
    CHECK(made.changes[0].arm_id.text().ends_with(
        "/resourceGroups/rg-golden/providers/Microsoft.Storage/storageAccounts/stgolden01"));

    view.storage = ObservedStorageAccount{made.changes[0].arm_id, "canadacentral", "Standard_LRS", "Succeeded"};
    CHECK(estate::plan(gallery, view, estate::policy()).converged());
    view.storage->sku = "Premium_LRS";
    view.storage->location = "East US";
    const Plan other = estate::plan(gallery, view, estate::policy());
    CHECK(other.changes.empty());
    REQUIRE(other.conflicts.size() == 2);
    CHECK(other.conflicts[0].code == "GD2207");
    CHECK(other.conflicts[0].path == "/stagingStorage/sku");
    CHECK(other.conflicts[0].manifest.line == 25);
    CHECK(other.conflicts[1].before == "eastus");
}

TEST_CASE("a gallery whose document is gone") {
    const Gallery gallery = estate::gallery();
    GalleryView view = estate::view(gallery);
    Policy policy = estate::policy();
    estate::remember(policy, gallery.id, gallery.meta.key);
    RemovedDocument removed;
    removed.key = gallery.meta.key;
    removed.id = gallery.id;
    removed.deletion_policy = DeletionPolicy::remove;
    removed.first_missing = estate::now - std::chrono::hours{1};
    removed.snapshots_missing = 3;
    const auto plan_removed = [&] {
        policy.removed = {removed};
        return plan_gallery_scope({nullptr, &view, {}}, policy, estate::now);
    };

    SUBCASE("Orphan: it stays, and a notice says so") {
        removed.deletion_policy = DeletionPolicy::orphan;
        const Plan plan = plan_removed();
        CHECK(plan.changes.empty());
        CHECK(plan.blocked.empty());
        CHECK(plan.notices.size() == 1);
        CHECK(plan.scope == scope_name);
    }
    SUBCASE("Delete and empty: deleted, not reversible") {
        const Plan plan = plan_removed();
        REQUIRE(plan.changes.size() == 1);
        CHECK(std::holds_alternative<DeleteGallery>(plan.changes[0].step));
        CHECK(plan.changes[0].destructive);
        CHECK_FALSE(plan.changes[0].reversible);
        CHECK(plan.changes[0].seen.etag.starts_with("sha256:"));
        CHECK(plan.deletions_digest.empty());  // nothing holds it up that a person could approve
    }
    SUBCASE("Delete with definitions in it: blocked, counted and named") {
        view.definition_names = {"b", "a", "c", "f", "e", "d"};
        const Plan plan = plan_removed();
        CHECK(plan.changes.empty());
        REQUIRE(plan.blocked.size() == 1);
        CHECK(reasons_of(plan.blocked[0]) == std::vector<std::string>{"has_definitions"});
        CHECK(plan.blocked[0].reasons[0].message == "the gallery still has 6 image definitions: a, b, c, d, e, …");
        CHECK(plan.blocked[0].evidence.at("definitions") == "6");
    }
    SUBCASE("Delete while a definition is still declared below it") {
        ImageDefinition definition;
        definition.meta.key = {Kind::image_definition, "images", "ubuntu"};
        policy.removed = {removed};
        const Plan plan = plan_gallery_scope({nullptr, &view, {&definition}}, policy, estate::now);
        CHECK(plan.changes.empty());
        CHECK(plan.blocked.at(0).reasons[0].reason == "still_declared");
    }
    SUBCASE("a shared gallery is unshared first") {
        view.gallery->permissions = SharingPermissions::community;
        const Plan plan = plan_removed();
        REQUIRE(plan.changes.size() == 1);
        CHECK(std::get<ShareGallery>(plan.changes[0].step).operation == "Reset");
        CHECK(plan.changes[0].follow_up == "then delete the gallery");
    }
    SUBCASE("every doubt stops it") {
        const auto blocked_by = [&](const char* reason) {
            const Plan plan = plan_removed();
            CHECK(plan.changes.empty());
            REQUIRE(plan.blocked.size() == 1);
            CHECK(plan.blocked[0].reasons[0].reason == reason);
        };
        SUBCASE("no --allow-deletes") {
            policy.allow_deletes = false;
            blocked_by("deletes_not_allowed");
        }
        SUBCASE("mode Observe") {
            removed.mode = Mode::observe;
            blocked_by("observing");
        }
        SUBCASE("tag of another") {
            view.gallery->tags["galleryd-owner"] = "other/Gallery/images/golden";
            blocked_by("not_ours");
        }
        SUBCASE("no tag") {
            view.gallery->tags.clear();
            blocked_by("not_ours");
        }
        SUBCASE("no record") {
            policy.records.clear();
            blocked_by("not_ours");
        }
        SUBCASE("no --prune") {
            policy.prune = false;
            blocked_by("prune_off");
        }
        SUBCASE("gone for a moment only") {
            removed.first_missing = estate::now - std::chrono::minutes{14};
            blocked_by("removal_not_settled");
        }
        SUBCASE("seen missing once") {
            removed.snapshots_missing = 1;
            blocked_by("removal_not_settled");
        }
        SUBCASE("a source that cannot be read") {
            policy.source.complete = false;
            blocked_by("source_incomplete");
        }
        SUBCASE("a frozen source") {
            policy.source.frozen = "shrank by 80 %";
            blocked_by("source_frozen");
        }
        SUBCASE("unknown state") {
            view.gallery->state = ProvisioningState::unknown;
            blocked_by("unknown_state");
        }
        SUBCASE("hold tag") {
            view.gallery->tags["Galleryd-Hold"] = std::nullopt;
            blocked_by("held");
        }
        SUBCASE("hold annotation") {
            removed.hold = "audit";
            blocked_by("held");
        }
        SUBCASE("lock") {
            policy.locked = {gallery.id.key()};
            blocked_by("locked");
        }
        SUBCASE("clock unknown") {
            policy.clock_skew.reset();
            blocked_by("clock_skew");
        }
        SUBCASE("hourly limit") {
            policy.deletes_last_hour = 20;
            blocked_by("brake_hourly");
        }
        SUBCASE("not the leader") {
            policy.leader = false;
            blocked_by("not_leader");
        }
        SUBCASE("no journal") {
            policy.journal_writable = false;
            blocked_by("journal_not_writable");
        }
    }
    SUBCASE("under way, or already gone: nothing") {
        view.gallery->state = ProvisioningState::deleting;
        CHECK(plan_removed().waiting.size() == 1);
        view.gallery.reset();
        CHECK(plan_removed().converged());
    }
}
