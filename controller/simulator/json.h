#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

// Internal: bodies keep the order in which Azure prints their members, so an ordered object type.
namespace galleryd::simulator {

using Json = nlohmann::ordered_json;

// Two-space indent and CRLF, as the provider prints (azure-facts §1). Empty for null.
std::string print_pretty(const Json& value);
// The member, or a null value that lives for ever.
const Json& member(const Json& object, std::string_view name);
const Json& member(const Json& object, std::initializer_list<std::string_view> path);
std::string text_of(const Json& object, std::string_view name);  // "" unless it is a string
bool is_empty(const Json& value);                                // null, {} or []
bool is_true(const Json& object, std::string_view name);
// Copies the member when it is there and not null; `keep_empty` also copies {} and [].
void copy_member(const Json& from, Json& to, std::string_view name, bool keep_empty = false);
// RFC 7396 merge for objects; arrays are replaced.
void merge_into(Json& target, const Json& patch);

}  // namespace galleryd::simulator
