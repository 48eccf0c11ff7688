#pragma once
#include <string>
#include <string_view>

namespace galleryd {

std::string sha256_hex(std::string_view data);  // 64 lower-case hex digits
inline std::string sha256_label(std::string_view data) { return "sha256:" + sha256_hex(data); }
// UUID version 5 (RFC 9562) in the given namespace UUID; for deterministic role assignment names.
std::string uuid_v5(std::string_view namespace_uuid, std::string_view name);

}  // namespace galleryd
