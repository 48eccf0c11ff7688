#include "controller/core/archive.h"

namespace galleryd {

void ArchiveWriter::number(std::uint64_t value) {
    while (value >= 0x80) {
        bytes_ += static_cast<char>(static_cast<unsigned char>(value | 0x80U));
        value >>= 7U;
    }
    bytes_ += static_cast<char>(value);
}

void ArchiveWriter::text(std::string_view value) {
    number(value.size());
    bytes_ += value;
}

std::uint64_t ArchiveReader::number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if (byte < 0x80) return value;
    }
    failed_ = true;
    return 0;
}

std::string_view ArchiveReader::raw(std::uint64_t size) {
    if (size > rest_.size()) {
        failed_ = true;
        rest_ = {};
    }
    if (failed_) return {};
    const std::string_view found = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return found;
}

std::uint64_t ArchiveReader::count() {
    const std::uint64_t count = number();
    if (count <= rest_.size()) return count;
    failed_ = true;
    return 0;
}

}  // namespace galleryd
