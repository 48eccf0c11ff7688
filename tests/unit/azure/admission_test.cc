#include "controller/adapters/azure/admission.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/azure/scripted_transport.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

RequestClass write_in(const std::string& region = "eastus", const std::string& subscription = "s1") {
    return {.subscription = subscription,
            .region = region,
            .policy = "CreateUpdateGalleryImageVersion",
            .kind = RequestKind::write};
}
RequestClass read_of(const std::string& policy = "GetGalleryImageVersion") {
    return {.subscription = "s1", .region = "eastus", .policy = policy, .kind = RequestKind::read};
}

// Callers with names; who got a permit, in order. Permits are kept until the test gives them back.
struct Door {
    explicit Door(AdmissionOptions options = {.share = 1.0, .in_flight_max = 1})
        : clock(io), arm_metrics(metrics), admission(clock, arm_metrics, options) {}

    boost::asio::awaitable<Result<bool>> pass(Admission::Request request) {
        const std::string name = request.what;
        auto permit = co_await admission.enter(std::move(request));
        if (!permit) co_return std::unexpected(permit.error());
        order.push_back(name);
        permits.push_back(std::make_unique<Admission::Permit>(std::move(*permit)));
        co_return true;
    }
    StartedTask<bool>& call(const std::string& name, RequestClass budget, Worth worth, seconds patience = seconds{50}) {
        Admission::Request request{
            .budget = std::move(budget), .worth = worth, .what = name, .give_up = clock.monotonic() + patience};
        tasks.push_back(std::make_unique<StartedTask<bool>>(io, pass(std::move(request))));
        return *tasks.back();
    }
    void give_back(std::size_t count = 1) {
        for (; count > 0 && !permits.empty(); --count) {
            permits.front()->answered({});
            permits.erase(permits.begin());
            run_until_idle(io);
        }
    }
    ~Door() {
        while (!permits.empty()) give_back();
        for (const auto& task : tasks) {
            if (!task->done()) task->cancel(io);
        }
    }

    boost::asio::io_context io;
    ManualClock clock;
    RecordingMetrics metrics;
    ArmMetrics arm_metrics;
    Admission admission;
    std::vector<std::unique_ptr<StartedTask<bool>>> tasks;
    std::vector<std::unique_ptr<Admission::Permit>> permits;
    std::vector<std::string> order;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the worthiest goes first, equal ones in order of arrival, and every fourth turn is the oldest one's") {
    Door door;
    door.call("on the wire", write_in(), Worth::update);
    for (const auto& [name, worth] : std::vector<std::pair<std::string, Worth>>{{"remove", Worth::remove},
                                                                                {"tune", Worth::tune},
                                                                                {"update 1", Worth::update},
                                                                                {"create 1", Worth::create},
                                                                                {"update 2", Worth::update},
                                                                                {"create 2", Worth::create}}) {
        door.call(name, write_in(), worth);
    }
    CHECK(door.order == Names{"on the wire"});
    door.give_back(10);
    CHECK(door.order == Names{"on the wire", "create 1", "create 2", "remove", "update 1", "update 2", "tune"});
}

TEST_CASE("reads: for a write, for a person, for an operation, and looks last") {
    Door door;
    door.call("on the wire", read_of(), Worth::follow);
    door.call("look", read_of("GetGallery"), Worth::look);
    door.call("follow", read_of("GetOperationStatus"), Worth::follow);
    door.call("person", read_of(), Worth::person);
    door.call("for a write", read_of(), Worth::read_for_write);
    door.give_back(10);
    CHECK(door.order == Names{"on the wire", "for a write", "person", "look", "follow"});
}

TEST_CASE("Z1: a region that is blocked or flooded keeps no other region and no other subscription waiting") {
    Door door({.share = 1.0, .in_flight_max = 8});
    for (int i = 0; i < 30; ++i) door.call("east", write_in("eastus"), Worth::create);
    for (int i = 0; i < 4; ++i) door.call("west", write_in("westus"), Worth::create);
    door.call("other", write_in("eastus", "s2"), Worth::look);
    CHECK(std::ranges::count(door.order, "other") == 1);
    door.give_back(10);  // nine of this subscription
    CHECK(std::ranges::count(door.order, "west") == 4);
    CHECK(std::ranges::count(door.order, "east") == 8 + 9 - 4);

    BudgetAnswer refusal;
    refusal.refuser = BudgetAnswer::Refuser::policy;
    refusal.wait = seconds{30};
    auto& east = door.call("closes east", write_in("eastus"), Worth::read_for_write);
    door.give_back(1);
    REQUIRE(east.done());
    const auto closing = std::move(door.permits.back());
    door.permits.pop_back();
    closing->answered(refusal);
    const auto sent = std::ranges::count(door.order, "east");
    door.call("west again", write_in("westus"), Worth::look);
    door.give_back(8);
    CHECK(std::ranges::count(door.order, "west again") == 1);
    CHECK(std::ranges::count(door.order, "east") <= sent + 1);
}

TEST_CASE("who cannot go before its deadline hears at once how long it takes; nobody goes a moment too early") {
    Door door({.share = 1.0, .in_flight_max = 8});
    door.call("first", write_in(), Worth::create);
    BudgetAnswer refusal;
    refusal.refuser = BudgetAnswer::Refuser::policy;
    refusal.wait = seconds{30};
    door.permits.front()->answered(refusal);
    door.permits.clear();
    auto& hasty = door.call("hasty", write_in(), Worth::create, seconds{29});
    REQUIRE(hasty.done());
    REQUIRE_FALSE(hasty.result().has_value());
    CHECK(hasty.result().error().kind == ErrorKind::throttled);
    CHECK(hasty.result().error().retry_after == seconds{30});
    CHECK(hasty.result().error().code == "GD3030");
    CHECK(hasty.result().error().message.contains("Azure asked to be left alone"));
    CHECK(door.metrics.value("galleryd_arm_held_until_timestamp_seconds", {{"subscription_id", "s1"}}).has_value());

    auto& patient = door.call("patient", write_in(), Worth::create, seconds{31});
    auto& second = door.call("second", write_in(), Worth::create, seconds{31});
    door.clock.advance(seconds{30} - nanoseconds{1});
    CHECK_FALSE(patient.done());
    door.clock.advance(nanoseconds{1});
    CHECK(patient.done());
    CHECK(second.done());
    door.give_back(2);
    CHECK_FALSE(
        door.metrics.value("galleryd_arm_held_until_timestamp_seconds", {{"subscription_id", "s1"}}).has_value());
}

TEST_CASE("our own share is a wall, too, and says so") {
    Door door({.share = 0.5, .in_flight_max = 1'000});
    const RequestClass share_gallery{
        .subscription = "s1", .region = "eastus", .policy = "PostShareGallery", .kind = RequestKind::write};
    for (int i = 0; i < 6; ++i) door.call("share", share_gallery, Worth::update);
    CHECK(door.order.size() == 5);  // half of ten
    REQUIRE(door.tasks.back()->done());
    CHECK(door.tasks.back()->result().error().retry_after == seconds{180});
    CHECK(door.tasks.back()->result().error().message.contains("galleryd's share of the budget PostShareGallery"));
}

TEST_CASE("a cancelled waiter leaves nothing behind, even when its permit has just been granted") {
    Door door;
    door.call("on the wire", write_in(), Worth::update);
    auto& gone = door.call("gone", write_in(), Worth::create);
    door.call("stays", write_in(), Worth::tune);
    gone.cancel(door.io);
    CHECK(gone.exception() != nullptr);
    auto& late = door.call("late", write_in(), Worth::create);
    // The permit is granted and the cancellation comes before the waiter runs.
    door.permits.front()->answered({});
    door.permits.clear();
    late.cancel(door.io);
    door.give_back();
    CHECK(std::ranges::count(door.order, "stays") == 1);
    door.give_back();
    door.call("next", write_in(), Worth::look);
    CHECK(door.order.back() == "next");
}

TEST_CASE("the queue has an end, and a wire that stays full is an error of its own") {
    Door door({.share = 1.0, .in_flight_max = 1, .waiting_max = 2});
    door.call("on the wire", write_in(), Worth::update);
    auto& waits = door.call("waits", write_in(), Worth::update, seconds{20});
    door.call("waits, too", write_in(), Worth::update);
    auto& refused = door.call("refused", write_in(), Worth::update);
    REQUIRE(refused.done());
    CHECK(refused.result().error().kind == ErrorKind::transient);
    door.clock.advance(seconds{20});
    REQUIRE(waits.done());
    CHECK(waits.result().error().reason == "DeadlineExceeded");
}

TEST_CASE("against a simulator that runs faster, windows are as short as its own") {
    Door door({.share = 1.0, .time_scale = 60, .in_flight_max = 1'000});
    const RequestClass share_gallery{
        .subscription = "s1", .region = "eastus", .policy = "PostShareGallery", .kind = RequestKind::write};
    for (int i = 0; i < 11; ++i) door.call("share", share_gallery, Worth::update);
    CHECK(door.order.size() == 10);
    door.give_back(10);
    door.clock.advance(seconds{3} + std::chrono::milliseconds{1});  // three minutes there
    CHECK(door.order.size() == 11);
}
