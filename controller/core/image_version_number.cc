#include "controller/core/image_version_number.h"

#include <array>
#include <charconv>

namespace galleryd {

std::optional<ImageVersionNumber> parse_image_version_number(std::string_view text) {
    std::array<std::uint32_t, 3> parts{};
    const char* at = text.data();
    const char* const end = text.data() + text.size();
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) {
            if (at == end || *at != '.') return std::nullopt;
            ++at;
        }
        if (at == end || *at < '0' || *at > '9') return std::nullopt;
        if (*at == '0' && at + 1 != end && at[1] >= '0' && at[1] <= '9') return std::nullopt;
        const auto [next, error] = std::from_chars(at, end, parts[i]);
        if (error != std::errc{} || parts[i] > 2147483647U) return std::nullopt;
        at = next;
    }
    if (at != end) return std::nullopt;
    return ImageVersionNumber{parts[0], parts[1], parts[2]};
}

std::string to_string(const ImageVersionNumber& number) {
    return std::to_string(number.major_number) + "." + std::to_string(number.minor_number) + "." +
           std::to_string(number.patch_number);
}

}  // namespace galleryd
