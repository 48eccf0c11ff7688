#pragma once
#include <nlohmann/json_fwd.hpp>
#include <variant>
#include <vector>

#include "controller/adapters/documents/problem.h"
#include "controller/core/desired.h"

namespace galleryd::documents {

using DesiredObject = std::variant<std::monostate, Gallery, ImageDefinition, ImageVersion, LifecyclePolicy>;

// A validated document (defaults applied) as a domain object. References are names only (cross_checks.h resolves them).
// Appends what the schema cannot see: dates, durations, regions under two spellings, tag names, shadowed tiers.
DesiredObject map_document(const nlohmann::json& document, const Metadata& meta, std::vector<Problem>& problems);

// contract §1: one replica for each 20 VMs created at the same time, one for each scale set; at least 1, at most 100.
int automatic_replicas(int concurrent_vms, int concurrent_scale_sets);

}  // namespace galleryd::documents
