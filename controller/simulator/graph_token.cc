#include <array>

#include "controller/simulator/graph.h"

// Continuation tokens: base64 of a small JSON text. Recorded ones begin with "ew0K", which is "{\r\n" (azure-facts §8);
// an offset and a page size inside are what public threads show of them.
namespace galleryd::simulator {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string encode(std::string_view bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::array<unsigned, 3> group{};
        const std::size_t used = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t j = 0; j < used; ++j) group[j] = static_cast<unsigned char>(bytes[i + j]);
        const unsigned bits = (group[0] << 16U) | (group[1] << 8U) | group[2];
        for (std::size_t j = 0; j < 4; ++j) text += j <= used ? alphabet[(bits >> (18 - 6 * j)) & 63U] : '=';
    }
    return text;
}

std::optional<std::string> decode(std::string_view text) {
    std::string bytes;
    unsigned bits = 0;
    int have = 0;
    for (const char c : text) {
        if (c == '=') break;
        const std::size_t digit = alphabet.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        bits = (bits << 6U) | static_cast<unsigned>(digit);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        bytes += static_cast<char>((bits >> static_cast<unsigned>(have)) & 0xffU);
    }
    return bytes;
}

}  // namespace

std::string print_skip_token(SkipToken token) {
    const Json body{{"$id", "1"}, {"MaxRows", token.rows}, {"RowsToSkip", token.skip}};
    return encode(print_pretty(body));
}

std::optional<SkipToken> parse_skip_token(const std::string& text) {
    const auto bytes = decode(text);
    if (!bytes) return std::nullopt;
    const Json body = Json::parse(*bytes, nullptr, false);
    const Json& rows = member(body, "MaxRows");
    const Json& skip = member(body, "RowsToSkip");
    if (!rows.is_number_unsigned() || !skip.is_number_unsigned()) return std::nullopt;
    return SkipToken{.rows = rows.get<std::size_t>(), .skip = skip.get<std::size_t>()};
}

}  // namespace galleryd::simulator
