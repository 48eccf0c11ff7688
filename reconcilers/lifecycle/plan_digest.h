#pragma once
#include <string>
#include <vector>

#include "controller/core/plan.h"

// Identity of a plan. The same state and declaration give the same digests at any time of day: dates that are computed
// from "now" (a mark's date, the end of life of a version to be made) are left out.
namespace galleryd {

// One deletion as people approve it: what, which one of that name, why.
struct DeletionItem {
    std::string address;
    std::optional<TimePoint> published;
    std::string rule;
    std::string step;  // "delete version", "remove region brazilsouth", …
};
std::string deletions_digest(std::vector<DeletionItem> items);  // "" for none; order does not matter

// Brings the changes into the order in which they may be applied (group, gallery, storage and access, definition,
// versions, their lifecycle; deletions last, children before parents) and fills in `observed_digest`, `id` and, where
// the planner has not set it, `deletions_digest`: over the rows that nothing but approval, brake or window holds up.
// Called once, last. `observed` are the fingerprints of everything the scope observed (core/fingerprint.h), in any
// order.
void finish_plan(Plan& plan, std::vector<std::string> observed);
// The same with the fingerprints that the changes carry; for scopes without a list of their own.
void finish_plan(Plan& plan);

}  // namespace galleryd
