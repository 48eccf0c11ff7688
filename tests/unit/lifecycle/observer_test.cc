#include "reconcilers/lifecycle/observer.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "controller/runtime/side_by_side.h"
#include "controller/runtime/task_group.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"
#include "tests/unit/lifecycle/fake_api.h"

using namespace galleryd;
using namespace std::chrono_literals;

namespace {

const ResourceId definition("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/galleries/g/images/d");

ResourceId version_id(int number) { return ResourceId(definition.text() + "/versions/1.0." + std::to_string(number)); }

// Each read takes a second; what was asked, in order, and how much of it at once.
class SlowApi : public FakeApi {
  public:
    explicit SlowApi(Clock& clock) : clock_(clock) {}

    int count = 0;  // of versions that are listed
    std::set<std::string> gone;
    std::map<std::string, Error> errors;
    std::vector<std::string> asked;
    int running = 0, running_max = 0;

    Task<std::optional<ObservedDefinition>> get_definition(ResourceId id) override {
        const auto took = co_await take("definition");
        if (!took) co_return std::unexpected(took.error());
        ObservedDefinition found;
        found.id = id;
        co_return found;
    }
    Task<std::vector<ObservedVersion>> list_versions(ResourceId) override {
        const auto took = co_await take("versions");
        if (!took) co_return std::unexpected(took.error());
        std::vector<ObservedVersion> list;
        for (int i = 0; i < count; ++i) list.push_back(version(i, false));
        co_return list;
    }
    Task<std::optional<ObservedVersion>> get_version(ResourceId id, bool with_replication) override {
        const auto took = co_await take(id.name());
        if (!took) co_return std::unexpected(took.error());
        if (gone.contains(id.name())) co_return std::nullopt;
        const int number = std::stoi(id.name().substr(4));
        co_return version(number, with_replication);
    }
    Task<std::vector<ObservedRoleAssignment>> list_role_assignments(ResourceId) override {
        const auto took = co_await take("assignments");
        if (!took) co_return std::unexpected(took.error());
        co_return std::vector<ObservedRoleAssignment>(1);
    }

  private:
    static ObservedVersion version(int number, bool with_replication) {
        ObservedVersion version;
        version.id = version_id(number);
        version.name = version.id.name();
        version.state = ProvisioningState::succeeded;
        version.target_regions.emplace_back().name = "eastus";
        version.replication_known = with_replication;
        if (with_replication) version.replication["eastus"].state = ReplicationState::completed;
        return version;
    }
    Task<void> take(std::string what) {
        asked.push_back(what);
        running_max = std::max(running_max, ++running);
        struct Leave {
            int& count;
            ~Leave() { --count; }
        } const leave{running};
        co_await clock_.sleep_for(1s);
        const auto error = errors.find(what);
        if (error != errors.end()) co_return std::unexpected(error->second);
        co_return Status{};
    }
    Clock& clock_;
};

struct World {
    boost::asio::io_context io{1};
    ManualClock clock{io};
    SlowApi api{clock};
    Observer observer{api, clock, run_side_by_side};

    Result<DefinitionView> look(bool wants_role_assignments = false) {
        const DefinitionLook what{.id = definition, .wants_role_assignments = wants_role_assignments};
        return run_task(io, clock, observer.look(what));
    }
    long asked(const std::string& what) const { return std::ranges::count(api.asked, what); }
};

std::vector<std::string> names_of(const DefinitionView& view) {
    std::vector<std::string> names;
    for (const ObservedVersion& version : view.versions) names.push_back(version.name);
    return names;
}

}  // namespace

TEST_CASE("a definition's versions are read side by side, each once, and stay in the list's order") {
    World world;
    world.api.count = 40;
    const auto before = world.clock.monotonic();
    const auto view = world.look(true);
    REQUIRE(view);
    CHECK(view->complete);
    REQUIRE(view->versions.size() == 40);
    for (int i = 0; i < 40; ++i) {
        const ObservedVersion& version = view->versions[static_cast<std::size_t>(i)];
        CHECK(version.id == version_id(i));
        CHECK(version.replication_known);
        CHECK(world.asked(version.name) == 1);
    }
    CHECK(view->role_assignments->size() == 1);
    CHECK(world.api.asked.size() == 43);  // the definition, two lists, forty versions
    CHECK(world.api.asked.front() == "definition");
    CHECK(world.api.running_max == 17);             // sixteen versions, and the other list is just ending
    CHECK(world.clock.monotonic() - before == 5s);  // definition, lists, three rounds of versions
    REQUIRE(world.look(true));
    CHECK(world.api.asked.size() == 46);  // what is settled is not read again
}

TEST_CASE("a version that goes between its list and its read is gone, the others keep their places") {
    World world;
    world.api.count = 4;
    world.api.gone = {"1.0.1"};
    const auto view = world.look();
    REQUIRE(view);
    CHECK(names_of(*view) == std::vector<std::string>{"1.0.0", "1.0.2", "1.0.3"});
}

TEST_CASE("one read that fails makes the look an error, begins no further one, and what was read is remembered") {
    World world;
    world.api.count = 40;
    world.api.errors["1.0.3"] = {.kind = ErrorKind::denied, .reason = "NoPermission", .message = "not version 3"};
    const auto failed = world.look();
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message == "not version 3");
    CHECK(world.api.running == 0);
    // Those that end in the same moment before it may have taken their next turn: never more than a second round.
    CHECK(world.api.asked.size() == 2 + 16 + 3);
    world.api.errors.clear();
    world.api.asked.clear();
    const auto view = world.look();
    REQUIRE(view);
    CHECK(view->versions.size() == 40);
    CHECK(world.api.asked.size() == 2 + 40 - 18);  // without the eighteen that were answered
}

TEST_CASE("a list that fails makes the look an error, whichever list it is") {
    for (const char* list : {"versions", "assignments"}) {
        World world;
        world.api.count = 2;
        world.api.errors[list] = {.kind = ErrorKind::transient, .reason = "NetworkError", .message = list};
        const auto failed = world.look(true);
        REQUIRE_FALSE(failed);
        CHECK(failed.error().message == list);
        CHECK(world.api.running == 0);
    }
}

TEST_CASE("a look that is cancelled joins its reads and asks for nothing more") {
    World world;
    world.api.count = 40;
    const DefinitionLook what{.id = definition, .wants_role_assignments = false};
    StartedTask call(world.io, world.observer.look(what));
    world.clock.advance(2s);
    CHECK(world.api.running == 16);
    call.cancel(world.io);
    REQUIRE(call.done());
    REQUIRE(call.exception() != nullptr);
    CHECK(is_cancellation(call.exception()));
    CHECK(world.api.running == 0);
    CHECK(world.api.asked.size() == 2 + 16);
    CHECK(world.clock.sleepers() == 0);
}
