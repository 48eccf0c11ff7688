#pragma once
#include <optional>
#include <string>
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/observed.h"
#include "controller/core/plan.h"
#include "controller/core/policy.h"

// Money (behaviour §4): size x replicas x regions at the price of a snapshot GB-month of that storage type, plus egress
// of the first copy into each added region. List prices; sizes that Azure reports are provisioned sizes, an upper
// bound.
namespace galleryd {

struct ImageSize {
    double gb = 0;
    bool known = false;
    bool upper_bound = false;  // Azure's provisioned size, not what a replica really stores
};
ImageSize image_size(const std::optional<double>& occupied_gb, const ObservedVersion* observed);

double price_of(const std::string& storage_account_type, const Prices& prices);  // 0 when the list has none
double monthly_cost(const ImageSize& size, const std::vector<TargetRegion>& regions, const Prices& prices);
// Egress of the first copy into each region of `after` that is not in `before`; the source region's own copy costs
// nothing.
double first_copy_cost(const ImageSize& size, const std::vector<TargetRegion>& before,
                       const std::vector<TargetRegion>& after, const std::string& source_region, const Prices& prices);

// Adds one version to the plan's cost and fills in its change's estimate (`change` may be nullptr).
void add_cost(Plan& plan, Change* change, const ImageSize& size, const std::vector<TargetRegion>& before,
              const std::vector<TargetRegion>& after, const std::string& source_region, const Prices& prices);

}  // namespace galleryd
