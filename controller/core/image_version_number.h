#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace galleryd {

// MAJOR.MINOR.PATCH as Azure orders it: three decimal integers 0..2147483647 (spec of the gallery provider), compared
// as numbers, so 1.0.12 is newer than 1.0.9. Leading zeros ("1.02.3"), signs, blanks and suffixes are refused.
struct ImageVersionNumber {
    std::uint32_t major_number = 0;
    std::uint32_t minor_number = 0;
    std::uint32_t patch_number = 0;
    friend auto operator<=>(const ImageVersionNumber&, const ImageVersionNumber&) = default;
};

std::optional<ImageVersionNumber> parse_image_version_number(std::string_view text);
std::string to_string(const ImageVersionNumber& number);

}  // namespace galleryd
