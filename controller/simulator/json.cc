#include "controller/simulator/json.h"

#include <algorithm>
#include <utility>

namespace galleryd::simulator {
namespace {
const Json nothing;

void print_text(const std::string& text, std::string& out) {
    const bool is_plain =
        std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f' && c != '"' && c != '\\'; });
    if (!is_plain) {
        out += Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
        return;
    }
    out += '"';
    out += text;
    out += '"';
}

void print_line(std::size_t depth, std::string& out) {
    out += "\r\n";
    out.append(depth * 2, ' ');
}

void print(const Json& value, std::size_t depth, std::string& out) {
    if (value.is_string()) return print_text(value.get_ref<const std::string&>(), out);
    if (!value.is_structured() || value.empty()) {
        out += value.dump(-1, ' ', false, Json::error_handler_t::replace);
        return;
    }
    bool is_first = true;
    const auto begin_entry = [&] {
        if (!std::exchange(is_first, false)) out += ',';
        print_line(depth + 1, out);
    };
    if (value.is_array()) {
        out += '[';
        for (const Json& entry : value) {
            begin_entry();
            print(entry, depth + 1, out);
        }
    } else {
        out += '{';
        for (const auto& [name, entry] : value.get_ref<const Json::object_t&>()) {
            begin_entry();
            print_text(name, out);
            out += ": ";
            print(entry, depth + 1, out);
        }
    }
    print_line(depth, out);
    out += value.is_array() ? ']' : '}';
}

}  // namespace

std::string print_pretty(const Json& value) {
    std::string printed;
    if (!value.is_null()) print(value, 0, printed);
    return printed;
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
