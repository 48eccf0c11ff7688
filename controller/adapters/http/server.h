#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "controller/adapters/http/message.h"
#include "controller/core/result.h"
#include "controller/ports/clock.h"

namespace galleryd::http {

struct ServerRequest : Request {
    bool tls = false;
    std::string host;  // the Host header, or the local address when absent
};

// What a handler answers. `cut_after_bytes` >= 0 closes the connection after that many body bytes (simulator faults);
// `delay` is waited for before the head is written.
struct ServerResponse : Response {
    long cut_after_bytes = -1;
    std::chrono::milliseconds delay{0};
};

using Handler = std::function<boost::asio::awaitable<ServerResponse>(ServerRequest)>;

struct ServerOptions {
    std::string listen = "127.0.0.1:0";   // HOST:PORT, [::1]:PORT; port 0 picks one
    std::string certificate_chain_pem{};  // both set: HTTPS
    std::string private_key_pem{};
    std::size_t connections_max = 256;  // further ones are closed at once
    std::size_t request_body_bytes_max = 4UL * 1024 * 1024;
    std::size_t request_header_bytes_max = 64UL * 1024;
    std::chrono::seconds idle_timeout{75};  // between requests, for a whole request to arrive, and for an answer to
                                            // leave; looked at four times in that period
};

// HTTP/1.1 server with keep-alive; HEAD answers carry no body. A handler that throws answers 500 and the server goes
// on. Malformed requests get 400, too large ones 413 or 431, and the connection is closed.
class Server {
  public:
    virtual ~Server() = default;              // stops at once
    virtual std::string address() const = 0;  // "127.0.0.1:4480", the real port
    virtual int port() const = 0;
    virtual void stop() = 0;  // closes the listener and every connection
    // Orderly end: no new connection, idle ones closed, answers in progress get up to `grace`; returns when the last
    // session (and with it the last handler) has ended. The owner of what handlers use awaits this before destroying
    // it.
    virtual boost::asio::awaitable<void> close(std::chrono::milliseconds grace) = 0;
    virtual std::size_t connections() const = 0;
    virtual std::uint64_t connections_accepted() const = 0;  // since the start
};

// `invalid` with reason ListenFailed and GD5027 when the address is wrong or taken, or the PEM texts cannot be used.
// `clock` and what the handler uses must live until close() has returned, or until the executor runs no more.
Result<std::unique_ptr<Server>> start_server(boost::asio::any_io_executor executor, Clock& clock, ServerOptions options,
                                             Handler handler);

}  // namespace galleryd::http
