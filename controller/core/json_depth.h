#pragma once
#include <string_view>

namespace galleryd {

// Whether maps and lists of a JSON text are nested deeper than `depth`. Asked before a parser runs: a mebibyte of "["
// becomes eighty of values that each hold the next.
bool is_json_deeper(std::string_view text, int depth);

}  // namespace galleryd
