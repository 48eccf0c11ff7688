#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "controller/core/time.h"
#include "controller/ports/log.h"

// Log lines on a file descriptor. JSON: one object a line, keys `ts`, `level`, `msg`, then the fields. Text, for
// terminals: "04:10:12 info  message  key=value". One write(2) a line, so lines of several processes never mix. Safe
// from any thread.
namespace galleryd::telemetry {

enum class LogFormat : std::uint8_t { text, json };
std::optional<LogFormat> parse_log_format(std::string_view text);  // "text", "json"
std::optional<LogLevel> parse_log_level(std::string_view text);    // "debug", "info", "warning" (or "warn"), "error"
std::string_view to_string(LogLevel level);

struct LogOptions {
    LogFormat format = LogFormat::json;
    LogLevel level = LogLevel::info;  // lower ones are dropped
    int descriptor = 2;               // stays the caller's
    std::function<TimePoint()> now;   // required; usually Clock::now
};

inline constexpr std::size_t log_line_bytes_max =
    16UL * 1024;  // the newline included; longer values are cut and marked

std::unique_ptr<Log> make_log(LogOptions options);

// "[redacted]" in place of what looks like a credential: JSON web tokens, bearer tokens, values of client_secret,
// password, access_token, refresh_token, assertion, sig and the like. The last line of defence (reliability A7):
// callers must not pass secrets.
std::string redact(std::string_view text);

}  // namespace galleryd::telemetry
