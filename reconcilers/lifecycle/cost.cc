#include "reconcilers/lifecycle/cost.h"

#include <algorithm>

namespace galleryd {

ImageSize image_size(const std::optional<double>& occupied_gb, const ObservedVersion* observed) {
    if (occupied_gb && *occupied_gb > 0) return {.gb = *occupied_gb, .known = true, .upper_bound = false};
    if (observed == nullptr) return {};
    const int provisioned = observed->os_disk_gb + observed->data_disks_gb;
    if (provisioned <= 0) return {};
    return {.gb = static_cast<double>(provisioned), .known = true, .upper_bound = true};
}

double price_of(const std::string& storage_account_type, const Prices& prices) {
    const auto found = prices.snapshot_gb_month.find(storage_account_type);
    return found == prices.snapshot_gb_month.end() ? 0.0 : found->second;
}

double monthly_cost(const ImageSize& size, const std::vector<TargetRegion>& regions, const Prices& prices) {
    double cost = 0;
    for (const TargetRegion& region : regions)
        cost += size.gb * region.replicas * price_of(region.storage_account_type, prices);
    return cost;
}

double first_copy_cost(const ImageSize& size, const std::vector<TargetRegion>& before,
                       const std::vector<TargetRegion>& after, const std::string& source_region, const Prices& prices) {
    double cost = 0;
    for (const TargetRegion& region : after) {
        const bool was_there = std::ranges::find(before, region.name, &TargetRegion::name) != before.end();
        if (!was_there && region.name != source_region) cost += size.gb * prices.egress_gb;
    }
    return cost;
}

void add_cost(Plan& plan, Change* change, const ImageSize& size, const std::vector<TargetRegion>& before,
              const std::vector<TargetRegion>& after, const std::string& source_region, const Prices& prices) {
    const double cost_before = monthly_cost(size, before, prices);
    const double cost_after = monthly_cost(size, after, prices);
    const double one_time = first_copy_cost(size, before, after, source_region, prices);
    plan.cost.before += cost_before;
    plan.cost.after += cost_after;
    plan.cost.one_time += one_time;
    plan.cost.upper_bound = plan.cost.upper_bound || size.upper_bound;
    if (change == nullptr) return;
    change->estimate.monthly_cost_delta = cost_after - cost_before;
    change->estimate.one_time_cost = one_time;
}

}  // namespace galleryd
