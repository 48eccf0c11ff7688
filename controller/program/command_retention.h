#pragma once
#include <iosfwd>
#include <string>

#include "controller/core/result.h"
#include "controller/core/time.h"
#include "controller/program/options.h"

namespace galleryd {

struct RetentionOptions {
    CommonOptions common;
    std::string at;               // "" = now
    std::string output = "text";  // text | json
};

// `galleryd retention preview [--at DATE] [PATH…]`: what goes, what stays and why, by the planner of the daemon. Looks
// at Azure now; writes nothing.
int run_retention_preview(const RetentionOptions& options, std::ostream& out, std::ostream& err);

// RFC 3339, or a date alone, which means the last second of that day in UTC. `invalid` with GD5030.
Result<TimePoint> parse_preview_date(const std::string& text);
// Not before now, and at most a hundred years ahead. GD5030.
Status check_preview_date(TimePoint at, TimePoint now, const std::string& text);

}  // namespace galleryd
