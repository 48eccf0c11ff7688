#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "controller/adapters/http/transport.h"
#include "controller/ports/clock.h"

namespace galleryd::http {

struct ClientOptions {
    std::string ca_file{};                               // extra CA bundle in PEM; empty: the system's only
    std::size_t connections_per_origin_max = 8;          // further calls wait their turn (inside their deadline)
    std::chrono::milliseconds connect_deadline{10'000};  // name look-up, TCP and TLS handshake together
    std::chrono::seconds idle_max{60};                   // pooled connections older than this are closed
};

// Keep-alive pool over TCP and TLS (1.2 or newer, host name verified, SNI). An idle connection that turns out dead
// before the first answer byte is replaced once, for GET, HEAD, PUT and DELETE only when nothing was answered. The
// owner of the client joins its calls before destroying it, and `clock` outlives it. Errors: a CA file that cannot be
// read is `invalid`.
Result<std::unique_ptr<Transport>> make_client(boost::asio::any_io_executor executor, Clock& clock,
                                               ClientOptions options);

}  // namespace galleryd::http
