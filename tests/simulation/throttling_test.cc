#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <string>
#include <vector>

#include "controller/adapters/azure/arm_client.h"
#include "controller/core/budget_schedule.h"
#include "controller/simulator/simulator.h"
#include "tests/simulation/estate.h"
#include "tests/support/bench_figures.h"
#include "tests/support/long_road.h"
#include "tests/support/manual_clock.h"
#include "tests/support/recording_log.h"
#include "tests/support/recording_metrics.h"
#include "tests/support/run_task.h"

// Benchmark P5 of performance.md: convergence under throttling, on a manual clock. The client's scheduler against the
// limits that the simulator enforces; the ideal is computed from the same table.
using namespace galleryd;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

constexpr milliseconds one_way{75};  // of a PUT that takes 150 ms

http::Origin arm_origin() { return {"https", "management.azure.com", "443"}; }

// Everything that matters is written down on the way.
class Road : public LongRoad {
  public:
    Road(simulator::Simulator& azure, Clock& clock) : LongRoad(azure, clock, one_way) {}

    int sent = 0, early = 0, injected = 0, refused = 0;
    std::optional<nanoseconds> first_sent;
    std::vector<nanoseconds> accepted;
    nanoseconds actual() const { return accepted.back() - first_sent.value_or(nanoseconds{0}); }
    // How long, from that time on until the end, Azure wanted to hear nothing.
    nanoseconds held_after(nanoseconds time) const {
        nanoseconds held{0};
        for (const auto& [from, until] : closed_)
            held += std::max(std::min(until, accepted.back()) - std::max(from, *first_sent + time), nanoseconds{0});
        return held;
    }
    int accepted_within(nanoseconds time) const {
        return static_cast<int>(
            std::ranges::count_if(accepted, [&](nanoseconds at) { return at - *first_sent <= time; }));
    }

  private:
    void note_departure(const http::Request&) override {
        ++sent;
        if (clock_.monotonic() < closed_until_) ++early;
        if (!first_sent) first_sent = clock_.monotonic();
    }
    void note_answer(const http::Response& answer) override {
        if (answer.status < 300) accepted.push_back(clock_.monotonic());
    }
    void note_return(const http::Response& answer) override {
        if (answer.status != 429) return;
        (answer.body.contains("InjectedFault") ? injected : refused) += 1;
        const std::string wait = answer.headers.get("Retry-After");
        REQUIRE(wait != "");
        const nanoseconds from = std::max(closed_until_, clock_.monotonic());
        closed_until_ = std::max(closed_until_, clock_.monotonic() + seconds{std::stoi(wait)});
        if (closed_until_ > from) closed_.emplace_back(from, closed_until_);
    }

    nanoseconds closed_until_{0};
    std::vector<std::pair<nanoseconds, nanoseconds>> closed_;
};

simulator::Options simulated() {
    simulator::Options options;
    options.limits = true;
    options.check_tokens = false;
    options.operation_length = [](std::string_view, std::string_view) { return std::optional<Duration>(seconds{1}); };
    return options;
}

azure::ArmOptions arm_options(double share) {
    azure::ArmOptions options;
    options.arm = arm_origin();
    options.share = share;
    return options;
}

struct Throttled {
    explicit Throttled(double share)
        : clock(io),
          azure(clock, simulated()),
          road(azure, clock),
          arm(road, token, clock, log, metrics, arm_options(share)),
          neighbour_token(azure.issue_token("neighbour")) {
        load(estate::wide_state());
    }

    void load(const std::string& state) {
        const Status loaded = azure.load_state(state);
        REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().message));
    }
    void load_versions(int count) {
        std::string all;
        for (int i = 0; i < count; ++i)
            all += (i == 0 ? "" : ",") + estate::published(number(i), "2026-01-01T00:00:00Z");
        load(R"({"resources": [)" + all + "]}");
    }
    static std::string number(int i) { return "7.0." + std::to_string(i); }

    Task<WriteOutcome> write(int i, bool removal) {
        ResourceId id(estate::version_id(number(i)));
        if (removal) co_return co_await arm.delete_resource(std::move(id));
        VersionWrite write;
        write.location = "canadacentral";
        write.source = ImageSource{};
        write.source->type = SourceType::managed_image;
        write.source->id =
            ResourceId(estate::subscription + "/resourceGroups/rg-packer/providers/Microsoft.Compute/images/packer-1");
        write.target_regions.emplace_back().name = "canadacentral";
        co_return co_await arm.put_version(std::move(id), std::move(write), std::nullopt);
    }

    // What an engine does with its changes: one after the other, and again when Azure or the scheduler says so.
    boost::asio::awaitable<void> work(bool removal) {
        while (next < wanted) {
            const int mine = next++;
            while (true) {
                const auto outcome = co_await write(mine, removal);
                if (outcome) break;
                REQUIRE_MESSAGE(outcome.error().kind == ErrorKind::throttled, outcome.error().message);
                REQUIRE(outcome.error().retry_after.has_value());
                ++looks;
                co_await clock.sleep_for(*outcome.error().retry_after);
            }
            ++done;
        }
    }

    // Somebody else with another identity, who uses a part of the same windows evenly. What he asks for is refused with
    // 400 (or 204: not there) after it was counted, which is cheap; only a 429 hurts him.
    boost::asio::awaitable<void> neighbour(bool removal, nanoseconds interval) {
        simulator::InProcessTransport transport(azure, clock);
        const http::CallLimits limits{};
        while (done < wanted) {
            http::Request request{.method = removal ? "DELETE" : "PUT",
                                  .target = estate::version_id("9.9.9") + "?api-version=2024-03-03",
                                  .headers = {{"Authorization", "Bearer " + neighbour_token}},
                                  .body = removal ? "" : "{}"};
            const auto answer = co_await transport.send(arm_origin(), std::move(request), limits);
            REQUIRE(answer.has_value());
            ++neighbour_sent;
            if (answer->status == 429) ++neighbour_refused;
            co_await clock.sleep_for(interval);
        }
    }

    // Returns how long it took from the first request to the last accepted one.
    nanoseconds run(int count, bool removal, std::optional<nanoseconds> neighbours = std::nullopt) {
        wanted = count;
        const auto ended = [](const std::exception_ptr& problem) {
            if (problem) std::rethrow_exception(problem);
        };
        if (neighbours) boost::asio::co_spawn(io, neighbour(removal, *neighbours), ended);
        for (int i = 0; i < 16; ++i) boost::asio::co_spawn(io, work(removal), ended);
        // Bounded, so that a mistake ends as a failure and not in a loop: six hours, and as many wakings.
        for (int step = 0; done < wanted && clock.monotonic() < hours{6} && step < 200'000; ++step)
            clock.advance_to_next();
        REQUIRE(done == wanted);
        clock.advance(minutes{1});  // the neighbour sees that it is over
        return road.actual();
    }

    boost::asio::io_context io;
    ManualClock clock;
    simulator::Simulator azure;
    Road road;
    azure::NoToken token;
    RecordingLog log;
    RecordingMetrics metrics;
    azure::ArmClient arm;
    std::string neighbour_token;
    int wanted = 0, next = 0, done = 0, looks = 0;
    int neighbour_sent = 0, neighbour_refused = 0;
};

const char* const create_policy = "CreateUpdateGalleryImageVersion";
const char* const delete_policy = "DeleteGalleryImageVersion";

nanoseconds ideal(int count, const char* policy, double share = 1.0) {
    return ideal_schedule(count, schedule_windows(*find_policy(policy), share));
}

// Somebody who uses half of the long window, evenly.
nanoseconds half_of(const char* policy) { return nanoseconds{window_long} / (find_policy(policy)->per_30_minutes / 2); }

// What the windows do not know of: eight at a time on a road of 150 ms, and ARM's bucket of 200 and 10 a second, which
// the last burst of 250 has to go through, too.
constexpr nanoseconds road_and_arm = seconds{5};

double in_seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// `held`: for so long Azure itself had forbidden every request after the last window of the ideal schedule had begun.
void check_schedule(const Throttled& world, const std::string& scenario, nanoseconds best,
                    nanoseconds held = nanoseconds{0}) {
    const auto actual = world.road.actual();
    // A part of an hour is compared, a part of a second is not: the ideal of a hundred creates is no time at all.
    note_figures(scenario,
                 {{"actual_s", in_seconds(actual)},
                  {"ideal_s", in_seconds(best + held)},
                  {"of_ideal", in_seconds(best + held + road_and_arm) / in_seconds(std::max(actual, road_and_arm))},
                  {"sent", world.road.sent},
                  {"wasted", 1.0 * world.road.refused / world.road.sent},
                  {"early", world.road.early}});
    CAPTURE(std::chrono::duration<double>(actual).count());
    CAPTURE(std::chrono::duration<double>(best).count());
    CAPTURE(std::chrono::duration<double>(held).count());
    CHECK(actual >= best);
    CHECK(best + road_and_arm + held >= actual * 95 / 100);
    CHECK(world.road.early == 0);
    CAPTURE(world.road.refused);
    CHECK(world.road.refused * 100 <= world.road.sent);
}

// Where windows are shared with a stranger, a few requests fewer in a window can mean one window more for the last of
// them. What counts is how much was done when the ideal schedule ends.
void check_shared(const Throttled& world, const std::string& scenario, nanoseconds best) {
    note_figures(scenario, {{"actual_s", in_seconds(world.road.actual())},
                            {"ideal_s", in_seconds(best)},
                            {"of_ideal", 1.0 * world.road.accepted_within(best + 2 * road_and_arm) / world.wanted},
                            {"sent", world.road.sent},
                            {"wasted", 1.0 * world.road.refused / world.road.sent},
                            {"early", world.road.early},
                            {"neighbour", 1 - 1.0 * world.neighbour_refused / world.neighbour_sent}});
    CAPTURE(std::chrono::duration<double>(world.road.actual()).count());
    CAPTURE(std::chrono::duration<double>(best).count());
    CAPTURE(world.wanted);
    CHECK(world.road.accepted_within(best + 2 * road_and_arm) * 100 >= world.wanted * 95);
    CHECK(world.road.early == 0);
    CHECK(world.road.refused * 100 <= world.road.sent);
    CAPTURE(world.neighbour_sent);
    CHECK(world.neighbour_sent > 500);
    CHECK(world.neighbour_refused * 1'000 <= world.neighbour_sent);
}

}  // namespace

TEST_CASE("P5, Z1: creates and deletes follow the ideal schedule of the windows") {
    SUBCASE("100 creates") {
        Throttled world(1.0);
        world.run(100, false);
        check_schedule(world, "create 100", ideal(100, create_policy));
        CHECK(world.road.sent == 100);
    }
    SUBCASE("1,000 creates") {
        Throttled world(1.0);
        world.run(1'000, false);
        check_schedule(world, "create 1,000", ideal(1'000, create_policy));
        CHECK(world.road.sent == 1'000);
    }
    SUBCASE("1,000 deletes") {
        Throttled world(1.0);
        world.load_versions(1'000);
        world.run(1'000, true);
        check_schedule(world, "delete 1,000", ideal(1'000, delete_policy));
        CHECK(world.road.sent == 1'000);
    }
}

TEST_CASE("P5, Z1: ten thousand creates follow the ideal schedule for four hours") {
    constexpr int count = 9'990;  // of the 10,000 that a region takes, some are there
    Throttled world(1.0);
    world.run(count, false);
    check_schedule(world, "create 9,990", ideal(count, create_policy));
    CHECK(world.road.sent == count);
}

TEST_CASE("P5, Z1: one request in twenty is throttled at random") {
    SUBCASE("1,000 creates") {
        Throttled world(1.0);
        REQUIRE(world.azure.load_faults("[{probability: 0.05, method: PUT, status: 429, retryAfter: 1}]").has_value());
        world.run(1'000, false);
        CHECK(world.road.injected > 20);
        const nanoseconds best = ideal(1'000, create_policy);
        check_schedule(world, "create 1,000, one in 20 refused at random", best, world.road.held_after(best));
    }
    SUBCASE("1,000 deletes") {
        Throttled world(1.0);
        world.load_versions(1'000);
        REQUIRE(
            world.azure.load_faults("[{probability: 0.05, method: DELETE, status: 429, retryAfter: 5}]").has_value());
        world.run(1'000, true);
        CHECK(world.road.injected > 20);
        const nanoseconds best = ideal(1'000, delete_policy);
        check_schedule(world, "delete 1,000, one in 20 refused at random", best, world.road.held_after(best));
    }
}

TEST_CASE("P5, Z2: a neighbour who uses half of every window is not hurt, and our half is used") {
    Throttled world(0.5);
    SUBCASE("1,000 creates") {
        world.run(1'000, false, half_of(create_policy));
        check_shared(world, "create 1,000 beside a neighbour", ideal(1'000, create_policy, 0.5));
    }
    SUBCASE("1,000 deletes") {
        world.load_versions(1'000);
        world.run(1'000, true, half_of(delete_policy));
        check_shared(world, "delete 1,000 beside a neighbour", ideal(1'000, delete_policy, 0.5));
    }
}

TEST_CASE("Z2: a neighbour who uses more than half is not hurt either: our part shrinks") {
    Throttled world(0.5);
    world.load_versions(500);
    world.run(500, true, nanoseconds{window_long} / 700);  // of 1,000
    CAPTURE(world.neighbour_sent);
    CHECK(world.neighbour_refused * 1'000 <= world.neighbour_sent);
    CHECK(world.road.refused == 0);
    CHECK(world.road.accepted_within(minutes{30}) >= 200);
    CHECK(world.road.accepted_within(minutes{30}) <= 320);
}
