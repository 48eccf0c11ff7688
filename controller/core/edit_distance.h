#pragma once
#include <cstddef>
#include <string_view>

namespace galleryd {

// How many letters have to be added, dropped or changed to make `b` of `a` (Levenshtein): for "did you mean". Words
// that are `limit` or more apart are `limit` apart: most candidates are, which is then found out without comparing
// them.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

}  // namespace galleryd
