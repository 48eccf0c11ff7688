#pragma once
#include <optional>
#include <set>

#include "controller/core/policy.h"
#include "reconcilers/image_definition/plan.h"

// When the planner may answer otherwise than a moment before, because time has passed. One too many costs a plan; one
// that is missing makes a forecast's date late.
namespace galleryd {

// After `after`, one second past each threshold: the planner's comparisons are strict.
std::set<TimePoint> moments_of(const DefinitionScopeInput& scope, const Policy& policy, TimePoint after);

// The first full minute at which the window is open, within eight days; nullopt: it never opens.
std::optional<TimePoint> next_opening(const DeletionWindow& window, TimePoint after, const Policy& policy);

}  // namespace galleryd
