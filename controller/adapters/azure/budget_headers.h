#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "controller/adapters/http/message.h"
#include "controller/core/budgets.h"
#include "controller/core/time.h"

namespace galleryd::azure {

// One count of the x-ms-ratelimit-remaining-… headers: bucket "subscription-reads", "subscription-global-writes",
// "tenant-reads", …, or the policy of "…-resource: Microsoft.Compute/GetGallery3Min;349,…" ("GetGallery3Min").
struct RemainingCount {
    std::string bucket;
    std::int64_t left = 0;
    bool policy = false;
};
// At most 64; entries that are no numbers or have no sensible name are left out.
std::vector<RemainingCount> remaining_counts(const http::Headers& headers);

// What an answer of any status says about budgets. A 429 names the budget that refused by its code (azure-facts §7);
// its wait is the Retry-After in whichever form, between 1 s and an hour, or default_hold when it gives none.
BudgetAnswer read_budgets(const http::Response& answer, RequestKind kind, TimePoint now);

}  // namespace galleryd::azure
