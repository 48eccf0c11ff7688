#pragma once
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "controller/core/observed.h"
#include "controller/core/result.h"
#include "controller/core/utf8.h"

// Small tolerant readers over a JSON tree; internal to this folder.
namespace galleryd::azure {

using Json = nlohmann::json;

constexpr int json_depth_max = 64;

// Whole text or an error (GD3001; GD3002 when it looks like a web page): `what` names the answer for people.
Result<Json> parse_json(std::string_view text, std::string_view what);

const Json& member(const Json& object, std::string_view key);       // a null value when absent or not an object
std::string text_member(const Json& object, std::string_view key);  // "" when absent or null; numbers as written
std::optional<bool> flag_member(const Json& object, std::string_view key);
std::optional<int> number_member(const Json& object, std::string_view key);  // whole numbers that fit an int
// The spelling of `known` that equals the value without case, else the value as it came.
std::string word_member(const Json& object, std::string_view key, std::initializer_list<std::string_view> known);

ObservedTags tags_member(const Json& object);

// RFC 3339, or without a zone the latest instant it could mean; nullopt when unparsable or before the year 2000.
std::optional<TimePoint> parse_azure_deadline(std::string_view text);
std::optional<TimePoint> parse_azure_time(std::string_view text);

std::unexpected<Error> unreadable(std::string code, std::string message);

}  // namespace galleryd::azure
