#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "controller/core/desired.h"

namespace galleryd {

// "versions.yaml:12:15: error GD1012: spec.replicas: 0 is below the minimum 1. Write a number from 1 to 100."
std::string diagnostic_line(const Diagnostic& diagnostic);
nlohmann::ordered_json diagnostic_json(const Diagnostic& diagnostic);
bool all_valid(const std::vector<DocumentRecord>& documents);  // warnings are fine

}  // namespace galleryd
