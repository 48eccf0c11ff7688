#include "controller/adapters/http/message.h"

#include <algorithm>

namespace galleryd::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

void Headers::set(std::string_view name, std::string value) {
    const auto first = std::ranges::find_if(fields_, [&](const auto& field) { return same_name(field.first, name); });
    if (first == fields_.end()) {
        fields_.emplace_back(std::string(name), std::move(value));
        return;
    }
    first->second = std::move(value);
    const auto further =
        std::remove_if(first + 1, fields_.end(), [&](const auto& field) { return same_name(field.first, name); });
    fields_.erase(further, fields_.end());
}

const std::string* Headers::find(std::string_view name) const {
    for (const auto& [field, value] : fields_) {
        if (same_name(field, name)) return &value;
    }
    return nullptr;
}

std::string Headers::get(std::string_view name) const {
    const std::string* value = find(name);
    return value == nullptr ? std::string() : *value;
}

std::vector<std::string> Headers::all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [field, value] : fields_) {
        if (same_name(field, name)) values.push_back(value);
    }
    return values;
}

}  // namespace galleryd::http
