#include "controller/program/patience.h"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/unit/program/small_engine.h"

using namespace galleryd;
using namespace std::chrono_literals;

namespace {

// A Resource Graph that never answers.
struct Hanging : Inventory {
    explicit Hanging(Clock& clock_in) : clock(clock_in) {}
    template <class T>
    Task<T> hang() {
        co_await clock.sleep_for(std::chrono::hours{24});
        co_return fail(ErrorKind::transient, "Late", "too late");
    }
    Task<LookSummary> look(LookRequest, InventorySink&) override { return hang<LookSummary>(); }
    Task<ChangeList> changes_since(TimePoint, std::vector<std::string>) override { return hang<ChangeList>(); }
    Task<RowSummary> read(std::vector<ResourceId>, InventorySink&) override { return hang<RowSummary>(); }
    Task<FactList> facts(std::vector<ResourceId>) override { return hang<FactList>(); }
    Task<FactList> in_transition(std::vector<std::string>) override { return hang<FactList>(); }
    Clock& clock;
};

Task<int> answer_after(Clock& clock, std::chrono::nanoseconds time) {
    co_await clock.sleep_for(time);
    co_return 7;
}

}  // namespace

TEST_CASE("a Resource Graph that hangs is told of after two seconds and given up after five minutes") {
    SmallEngine small;
    small.declare(std::string(small_gallery) + small_definition);
    Hanging inventory(small.clock);
    small.engine.use_inventory(inventory);
    std::ostringstream err;
    const auto began = small.clock.monotonic();
    const auto refreshed =
        run_task(small.context, small.clock, refresh_for_command(small.engine, small.clock, true, &err));
    REQUIRE_FALSE(refreshed.has_value());
    CHECK(refreshed.error().reason == "DeadlineExceeded");
    CHECK(small.clock.monotonic() - began == 5min);
    CHECK(
        err.str().starts_with("Waiting for Azure Resource Graph (1 subscription) …\n"
                              "Still waiting for Azure Resource Graph (1 subscription) (32s) …\n"));
    CHECK(err.str().contains("(4m32s) …\n"));
}

TEST_CASE("who is answered within two seconds is told nothing") {
    SmallEngine small;
    std::ostringstream err;
    const auto soon =
        run_task(small.context, small.clock, with_patience(small.clock, &err, "x", answer_after(small.clock, 1s)));
    CHECK(soon.value() == 7);
    CHECK(err.str().empty());
    const auto late =
        run_task(small.context, small.clock, with_patience(small.clock, &err, "x", answer_after(small.clock, 3s)));
    CHECK(late.value() == 7);
    CHECK(err.str() == "Waiting for x …\n");
}
