#include "controller/adapters/azure/json_read.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "controller/core/json_depth.h"

namespace galleryd::azure {
namespace {

bool looks_like_web_page(std::string_view text) {
    const std::size_t start = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    return start != std::string_view::npos && text[start] == '<';
}

std::optional<int> parse_whole(std::string_view text) {
    int value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

constexpr TimePoint oldest_believable{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};

}  // namespace

std::unexpected<Error> unreadable(std::string code, std::string message) {
    return std::unexpected(Error{
        .kind = ErrorKind::transient, .reason = "AzureError", .message = std::move(message), .code = std::move(code)});
}

Result<Json> parse_json(std::string_view text, std::string_view what) {
    const std::string name(what);
    if (looks_like_web_page(text)) {
        return unreadable("GD3002",
                          name +
                              ": the answer is a web page, not Azure's JSON: a proxy or gateway on the way answered. "
                              "It begins with: " +
                              printable(text, 120));
    }
    if (text.empty()) return unreadable("GD3001", name + ": the answer is empty");
    if (is_json_deeper(text, json_depth_max))  // nlohmann parses iteratively but prints recursively
        return unreadable("GD3001", name + ": the answer is nested deeper than " + std::to_string(json_depth_max));
    Json parsed = Json::parse(text, nullptr, false);
    if (parsed.is_discarded()) {
        return unreadable("GD3001",
                          name + ": the answer (" + std::to_string(text.size()) + " bytes) is not whole JSON");
    }
    return parsed;
}

const Json& member(const Json& object, std::string_view key) {
    static const Json nothing;
    if (!object.is_object()) return nothing;
    const auto found = object.find(key);
    return found == object.end() ? nothing : *found;
}

std::string text_member(const Json& object, std::string_view key) {
    const Json& value = member(object, key);
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number() || value.is_boolean()) return value.dump();
    return {};
}

std::optional<bool> flag_member(const Json& object, std::string_view key) {
    const Json& value = member(object, key);
    if (value.is_boolean()) return value.get<bool>();
    if (!value.is_string()) return std::nullopt;
    const std::string word = fold_case(value.get_ref<const std::string&>());
    if (word == "true") return true;
    if (word == "false") return false;
    return std::nullopt;
}

std::optional<int> number_member(const Json& object, std::string_view key) {
    const Json& value = member(object, key);
    if (value.is_string()) return parse_whole(value.get_ref<const std::string&>());
    if (!value.is_number()) return std::nullopt;
    const double number = value.get<double>();
    if (std::floor(number) != number || std::abs(number) > std::numeric_limits<int>::max()) return std::nullopt;
    return static_cast<int>(number);
}

std::string word_member(const Json& object, std::string_view key, std::initializer_list<std::string_view> known) {
    std::string value = text_member(object, key);
    const std::string folded = fold_case(value);
    for (const std::string_view word : known) {
        if (fold_case(word) == folded) return std::string(word);
    }
    return value;
}

ObservedTags tags_member(const Json& object) {
    ObservedTags tags;
    const Json& found = member(object, "tags");
    if (!found.is_object()) return tags;
    for (const auto& [name, value] : found.items()) {
        if (value.is_string()) {
            tags.emplace(name, value.get<std::string>());
        } else if (value.is_null()) {
            tags.emplace(name, std::nullopt);
        } else {
            tags.emplace(name, value.dump());
        }
    }
    return tags;
}

std::optional<TimePoint> parse_azure_time(std::string_view text) {
    const auto time = parse_rfc3339(text);
    if (!time || *time < oldest_believable) return std::nullopt;
    return time;
}

std::optional<TimePoint> parse_azure_deadline(std::string_view text) {
    const auto time = parse_deadline(text);
    if (!time || *time < oldest_believable) return std::nullopt;
    return time;
}

}  // namespace galleryd::azure
