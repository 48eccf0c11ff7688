#include "controller/program/gallery_apis.h"

#include <doctest/doctest.h>

#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"
#include "tests/unit/lifecycle/fake_api.h"

using namespace galleryd;

namespace {

// Reads are noted, too.
class NotedApi : public FakeApi {
  public:
    std::vector<std::string> reads;
    Task<std::optional<ObservedResourceGroup>> get_resource_group(std::string, std::string name) override {
        reads.push_back("group " + name);
        co_return std::nullopt;
    }
    Task<std::optional<ObservedGallery>> get_gallery(ResourceId id) override {
        reads.push_back("gallery " + id.name());
        co_return std::nullopt;
    }
    Task<std::vector<ObservedDefinition>> list_definitions(ResourceId gallery) override {
        reads.push_back("definitions of " + gallery.name());
        co_return std::vector<ObservedDefinition>{};
    }
    Task<std::optional<ObservedDefinition>> get_definition(ResourceId id) override {
        reads.push_back("definition " + id.name());
        co_return std::nullopt;
    }
    Task<std::vector<ObservedVersion>> list_versions(ResourceId definition) override {
        reads.push_back("versions of " + definition.name());
        co_return std::vector<ObservedVersion>{};
    }
    Task<std::optional<ObservedVersion>> get_version(ResourceId id, bool) override {
        reads.push_back("version " + id.name());
        co_return std::nullopt;
    }
    Task<std::vector<ObservedRoleAssignment>> list_role_assignments(ResourceId scope) override {
        reads.push_back("assignments at " + scope.name());
        co_return std::vector<ObservedRoleAssignment>{};
    }
};

Gallery gallery(const std::string& name, const std::string& credential) {
    Gallery made;
    made.meta.key = {Kind::gallery, "images", name};
    made.id = gallery_id("s1", "rg", name);
    made.credential = credential;
    return made;
}

struct Estate {
    boost::asio::io_context io;
    ManualClock clock{io};
    NotedApi own;
    GalleryCredentials choices;
    std::map<std::string, std::shared_ptr<NotedApi>> others;
    GalleryApis apis{own, choices, [this](const CredentialChoice& choice) -> GalleryApi& {
                         std::shared_ptr<NotedApi>& api = others[choice.name];
                         if (!api) api = std::make_shared<NotedApi>();
                         return *api;
                     }};

    template <class T>
    Result<T> run(Task<T> task) {
        return run_task(io, clock, std::move(task));
    }
    // Everything that names a gallery or something in it, once.
    void ask_about(const ResourceId& id) {
        const ResourceId definition = definition_id(id, "ubuntu"), version = version_id(definition, "1.0.0");
        CHECK(run(apis.get_gallery(id)).has_value());
        CHECK(run(apis.list_definitions(id)).has_value());
        CHECK(run(apis.get_definition(definition)).has_value());
        CHECK(run(apis.list_versions(definition)).has_value());
        CHECK(run(apis.get_version(version, true)).has_value());
        CHECK(run(apis.list_role_assignments(id)).has_value());
        CHECK(run(apis.put_gallery(id, {}, std::nullopt)).has_value());
        CHECK(run(apis.put_definition(definition, {}, std::nullopt)).has_value());
        CHECK(run(apis.put_version(version, {}, std::nullopt)).has_value());
        CHECK(run(apis.share_gallery(id, {})).has_value());
        CHECK(run(apis.put_role_assignment(
                      {.scope = id, .assignment_name = "a1", .access = {}, .role_definition_id = {}}))
                  .has_value());
        CHECK(run(apis.delete_role_assignment(
                      ResourceId(id.text() + "/providers/Microsoft.Authorization/roleAssignments/a1")))
                  .has_value());
        CHECK(run(apis.delete_resource(version)).has_value());
    }
};

}  // namespace

TEST_CASE("each gallery is asked about and written with its own credential, and nobody else's is touched") {
    Estate estate;
    const Gallery golden = gallery("golden", "team-a"), silver = gallery("silver", "team-b"),
                  plain = gallery("plain", "");
    estate.choices.declare({&golden, &silver, &plain}, {});
    estate.ask_about(golden.id);
    CHECK(estate.others.at("images/team-a")->reads ==
          std::vector<std::string>{"gallery golden", "definitions of golden", "definition ubuntu", "versions of ubuntu",
                                   "version 1.0.0", "assignments at golden"});
    CHECK(estate.others.at("images/team-a")->writes.size() == 7);
    CHECK(estate.others.size() == 1);
    CHECK(estate.own.reads.empty());
    CHECK(estate.own.writes.empty());
    estate.ask_about(silver.id);
    CHECK(estate.others.at("images/team-a")->writes.size() == 7);
    CHECK(estate.others.at("images/team-b")->writes.size() == 7);
    CHECK(estate.own.writes.empty());
    estate.ask_about(plain.id);
    CHECK(estate.own.reads.size() == 6);
    CHECK(estate.own.writes.size() == 7);
    estate.ask_about(golden.id);
    CHECK(estate.others.size() == 2);
    CHECK(estate.apis.has_own_credential(golden.id));
    CHECK_FALSE(estate.apis.has_own_credential(plain.id));
}

TEST_CASE("what lies beside galleries is asked of the one who acts for the gallery, and of nobody without it") {
    Estate estate;
    const Gallery golden = gallery("golden", "team-a"), plain = gallery("plain", "");
    estate.choices.declare({&golden, &plain}, {});
    CHECK(estate.run(estate.apis.acting_for(golden.id).get_resource_group("s1", "rg")).has_value());
    CHECK(estate.run(estate.apis.acting_for(golden.id).poll_operation({})).has_value());
    CHECK(estate.others.at("images/team-a")->reads == std::vector<std::string>{"group rg"});
    CHECK(estate.others.at("images/team-a")->polls == 1);
    CHECK(estate.run(estate.apis.acting_for(plain.id).get_resource_group("s1", "rg")).has_value());
    CHECK(estate.own.reads == std::vector<std::string>{"group rg"});
    const auto is_bug = [&](const auto& answer) { return !answer && answer.error().kind == ErrorKind::bug; };
    CHECK(is_bug(estate.run(estate.apis.get_resource_group("s1", "rg"))));
    CHECK(is_bug(estate.run(estate.apis.put_resource_group({}))));
    CHECK(is_bug(estate.run(estate.apis.get_storage_account(golden.id))));
    CHECK(is_bug(estate.run(estate.apis.put_storage_account({}))));
    CHECK(is_bug(estate.run(estate.apis.poll_operation({}))));
    CHECK(estate.own.writes.empty());
    CHECK(estate.own.polls == 0);
}

TEST_CASE("a document that names another credential moves the gallery, and one that names none gives it back") {
    Estate estate;
    Gallery golden = gallery("golden", "team-a");
    estate.choices.declare({&golden}, {});
    GalleryApi& before = estate.apis.acting_for(golden.id);
    golden.credential = "team-b";
    estate.choices.declare({&golden}, {});
    CHECK(&estate.apis.acting_for(golden.id) != &before);
    CHECK(estate.run(before.get_gallery(golden.id)).has_value());  // requests under way end where they began
    CHECK(estate.others.at("images/team-a")->reads.size() == 1);
    golden.credential.clear();
    estate.choices.declare({&golden}, {});
    CHECK(&estate.apis.acting_for(golden.id) == &estate.own);
}
