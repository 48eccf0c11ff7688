#include "controller/runtime/work_queue.h"

#include <doctest/doctest.h>

#include "controller/core/retry.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"

using namespace galleryd;
using namespace std::chrono_literals;
using boost::asio::awaitable;

namespace {

class FixedRandom : public Random {
  public:
    std::uint64_t next() override { return 0; }  // unit() is 0: no jitter
};

Task<std::string> take(WorkQueue& queue) {
    const auto key = co_await queue.next();
    co_return key.value_or("(closed)");
}

struct World {
    boost::asio::io_context io{1};
    ManualClock clock{io};
    FixedRandom random;
    WorkQueue queue;
    explicit World(WorkQueueOptions options = {}) : queue(io.get_executor(), clock, random, options) {
        run_until_idle(io);
    }
    ~World() { run(io, queue.close()); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    std::string next() { return *run_task(io, take(queue)); }
};

Error error_of(ErrorKind kind) { return Error{.kind = kind, .reason = "R", .message = "m"}; }

}  // namespace

TEST_CASE("a key is in the queue once, and keys come in order") {
    World world;
    for (const char* key : {"a", "b", "a", "c", "b"}) CHECK(world.queue.add(key));
    CHECK(world.queue.depth() == 3);
    CHECK(world.queue.adds() == 3);
    CHECK(world.next() == "a");
    CHECK(world.next() == "b");
    CHECK(world.next() == "c");
    CHECK(world.queue.processing() == 3);
    for (const char* key : {"a", "b", "c"}) world.queue.done(key);
    CHECK(world.queue.processing() == 0);
}

TEST_CASE("a key being processed is not given out again before it is done") {
    World world;
    world.queue.add("a");
    CHECK(world.next() == "a");
    world.queue.add("a");
    world.queue.add("a");
    CHECK(world.queue.depth() == 0);
    StartedTask second(world.io, take(world.queue));
    CHECK_FALSE(second.done());
    world.queue.done("a");
    run_until_idle(world.io);
    REQUIRE(second.done());
    CHECK(*second.result() == "a");
    world.queue.done("a");
    CHECK(world.queue.depth() == 0);  // two additions while it worked are one more turn
}

TEST_CASE("all waiting workers get keys that arrive together, and all learn of the end") {
    World world;
    std::vector<StartedTask<std::string>> workers;
    for (int i = 0; i < 4; ++i) workers.emplace_back(world.io, take(world.queue));
    world.queue.add("a");
    world.queue.add("b");
    world.queue.add("c");
    run_until_idle(world.io);
    CHECK(*workers[0].result() == "a");
    CHECK(*workers[1].result() == "b");
    CHECK(*workers[2].result() == "c");
    CHECK_FALSE(workers[3].done());
    workers.emplace_back(world.io, take(world.queue));
    world.queue.shut_down();
    run_until_idle(world.io);
    for (const std::size_t i : {3U, 4U}) {
        REQUIRE(workers[i].done());
        CHECK(*workers[i].result() == "(closed)");
    }
    CHECK_FALSE(world.queue.add("late"));
    CHECK(world.next() == "(closed)");
    for (const char* key : {"a", "b", "c"}) world.queue.done(key);
}

TEST_CASE("delayed keys come at their time; the earliest of several delays counts") {
    World world;
    world.queue.add_after("slow", 1h);
    world.queue.add_after("fast", 10s);
    world.queue.add_after("twice", 30s);
    world.queue.add_after("twice", 20s);
    world.queue.add_after("twice", 40s);
    world.queue.add_after("now", 0s);
    CHECK(world.queue.delayed() == 3);
    CHECK(world.next() == "now");
    StartedTask waiting(world.io, take(world.queue));
    world.clock.advance(9s);
    CHECK_FALSE(waiting.done());
    world.clock.advance(1s);
    CHECK(*waiting.result() == "fast");
    world.clock.advance(10s);
    CHECK(world.next() == "twice");
    world.clock.advance(30min);
    CHECK(world.queue.depth() == 0);
    world.clock.advance(30min);
    CHECK(world.next() == "slow");
    CHECK(world.queue.delayed() == 0);
    for (const char* key : {"now", "fast", "twice", "slow"}) world.queue.done(key);
}

TEST_CASE("failures are retried by their kind, counted per key, and forgotten on success") {
    World world;
    CHECK(world.queue.retry("a", error_of(ErrorKind::transient)) == 1s);
    CHECK(world.queue.retry("a", error_of(ErrorKind::transient)) == 2s);
    CHECK(world.queue.retry("b", error_of(ErrorKind::transient)) == 1s);
    CHECK(world.queue.retry("a", error_of(ErrorKind::transient)) == 4s);
    CHECK(world.queue.failures("a") == 3);
    CHECK(world.queue.retries() == 4);
    world.queue.forget("a");
    CHECK(world.queue.failures("a") == 0);
    CHECK(world.queue.retry("a", error_of(ErrorKind::transient)) == 1s);
    CHECK(world.queue.retry("c", error_of(ErrorKind::invalid)) == std::nullopt);
    CHECK(world.queue.failures("c") == 1);
    CHECK(world.queue.delayed() == 2);
    world.clock.advance(1s);
    CHECK(world.queue.depth() == 2);
}

TEST_CASE("a full queue drops new keys, counts them, and still takes known ones") {
    World world({.length_max = 2});
    std::map<QueueEvent, int> seen;
    world.queue.set_observer([&seen](QueueEvent event, const std::string&) { ++seen[event]; });
    CHECK(world.queue.add("a"));
    CHECK(world.queue.add_after("b", 1s));
    CHECK_FALSE(world.queue.add("c"));
    CHECK_FALSE(world.queue.add_after("d", 1s));
    CHECK(world.queue.add("a"));
    CHECK(world.queue.add_after("b", 2s));
    CHECK(world.queue.dropped() == 2);
    world.clock.advance(1s);
    CHECK(world.queue.depth() == 2);
    CHECK(world.next() == "a");
    {
        const WorkItem item(world.queue, "a");
        CHECK(world.queue.processing() == 1);
    }
    CHECK(world.queue.processing() == 0);
    CHECK(seen ==
          std::map<QueueEvent, int>{
              {QueueEvent::added, 2}, {QueueEvent::dropped, 2}, {QueueEvent::started, 1}, {QueueEvent::done, 1}});
}

TEST_CASE("a hundred thousand keys pass through") {
    World world;
    for (int i = 0; i < 100'000; ++i) world.queue.add_after("key-" + std::to_string(i), std::chrono::seconds{i % 60});
    world.clock.advance(60s);
    CHECK(world.queue.depth() == 100'000);
    CHECK(world.queue.adds() == 100'000);
}

TEST_CASE("retry delays by kind, failures, jitter and hint") {
    struct Row {
        ErrorKind kind;
        int failures;
        double unit;
        std::optional<std::chrono::seconds> hint;
        std::optional<std::chrono::milliseconds> delay;
    };
    using K = ErrorKind;
    for (const Row& row : {
             Row{K::transient, 1, 0, {}, 1s},
             Row{K::transient, 2, 0, {}, 2s},
             Row{K::transient, 9, 0, {}, 256s},
             Row{K::transient, 10, 0, {}, 5min},
             Row{K::transient, 1'000'000, 0, {}, 5min},
             Row{K::transient, 0, 0, {}, 1s},
             Row{K::transient, -5, 0, {}, 1s},
             Row{K::transient, 1, 0.5, {}, 750ms},
             Row{K::transient, 10, 1.0, {}, 150s},
             Row{K::transient, 1, 0, 30s, 30s},
             Row{K::transient, 10, 0, 30s, 5min},
             Row{K::throttled, 1, 0.5, {}, 60s},
             Row{K::throttled, 7, 0, 17s, 17s},
             Row{K::throttled, 1, 0, 20min, 20min},
             Row{K::throttled, 1, 0, 5h, 1h},
             Row{K::throttled, 1, 0, 0s, 1s},
             Row{K::throttled, 1, 0, -3s, 1s},
             Row{K::conflict, 5, 0.9, {}, 1s},
             Row{K::not_ready, 3, 0, {}, 15s},
             Row{K::not_ready, 3, 0, 60s, 60s},
             Row{K::invalid, 1, 0, {}, {}},
             Row{K::invalid, 1, 0, 10s, {}},
             Row{K::denied, 2, 0, {}, 10min},
             Row{K::bug, 1, 0, {}, 5min},
         }) {
        CAPTURE(to_string(row.kind));
        CAPTURE(row.failures);
        CHECK(retry_delay(row.kind, row.failures, row.unit, row.hint) == row.delay);
    }
}
