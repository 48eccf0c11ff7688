#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

// Instants and durations as Azure, Kubernetes and people write them. Microseconds, because nanoseconds overflow for the
// years 0001 and 9999 that Azure sends.
namespace galleryd {

using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

// Strict RFC 3339 with an offset or Z; up to 9 fractional digits are accepted (Azure sends 7), digits past the sixth
// are cut. Refused: no offset, month 13, 29 February of a common year, second 60.
std::optional<TimePoint> parse_rfc3339(std::string_view text);

// An end-of-life date as people write it: RFC 3339, or a date alone, which means the end of that day in UTC-12 (the
// latest instant it could mean), or a date-time without zone, which is taken at UTC-12 for the same reason.
std::optional<TimePoint> parse_deadline(std::string_view text);

// "2026-11-21T04:10:12Z"; fractions only when not zero. Years outside 0001..9999 are clamped.
std::string format_rfc3339(TimePoint time);
// HTTP dates ("Tue, 07 Jan 2025 05:52:23 GMT", RFC 9110 IMF-fixdate only).
std::optional<TimePoint> parse_http_date(std::string_view text);
std::string format_http_date(TimePoint time);

// "90d", "12h", "15m", "30s", "2w", and sums of them ("1d12h"). No sign, no fraction; at most 100 years.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::seconds duration);  // "90d", "1d12h", "0s"

// "12m ago", "in 41d", "now" for people.
std::string format_relative(TimePoint time, TimePoint now);

}  // namespace galleryd
