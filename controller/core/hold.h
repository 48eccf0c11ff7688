#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "controller/core/policy.h"
#include "controller/core/time.h"

// What the tag galleryd-hold and the annotation galleryd.io/hold say: a reason, and perhaps until when.
//   "incident 4711"                        without end
//   "until 2026-12-24; incident 4711"      through that day, wherever on earth it ends last
//   "until 2026-12-24T18:00:00Z; audit"    through that instant
// Everything else holds without end, also a date that cannot be read: unknown means keep (behaviour §5).
namespace galleryd {

struct HoldText {
    std::string reason;              // without the date; "" when none is given
    std::optional<TimePoint> until;  // the last instant that is held; nullopt: without end
    std::string until_text;          // the date as it is written, "" without one
};
HoldText parse_hold(std::string_view value);
// The value that parse_hold reads back. `until_text` "" = without end.
std::string hold_value(std::string_view until_text, std::string_view reason);

// The latest instant that is certainly past by both clocks: ours less what it may be ahead of Azure's. nullopt: the two
// differ too much, or the difference is not known, so nothing is certain.
std::optional<TimePoint> certain_time(const Policy& policy, TimePoint now);
// Is it over? A tag without a value (nullopt), a hold without end and a time that is not certain never are.
bool is_hold_over(const std::optional<std::string>& value, const std::optional<TimePoint>& certain);

}  // namespace galleryd
