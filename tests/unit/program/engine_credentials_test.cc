#include <doctest/doctest.h>

#include "controller/adapters/documents/reader.h"
#include "controller/core/digest.h"
#include "controller/program/engine.h"
#include "controller/program/gallery_apis.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_journal.h"
#include "tests/support/recording_log.h"
#include "tests/support/recording_metrics.h"
#include "tests/support/run_task.h"
#include "tests/unit/lifecycle/fake_api.h"

using namespace galleryd;

namespace {

// Counts every look, and may refuse them all.
class CountedApi : public FakeApi {
  public:
    int looks = 0;
    std::optional<Error> refuses;
    Task<std::optional<ObservedResourceGroup>> get_resource_group(std::string subscription, std::string) override {
        ++looks;
        if (refuses) co_return std::unexpected(*refuses);
        co_return ObservedResourceGroup{"rg", "canadacentral", {}};
        static_cast<void>(subscription);
    }
    Task<std::optional<ObservedDefinition>> get_definition(ResourceId id) override {
        ++looks;
        if (refuses) co_return std::unexpected(*refuses);
        const auto found = definitions.find(id.key());
        co_return found == definitions.end() ? std::nullopt : std::optional(found->second);
    }
    Task<std::vector<ObservedVersion>> list_versions(ResourceId definition) override {
        std::vector<ObservedVersion> listed;
        for (const auto& [key, version] : versions) {
            if (version.id.parent() == definition) listed.push_back(version);
        }
        co_return listed;
    }
    // A definition with an old and a new version.
    void fill(const ResourceId& definition, TimePoint now) {
        ObservedDefinition& made = definitions[definition.key()];
        made.id = definition;
        made.name = definition.name();
        made.state = ProvisioningState::succeeded;
        made.tags[owner_tag] = owner_tag_value("galleryd", {Kind::image_definition, "images", definition.name()});
        for (const auto& [number, age] : std::map<std::string, int>{{"1.0.0", 400}, {"1.1.0", 1}}) {
            const ResourceId id = version_id(definition, number);
            ObservedVersion& version = versions[id.key()];
            version.id = id;
            version.name = number;
            version.number = parse_image_version_number(number);
            version.state = ProvisioningState::succeeded;
            version.published = now - std::chrono::days{age};
            version.replication_known = true;
        }
    }
};

// Sees nobody; notes which galleries it was asked about.
class NotedReader : public UsageReader {
  public:
    std::set<std::string> galleries;
    std::optional<Error> refuses;
    std::vector<ImageUser> users;
    Task<UsageAnswer> users_of(std::vector<ResourceId> asked) override {
        for (const ResourceId& gallery : asked) galleries.insert(gallery.name());
        if (refuses) co_return std::unexpected(*refuses);
        UsageAnswer answer;
        for (const ResourceId& gallery : asked)
            answer.galleries.push_back({.gallery = gallery, .found = true, .subscriptions = {}, .tenants = {}});
        answer.readable = {"00000000-0000-0000-0000-000000000001"};
        answer.users = users;
        for (const ImageUser& user : users) answer.readable.push_back(fold_case(user.id.subscription()));
        answer.requests = 1;
        co_return answer;
    }
    Task<std::vector<ResourceId>> find_versions(std::string, std::string, std::string) override {
        co_return std::vector<ResourceId>{};
    }
    Task<std::vector<ResourceId>> find_definitions(std::string, std::string) override {
        co_return std::vector<ResourceId>{};
    }
};

std::string gallery(const std::string& name, const std::string& more, const std::string& space = "images") {
    return "---\napiVersion: galleryd.io/v1alpha1\nkind: Gallery\nmetadata: {name: " + name + ", namespace: " + space +
           "}\nspec:\n  subscriptionId: 00000000-0000-0000-0000-000000000001\n  resourceGroup: rg\n"
           "  location: canadacentral\n  deletionPolicy: Delete\n" +
           more;
}

std::string definition_by_id(const std::string& gallery_name) {
    return "---\napiVersion: galleryd.io/v1alpha1\nkind: ImageDefinition\nmetadata: {name: ubuntu, namespace: apart}\n"
           "spec:\n  armId: " +
           gallery_id("00000000-0000-0000-0000-000000000001", "rg", gallery_name).text() +
           "\n  location: canadacentral\n  identifier: {publisher: Contoso, offer: Ubuntu, sku: s}\n  osType: Linux\n"
           "  osState: Generalized\n  hyperVGeneration: V2\n";
}

const std::string with_team = "  credential: {name: team-a}\n";

struct World {
    boost::asio::io_context io;
    ManualClock clock{io};
    RecordingLog log;
    RecordingMetrics metrics;
    std::unique_ptr<Journal> journal = memory_journal(clock.now());
    CountedApi own;
    std::map<std::string, std::shared_ptr<CountedApi>> others;
    Engine::CredentialFacts facts;
    struct Program {
        GalleryCredentials choices;
        std::unique_ptr<GalleryApis> apis;
        std::unique_ptr<Engine> engine;
    };
    Program program;

    explicit World(std::size_t sources = 1) { start(sources); }

    void start(std::size_t sources = 1) {  // again: the same journal, nothing else
        program.engine.reset();
        program.choices = {};
        program.apis =
            std::make_unique<GalleryApis>(own, program.choices, [this](const CredentialChoice& choice) -> GalleryApi& {
                std::shared_ptr<CountedApi>& api = others[choice.name];
                if (!api) api = std::make_shared<CountedApi>();
                return *api;
            });
        EngineOptions options;
        options.galleries_have_credentials = true;
        options.source_count = sources;
        program.engine = std::make_unique<Engine>(*program.apis, *journal, clock, log, metrics, options);
        program.engine->use_credentials(program.choices, facts);
        REQUIRE(program.engine->load().has_value());
    }
    Engine& engine() { return *program.engine; }
    Result<std::set<std::string>> accept(const std::string& yaml, const std::string& source = "dir:one") {
        ReadResult read = read_documents({{"all.yaml", yaml}}, {});
        Snapshot snapshot;
        snapshot.source = source;
        snapshot.revision = sha256_label(yaml);
        snapshot.objects = std::move(read.objects);
        snapshot.documents = std::move(read.documents);
        return engine().accept(std::move(snapshot));
    }
    void declare(const std::string& yaml, const std::string& source = "dir:one") {
        REQUIRE(accept(yaml, source).has_value());
    }
    Result<Plan> plan(const std::string& scope) { return run_task(io, clock, engine().plan_scope(scope)); }
    PassResult pass(const std::string& scope) {
        auto passed = run_task(io, clock, engine().pass(scope));
        REQUIRE(passed.has_value());
        return std::move(*passed);
    }
    int looks_of(const std::string& credential) { return others.contains(credential) ? others[credential]->looks : 0; }
    std::string ready(const std::string& name) const {
        for (const ObjectStatus& status : program.engine->statuses().all()) {
            for (const Condition& condition : status.conditions) {
                if (status.key.name == name && condition.type == "Ready")
                    return condition.reason + ": " + condition.message;
            }
        }
        return {};
    }
};

}  // namespace

TEST_CASE("a credential that is refused stalls its gallery alone: nothing of it is written, the others go on") {
    World world;
    world.declare(gallery("golden", with_team) + gallery("silver", ""));
    world.others["images/team-a"] = std::make_shared<CountedApi>();
    world.others["images/team-a"]->refuses = Error{.kind = ErrorKind::denied,
                                                   .reason = "AuthenticationFailed",
                                                   .message = "the credential images/team-a cannot be used: gone",
                                                   .code = "GD3029"};
    const PassResult golden = world.pass("images/golden"), silver = world.pass("images/silver");
    REQUIRE(golden.error.has_value());
    CHECK(golden.error->code == "GD3029");
    CHECK_FALSE(golden.plan.has_value());
    CHECK(world.ready("golden") ==
          "AuthenticationFailed: the credential images/team-a cannot be used: gone. galleryd explain GD3029");
    CHECK(silver.applied.writes == 1);
    CHECK(world.own.writes == std::vector<std::string>{"put gallery silver"});
    CHECK(world.others["images/team-a"]->writes.empty());
    CHECK(world.own.looks == 1);
}

TEST_CASE("a gallery whose document is gone is still asked about with its own credential, after a restart too") {
    World world;
    world.declare(gallery("golden", with_team) + gallery("silver", ""));
    REQUIRE(world.plan("images/golden").has_value());
    CHECK(world.looks_of("images/team-a") == 1);
    world.declare(gallery("silver", ""));
    REQUIRE(world.engine().scopes().contains("images/golden"));
    REQUIRE(world.plan("images/golden").has_value());
    CHECK(world.looks_of("images/team-a") == 2);
    world.start();
    world.declare(gallery("silver", ""));
    REQUIRE(world.plan("images/golden").has_value());
    CHECK(world.looks_of("images/team-a") == 3);
    CHECK(world.own.looks == 0);
}

TEST_CASE("while a document that may name the credential is not read or broken, nobody asks about the gallery") {
    World world(2);
    world.declare(definition_by_id("golden"), "dir:one");
    const auto early = world.plan("apart/golden/ubuntu");
    REQUIRE_FALSE(early.has_value());
    CHECK(early.error().kind == ErrorKind::not_ready);
    CHECK(early.error().message.contains("may name the gallery's credential"));
    world.declare(gallery("golden", "  credential: {name: ../team-a}\n"), "dir:two");
    CHECK_FALSE(world.plan("apart/golden/ubuntu").has_value());
    CHECK(world.own.looks == 0);
    world.declare(gallery("golden", with_team), "dir:two");
    CHECK(world.plan("apart/golden/ubuntu").has_value());
    CHECK(world.looks_of("images/team-a") == 1);
    CHECK(world.own.looks == 0);
    world.declare(gallery("silver", ""), "dir:two");  // taken away: it keeps what it had
    CHECK(world.plan("apart/golden/ubuntu").has_value());
    CHECK(world.looks_of("images/team-a") == 2);
    CHECK(world.own.looks == 0);
}

TEST_CASE(
    "a source that is read before the gallery's own forgets no credential, and a document lost while nobody ran keeps "
    "it") {
    World world(2);
    world.declare(gallery("silver", ""), "dir:one");
    world.declare(gallery("golden", with_team), "dir:two");
    REQUIRE(world.program.choices.find(gallery_id("00000000-0000-0000-0000-000000000001", "rg", "golden")) != nullptr);
    world.start(2);
    world.declare(gallery("silver", ""), "dir:one");
    world.declare(gallery("bronze", ""), "dir:two");  // golden's document went while nobody ran
    REQUIRE(world.engine().scopes().contains("images/golden"));
    REQUIRE(world.plan("images/golden").has_value());
    CHECK(world.looks_of("images/team-a") == 1);
    CHECK(world.own.looks == 0);
}

TEST_CASE("two sources that claim one gallery with different credentials leave nobody to ask about what is in it") {
    World world(2);
    world.declare(gallery("golden", with_team) + definition_by_id("golden"), "dir:one");
    world.declare(gallery("golden", "", "other"), "dir:two");
    world.others[""] = std::make_shared<CountedApi>();
    world.others[""]->refuses =
        Error{.kind = ErrorKind::denied, .reason = "AuthenticationFailed", .message = "two", .code = "GD3029"};
    REQUIRE(world.engine().scopes().contains("apart/golden/ubuntu"));
    CHECK_FALSE(world.plan("apart/golden/ubuntu").has_value());
    CHECK(world.own.looks == 0);
    CHECK(world.looks_of("images/team-a") == 0);
}

TEST_CASE("galleryd's own credential is needed for as long as one gallery names none") {
    World world;
    world.declare(gallery("golden", with_team) + gallery("silver", ""));
    CHECK_FALSE(world.engine().needs_no_credential());
    World apart;
    apart.declare(gallery("golden", with_team));
    CHECK(apart.engine().needs_no_credential());
}

namespace {

const std::string retention =
    "---\napiVersion: galleryd.io/v1alpha1\nkind: LifecyclePolicy\nmetadata: {name: standard, namespace: images}\n"
    "spec:\n  governs: All\n  retention: {action: Delete, keepNewest: 1, olderThan: 30d}\n";

std::string definition_of(const std::string& gallery_name) {
    return "---\napiVersion: galleryd.io/v1alpha1\nkind: ImageDefinition\nmetadata: {name: ubuntu-" + gallery_name +
           ", namespace: images}\nspec:\n  gallery: " + gallery_name + "\n  lifecyclePolicy: standard\n" +
           "  identifier: {publisher: Contoso, offer: Ubuntu, sku: " + gallery_name +
           "}\n  osType: Linux\n  osState: Generalized\n  hyperVGeneration: V2\n";
}

ResourceId ubuntu(const std::string& gallery_name) {
    return definition_id(gallery_id("00000000-0000-0000-0000-000000000001", "rg", gallery_name),
                         "ubuntu-" + gallery_name);
}

// Why the old version stays, as far as its use is concerned.
std::string usage_in(const PassResult& passed) {
    REQUIRE_MESSAGE(passed.plan.has_value(), (passed.error ? passed.error->message : ""));
    std::string all;
    for (const Conflict& conflict : passed.plan->conflicts) all += "conflict " + conflict.message + "\n";
    for (const VersionVerdict& verdict : passed.plan->verdicts) all += verdict.version + " " + verdict.text + "\n";
    for (const Blocked& blocked : passed.plan->blocked) {
        for (const BlockReason& reason : blocked.reasons) {
            if (reason.interlock_point == 7) return reason.message;
        }
    }
    return "not blocked by use: " + all;
}

}  // namespace

TEST_CASE("who uses a version is asked with the gallery's own credential, and what another one saw says nothing") {
    World world;
    NotedReader own, team;
    world.facts.usage = [&team](const CredentialChoice&) { return UsageAskers{.reader = &team}; };
    world.start();
    world.engine().use_usage(own);
    world.others["images/team-a"] = std::make_shared<CountedApi>();
    world.others["images/team-a"]->fill(ubuntu("golden"), world.clock.now());
    world.own.fill(ubuntu("silver"), world.clock.now());
    const std::string rest = gallery("silver", "") + definition_of("golden") + definition_of("silver") + retention;
    world.declare(gallery("golden", with_team) + rest);
    const std::string first = usage_in(world.pass("images/golden/ubuntu-golden"));
    CHECK_MESSAGE(first.contains("nobody uses it"), first);
    CHECK(team.galleries == std::set<std::string>{"golden"});
    CHECK(own.galleries.empty());
    CHECK(usage_in(world.pass("images/silver/ubuntu-silver")).contains("nobody uses it"));
    CHECK(own.galleries == std::set<std::string>{"silver"});

    // It changes hands: what the other identity saw for a quarter of an hour counts no more.
    world.clock.advance(std::chrono::minutes{20});
    const PassResult settled = world.pass("images/golden/ubuntu-golden");
    CHECK_FALSE(usage_in(settled).contains("a second look"));
    world.own.fill(ubuntu("golden"), world.clock.now());
    world.declare(gallery("golden", "") + rest);
    const std::string anew = usage_in(world.pass("images/golden/ubuntu-golden"));
    CHECK(anew.contains("a second look"));
    CHECK(own.galleries == std::set<std::string>{"golden", "silver"});

    // Where galleryd saw users of the gallery, the team's credential has to be able to look.
    own.users = {ImageUser{.kind = UserKind::virtual_machine,
                           .id = ResourceId("/subscriptions/0000000C-0000-0000-0000-000000000001/resourceGroups/app/"
                                            "providers/Microsoft.Compute/virtualMachines/web"),
                           .region = "canadacentral",
                           .definition = ubuntu("golden"),
                           .version = "1.0.0"}};
    world.clock.advance(std::chrono::minutes{20});
    CHECK(usage_in(world.pass("images/golden/ubuntu-golden")).contains("1 virtual machine"));
    world.declare(gallery("golden", with_team) + rest);
    world.clock.advance(std::chrono::minutes{20});
    const std::string lost = usage_in(world.pass("images/golden/ubuntu-golden"));
    CHECK_MESSAGE(lost.contains("0000000c-0000-0000-0000-000000000001 could be read on"), lost);

    // A credential that may not ask leaves it unknown, which keeps.
    team.refuses =
        Error{.kind = ErrorKind::denied, .reason = "AuthenticationFailed", .message = "no", .code = "GD3029"};
    world.clock.advance(std::chrono::minutes{20});
    CHECK(usage_in(world.pass("images/golden/ubuntu-golden")).contains("could not be asked who uses it: no"));
}
