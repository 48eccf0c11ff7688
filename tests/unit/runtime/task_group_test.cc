#include "controller/runtime/task_group.h"

#include <doctest/doctest.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "controller/runtime/blocking_pool.h"
#include "controller/runtime/event.h"
#include "controller/runtime/within.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"

using namespace galleryd;
using namespace std::chrono_literals;
using boost::asio::awaitable;

namespace {

struct World {
    boost::asio::io_context io{1};
    ManualClock clock{io};
};

awaitable<void> sleep_then_count(Clock& clock, std::chrono::nanoseconds duration, int* count) {
    co_await clock.sleep_for(duration);
    ++*count;
}

awaitable<void> throw_after(Clock& clock, std::chrono::nanoseconds duration) {
    co_await clock.sleep_for(duration);
    throw std::runtime_error("broken");
}

// Needs a moment of time to clean up, as a task that writes a last status does.
awaitable<void> clean_up_slowly(Clock& clock, Event& farewell, bool* cleaned) {
    bool cancelled = false;
    try {
        co_await clock.sleep_for(1h);
    } catch (const boost::system::system_error&) {
        cancelled = true;
    }
    co_await boost::asio::this_coro::reset_cancellation_state();
    co_await farewell.wait();
    *cleaned = cancelled;
}

Task<bool> close(TaskGroup& group) {
    co_await group.close();
    co_return true;
}

Task<bool> wait_idle(TaskGroup& group) {
    co_await group.wait_idle();
    co_return true;
}

Task<bool> wait_for(Event& event, int* passed) {
    co_await event.wait();
    ++*passed;
    co_return true;
}

Task<int> answer_after(Clock& clock, std::chrono::nanoseconds duration, int answer) {
    co_await clock.sleep_for(duration);
    co_return answer;
}

Task<int> throw_from(Clock& clock) {
    co_await throw_after(clock, 1s);
    co_return 1;
}

Task<int> fail_at_once() { co_return fail(ErrorKind::denied, "NoPermission", "not allowed"); }

struct NoDefault {
    explicit NoDefault(int number) : value(number) {}
    int value;
};

Task<NoDefault> without_default() { co_return NoDefault(7); }

}  // namespace

TEST_CASE("a task group runs its tasks, cancels and joins them on close") {
    World world;
    TaskGroup group(world.io.get_executor());
    int count = 0;
    group.spawn(sleep_then_count(world.clock, 1s, &count));
    group.spawn(sleep_then_count(world.clock, 1h, &count));
    StartedTask idle(world.io, wait_idle(group));
    StartedTask idle_too(world.io, wait_idle(group));
    world.clock.advance(2s);
    CHECK(count == 1);
    CHECK(group.size() == 1);
    CHECK_FALSE(idle.done());
    run(world.io, group.close());
    run_until_idle(world.io);
    CHECK(idle.done());
    CHECK(idle_too.done());
    CHECK(count == 1);
    CHECK(group.size() == 0);
    CHECK(world.clock.sleepers() == 0);
    group.spawn(sleep_then_count(world.clock, 0s, &count));  // too late: dropped
    run_until_idle(world.io);
    CHECK(count == 1);
}

TEST_CASE("an exception of a task is reported, or thrown by close; cancellation is neither") {
    World world;
    int reported = 0;
    TaskGroup reporting(world.io.get_executor(), [&reported](const std::exception_ptr& exception) {
        ++reported;
        CHECK_THROWS_WITH(std::rethrow_exception(exception), "broken");
    });
    reporting.spawn(throw_after(world.clock, 1s));
    reporting.spawn(throw_after(world.clock, 1h));
    world.clock.advance(1s);
    CHECK(reported == 1);
    run(world.io, reporting.close());
    CHECK(reported == 1);

    TaskGroup keeping(world.io.get_executor());
    keeping.spawn(throw_after(world.clock, 1s));
    world.clock.advance(1s);
    CHECK_THROWS_WITH(run(world.io, keeping.close()), "broken");
    CHECK(keeping.size() == 0);
}

TEST_CASE("close waits for tasks that clean up, even when its caller is cancelled") {
    World world;
    Event farewell(world.io.get_executor());
    TaskGroup group(world.io.get_executor());
    bool cleaned = false;
    group.spawn(clean_up_slowly(world.clock, farewell, &cleaned));
    run_until_idle(world.io);
    StartedTask closing(world.io, close(group));
    CHECK_FALSE(closing.done());
    closing.cancel(world.io);
    CHECK_FALSE(closing.done());
    CHECK(group.size() == 1);
    farewell.set();
    run_until_idle(world.io);
    CHECK(closing.done());
    CHECK(cleaned);
    CHECK(group.size() == 0);
}

TEST_CASE("an event lets one waiter through per set, in order, and remembers one set") {
    World world;
    Event event(world.io.get_executor());
    int passed = 0;
    event.set();
    event.set();
    StartedTask first(world.io, wait_for(event, &passed));
    StartedTask second(world.io, wait_for(event, &passed));
    StartedTask third(world.io, wait_for(event, &passed));
    CHECK(first.done());
    CHECK_FALSE(second.done());
    event.set();
    run_until_idle(world.io);
    CHECK(second.done());
    CHECK_FALSE(third.done());
    third.cancel(world.io);
    REQUIRE(third.exception() != nullptr);
    CHECK(is_cancellation(third.exception()));
    CHECK(passed == 2);
    event.set();  // not lost to the waiter that went
    StartedTask fourth(world.io, wait_for(event, &passed));
    CHECK(fourth.done());
}

TEST_CASE("within gives the result, the error, or DeadlineExceeded on the clock") {
    World world;
    CHECK(*run_task(world.io, world.clock,
                    within<int>(world.clock, 10s, "an answer", answer_after(world.clock, 9s, 5))) == 5);
    CHECK(run_task(world.io, world.clock, within<int>(world.clock, 10s, "an answer", fail_at_once())).error().reason ==
          "NoPermission");
    CHECK(run_task(world.io, within<NoDefault>(world.clock, 10s, "a value", without_default()))->value == 7);
    const auto before = world.clock.monotonic();
    const auto late = run_task(world.io, world.clock,
                               within<int>(world.clock, 10s, "listing galleries", answer_after(world.clock, 11s, 5)));
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().kind == ErrorKind::transient);
    CHECK(late.error().reason == "DeadlineExceeded");
    CHECK(late.error().message == "listing galleries took longer than 10s");
    CHECK(world.clock.monotonic() - before == 10s);
    CHECK(world.clock.sleepers() == 0);  // cancelled and joined
    const auto at_once = run_task(world.io, within<int>(world.clock, 0ms, "nothing", answer_after(world.clock, 1s, 5)));
    CHECK(at_once.error().message == "nothing took longer than 0ms");
    CHECK_THROWS_WITH(
        std::ignore = run_task(world.io, world.clock, within<int>(world.clock, 10s, "x", throw_from(world.clock))),
        "broken");
}

TEST_CASE("cancelling within cancels the task and passes on as cancellation, also when nested") {
    World world;
    auto inner = within<int>(world.clock, 10s, "inner", answer_after(world.clock, 1h, 5));
    StartedTask call(world.io, within<int>(world.clock, 20s, "outer", std::move(inner)));
    CHECK(world.clock.sleepers() == 3);
    call.cancel(world.io);
    REQUIRE(call.done());
    REQUIRE(call.exception() != nullptr);
    CHECK(is_cancellation(call.exception()));
    CHECK(world.clock.sleepers() == 0);

    auto slow_inner = within<int>(world.clock, 30s, "inner", answer_after(world.clock, 1h, 5));
    const auto outer = run_task(world.io, world.clock, within<int>(world.clock, 20s, "outer", std::move(slow_inner)));
    CHECK(outer.error().message == "outer took longer than 20s");
    auto fast_inner = within<int>(world.clock, 10s, "inner", answer_after(world.clock, 1h, 5));
    const auto inner_first =
        run_task(world.io, world.clock, within<int>(world.clock, 20s, "outer", std::move(fast_inner)));
    CHECK(inner_first.error().message == "inner took longer than 10s");
}

namespace {

Task<std::vector<int>> use_pool(BlockingPool& pool, std::thread::id* ran_on, std::thread::id* resumed_on) {
    auto square = [ran_on] {
        *ran_on = std::this_thread::get_id();
        return std::vector<int>{1, 4, 9};
    };
    auto squares = co_await pool.run(std::move(square));
    *resumed_on = std::this_thread::get_id();
    auto nothing = [] {};
    co_await pool.run(std::move(nothing));
    co_return squares;
}

Task<int> throw_on_pool(BlockingPool& pool) {
    auto broken = []() -> int { throw std::runtime_error("disk full"); };
    co_return co_await pool.run(std::move(broken));
}

}  // namespace

TEST_CASE("the blocking pool runs elsewhere, resumes here, and brings exceptions back") {
    boost::asio::io_context io{1};
    BlockingPool pool(2);
    std::thread::id ran_on;
    std::thread::id resumed_on;
    const auto squares = run_task(io, use_pool(pool, &ran_on, &resumed_on));
    REQUIRE(squares.has_value());
    CHECK(*squares == std::vector<int>{1, 4, 9});
    CHECK(ran_on != std::this_thread::get_id());
    CHECK(resumed_on == std::this_thread::get_id());
    CHECK_THROWS_WITH(std::ignore = run_task(io, throw_on_pool(pool)), "disk full");
}

namespace {

Task<bool> finish(TaskGroup& group) {
    co_await group.finish();
    co_return true;
}

Task<int> finish_after(Clock& clock, TaskGroup& group, std::chrono::nanoseconds duration, bool breaks) {
    auto work = breaks ? throw_from(clock) : answer_after(clock, duration, 7);
    co_return co_await group.finish(std::move(work));
}

}  // namespace

TEST_CASE("finishing waits for every task, and joins them before a cancellation goes on") {
    World world;
    int count = 0;
    TaskGroup group(world.io.get_executor());
    group.spawn(sleep_then_count(world.clock, 1s, &count));
    group.spawn(sleep_then_count(world.clock, 3s, &count));
    const auto ended = run_task(world.io, world.clock, finish(group));
    REQUIRE(ended.has_value());
    CHECK(count == 2);

    Event farewell(world.io.get_executor());
    bool cleaned = false;
    TaskGroup left(world.io.get_executor());
    left.spawn(clean_up_slowly(world.clock, farewell, &cleaned));
    StartedTask<bool> waiting(world.io, finish(left));
    waiting.cancel(world.io);
    CHECK_FALSE(waiting.done());  // the task still says goodbye
    farewell.set();
    run_until_idle(world.io);
    REQUIRE(waiting.done());
    CHECK(cleaned);
    REQUIRE(waiting.exception());
    CHECK(is_cancellation(waiting.exception()));
    CHECK(left.size() == 0);
}

TEST_CASE("finishing beside work of one's own gives its value or its exception, and leaves no task") {
    World world;
    int count = 0;
    TaskGroup group(world.io.get_executor());
    group.spawn(sleep_then_count(world.clock, 1h, &count));
    const auto answered = run_task(world.io, world.clock, finish_after(world.clock, group, 1s, false));
    REQUIRE(answered.has_value());
    CHECK(*answered == 7);
    CHECK(group.size() == 0);
    CHECK(count == 0);
    TaskGroup other(world.io.get_executor());
    other.spawn(sleep_then_count(world.clock, 1h, &count));
    CHECK_THROWS_AS(static_cast<void>(run_task(world.io, world.clock, finish_after(world.clock, other, 1s, true))),
                    std::runtime_error);
    CHECK(other.size() == 0);
}
