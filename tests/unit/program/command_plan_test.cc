#include "controller/program/command_plan.h"

#include <doctest/doctest.h>

using namespace galleryd;

TEST_CASE("the next command after a plan has its paths and the flags that it depends on") {
    PlanOptions options;
    options.common.sources = {"dir:manifests", "dir:it's here"};
    options.common.instance = "team";
    options.common.allow_deletes = options.common.prune = true;
    const std::string flags = " --instance team --allow-deletes --prune";
    CHECK(next_command(options) ==
          "galleryd plan manifests 'it'\\''s here' --out plan.json" + flags + " && galleryd apply plan.json" + flags);
    options.out = "p.json";
    CHECK(next_command(options) == "galleryd apply p.json" + flags);
}

TEST_CASE("after a plan against the simulator in the process, which ends with it, a rehearsal is what is left") {
    PlanOptions options;
    options.common.sources = {"dir:m"};
    options.common.azure = "simulator";
    options.common.simulator_state = "azure.json";
    const std::string next = next_command(options);
    CHECK(next.starts_with("galleryd apply m --azure simulator --simulator-state azure.json    # a rehearsal"));
    CHECK_FALSE(next.contains("plan.json"));
}
