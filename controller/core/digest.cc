#include "controller/core/digest.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <vector>

#include "controller/core/check.h"

// OpenSSL's hashes are pure functions; the one library that core may use (controller/decisions/0003).
namespace galleryd {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

std::vector<std::uint8_t> hash(const EVP_MD* type, std::string_view data) {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> out{};
    unsigned length = 0;
    GALLERYD_CHECK(EVP_Digest(data.data(), data.size(), out.data(), &length, type, nullptr) == 1,
                   "hashing cannot fail");
    return {out.begin(), out.begin() + length};
}

int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string sha256_hex(std::string_view data) {
    std::string text;
    for (const std::uint8_t byte : hash(EVP_sha256(), data)) {
        text += hex_digits[byte >> 4];
        text += hex_digits[byte & 15];
    }
    return text;
}

std::string uuid_v5(std::string_view namespace_uuid, std::string_view name) {
    std::string input;
    int high = -1;
    for (const char c : namespace_uuid) {
        const int value = nibble(c);
        if (value < 0) continue;
        if (high < 0) {
            high = value;
        } else {
            input += static_cast<char>(high * 16 + value);
            high = -1;
        }
    }
    input += name;
    std::vector<std::uint8_t> bytes = hash(EVP_sha1(), input);
    bytes.resize(16);
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x50);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += hex_digits[bytes[i] >> 4];
        text += hex_digits[bytes[i] & 15];
    }
    return text;
}

}  // namespace galleryd
