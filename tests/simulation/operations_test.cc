#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <map>
#include <string>
#include <vector>

#include "controller/adapters/azure/arm_client.h"
#include "controller/adapters/azure/resource_graph.h"
#include "controller/adapters/journal/journal.h"
#include "controller/program/engine.h"
#include "controller/simulator/simulator.h"
#include "tests/simulation/estate.h"
#include "tests/simulation/world.h"
#include "tests/support/bench_figures.h"
#include "tests/support/long_road.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_journal.h"
#include "tests/support/recording_log.h"
#include "tests/support/recording_metrics.h"
#include "tests/support/run_task.h"

// Benchmark P10 of performance.md: what it costs to follow a thousand operations, and how soon their ends are noticed.
// The real clients with Azure's limits against the simulator on a manual clock; requests are counted as they reach it.
using namespace galleryd;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

constexpr milliseconds one_way{30};  // of a read that takes 60 ms

http::Origin arm_origin() { return {"https", "management.azure.com", "443"}; }

struct Counts {
    int index = 0, polls = 0, reads = 0, writes = 0, others = 0;
    int while_waiting() const { return index + polls + reads + others; }
};

// Everything on the road is counted.
class CountingRoad : public LongRoad {
  public:
    CountingRoad(simulator::Simulator& azure, Clock& clock) : LongRoad(azure, clock, one_way) {}
    Counts counts;
    int throttled = 0;

  private:
    void note_departure(const http::Request& request) override {
        const std::string path = fold_case(request.target);
        if (request.method == "PUT" || request.method == "DELETE") ++counts.writes;
        else if (path.contains("microsoft.resourcegraph")) ++counts.index;
        else if (path.contains("capsoperations")) ++counts.polls;
        else if (path.contains("/versions/")) ++counts.reads;
        else ++counts.others;
    }
    void note_answer(const http::Response& answer) override {
        if (answer.status == 429) ++throttled;
    }
};

struct TrackingOptions {
    bool with_index = true;
    std::chrono::seconds graph_lag{28};  // 95 % of changes are shown within it
    std::function<Duration(const std::string& id)> length = [](const std::string&) { return Duration(minutes{7}); };
};

simulator::Options simulated(const TrackingOptions& options) {
    simulator::Options made;
    made.check_tokens = false;
    made.graph_lag = options.graph_lag;
    made.operation_length = [length = options.length](std::string_view, std::string_view id) {
        return std::optional<Duration>(length(std::string(id)));
    };
    return made;
}

azure::ArmOptions arm_options() {
    azure::ArmOptions options;
    options.arm = arm_origin();
    return options;
}

azure::GraphOptions graph_options() {
    azure::GraphOptions options;
    options.arm = arm_options();
    return options;
}

// Ten subscriptions with ten definitions each, ten versions of every one: the provider takes 187 creates of a
// subscription-region in three minutes at our half of its windows, so a thousand are in flight side by side.
struct Tracking {
    explicit Tracking(TrackingOptions options = {})
        : clock(io, *parse_rfc3339("2026-11-21T00:00:00Z")),
          azure(clock, simulated(options)),
          road(azure, clock),
          arm(road, token, clock, log, metrics, arm_options()),
          graph(road, token, clock, log, metrics, graph_options()),
          journal(memory_journal(clock.now())),
          engine(std::make_unique<Engine>(arm, *journal, clock, log, metrics, EngineOptions{})),
          with_index(options.with_index) {
        start_engine();
        const Status loaded = azure.load_state(estate::images_state());
        REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().message));
        std::string rows;
        for (int i = 0; i < subscriptions; ++i) rows += galleries(i) + (i + 1 < subscriptions ? "," : "");
        const Status more = azure.load_state(R"({"resources": [)" + rows + "]}");
        REQUIRE_MESSAGE(more.has_value(), (more ? "" : more.error().message));
        azure.on_mutation(
            [this](const simulator::Mutation& mutation) { accepted.emplace(fold_case(mutation.path), mutation.at); });
    }
    void start_engine() {
        if (with_index) engine->use_inventory(graph);
        REQUIRE(engine->load().has_value());
    }

    static constexpr int subscriptions = 10, definitions = 10;
    static std::string gallery(int subscription) {
        return "/subscriptions/00000000-0000-0000-0000-00000000010" + std::to_string(subscription) +
               "/resourceGroups/rg-golden/providers/Microsoft.Compute/galleries/golden";
    }
    static std::string galleries(int subscription) {
        std::string rows = R"({"id": ")" + gallery(subscription) +
                           R"(", "type": "Microsoft.Compute/galleries", "name": "golden", "location": "canadacentral",
                           "properties": {"provisioningState": "Succeeded"}})";
        for (int i = 0; i < definitions; ++i) {
            const std::string name = "image-" + std::to_string(i);
            rows += R"(,{"id": ")" + gallery(subscription) + "/images/" + name +
                    R"(", "type": "Microsoft.Compute/galleries/images", "name": ")" + name +
                    R"(", "location": "canadacentral", "properties": {"osType": "Linux", "osState": "Generalized",
                    "hyperVGeneration": "V2", "architecture": "x64", "identifier": {"publisher": "Contoso",
                    "offer": "Ubuntu", "sku": ")" +
                    name + R"("}, "provisioningState": "Succeeded"}})";
        }
        return rows;
    }
    static std::string version(int number) {
        const int subscription = number % subscriptions, definition = number / subscriptions % definitions;
        return gallery(subscription) + "/images/image-" + std::to_string(definition) + "/versions/1.0." +
               std::to_string(number / subscriptions / definitions);
    }

    // As the executor does: intent, request, the operation in the journal; then it is followed to its end.
    boost::asio::awaitable<void> create(int number) {
        const ResourceId id(version(number));
        const Intent intent{.resource = id.text(),
                            .step = "CreateVersion",
                            .document = "",
                            .revision = "",
                            .rule = "",
                            .reason = "not_found",
                            .plan_id = "",
                            .detail = "",
                            .asked_by = "test",
                            .destructive = false,
                            .at = clock.now()};
        const auto begun = journal->begin_intent(intent);
        REQUIRE(begun.has_value());
        VersionWrite write;
        write.location = "canadacentral";
        write.source = ImageSource{};
        write.source->type = SourceType::managed_image;
        write.source->id =
            ResourceId(estate::subscription + "/resourceGroups/rg-packer/providers/Microsoft.Compute/images/packer-1");
        write.target_regions.emplace_back().name = "canadacentral";
        const auto outcome = co_await arm.put_version(id, std::move(write), std::nullopt);
        REQUIRE_MESSAGE(outcome.has_value(), (outcome ? "" : outcome.error().message));
        REQUIRE(outcome->operation.has_value());
        const OperationRecord operation{.intent = *begun,
                                        .resource = id.text(),
                                        .step = "CreateVersion",
                                        .scope = "images/golden",
                                        .operation = *outcome->operation,
                                        .started = clock.now()};
        REQUIRE(journal->finish_intent(*begun, "accepted", "", clock.now(), operation).has_value());
        ++started;
        co_await follow(operation);
    }
    boost::asio::awaitable<void> follow(OperationRecord operation) {
        const std::string key = fold_case(operation.resource);
        const auto scope = co_await engine->follow(std::move(operation));
        REQUIRE(scope.has_value());
        CHECK(azure_state(key) == "Succeeded");
        noticed[key] = clock.now();
    }
    std::string azure_state(const std::string& id) {
        const auto text = azure.resource(id);
        const auto at = text ? text->find("\"provisioningState\":\"") : std::string::npos;
        return at == std::string::npos ? "" : text->substr(at + 21, text->find('"', at + 21) - at - 21);
    }

    void begin(int count) {
        wanted = count;
        for (int i = 0; i < count; ++i) {
            boost::asio::co_spawn(io, create(i), [](const std::exception_ptr& problem) {
                if (problem) std::rethrow_exception(problem);
            });
        }
    }
    // Bounded, so that a mistake ends as a failure and not in a loop.
    void run(std::chrono::seconds limit = std::chrono::hours{2}) {
        const nanoseconds end = clock.monotonic() + limit;
        while (static_cast<int>(noticed.size()) < wanted && clock.monotonic() < end && clock.advance_to_next()) {
        }
        REQUIRE(static_cast<int>(noticed.size()) == wanted);
        CHECK(journal->operations()->empty());
    }
    // From the end in Azure to our knowing it, of the slowest.
    seconds slowest(const TrackingOptions& options = {}) const {
        Duration longest{0};
        for (const auto& [id, at] : noticed) longest = std::max(longest, at - accepted.at(id) - options.length(id));
        return std::chrono::ceil<seconds>(longest);
    }
    void faults(const std::string& yaml) { REQUIRE(azure.load_faults(yaml).has_value()); }

    boost::asio::io_context io;
    ManualClock clock;
    simulator::Simulator azure;
    CountingRoad road;
    azure::NoToken token;
    RecordingLog log;
    RecordingMetrics metrics;
    azure::ArmClient arm;
    azure::ResourceGraph graph;
    std::unique_ptr<Journal> journal;
    std::unique_ptr<Engine> engine;
    bool with_index;
    std::map<std::string, TimePoint> accepted, noticed;
    int wanted = 0, started = 0;
};

constexpr seconds noticed_within{65};

#ifdef NDEBUG
constexpr int in_flight = 1'000;
#else
constexpr int in_flight = 200;  // a debug build takes fewer
#endif

}  // namespace

TEST_CASE("P10: a thousand creates of seven minutes over a hundred definitions cost 1,100 requests at most") {
    Tracking world;
    world.begin(1'000);
    world.clock.advance(minutes{2});
    CHECK(world.started == 1'000);  // all in flight at once
    CHECK(world.journal->operations()->size() == 1'000);
    world.run();
    const Counts& counts = world.road.counts;
    CAPTURE(counts.index);
    CAPTURE(counts.polls);
    CAPTURE(counts.reads);
    CAPTURE(counts.others);
    CHECK(counts.writes == 1'000);
    CHECK(counts.while_waiting() == 1'042);
    CHECK(counts.while_waiting() <= 1'100);
    CHECK(world.slowest() <= noticed_within);
    CHECK(world.road.throttled == 0);
    note_figures("1,000 creates", {{"while_waiting", static_cast<double>(counts.while_waiting())},
                                   {"slowest_s", std::chrono::duration<double>(world.slowest()).count()}});
}

TEST_CASE("P10: ends are noticed in time while the index stands still, and every operation is noticed") {
    Tracking world;
    world.begin(in_flight);
    bool stands_still = false;
    SUBCASE("from the beginning") {
        world.faults("[{path: '*ResourceGraph*', graphFreeze: true}]");
        stands_still = true;
    }
    SUBCASE("from the third minute on") { world.faults("[{path: '*ResourceGraph*', after: 3m, graphFreeze: true}]"); }
    SUBCASE("and answers are an hour old") { world.faults("[{path: '*ResourceGraph*', graphLag: 1h}]"); }
    SUBCASE("and is refused") { world.faults("[{path: '*ResourceGraph*', status: 403, code: AuthorizationFailed}]"); }
    SUBCASE("and every second question fails") {
        world.faults("[{path: '*ResourceGraph*', probability: 0.5, status: 503}]");
    }
    world.run();
    CAPTURE(world.road.counts.index);
    CAPTURE(world.road.counts.polls);
    CAPTURE(world.road.counts.reads);
    CHECK(world.slowest() <= noticed_within);
    CHECK(world.road.counts.while_waiting() <= 10 * in_flight);  // not more than a poll a minute each
    if (stands_still && in_flight == 1'000)
        note_figures("1,000 creates while the index stands still",
                     {{"while_waiting", static_cast<double>(world.road.counts.while_waiting())},
                      {"slowest_s", std::chrono::duration<double>(world.slowest()).count()}});
}

TEST_CASE("P10: what waits for many operations is not read again and again by the engine itself") {
    World world({.inventory = true, .operations = minutes{7}});
    world.load(estate::images_state());
    world.declare(estate::small(30));
    for (int i = 0; i < 100 && world.journal->operations()->size() < 30; ++i) world.round();
    REQUIRE(world.journal->operations()->size() == 30);
    world.clock.advance(minutes{1});
    for (int i = 0; i < 3; ++i) world.round();  // the index shows them by now
    const auto reads = [&world] {
        double count = 0;
        for (const char* type : {"", "/images", "/images/versions"})
            count += world.metrics.sum("galleryd_arm_requests_total",
                                       {{"resource_type", std::string("Microsoft.Compute/galleries") + type}});
        return count;
    };
    const double reads_before = reads();
    const auto before = world.azure.requests();
    for (int i = 0; i < 4 * 3; ++i) world.round();
    CHECK(reads() == reads_before);  // of galleries, definitions and versions
    // In four minutes: a question for changes each round, one to the index and one about the oldest each half minute,
    // and ten guesses at a length that nobody knows yet.
    CHECK(world.azure.requests() - before <= 12 + 8 + 8 + 10);
    CHECK(world.converge());
    CHECK(world.deletes() == 0);
    CHECK(world.writes_to(estate::version_id("1.0.0")) == 1);
}
