#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// The values that rules compute with: scalars by value, lists and maps of the document by reference.
namespace galleryd::documents::cel {

using nlohmann::json;

struct Failure {
    std::string text;
};
struct Value;
using List = std::shared_ptr<std::vector<Value>>;
// Errors are values, because && and || may swallow them (CEL specification, "Logical Operators").
struct Value {
    std::variant<Failure, std::nullptr_t, bool, std::int64_t, double, std::string, const json*, List> is;
};

inline Value error(std::string text) { return {Failure{std::move(text)}}; }
inline bool is_error(const Value& value) { return std::holds_alternative<Failure>(value.is); }

inline Value wrap(const json& value) {
    switch (value.type()) {
        case json::value_t::null: return {nullptr};
        case json::value_t::boolean: return {value.get<bool>()};
        case json::value_t::number_integer:
        case json::value_t::number_unsigned: return {value.get<std::int64_t>()};
        case json::value_t::number_float: return {value.get<double>()};
        case json::value_t::string: return {value.get_ref<const std::string&>()};
        default: return {&value};
    }
}

inline std::optional<double> number_of(const Value& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value.is)) return static_cast<double>(*whole);
    if (const auto* real = std::get_if<double>(&value.is)) return *real;
    return std::nullopt;
}

inline std::optional<std::size_t> list_size(const Value& value) {
    if (const auto* list = std::get_if<List>(&value.is)) return (*list)->size();
    const auto* tree = std::get_if<const json*>(&value.is);
    if (tree != nullptr && (*tree)->is_array()) return (*tree)->size();
    return std::nullopt;
}

inline Value list_item(const Value& value, std::size_t i) {
    if (const auto* list = std::get_if<List>(&value.is)) return (**list)[i];
    return wrap((**std::get_if<const json*>(&value.is))[i]);
}

inline const json* object_of(const Value& value) {
    const auto* tree = std::get_if<const json*>(&value.is);
    return tree != nullptr && (*tree)->is_object() ? *tree : nullptr;
}

inline bool equals(const Value& a, const Value& b) {
    const auto x = number_of(a), y = number_of(b);
    if (x && y) return *x == *y;
    const auto n = list_size(a), m = list_size(b);
    if (n && m) {
        if (*n != *m) return false;
        for (std::size_t i = 0; i < *n; ++i) {
            if (!equals(list_item(a, i), list_item(b, i))) return false;
        }
        return true;
    }
    const json *left = object_of(a), *right = object_of(b);
    if (left != nullptr && right != nullptr) return *left == *right;
    if (a.is.index() != b.is.index()) return false;
    if (const auto* text = std::get_if<std::string>(&a.is)) return *text == std::get<std::string>(b.is);
    if (const auto* boolean = std::get_if<bool>(&a.is)) return *boolean == std::get<bool>(b.is);
    return std::holds_alternative<std::nullptr_t>(a.is);
}

inline std::size_t code_points(const std::string& text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace galleryd::documents::cel
