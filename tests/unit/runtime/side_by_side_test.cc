#include "controller/runtime/side_by_side.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "controller/ports/task.h"
#include "controller/runtime/task_group.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"

using namespace galleryd;
using namespace std::chrono_literals;

namespace {

// Each piece of work takes as many seconds as `takes` says; what has begun and ended is written down.
struct Bench {
    boost::asio::io_context io{1};
    ManualClock clock{io};
    std::vector<int> takes;
    std::vector<std::size_t> begun, ended;
    std::size_t running = 0, running_max = 0;
    std::optional<std::size_t> stops, throws;

    boost::asio::awaitable<bool> one(std::size_t i) {
        begun.push_back(i);
        running_max = std::max(running_max, ++running);
        struct Leave {
            std::size_t& count;
            ~Leave() { --count; }
        } const leave{running};
        co_await clock.sleep_for(std::chrono::seconds(takes[i]));
        ended.push_back(i);
        if (throws == i) throw std::runtime_error("broken");
        co_return stops != i;
    }
    Task<bool> all(std::size_t width) {
        std::function<boost::asio::awaitable<bool>(std::size_t)> work = [this](std::size_t i) { return one(i); };
        co_await run_side_by_side(takes.size(), width, std::move(work));
        co_return true;
    }
};

}  // namespace

TEST_CASE("work side by side begins in order, never more than the width, and all of it ends") {
    Bench bench;
    bench.takes = {5, 1, 1, 1, 1};
    const auto before = bench.clock.monotonic();
    REQUIRE(run_task(bench.io, bench.clock, bench.all(2)));
    CHECK(bench.begun == std::vector<std::size_t>{0, 1, 2, 3, 4});
    CHECK(bench.ended.size() == 5);
    CHECK(bench.running_max == 2);
    CHECK(bench.clock.monotonic() - before == 5s);  // four of a second each beside the long one
}

TEST_CASE("work side by side of nothing, of one, and of a width of nothing does what a loop would") {
    for (const std::size_t width : {0UL, 1UL, 9UL}) {
        Bench none, one;
        REQUIRE(run_task(none.io, none.clock, none.all(width)));
        CHECK(none.begun.empty());
        one.takes = {1};
        REQUIRE(run_task(one.io, one.clock, one.all(width)));
        CHECK(one.ended == std::vector<std::size_t>{0});
    }
    Bench in_turn;
    in_turn.takes = {1, 1};
    REQUIRE(run_task(in_turn.io, in_turn.clock, in_turn.all(0)));
    CHECK(in_turn.running_max == 1);
}

TEST_CASE("work that says stop keeps later work from beginning; what had begun ends") {
    Bench bench;
    bench.takes = {3, 1, 1, 1};
    bench.stops = 1;
    REQUIRE(run_task(bench.io, bench.clock, bench.all(2)));
    CHECK(bench.begun == std::vector<std::size_t>{0, 1});
    CHECK(bench.ended == std::vector<std::size_t>{1, 0});
}

TEST_CASE("what work side by side throws arrives at the caller after the others have ended") {
    Bench bench;
    bench.takes = {3, 1, 1};
    bench.throws = 1;
    CHECK_THROWS_WITH(std::ignore = run_task(bench.io, bench.clock, bench.all(2)), "broken");
    CHECK(bench.begun == std::vector<std::size_t>{0, 1});
    CHECK(bench.ended == std::vector<std::size_t>{1, 0});
    CHECK(bench.running == 0);
}

TEST_CASE("cancelling work side by side cancels and joins it, and begins nothing new") {
    Bench bench;
    bench.takes = {3600, 3600, 1, 1};
    StartedTask call(bench.io, bench.all(2));
    CHECK(bench.running == 2);
    call.cancel(bench.io);
    REQUIRE(call.done());
    REQUIRE(call.exception() != nullptr);
    CHECK(is_cancellation(call.exception()));
    CHECK(bench.running == 0);
    CHECK(bench.begun == std::vector<std::size_t>{0, 1});
    CHECK(bench.clock.sleepers() == 0);
}
