#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace galleryd {

// Length of the UTF-8 sequence that `text` begins with, and its code point; 0 when it is not valid (overlong, half a
// pair, beyond U+10FFFF, cut off). Requires: `text` is not empty.
std::size_t utf8_length(std::string_view text, char32_t& point);

// Control characters but for tab and line ends, characters that turn the direction of text, a byte order mark: nothing
// that a person should get to see from somebody else.
bool is_forbidden_in_text(char32_t point);

// Other people's words for a message: control characters and those that turn the direction of text become blanks, bytes
// that are not UTF-8 U+FFFD; at most `limit` bytes, cut at a character's border, and "…" when more was there.
std::string printable(std::string_view text, std::size_t limit);

}  // namespace galleryd
