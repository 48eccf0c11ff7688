#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reconcilers/image_definition/plan.h"

// What retention makes of a definition on a later date, and when. There is no second set of rules: the planner itself
// is asked at every moment at which its answer can be another one, what it plans is assumed to be done (assumed.h), and
// it is asked again. Pure.
//
// What is assumed: documents stay as they are; what they declare is carried out; operations end well; nobody publishes
// another version, uses one that nobody uses now, or stops using one; tags, holds and locks stay. Approvals of people
// are never assumed, nor is any flag: what waits for them waits.
namespace galleryd {

struct ForecastInput {
    DefinitionScopeInput scope;                        // with the view of now
    Policy policy;                                     // as a plan of now asks it
    std::map<std::string, TimePoint> approvals_until;  // of policy.approvals; those without a date never end
    TimePoint now{}, at{};                             // a date before `now` is taken as `now`
};

struct VersionForecast {
    VersionVerdict verdict;  // on the date; of a version that is gone by then, the last one before
    bool in_azure = false;   // on the date
    // Each from now on, also after the date; nullopt: never, as far as can be told.
    std::optional<TimePoint> named;    // a rule names it for deletion (`now`: it does already)
    std::optional<TimePoint> marked;   // `now`: it is already
    std::optional<TimePoint> due;      // nothing but people stands in the way of its deletion
    std::optional<TimePoint> deleted;  // and nobody has to be asked
    std::string named_by;              // the rule
    std::vector<BlockReason> people;   // who has to be asked then: approval, flags, brakes. No digest of a plan that
                                       // does not exist yet is named, here and in the verdict of a later date
};

struct Forecast {
    TimePoint now{};
    Plan plan;                              // on the date; at `now` the very plan of now
    std::vector<VersionForecast> versions;  // newest first, those that are gone by then in their place
    std::chrono::seconds precision{0};      // dates are late by at most this; 0: to the second
    std::optional<Plan> asks_usage;         // some plan on the way that depends on who uses versions
    int plans_made = 0;
};

Forecast forecast_retention(ForecastInput input);

// Only people or flags release it: neither time nor another fact has to change.
bool is_for_people(const BlockReason& reason);

inline constexpr std::size_t forecast_moments_max = 200;  // more are taken together, see Forecast::precision

}  // namespace galleryd
