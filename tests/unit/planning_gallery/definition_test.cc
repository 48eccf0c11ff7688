#include <doctest/doctest.h>

#include "reconcilers/image_definition/plan.h"
#include "reconcilers/lifecycle/access.h"
#include "tests/unit/planning_gallery/estate.h"

using namespace galleryd;

namespace {

ImageDefinition declared() {
    const Gallery gallery = estate::gallery();
    ImageDefinition definition;
    definition.meta.key = {Kind::image_definition, "images", "ubuntu-2404"};
    definition.meta.where = {"definitions.yaml", 1, 1};
    definition.meta.field_lines = {
        {"osType", 8}, {"identifier", 5}, {"eula", 12}, {"description", 11}, {"features", 14}};
    definition.meta.digest = "sha256:declared";
    definition.gallery_id = gallery.id;
    definition.gallery = gallery.meta.key;
    definition.azure_name = "ubuntu-2404";
    definition.id = definition_id(gallery.id, "ubuntu-2404");
    definition.location = "canadacentral";
    definition.publisher = "Contoso";
    definition.offer = "Ubuntu";
    definition.sku = "24_04";
    definition.os_type = "Linux";
    definition.os_state = "Generalized";
    definition.hyper_v_generation = "V2";
    definition.description = "LTS";
    definition.eula = "https://eula";
    definition.privacy_statement_uri = "https://privacy";
    definition.release_note_uri = "https://notes";
    definition.end_of_life = parse_deadline("2029-04-30");
    definition.recommended_vcpus = RecommendedRange{2, 64};
    definition.disallowed_disk_types = {"Standard_LRS"};
    definition.features = {{"SecurityType", "TrustedLaunchSupported"}};
    return definition;
}

ObservedDefinition live_like(const ImageDefinition& definition) {
    ObservedDefinition live;
    live.id = definition.id;
    live.name = definition.azure_name;
    live.location = "Canada Central";
    live.state = ProvisioningState::succeeded;
    live.tags = {{"galleryd-owner", "prod/ImageDefinition/images/ubuntu-2404"}};
    live.publisher = definition.publisher;
    live.offer = definition.offer;
    live.sku = definition.sku;
    live.os_type = definition.os_type;
    live.os_state = definition.os_state;
    live.hyper_v_generation = definition.hyper_v_generation;
    live.architecture = definition.architecture;
    live.description = definition.description;
    live.eula = definition.eula;
    live.privacy_statement_uri = definition.privacy_statement_uri;
    live.release_note_uri = definition.release_note_uri;
    live.end_of_life = definition.end_of_life;
    live.recommended_vcpus = definition.recommended_vcpus;
    live.disallowed_disk_types = definition.disallowed_disk_types;
    live.purchase_plan = definition.purchase_plan;
    live.features = definition.features;
    return live;
}

struct World {
    ImageDefinition definition = declared();
    DefinitionView view;
    Policy policy = estate::policy();

    World() {
        view.gallery_exists = true;
        view.definition = live_like(definition);
        view.role_assignments.emplace();
        view.complete = true;
        view.at = estate::now;
        estate::remember(policy, definition.id, definition.meta.key);
    }
    Plan plan(bool document_is_there = true) const {
        DefinitionScopeInput input;
        if (document_is_there) input.definition = &definition;
        input.view = &view;
        return plan_definition_scope(input, policy, estate::now);
    }
};

ObservedVersion version(const ResourceId& definition, const std::string& name) {
    ObservedVersion version;
    version.id = version_id(definition, name);
    version.name = name;
    version.number = parse_image_version_number(name);
    version.state = ProvisioningState::succeeded;
    version.location = "canadacentral";
    return version;
}

}  // namespace

TEST_CASE("a definition that is as declared plans nothing") {
    World world;
    CHECK(world.plan().converged());
    CHECK(world.plan().blocked.empty());
    CHECK(world.plan().scope == "images/golden/ubuntu-2404");
    CHECK(world.plan().id == world.plan().id);

    world.view.definition->os_type = "linux";
    world.view.definition->features = {{"securitytype", "trustedlaunchsupported"}};
    world.view.definition->disallowed_disk_types = {"standard_lrs"};
    CHECK(world.plan().converged());
}

TEST_CASE("a definition waits for its gallery") {
    World world;
    world.view.gallery_exists = false;
    world.view.definition.reset();
    const Plan plan = world.plan();
    CHECK(plan.changes.empty());
    CHECK(plan.blocked.empty());
    CHECK(plan.waiting == std::vector<std::string>{"images/golden/ubuntu-2404"});
}

TEST_CASE("a creation says everything explicitly, defaults that move between api-versions too") {
    World world;
    world.view.definition.reset();
    world.definition.access = {{"Reader", estate::principal, "Group"}};
    const Plan plan = world.plan();
    REQUIRE(plan.changes.size() == 2);
    const Change& change = plan.changes[0];
    const auto& write = std::get<CreateDefinition>(change.step).write;
    CHECK(write.hyper_v_generation == "V2");
    CHECK(write.architecture == "x64");
    CHECK(write.features == world.definition.features);
    CHECK(write.eula == "https://eula");
    CHECK(write.tags.at("galleryd-owner") == "prod/ImageDefinition/images/ubuntu-2404");
    CHECK(change.why == "Azure no longer has the definition; somebody deleted it");
    CHECK(change.reason == "not_found");
    CHECK(std::get<AssignRole>(plan.changes[1].step).scope == world.definition.id);

    SUBCASE("generation 2 without a security type says Standard") {
        world.definition.features.clear();
        const Plan silent = world.plan();
        CHECK(std::get<CreateDefinition>(silent.changes.at(0).step).write.features ==
              std::map<std::string, std::string>{{"SecurityType", "Standard"}});
        world.view.definition = live_like(world.definition);
        world.view.definition->features = {{"SecurityType", "Standard"}};
        CHECK(world.plan().conflicts.empty());
    }
    SUBCASE("generation 1 has no security type") {
        world.definition.features.clear();
        world.definition.hyper_v_generation = "V1";
        const Plan first_generation = world.plan();
        CHECK(std::get<CreateDefinition>(first_generation.changes.at(0).step).write.features.empty());
    }
}

TEST_CASE("what Azure lets change is updated, with the fixed fields sent back as they were read") {
    World world;
    ObservedDefinition& live = *world.view.definition;
    live.purchase_plan = PurchasePlan{"n", "p", "o"};
    live.hyper_v_generation = "V2";
    world.definition.eula.clear();  // silent now: stays what it is
    const auto only_change = [&] {
        const Plan plan = world.plan();
        REQUIRE(plan.changes.size() == 1);
        REQUIRE(plan.changes[0].fields.size() == 1);
        const auto& write = std::get<UpdateDefinition>(plan.changes[0].step).write;
        CHECK(write.eula == "https://eula");
        CHECK(write.purchase_plan == live.purchase_plan);
        CHECK(write.features == live.features);
        CHECK(write.location == "Canada Central");
        CHECK(plan.changes[0].seen.etag.starts_with("sha256:"));
        CHECK(plan.changes[0].reason == "drift");
        return plan.changes[0].fields[0];
    };
    SUBCASE("description") {
        live.description = "old";
        const FieldChange field = only_change();
        CHECK(field.path == "/description");
        CHECK(field.before == "old");
        CHECK(world.plan().changes[0].manifest.line == 11);
    }
    SUBCASE("releaseNoteUri") {
        live.release_note_uri = "";
        CHECK(only_change().op == FieldOp::add);
    }
    SUBCASE("endOfLifeDate") {
        live.end_of_life.reset();
        CHECK(only_change().path == "/endOfLifeDate");
    }
    SUBCASE("vCPUs") {
        live.recommended_vcpus = RecommendedRange{2, 32};
        CHECK(only_change().before == "min 2, max 32");
    }
    SUBCASE("memory") {
        world.definition.recommended_memory_gb = RecommendedRange{std::nullopt, 512};
        CHECK(only_change().after == "max 512");
    }
    SUBCASE("disallowedDiskTypes") {
        live.disallowed_disk_types = {"Premium_LRS", "Standard_LRS"};
        CHECK(only_change().path == "/disallowedDiskTypes");
    }
    SUBCASE("tags") {
        world.definition.governance.tags = {{"team", "os"}};
        CHECK(only_change().path == "/tags/team");
    }
}

TEST_CASE("Z15: every field that Azure fixes is refused with two ways out, and nothing is deleted or written") {
    struct Fixed {
        const char* path;
        const char* code;
        void (*edit)(ImageDefinition&);
    };
    const Fixed fields[] = {
        {"/osType", "GD2210", [](ImageDefinition& d) { d.os_type = "Windows"; }},
        {"/osState", "GD2210", [](ImageDefinition& d) { d.os_state = "Specialized"; }},
        {"/hyperVGeneration", "GD2211", [](ImageDefinition& d) { d.hyper_v_generation = "V1"; }},
        {"/architecture", "GD2211", [](ImageDefinition& d) { d.architecture = "Arm64"; }},
        {"/identifier/publisher", "GD2212", [](ImageDefinition& d) { d.publisher = "Fabrikam"; }},
        {"/identifier/offer", "GD2212", [](ImageDefinition& d) { d.offer = "Debian"; }},
        {"/identifier/sku", "GD2212", [](ImageDefinition& d) { d.sku = "12"; }},
        {"/eula", "GD2213", [](ImageDefinition& d) { d.eula = "https://other"; }},
        {"/privacyStatementUri", "GD2213", [](ImageDefinition& d) { d.privacy_statement_uri = "https://other"; }},
        {"/purchasePlan", "GD2214",
         [](ImageDefinition& d) {
             d.purchase_plan = PurchasePlan{"n", "p", "o"};
         }},
        {"/features", "GD2215", [](ImageDefinition& d) { d.features["IsHibernateSupported"] = "True"; }},
        {"/location", "GD2216", [](ImageDefinition& d) { d.location = "eastus"; }},
    };
    for (const Fixed& field : fields) {
        CAPTURE(field.path);
        World world;
        world.definition.description = "changed too";
        field.edit(world.definition);
        const Plan plan = world.plan();
        CHECK(plan.changes.empty());
        REQUIRE(plan.conflicts.size() == 1);
        const Conflict& conflict = plan.conflicts[0];
        CHECK(conflict.path == field.path);
        CHECK(conflict.code == field.code);
        CHECK(conflict.reason == "ImmutableFieldChanged");
        CHECK(conflict.ways_out.size() == 2);
        CHECK(conflict.message.find("cannot change after creation") != std::string::npos);
    }
    World world;  // the line of the field, where it is known
    world.definition.sku = "12";
    CHECK(world.plan().conflicts.at(0).manifest.line == 5);
}

TEST_CASE("a conflict does not hold up access") {
    World world;
    world.definition.os_type = "Windows";
    world.definition.access = {{"Reader", estate::principal, "Group"}};
    const Plan plan = world.plan();
    REQUIRE(plan.changes.size() == 1);
    CHECK(plan.changes[0].action == Action::assign);
}

TEST_CASE("ownership, mode and operations guard definitions like galleries") {
    World world;
    world.definition.description = "changed";
    SUBCASE("nobody's") {
        world.view.definition->tags.clear();
        CHECK(world.plan().conflicts.at(0).code == "GD2200");
    }
    SUBCASE("another's") {
        world.view.definition->tags["galleryd-owner"] = "x/ImageDefinition/images/ubuntu-2404";
        CHECK(world.plan().conflicts.at(0).code == "GD2201");
    }
    SUBCASE("observe") {
        world.definition.governance.mode = Mode::observe;
        CHECK(world.plan().blocked.at(0).reasons[0].reason == "observing");
    }
    SUBCASE("suspend") {
        world.definition.governance.mode = Mode::suspend;
        CHECK(world.plan().notices.size() == 1);
    }
    SUBCASE("incomplete") {
        world.view.complete = false;
        CHECK_FALSE(world.plan().complete);
    }
    SUBCASE("updating") {
        world.view.definition->state = ProvisioningState::updating;
        CHECK(world.plan().waiting.size() == 1);
    }
    SUBCASE("in flight") {
        world.policy.records[world.definition.id.key()].operation_in_flight = true;
        CHECK(world.plan().waiting.size() == 1);
    }
    SUBCASE("nothing to adopt") {
        world.view.definition.reset();
        world.definition.governance.adoption = Adoption::adopt;
        world.definition.access = {{"Reader", estate::principal, "Group"}};
        CHECK(world.plan().blocked.at(0).reasons[0].reason == "nothing_to_adopt");
    }
    CHECK(world.plan().changes.empty());
}

TEST_CASE("a definition whose document is gone is deleted only when nothing is left in it") {
    World world;
    RemovedDocument removed;
    removed.key = world.definition.meta.key;
    removed.id = world.definition.id;
    removed.deletion_policy = DeletionPolicy::remove;
    removed.first_missing = estate::now - std::chrono::hours{1};
    removed.snapshots_missing = 3;
    world.policy.removed = {removed};
    SUBCASE("empty: deleted") {
        const Plan plan = world.plan(false);
        REQUIRE(plan.changes.size() == 1);
        CHECK(std::holds_alternative<DeleteDefinition>(plan.changes[0].step));
        CHECK(plan.changes[0].destructive);
        CHECK_FALSE(plan.changes[0].reversible);
    }
    SUBCASE("with versions of anybody: blocked with their number") {
        world.view.versions = {version(world.definition.id, "1.0.0"), version(world.definition.id, "not-a-number")};
        const Plan plan = world.plan(false);
        CHECK(plan.changes.empty());
        bool found = false;
        for (const Blocked& blocked : plan.blocked) {
            if (blocked.kind != "ImageDefinition") continue;
            found = true;
            CHECK(blocked.reasons.at(0).reason == "has_versions");
            CHECK(blocked.reasons.at(0).message == "the definition still has 2 image versions: 1.0.0, not-a-number");
            CHECK(blocked.evidence.at("versions") == "2");
        }
        CHECK(found);
    }
    SUBCASE("Orphan: it stays") {
        world.policy.removed[0].deletion_policy = DeletionPolicy::orphan;
        const Plan plan = world.plan(false);
        CHECK(plan.changes.empty());
        CHECK(plan.notices.size() == 1);
    }
    SUBCASE("no --prune, no --allow-deletes") {
        world.policy.prune = false;
        world.policy.allow_deletes = false;
        const Plan plan = world.plan(false);
        CHECK(plan.changes.empty());
        REQUIRE(plan.blocked.at(0).reasons.size() == 2);
        CHECK(plan.blocked[0].reasons[0].interlock_point == 1);
        CHECK(plan.blocked[0].reasons[1].interlock_point == 3);
    }
    SUBCASE("a document that is there again is no removal") { CHECK(world.plan(true).converged()); }
}
