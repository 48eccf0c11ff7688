#pragma once
#include <string>
#include <vector>

#include "controller/adapters/documents/places.h"
#include "controller/core/document.h"

namespace galleryd::documents {

// A diagnostic before its place in the file is known.
struct Problem {
    std::string code;     // a row of core/error_catalogue_document.cc
    std::string pointer;  // JSON pointer of the field
    std::string message;
    std::string remedy;
    bool at_key = false;  // point at the key, not at the value
    Severity severity = Severity::error;
};

// Enough for a person; bounds what hostile input can cost.
inline constexpr std::size_t problems_max = 100;

Diagnostic locate(const Problem& problem, const std::string& file, const Places& places);
bool has_error(const std::vector<Diagnostic>& problems);

// The candidate nearest in spelling, when one is near enough to be meant; "" otherwise.
std::string nearest(std::string_view wanted, const std::vector<std::string>& candidates);

// At most 80 bytes of `text`, cut between characters.
std::string shortened(std::string_view text);

// "a, b or c"
std::string listed(const std::vector<std::string>& words, std::string_view last_word);

}  // namespace galleryd::documents
