#include "reconcilers/lifecycle/plan_digest.h"
#include "tests/fuzz/target.h"
#include "tests/unit/planning/naive_reading.h"

// The planner beside a naive reading of when something may be taken away: each byte draws one fact of the estate.
namespace galleryd::fuzz {
namespace {

void run(std::string_view bytes) {
    std::size_t at = 0;
    const test::RandomEstate estate(
        [&]() -> unsigned { return at < bytes.size() ? static_cast<unsigned char>(bytes[at++]) : 0U; });
    Plan plan = estate.plan();
    const test::Reading reading = test::read_naively(estate, plan);
    require(reading.complaints.empty(), reading.complaints.empty() ? "" : reading.complaints.front());
    Plan again = estate.plan();
    finish_plan(plan);
    finish_plan(again);
    require(plan.id == again.id, "the same estate gives the same plan");
}

const Registered registered({.name = "plan", .run = run, .mutations = 3000});

}  // namespace
}  // namespace galleryd::fuzz
