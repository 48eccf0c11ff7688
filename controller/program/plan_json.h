#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "controller/core/plan.h"
#include "controller/program/plan_header.h"

// The plan for machines (experience §1.4.2), described by docs/reference/plan.schema.json. format_version "1.0": a
// minor version adds fields, reasons and effects, and readers ignore the ones they do not know; a major version may
// break. Keys keep their order.
namespace galleryd {

inline constexpr const char* plan_format_version = "1.0";

// All scopes as one document. `id` covers the ids of all scopes, `observed.digest` what all of them saw.
nlohmann::ordered_json plan_to_json(const std::vector<Plan>& plans, const PlanHeader& header);

// The same rows one by one, for the page and the API.
nlohmann::ordered_json change_to_json(const Change& change);
nlohmann::ordered_json blocked_to_json(const Blocked& blocked);
nlohmann::ordered_json conflict_to_json(const Conflict& conflict);
nlohmann::ordered_json reasons_to_json(const std::vector<BlockReason>& reasons);

// "sha256:…" over the ids of the scopes; what a saved plan is called.
std::string plans_id(const std::vector<Plan>& plans);

}  // namespace galleryd
