#pragma once
#include <iosfwd>

#include "controller/program/options.h"

namespace galleryd {

// Plan, show, then do it once and follow it until nothing is left to do or only people can go on.
// 0 Azure matches; 1 error; 3 the saved plan is stale, or timed out; 4 approval missing or an object stalled.
int run_apply(const ApplyOptions& options, std::ostream& out, std::ostream& err);

}  // namespace galleryd
