#include "controller/core/digest.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>

#include "controller/core/check.h"

// OpenSSL's hashes are pure functions; the one library that core may use (controller/decisions/0003).
namespace galleryd {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

struct Digest {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes{};
    unsigned length = 0;
};

// EVP_sha256() names an algorithm; each use would look it up again, which takes longer than hashing a row.
const EVP_MD* fetch(const char* name) {
    const EVP_MD* const type = EVP_MD_fetch(nullptr, name, nullptr);  // kept until the process ends
    GALLERYD_CHECK(type != nullptr, "OpenSSL has the hashes that every build of it has");
    return type;
}

Digest hash(const EVP_MD* type, std::string_view data) {
    Digest digest;
    GALLERYD_CHECK(EVP_Digest(data.data(), data.size(), digest.bytes.data(), &digest.length, type, nullptr) == 1,
                   "hashing cannot fail");
    return digest;
}

int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string sha256_hex(std::string_view data) {
    static const EVP_MD* const sha256 = fetch("SHA256");
    const Digest digest = hash(sha256, data);
    std::string text;
    text.reserve(digest.length * 2UL);
    for (unsigned i = 0; i < digest.length; ++i) {
        text += hex_digits[digest.bytes[i] >> 4];
        text += hex_digits[digest.bytes[i] & 15];
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
    static const EVP_MD* const sha1 = fetch("SHA1");
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> bytes = hash(sha1, input).bytes;
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x50);
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
    std::string text;
    for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += hex_digits[bytes[i] >> 4];
        text += hex_digits[bytes[i] & 15];
    }
    return text;
}

}  // namespace galleryd
