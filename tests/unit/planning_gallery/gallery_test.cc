#include <doctest/doctest.h>

#include "reconcilers/lifecycle/access.h"
#include "tests/unit/planning_gallery/estate.h"

using namespace galleryd;

namespace {

const FieldChange* find_field(const Change& change, const std::string& path) {
    for (const FieldChange& field : change.fields) {
        if (field.path == path) return &field;
    }
    return nullptr;
}

}  // namespace

TEST_CASE("a gallery that is as declared plans nothing, whatever the spelling") {
    Gallery gallery = estate::gallery();
    GalleryView view = estate::view(gallery);
    view.gallery->location = "Canada Central";
    view.gallery->id = ResourceId("/subscriptions/" + estate::subscription +
                                  "/resourceGroups/RG-GOLDEN/providers/Microsoft.Compute/galleries/golden");
    view.gallery->tags = {{"Environment", "prod"}, {"galleryd-owner", "prod/Gallery/images/golden"}};
    const Plan plan = estate::plan(gallery, view, estate::policy());
    CHECK(plan.converged());
    CHECK(plan.blocked.empty());
    CHECK(plan.unchanged == 1);
    CHECK(plan.scope == "images/golden");
    CHECK(plan.observed_digest.starts_with("sha256:"));
    CHECK(plan.id.starts_with("sha256:"));
}

TEST_CASE("a declaration that is silent about a field leaves that field as it is") {
    Gallery gallery = estate::gallery();
    gallery.description.clear();
    GalleryView view = estate::view(gallery);
    view.gallery->description = "written in the portal";
    view.gallery->soft_delete_enabled = true;
    view.gallery->permissions = SharingPermissions::groups;
    view.gallery->shared_subscription_ids = {"s9"};
    CHECK(estate::plan(gallery, view, estate::policy()).converged());

    gallery.governance.tags["team"] =
        "images";  // an update for another reason sends the silent fields back as they are
    const Plan plan = estate::plan(gallery, view, estate::policy());
    REQUIRE(plan.changes.size() == 1);
    const auto& write = std::get<UpdateGallery>(plan.changes[0].step).write;
    CHECK(write.description == "written in the portal");
    CHECK(write.soft_delete_enabled == true);
    CHECK_FALSE(write.permissions.has_value());
    CHECK(write.tags_removed.empty());
}

TEST_CASE("a missing gallery is created in its group, shared, stored and granted, in the order of application") {
    Gallery gallery = estate::gallery();
    gallery.ensure_resource_group = true;
    gallery.soft_delete_enabled = true;
    gallery.sharing = Sharing{SharingPermissions::groups, {"s1"}, {"t1"}, {}};
    gallery.staging_storage = StagingStorage{"stgolden01", "Standard_LRS", "vhds"};
    gallery.access = {{"Reader", estate::principal, "Group"}};
    const Plan plan = estate::plan(gallery, estate::empty_view(), estate::policy());
    REQUIRE(plan.changes.size() == 5);
    const auto& group = std::get<EnsureResourceGroup>(plan.changes[0].step);
    CHECK(group.location == "canadacentral");
    CHECK(group.tags == gallery.governance.tags);
    const auto& create = std::get<CreateGallery>(plan.changes[1].step).write;
    CHECK(create.permissions == SharingPermissions::groups);
    CHECK(create.tags.at("galleryd-owner") == "prod/Gallery/images/golden");
    CHECK(create.soft_delete_enabled == true);
    CHECK_FALSE(plan.changes[1].seen.existed);
    CHECK(std::get<EnsureStorage>(plan.changes[2].step).container == "vhds");
    CHECK(std::get<ShareGallery>(plan.changes[3].step).tenant_ids == std::vector<std::string>{"t1"});
    const auto& role = std::get<AssignRole>(plan.changes[4].step);
    CHECK(role.role_definition_id.ends_with("/roleDefinitions/" + estate::reader_guid));
    CHECK(role.assignment_name == assignment_name(gallery.id, estate::reader_guid, estate::principal));
    for (const Change& change : plan.changes) CHECK_FALSE(change.destructive);
}

TEST_CASE("a missing resource group blocks with both ways out unless the document asks for it") {
    const Gallery gallery = estate::gallery();
    const Plan plan = estate::plan(gallery, estate::empty_view(), estate::policy());
    CHECK(plan.changes.empty());
    REQUIRE(plan.blocked.size() == 1);
    CHECK(plan.blocked[0].reasons[0].reason == "resource_group_missing");
    CHECK(plan.blocked[0].reasons[0].way_out.find("ensureResourceGroup: true") != std::string::npos);
    CHECK(plan.blocked[0].reasons[0].way_out.find("az group create --name rg-golden") != std::string::npos);
    CHECK(plan.blocked[0].manifest.line == 7);
}

TEST_CASE("nothing is planned from an incomplete view") {
    Gallery gallery = estate::gallery();
    gallery.ensure_resource_group = true;
    GalleryView view = estate::empty_view();
    view.complete = false;
    const Plan plan = estate::plan(gallery, view, estate::policy());
    CHECK(plan.changes.empty());
    CHECK_FALSE(plan.complete);
    CHECK_FALSE(plan.converged());
    CHECK(plan.notices.size() == 1);
}

TEST_CASE("whose gallery it is decides what may be written") {
    Gallery gallery = estate::gallery();
    gallery.description = "changed";
    GalleryView view = estate::view(estate::gallery());
    Policy policy = estate::policy();

    SUBCASE("nobody's and Never: a conflict with two ways out, nothing written") {
        view.gallery->tags.erase("galleryd-owner");
        const Plan plan = estate::plan(gallery, view, policy);
        CHECK(plan.changes.empty());
        REQUIRE(plan.conflicts.size() == 1);
        CHECK(plan.conflicts[0].code == "GD2200");
        CHECK(plan.conflicts[0].reason == "NotOwned");
        CHECK(plan.conflicts[0].ways_out.size() == 2);
    }
    SUBCASE("our tag was removed: not ours any more, and the message says so") {
        view.gallery->tags.erase("galleryd-owner");
        estate::remember(policy, gallery.id, gallery.meta.key);
        const Plan plan = estate::plan(gallery, view, policy);
        CHECK(plan.changes.empty());
        REQUIRE(plan.conflicts.size() == 1);
        CHECK(plan.conflicts[0].message.find("was removed") != std::string::npos);
    }
    SUBCASE("nobody's and Adopt: taken over with the owner tag, tags of others untouched") {
        view.gallery->tags.erase("galleryd-owner");
        gallery.governance.adoption = Adoption::adopt;
        const Plan plan = estate::plan(gallery, view, policy);
        REQUIRE(plan.changes.size() == 1);
        CHECK(plan.changes[0].action == Action::adopt);
        CHECK(plan.changes[0].reason == "adopt");
        CHECK(find_field(plan.changes[0], "/tags/galleryd-owner") != nullptr);
        CHECK(find_field(plan.changes[0], "/description") != nullptr);
        CHECK_FALSE(std::get<UpdateGallery>(plan.changes[0].step).write.tags.contains("cost-centre"));
        CHECK(plan.changes[0].seen.existed);
        CHECK(plan.changes[0].seen.etag.starts_with("sha256:"));
    }
    SUBCASE("another instance's: always a conflict, also with Adopt") {
        for (const Adoption adoption : {Adoption::never, Adoption::adopt, Adoption::adopt_or_create}) {
            gallery.governance.adoption = adoption;
            for (const char* owner : {"other/Gallery/images/golden", "prod/Gallery/images/silver", "nonsense", ""}) {
                CAPTURE(owner);
                view.gallery->tags["galleryd-owner"] = owner;
                const Plan plan = estate::plan(gallery, view, policy);
                CHECK(plan.changes.empty());
                REQUIRE(plan.conflicts.size() == 1);
                CHECK(plan.conflicts[0].code == "GD2201");
            }
        }
    }
    SUBCASE("an owner tag without a value is nobody's to take") {
        view.gallery->tags["galleryd-owner"] = std::nullopt;
        gallery.governance.adoption = Adoption::adopt;
        CHECK(estate::plan(gallery, view, policy).conflicts.at(0).code == "GD2201");
    }
    SUBCASE("Adopt never creates, AdoptOrCreate does") {
        view.gallery.reset();
        gallery.governance.adoption = Adoption::adopt;
        const Plan refused = estate::plan(gallery, view, policy);
        CHECK(refused.changes.empty());
        REQUIRE(refused.blocked.size() == 1);
        CHECK(refused.blocked[0].reasons[0].reason == "nothing_to_adopt");
        gallery.governance.adoption = Adoption::adopt_or_create;
        CHECK(estate::plan(gallery, view, policy).changes.size() == 1);
    }
}

TEST_CASE("an update says whether the document or Azure changed") {
    Gallery gallery = estate::gallery();
    GalleryView view = estate::view(gallery);
    view.gallery->description = "edited by hand";
    Policy policy = estate::policy();
    CHECK(estate::plan(gallery, view, policy).changes.at(0).reason == "manifest_changed");
    estate::remember(policy, gallery.id, gallery.meta.key);
    const Plan plan = estate::plan(gallery, view, policy);
    CHECK(plan.changes.at(0).reason == "drift");
    const FieldChange* field = find_field(plan.changes[0], "/description");
    REQUIRE(field != nullptr);
    CHECK(field->before == "edited by hand");
    CHECK(field->after == "Hardened images");
}

TEST_CASE("a tag keeps the spelling that Azure has") {
    Gallery gallery = estate::gallery();
    gallery.governance.tags["environment"] = "test";
    GalleryView view = estate::view(gallery);
    view.gallery->tags = {{"Environment", "prod"}, {"galleryd-owner", "prod/Gallery/images/golden"}};
    const Plan plan = estate::plan(gallery, view, estate::policy());
    REQUIRE(plan.changes.size() == 1);
    const Tags& tags = std::get<UpdateGallery>(plan.changes[0].step).write.tags;
    CHECK(tags.at("Environment") == "test");
    CHECK_FALSE(tags.contains("environment"));
}

TEST_CASE("Observe reports, Suspend is silent, another leader writes") {
    Gallery gallery = estate::gallery();
    gallery.description = "changed";
    const GalleryView view = estate::view(estate::gallery());
    Policy policy = estate::policy();
    SUBCASE("mode Observe") {
        gallery.governance.mode = Mode::observe;
        const Plan plan = estate::plan(gallery, view, policy);
        CHECK(plan.changes.empty());
        REQUIRE(plan.blocked.size() == 1);
        CHECK(plan.blocked[0].reasons[0].reason == "observing");
        CHECK(plan.blocked[0].action == Action::update);
        CHECK(plan.blocked[0].evidence.at("/description") == "Hardened images -> changed");
    }
    SUBCASE("--observe") {
        policy.observe = true;
        CHECK(estate::plan(gallery, view, policy).blocked.at(0).reasons[0].reason == "observing");
    }
    SUBCASE("not the leader") {
        policy.leader = false;
        CHECK(estate::plan(gallery, view, policy).blocked.at(0).reasons[0].reason == "not_leader");
    }
    SUBCASE("mode Suspend") {
        gallery.governance.mode = Mode::suspend;
        const Plan plan = estate::plan(gallery, view, policy);
        CHECK(plan.changes.empty());
        CHECK(plan.blocked.empty());
        CHECK(plan.notices.size() == 1);
    }
}

TEST_CASE("a gallery with work under way is left alone and named as waiting") {
    Gallery gallery = estate::gallery();
    gallery.description = "changed";
    GalleryView view = estate::view(estate::gallery());
    Policy policy = estate::policy();
    SUBCASE("Azure says so") {
        for (const auto state : {ProvisioningState::creating, ProvisioningState::updating, ProvisioningState::deleting,
                                 ProvisioningState::migrating}) {
            view.gallery->state = state;
            const Plan plan = estate::plan(gallery, view, policy);
            CHECK(plan.changes.empty());
            CHECK(plan.waiting == std::vector<std::string>{"images/golden"});
        }
    }
    SUBCASE("our own operation, although a lagging read shows nothing") {
        policy.records[gallery.id.key()].operation_in_flight = true;
        view.gallery.reset();
        const Plan plan = estate::plan(gallery, view, policy);
        CHECK(plan.changes.empty());
        CHECK(plan.waiting.size() == 1);
    }
}

TEST_CASE("what Azure fixes at creation is a conflict, and nothing of the gallery is written while it stands") {
    Gallery gallery = estate::gallery();
    GalleryView view = estate::view(gallery);
    gallery.description = "changed too";
    SUBCASE("location") {
        gallery.location = "eastus";
        const Plan plan = estate::plan(gallery, view, estate::policy());
        CHECK(plan.changes.empty());
        REQUIRE(plan.conflicts.size() == 1);
        CHECK(plan.conflicts[0].code == "GD2203");
        CHECK(plan.conflicts[0].manifest.line == 9);
        CHECK(plan.conflicts[0].before == "canadacentral");
        CHECK(plan.conflicts[0].ways_out.size() == 2);
    }
    SUBCASE("sharing permissions") {
        using enum SharingPermissions;
        for (const auto& [is, wanted] :
             {std::pair{private_, groups}, {private_, community}, {groups, community}, {community, groups}}) {
            view.gallery->permissions = is;
            gallery.sharing = Sharing{wanted, {}, {}, CommunityGallery{}};
            const Plan plan = estate::plan(gallery, view, estate::policy());
            CHECK(plan.changes.empty());
            REQUIRE(plan.conflicts.size() == 1);
            CHECK(plan.conflicts[0].code == "GD2204");
            CHECK(plan.conflicts[0].reason == "ImmutableFieldChanged");
        }
    }
    SUBCASE("public name prefix") {
        view.gallery->permissions = SharingPermissions::community;
        view.gallery->community = CommunityGallery{"contoso", "u", "c", "e"};
        view.gallery->community_enabled = true;
        gallery.sharing = Sharing{SharingPermissions::community, {}, {}, CommunityGallery{"fabrikam", "u", "c", "e"}};
        const Plan plan = estate::plan(gallery, view, estate::policy());
        CHECK(plan.conflicts.at(0).code == "GD2206");
        CHECK(plan.changes.empty());
    }
}
