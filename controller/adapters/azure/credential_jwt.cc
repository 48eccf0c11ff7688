#include "controller/adapters/azure/credential_jwt.h"

#include <nlohmann/json.hpp>

#include "controller/adapters/azure/json_read.h"

namespace galleryd::azure {
namespace {

constexpr std::string_view base64url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct Parts {
    std::string_view header, payload, signature;
};

std::optional<Parts> split(std::string_view token) {
    const std::size_t first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const std::size_t second = token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
    return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1)};
}

std::optional<Json> object_of(std::string_view part) {
    const auto text = decode_base64url(part);
    if (!text) return std::nullopt;
    auto parsed = parse_json(*text, "token");
    if (!parsed || !parsed->is_object()) return std::nullopt;
    return std::move(*parsed);
}

std::optional<TimePoint> time_of(const Json& claims, std::string_view name) {
    const Json& value = member(claims, name);
    if (!value.is_number()) return std::nullopt;
    const double seconds = value.get<double>();
    if (!(seconds > 0) || seconds > 32'503'680'000.0) return std::nullopt;  // the year 3000
    return TimePoint{std::chrono::seconds{static_cast<std::int64_t>(seconds)}};
}

bool is_signature_size(std::string_view algorithm, std::size_t bytes) {
    if (algorithm.starts_with("RS") || algorithm.starts_with("PS"))
        return bytes == 256 || bytes == 384 || bytes == 512;  // RSA 2048 to 4096
    if (algorithm == "ES256" || algorithm == "EdDSA") return bytes == 64;
    if (algorithm == "ES384") return bytes == 96;
    if (algorithm == "ES512") return bytes == 132;
    return bytes > 0 && algorithm != "none";
}

}  // namespace

std::string encode_base64url(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    unsigned bits = 0;
    unsigned have = 0;
    for (const char c : bytes) {
        bits = (bits << 8U) | static_cast<unsigned char>(c);
        for (have += 8; have >= 6; have -= 6) text += base64url_alphabet[(bits >> (have - 6)) & 63U];
    }
    if (have > 0) text += base64url_alphabet[(bits << (6 - have)) & 63U];
    return text;
}

std::optional<std::string> decode_base64url(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    unsigned bits = 0;
    unsigned have = 0;
    for (const char c : text) {
        const std::size_t value = base64url_alphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = (bits << 6U) | static_cast<unsigned>(value);
        have += 6;
        if (have >= 8) {
            have -= 8;
            bytes += static_cast<char>((bits >> have) & 255U);
        }
    }
    return bytes;
}

std::optional<JwtTimes> find_jwt_times(std::string_view token) {
    const auto parts = split(token);
    if (!parts) return std::nullopt;
    const auto claims = object_of(parts->payload);
    if (!claims) return std::nullopt;
    return JwtTimes{.not_before = time_of(*claims, "nbf"), .expires = time_of(*claims, "exp")};
}

std::optional<std::string> find_jwt_payload(std::string_view token) {
    const auto parts = split(token);
    return parts ? decode_base64url(parts->payload) : std::nullopt;
}

bool is_whole_jwt(std::string_view token) {
    const auto parts = split(token);
    if (!parts) return false;
    const auto header = object_of(parts->header);
    const auto claims = object_of(parts->payload);
    const auto signature = decode_base64url(parts->signature);
    return header && claims && signature && is_signature_size(text_member(*header, "alg"), signature->size());
}

}  // namespace galleryd::azure
