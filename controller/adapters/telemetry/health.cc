#include "controller/adapters/telemetry/health.h"

#include <algorithm>

namespace galleryd::telemetry {

void HealthState::require(const std::string& check) { checks_.try_emplace(check, "not ready yet"); }

void HealthState::set_ready(const std::string& check) { checks_[check].clear(); }

void HealthState::set_not_ready(const std::string& check, std::string reason) {
    checks_[check] = reason.empty() ? std::string("not ready") : std::move(reason);
}

void HealthState::remove(const std::string& check) { checks_.erase(check); }

bool HealthState::is_ready() const {
    return std::all_of(checks_.begin(), checks_.end(), [](const auto& check) { return check.second.empty(); });
}

}  // namespace galleryd::telemetry
