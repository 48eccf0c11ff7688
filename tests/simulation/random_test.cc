#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <limits>

#include "controller/adapters/clock/system_clock.h"
#include "tests/simulation/schedule.h"

// Random schedules (schedule.h). STEPS and SEED from the environment: `make sim STEPS=… SEED=…`.
using namespace galleryd;

namespace {

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 10);
}

#ifdef NDEBUG
constexpr std::uint64_t default_steps = 1'000'000;  // a good minute; `make sim` goes on from there
#else
constexpr std::uint64_t default_steps = 20'000;
#endif

}  // namespace

TEST_CASE("random schedules of edits, people, faults and deaths never lead to a wrong write, and come to rest") {
    const std::uint64_t wanted = number_from("STEPS", default_steps);
    // Every run of the suite is the same one, so that a change is judged by what it changes; `make sim` explores (STEPS
    // is set).
    const std::uint64_t first =
        number_from("SEED", std::getenv("STEPS") == nullptr ? 1 : 1 + SystemRandom{}.next() % 1'000'000);
    const bool one_seed = number_from("SEED", 0) != 0;
    const SystemClock stopwatch;
    const auto began = stopwatch.monotonic();
    std::uint64_t steps = 0, worlds = 0;
    std::size_t writes = 0;
    std::size_t deletes = 0;
    do {
        const std::uint64_t seed = first + worlds++;
        Schedule schedule(seed);
        schedule.run(one_seed ? std::numeric_limits<std::uint64_t>::max() : wanted - steps);
        steps += schedule.steps();
        writes += schedule.writes();
        deletes += schedule.deletes();
        if (schedule.problems() > 0) MESSAGE("repeat with: make sim SEED=" << seed);
        REQUIRE(schedule.problems() == 0);
    } while (steps < wanted && !one_seed);
    const auto took = std::chrono::duration<double>(stopwatch.monotonic() - began).count();
    MESSAGE("steps: " << steps << ", " << static_cast<std::uint64_t>(static_cast<double>(steps) / took)
                      << " a second; worlds: " << worlds << ", first seed: " << first << ", writes: " << writes
                      << ", deletions: " << deletes);
    CHECK(writes > 0);
}
