#include <doctest/doctest.h>

#include "controller/adapters/clock/system_clock.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"

using namespace galleryd;
using namespace std::chrono_literals;

namespace {

Task<bool> note_after(Clock& clock, std::chrono::nanoseconds duration, std::string name,
                      std::vector<std::string>* log) {
    co_await clock.sleep_for(duration);
    log->push_back(name + "@" + format_rfc3339(clock.now()));
    co_return true;
}

Task<bool> twice(Clock& clock, std::vector<std::string>* log) {
    (void)co_await note_after(clock, 10s, "first", log);
    (void)co_await note_after(clock, 10s, "second", log);
    co_return true;
}

}  // namespace

TEST_CASE("a manual clock resumes sleepers in order, each at its own time, chained sleeps included") {
    boost::asio::io_context io{1};
    ManualClock clock(io);
    std::vector<std::string> log;
    StartedTask late(io, note_after(clock, 15s, "late", &log));
    StartedTask chain(io, twice(clock, &log));
    StartedTask tie(io, note_after(clock, 15s, "tie", &log));
    StartedTask now(io, note_after(clock, 0s, "now", &log));
    StartedTask never(io, note_after(clock, std::chrono::nanoseconds::max(), "never", &log));
    CHECK(clock.sleepers() == 4);
    CHECK(clock.next_deadline() == 10s);
    clock.advance(1h);
    CHECK(log == std::vector<std::string>{"now@2026-03-01T00:00:00Z", "first@2026-03-01T00:00:10Z",
                                          "late@2026-03-01T00:00:15Z", "tie@2026-03-01T00:00:15Z",
                                          "second@2026-03-01T00:00:20Z"});
    CHECK(format_rfc3339(clock.now()) == "2026-03-01T01:00:00Z");
    CHECK(clock.sleepers() == 1);
    clock.set_wall(*parse_rfc3339("2020-01-01T00:00:00Z"));
    CHECK(clock.monotonic() == 1h);
    never.cancel(io);
    CHECK(never.exception() != nullptr);
    CHECK(clock.sleepers() == 0);
}

TEST_CASE("the system clock sleeps, is cancelled, and does not overflow; randoms repeat by seed") {
    boost::asio::io_context io{1};
    SystemClock clock;
    std::vector<std::string> log;
    const auto before = clock.monotonic();
    CHECK(run_task(io, note_after(clock, 5ms, "x", &log)).has_value());
    CHECK(clock.monotonic() - before >= 5ms);
    StartedTask never(io, note_after(clock, std::chrono::nanoseconds::max(), "never", &log));
    CHECK_FALSE(never.done());
    never.cancel(io);
    CHECK(never.exception() != nullptr);
    SystemRandom a(7);
    SystemRandom b(7);
    SystemRandom other;
    CHECK(a.next() == b.next());
    for (int i = 0; i < 1000; ++i) {
        const double unit = other.unit();
        REQUIRE((unit >= 0 && unit < 1));
    }
}
