#pragma once
#include <string>
#include <vector>

#include "tests/unit/planning/random_estate.h"

namespace galleryd::test {

// A naive reading of behaviour §6, written without the planner's own functions: what a plan takes away must be allowed
// by this reading too.
struct Reading {
    std::vector<std::string> complaints;  // what the plan does and this reading refuses; none: they agree
    int deletions = 0, removals = 0;      // versions deleted, versions that lose regions or replicas
};
Reading read_naively(const RandomEstate& estate, const Plan& plan);

}  // namespace galleryd::test
