#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace galleryd {

// Makes texts smaller for the disk (zstd, RFC 8878), each by itself. Its work space is kept from one text to the next.
class TextPacker {
  public:
    TextPacker();
    ~TextPacker();
    TextPacker(const TextPacker&) = delete;
    TextPacker& operator=(const TextPacker&) = delete;
    // What does not become smaller stays as it is. Requires: not packed before.
    std::string pack(std::string_view text);

  private:
    struct Space;
    std::unique_ptr<Space> space_;
};

// The text that was packed; one that was not (JSON, "") as it is. nullopt: damaged, or larger than unpacked_bytes_max.
std::optional<std::string> unpacked_text(std::string_view packed);
inline constexpr std::size_t unpacked_bytes_max = 64U << 20U;

}  // namespace galleryd
