#pragma once
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "controller/core/time.h"

namespace galleryd {

struct ValidateOptions {
    std::vector<std::string> paths;
    std::string output = "text";  // text | json
    int regions_per_version_max = 50;
    int versions_per_definition_max = 1000;
    int threads = 2;
    std::optional<TimePoint> now = std::nullopt;  // for the warning about an end of life in the past
};

// `galleryd validate PATH…`: 0 valid (warnings included), 1 invalid or not readable, 64 wrong usage. Diagnostics go to
// `out`.
int run_validate(const ValidateOptions& options, std::ostream& out, std::ostream& err);

}  // namespace galleryd
