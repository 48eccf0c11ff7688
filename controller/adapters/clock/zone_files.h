#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "controller/core/time.h"

// Offsets of named time zones, from the system's zone files (package tzdata; format TZif, RFC 8536). The standard
// library's zones are not used: libstdc++ of Debian 12 has none.
namespace galleryd {

// Offset from UTC ("America/Toronto" in July: -4 h) at that instant. nullopt: there is no such zone file, the name
// could leave the folder, or the file cannot be read as a zone. Reads one small file each time, so an update of tzdata
// counts at once.
std::optional<std::chrono::seconds> zone_offset(const std::string& zone, TimePoint at);
std::optional<std::chrono::seconds> zone_offset_in(const std::filesystem::path& folder, const std::string& zone,
                                                   TimePoint at);

// The same from the bytes of a zone file, and from the POSIX rule at its end ("EST5EDT,M3.2.0,M11.1.0").
std::optional<std::chrono::seconds> offset_from_tzif(std::string_view bytes, TimePoint at);
std::optional<std::chrono::seconds> offset_from_rule(std::string_view rule, TimePoint at);

}  // namespace galleryd
