#include "controller/core/packed_text.h"

#include <zstd.h>

#include "controller/core/check.h"

namespace galleryd {
namespace {

constexpr int level = 1;
constexpr std::size_t bytes_min = 128;  // below it there is nothing to win
constexpr std::string_view magic("\x28\xb5\x2f\xfd",
                                 4);  // first bytes of every frame (RFC 8878 §3.1.1): no text of ours

}  // namespace

struct TextPacker::Space {
    Space() : context(ZSTD_createCCtx()) {}
    ~Space() { ZSTD_freeCCtx(context); }
    Space(const Space&) = delete;
    Space& operator=(const Space&) = delete;
    ZSTD_CCtx* context;
};

TextPacker::TextPacker() : space_(std::make_unique<Space>()) {}
TextPacker::~TextPacker() = default;

std::string TextPacker::pack(std::string_view text) {
    GALLERYD_CHECK(!text.starts_with(magic), "what is packed is not packed again");
    if (text.size() < bytes_min || text.size() > unpacked_bytes_max) return std::string(text);
    std::string packed(ZSTD_compressBound(text.size()), '\0');
    const std::size_t size =
        ZSTD_compressCCtx(space_->context, packed.data(), packed.size(), text.data(), text.size(), level);
    if (ZSTD_isError(size) != 0 || size >= text.size()) return std::string(text);
    return packed.substr(0, size);
}

std::optional<std::string> unpacked_text(std::string_view packed) {
    if (!packed.starts_with(magic)) return std::string(packed);
    const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > unpacked_bytes_max)
        return std::nullopt;
    std::string text(static_cast<std::size_t>(size), '\0');
    const std::size_t done = ZSTD_decompress(text.data(), text.size(), packed.data(), packed.size());
    if (ZSTD_isError(done) != 0 || done != text.size()) return std::nullopt;
    return text;
}

}  // namespace galleryd
