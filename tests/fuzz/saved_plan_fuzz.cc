#include "controller/program/saved_plan.h"
#include "tests/fuzz/target.h"

// A plan file that was edited, cut off or made by another program: it says what is wrong, and what it says about a step
// changes nothing but the comparison.
namespace galleryd::fuzz {
namespace {

void run(std::string_view bytes) {
    const auto saved = parse_saved_plan(bytes, "plan.json");
    if (!saved) {
        require_clear(saved.error());
        require(saved.error().code == "GD5040" && saved.error().kind == ErrorKind::invalid,
                "a wrong file has its code");
        return;
    }
    std::size_t steps = 0;
    std::vector<Plan> fresh;
    for (const auto& [name, scope] : saved->scopes) {
        steps += scope.steps.size();
        Plan plan;
        plan.scope = name;
        plan.id = scope.id;
        plan.observed_digest = scope.observed_digest;
        plan.complete = true;
        fresh.push_back(std::move(plan));
    }
    require(saved->deletions >= 0 && static_cast<std::size_t>(saved->deletions) <= steps, "deletions are steps");
    require(compare(*saved, fresh).empty(), "a plan that did not move may be applied");
    require(compare(*saved, {}).size() == saved->scopes.size(), "a scope that went away is told once");
    for (Plan& plan : fresh) plan.observed_digest += "x";
    require(compare(*saved, fresh).size() >= saved->scopes.size(), "what moved in Azure is never applied");
    for (Plan& plan : fresh) plan.complete = false;
    require(compare(*saved, fresh).size() == saved->scopes.size(), "nor is what could not be looked at");
}

const Registered registered({.name = "saved_plan", .run = run});

}  // namespace
}  // namespace galleryd::fuzz
