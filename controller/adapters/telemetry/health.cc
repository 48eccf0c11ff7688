#include "controller/adapters/telemetry/health.h"

#include <algorithm>

namespace galleryd::telemetry {

void HealthState::require(const std::string& check) { checks_.try_emplace(check, "not ready yet"); }

void HealthState::set_ready(const std::string& check, std::string remark) {
    checks_[check].clear();
    remarks_[check] = std::move(remark);
}

void HealthState::set_not_ready(const std::string& check, std::string reason) {
    checks_[check] = reason.empty() ? std::string("not ready") : std::move(reason);
}

void HealthState::remove(const std::string& check) {
    checks_.erase(check);
    remarks_.erase(check);
}

std::string HealthState::remark_on(const std::string& check) const {
    const auto found = remarks_.find(check);
    return found == remarks_.end() ? std::string() : found->second;
}

bool HealthState::is_ready() const {
    return std::all_of(checks_.begin(), checks_.end(), [](const auto& check) { return check.second.empty(); });
}

}  // namespace galleryd::telemetry
