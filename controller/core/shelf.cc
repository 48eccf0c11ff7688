#include "controller/core/shelf.h"

#include <zstd.h>

#include <algorithm>
#include <array>

#include "controller/core/check.h"

namespace galleryd {
namespace {

constexpr int level = 1;  // of a dictionary the tables cost more than a better level saves
// The texts of a start (nothing seen yet, everything waiting) are not those of every day, so a new dictionary is made
// after so many texts; what was put away before keeps its own.
constexpr std::array<std::size_t, 3> learned_at{8, 128, 2048};
constexpr std::size_t sizes_bytes = 4;

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
using Compression = std::unique_ptr<ZSTD_CCtx, FreeContext>;
using Decompression = std::unique_ptr<ZSTD_DCtx, FreeContext>;

ZSTD_DCtx* decompression() {
    thread_local const Decompression context(ZSTD_createDCtx());
    return context.get();
}

std::size_t checked(std::size_t result) {
    GALLERYD_CHECK(ZSTD_isError(result) == 0, "our own bytes can be packed and unpacked");
    return result;
}

std::string with_size(std::size_t size, char first) {
    GALLERYD_CHECK(size <= 0xffffffffU, "a text of four gigabytes");
    std::string head(1, first);
    for (unsigned i = 0; i < sizes_bytes; ++i) head += static_cast<char>((size >> (8 * i)) & 0xffU);
    return head;
}

std::size_t size_of(std::string_view bytes) {
    GALLERYD_CHECK(bytes.size() > sizes_bytes, "put away by a shelf");
    std::size_t size = 0;
    for (unsigned i = 0; i < sizes_bytes; ++i)
        size |= static_cast<std::size_t>(static_cast<unsigned char>(bytes[i + 1])) << (8 * i);
    return size;
}

// Making a context costs as much as packing a small text, so one is kept, as long as it is small: what a large text
// makes of it is freed again.
template <class Compress>
std::string compressed(std::string_view text, char first, Compress compress) {
    constexpr std::size_t kept_bytes_max = 256 * 1024;
    thread_local Compression context;
    if (!context) context.reset(ZSTD_createCCtx());
    std::string out = with_size(text.size(), first);
    const std::size_t head = out.size();
    std::string body(ZSTD_compressBound(text.size()), '\0');
    body.resize(checked(compress(context.get(), body)));
    if (ZSTD_sizeof_CCtx(context.get()) > kept_bytes_max) context.reset();
    out.reserve(head + body.size());
    out += body;
    return out;
}

}  // namespace

struct Shelf::Dictionary {
    explicit Dictionary(std::string_view words)
        : in(ZSTD_createCDict(words.data(), words.size(), level)), out(ZSTD_createDDict(words.data(), words.size())) {}
    ~Dictionary() {
        close();
        ZSTD_freeDDict(out);
    }
    void close() { ZSTD_freeCDict(std::exchange(in, nullptr)); }  // for reading only: ten times smaller
    Dictionary(const Dictionary&) = delete;
    Dictionary& operator=(const Dictionary&) = delete;
    ZSTD_CDict* in;
    ZSTD_DDict* out;
};

Shelf::Shelf() = default;
Shelf::~Shelf() = default;

void Shelf::learn(std::string_view text) {
    ++texts_;
    if (dictionaries_.size() == learned_at.size()) return;
    if (sample_.size() + text.size() > dictionary_bytes_max)
        sample_.erase(0, std::min(sample_.size(), sample_.size() + text.size() - dictionary_bytes_max));
    sample_ += text.substr(0, dictionary_bytes_max);
    if (texts_ < learned_at.at(dictionaries_.size())) return;
    sample_.insert(sample_.begin(), '\0');  // whatever the texts hold, it is not taken for a trained dictionary
    if (!dictionaries_.empty()) dictionaries_.back()->close();
    dictionaries_.push_back(std::make_unique<Dictionary>(std::exchange(sample_, {})));
}

std::string Shelf::put_away(std::string_view text) {
    learn(text);
    const Dictionary* known = dictionaries_.empty() ? nullptr : dictionaries_.back().get();
    return compressed(text, static_cast<char>(dictionaries_.size()), [&](ZSTD_CCtx* context, std::string& body) {
        return known == nullptr
                   ? ZSTD_compressCCtx(context, body.data(), body.size(), text.data(), text.size(), level)
                   : ZSTD_compress_usingCDict(context, body.data(), body.size(), text.data(), text.size(), known->in);
    });
}

std::string Shelf::take_out(std::string_view put_away) const {
    std::string text(size_of(put_away), '\0');
    const auto place = static_cast<std::size_t>(static_cast<unsigned char>(put_away.front()));
    GALLERYD_CHECK(place <= dictionaries_.size(), "put away by this shelf");
    const std::string_view body = put_away.substr(1 + sizes_bytes);
    const std::size_t size =
        checked(place == 0 ? ZSTD_decompressDCtx(decompression(), text.data(), text.size(), body.data(), body.size())
                           : ZSTD_decompress_usingDDict(decompression(), text.data(), text.size(), body.data(),
                                                        body.size(), dictionaries_[place - 1]->out));
    GALLERYD_CHECK(size == text.size(), "the whole text comes out");
    return text;
}

std::string squeeze(std::string_view text) {
    return compressed(text, 0, [&](ZSTD_CCtx* context, std::string& body) {
        return ZSTD_compressCCtx(context, body.data(), body.size(), text.data(), text.size(), level);
    });
}

std::string unsqueeze(std::string_view squeezed) { return Shelf().take_out(squeezed); }

}  // namespace galleryd
