#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "controller/core/time.h"

// Internal: just enough of JSON Web Tokens (RFC 7515, 7519) to sign in with one and to look at the times of another.
namespace galleryd::azure {

std::string encode_base64url(std::string_view bytes);                // without padding
std::optional<std::string> decode_base64url(std::string_view text);  // nullopt: a foreign character or length

struct JwtTimes {
    std::optional<TimePoint> not_before, expires;
};
// Times of a token whose header and payload can be read; nullopt for an opaque one. The signature is not looked at.
std::optional<JwtTimes> find_jwt_times(std::string_view token);

// The payload's JSON text; nullopt for an opaque token. The signature is not looked at.
std::optional<std::string> find_jwt_payload(std::string_view token);

// Whether the text is one whole signed token: three parts, header and payload JSON objects, a signature as long as its
// algorithm makes it. A file that is being written fails this.
bool is_whole_jwt(std::string_view token);

}  // namespace galleryd::azure
