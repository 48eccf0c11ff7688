#include "controller/core/utf8.h"

#include <algorithm>

namespace galleryd {

std::size_t utf8_length(std::string_view text, char32_t& point) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    std::size_t length = 0;
    if (first < 0x80) {
        point = first;
        return 1;
    }
    if (first >= 0xc2 && first < 0xe0) length = 2;
    if (first >= 0xe0 && first < 0xf0) length = 3;
    if (first >= 0xf0 && first < 0xf5) length = 4;
    if (length == 0 || text.size() < length) return 0;
    point = static_cast<char32_t>(first & (0xffU >> (length + 1)));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
        point = (point << 6) | (byte(i) & 0x3fU);
    }
    const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    if (overlong || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return 0;
    return length;
}

bool is_forbidden_in_text(char32_t point) {
    if (point < 0x20) return point != '\t' && point != '\n' && point != '\r';
    if (point == 0x7f || (point >= 0x80 && point < 0xa0 && point != 0x85)) return true;
    return (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
           point == 0xfeff;  // text direction tricks
}

std::string printable(std::string_view text, std::size_t limit) {
    std::string clean;
    clean.reserve(std::min(text.size(), limit));
    while (!text.empty()) {
        char32_t point = 0;
        const std::size_t length = utf8_length(text, point);
        const bool is_blank = length > 0 && (point < 0x20 || point == 0x85 || is_forbidden_in_text(point));
        const std::string_view piece = length == 0 ? "\xEF\xBF\xBD" : is_blank ? " " : text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
        if (is_blank && !clean.empty() && clean.back() == ' ') continue;  // CR LF becomes one blank
        if (clean.size() + piece.size() > limit) {
            clean += "…";
            break;
        }
        clean += piece;
    }
    while (!clean.empty() && clean.back() == ' ') clean.pop_back();
    return clean;
}

}  // namespace galleryd
