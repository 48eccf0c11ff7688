#include "controller/simulator/json.h"

namespace galleryd::simulator {
namespace {
const Json nothing;
}

std::string print_pretty(const Json& value) {
    if (value.is_null()) return {};
    const std::string text = value.dump(2, ' ', false, Json::error_handler_t::replace);
    std::string printed;
    printed.reserve(text.size() + text.size() / 16);
    std::size_t from = 0;
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', from)) {
        printed.append(text, from, at - from).append("\r\n");
        from = at + 1;
    }
    return printed.append(text, from);
}

const Json& member(const Json& object, std::string_view name) {
    if (!object.is_object()) return nothing;
    const auto found = object.find(name);
    return found == object.end() ? nothing : *found;
}

const Json& member(const Json& object, std::initializer_list<std::string_view> path) {
    const Json* at = &object;
    for (const std::string_view name : path) at = &member(*at, name);
    return *at;
}

std::string text_of(const Json& object, std::string_view name) {
    const Json& value = member(object, name);
    return value.is_string() ? value.get<std::string>() : std::string{};
}

bool is_empty(const Json& value) {
    return value.is_null() || ((value.is_object() || value.is_array()) && value.empty());
}

bool is_true(const Json& object, std::string_view name) {
    const Json& value = member(object, name);
    return value.is_boolean() && value.get<bool>();
}

void copy_member(const Json& from, Json& to, std::string_view name, bool keep_empty) {
    const Json& value = member(from, name);
    if (value.is_null() || (!keep_empty && is_empty(value))) return;
    to[std::string(name)] = value;
}

void merge_into(Json& target, const Json& patch) {
    if (!patch.is_object()) {
        target = patch;
        return;
    }
    if (!target.is_object()) target = Json::object();
    for (const auto& [name, value] : patch.items()) {
        if (value.is_null()) {
            target.erase(name);
        } else if (value.is_object()) {
            merge_into(target[name], value);
        } else {
            target[name] = value;
        }
    }
}

}  // namespace galleryd::simulator
