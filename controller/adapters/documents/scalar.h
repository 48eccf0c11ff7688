#pragma once
#include <algorithm>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "controller/adapters/documents/places.h"

namespace galleryd::documents {

inline bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, text) != words.end();
}

// The value of a plain (unquoted) scalar by the YAML 1.2 core schema. Throws ReadFailure for numbers that other readers
// take for something else.
nlohmann::json plain_value(const std::string& text, Place place);

}  // namespace galleryd::documents
