#pragma once
#include <chrono>
#include <cstddef>
#include <string>

#include "controller/adapters/http/message.h"
#include "controller/ports/task.h"

namespace galleryd::http {

// Scheme, host and port of a server. `parse_origin` refuses user info, path, query and every scheme but http and https.
struct Origin {
    std::string scheme;  // "http" or "https"
    std::string host;    // lower case, without brackets for IPv6
    std::string port;    // always filled in ("80", "443")
    friend bool operator==(const Origin&, const Origin&) = default;
};
Result<Origin> parse_origin(std::string url);
std::string to_string(const Origin& origin);  // "https://management.azure.com", the default port left out

struct Url {
    Origin origin;
    std::string target;  // path and query, byte for byte; "/" when empty
};
// Absolute http(s) URL; refuses control characters, blanks, user info and fragments. The target is not re-encoded.
Result<Url> parse_url(std::string url);

struct CallLimits {
    std::chrono::milliseconds deadline{60'000};       // for the whole exchange, connecting included
    std::size_t body_bytes_max = 16UL * 1024 * 1024;  // answer body
    std::size_t header_bytes_max = 64UL * 1024;       // answer head
};

// One HTTP exchange. Redirects are answers like any other (never followed). A failure is `transient` with reason
// `NetworkError`, `DeadlineExceeded`, `TlsError` (kind denied: wrong certificate) or `AnswerTooLarge` (invalid).
// Thread: the io_context's only.
class Transport {
  public:
    virtual ~Transport() = default;
    virtual Task<Response> send(Origin origin, Request request, CallLimits limits) = 0;
};

}  // namespace galleryd::http
