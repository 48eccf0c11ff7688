#include "controller/adapters/clock/zone_files.h"

#include <algorithm>
#include <cstdint>
#include <fstream>

namespace galleryd {
namespace {

constexpr std::size_t header_size = 44, file_size_max = 1 << 16;

std::int64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
    if (bytes.size() == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
    return static_cast<std::int64_t>(value);
}

// One block of the file: RFC 8536 §3.1 and §3.2.
struct Block {
    std::size_t utc_flags = 0, wall_flags = 0, leaps = 0, transitions = 0, types = 0, letters = 0;
    std::size_t size(std::size_t time_size) const {
        return transitions * (time_size + 1) + types * 6 + letters + leaps * (time_size + 4) + wall_flags + utc_flags;
    }
};

std::optional<Block> read_header(std::string_view bytes) {
    if (bytes.size() < header_size || !bytes.starts_with("TZif") || bytes[4] < '2')
        return std::nullopt;  // version 1 has 32-bit times only
    const auto count = [&](std::size_t index) {
        return static_cast<std::size_t>(static_cast<std::uint32_t>(big_endian(bytes.substr(20 + index * 4, 4))));
    };
    const Block block{count(0), count(1), count(2), count(3), count(4), count(5)};
    const bool is_sane = std::max({block.utc_flags, block.wall_flags, block.leaps, block.transitions, block.types,
                                   block.letters}) <= file_size_max;
    return is_sane ? std::optional(block) : std::nullopt;
}

bool is_safe(const std::string& zone) {
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    return !zone.empty() && zone.size() <= 64 && zone.front() != '/' && zone.back() != '/' &&
           zone.find_first_not_of(allowed) == std::string::npos;
}

}  // namespace

std::optional<std::chrono::seconds> offset_from_tzif(std::string_view bytes, TimePoint at) {
    const auto old_block = read_header(bytes);
    if (!old_block || bytes.size() < header_size + old_block->size(4)) return std::nullopt;
    bytes.remove_prefix(header_size + old_block->size(4));
    const auto block = read_header(bytes);
    if (!block || block->types == 0 || bytes.size() < header_size + block->size(8)) return std::nullopt;
    const std::string_view times = bytes.substr(header_size, block->transitions * 8);
    const std::string_view indices = bytes.substr(header_size + times.size(), block->transitions);
    const std::string_view types = bytes.substr(header_size + times.size() + indices.size(), block->types * 6);
    const std::string_view footer = bytes.substr(header_size + block->size(8));

    const std::int64_t now = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    std::size_t passed = 0, above = block->transitions;  // transitions are in order: how many are not after now
    while (passed < above) {
        const std::size_t middle = (passed + above) / 2;
        if (big_endian(times.substr(middle * 8, 8)) <= now) {
            passed = middle + 1;
        } else {
            above = middle;
        }
    }
    if (passed == block->transitions && footer.size() > 2 && footer.front() == '\n') {
        const std::size_t end = footer.find('\n', 1);
        if (end == std::string_view::npos) return std::nullopt;
        return offset_from_rule(footer.substr(1, end - 1), at);
    }
    const std::size_t type = passed == 0 ? 0 : static_cast<unsigned char>(indices[passed - 1]);
    if (type >= block->types) return std::nullopt;
    const std::chrono::seconds offset(big_endian(types.substr(type * 6, 4)));
    return std::chrono::abs(offset) < std::chrono::hours(26) ? std::optional(offset) : std::nullopt;
}

std::optional<std::chrono::seconds> zone_offset_in(const std::filesystem::path& folder, const std::string& zone,
                                                   TimePoint at) {
    if (!is_safe(zone)) return std::nullopt;
    const std::filesystem::path path = folder / zone;
    std::error_code failed;
    if (!std::filesystem::is_regular_file(path, failed) || failed) return std::nullopt;
    std::ifstream file(path, std::ios::binary);
    std::string bytes(file_size_max, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (file.bad() || file.gcount() <= 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    return offset_from_tzif(bytes, at);
}

std::optional<std::chrono::seconds> zone_offset(const std::string& zone, TimePoint at) {
    return zone_offset_in("/usr/share/zoneinfo", zone, at);
}

}  // namespace galleryd
