#pragma once
#include <chrono>
#include <optional>

#include "controller/core/result.h"

namespace galleryd {

// When to try again after an error of `kind`; nullopt: not before something else changes. One table for the whole
// program:
//
//   transient   1 s, doubled per failure, at most 5 min; jitter takes off up to half, so that many keys spread out
//   throttled   the server's hint, else 60 s
//   conflict    1 s      not_ready  15 s      denied  10 min      bug  5 min
//   invalid     never on its own: a new declaration starts it again
//
// `failures` counts consecutive failures, this one included (less than 1 counts as 1); `random_unit` is in [0, 1). A
// hint (Retry-After) is never undercut, whatever the kind, but trusted up to one hour only (azure-facts: Azure asks for
// at most 20 min).
std::optional<std::chrono::milliseconds> retry_delay(ErrorKind kind, int failures, double random_unit,
                                                     std::optional<std::chrono::seconds> retry_after);

}  // namespace galleryd
