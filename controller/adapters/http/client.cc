#include "controller/adapters/http/client.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "controller/adapters/http/connector.h"
#include "controller/adapters/http/deadline.h"
#include "controller/adapters/http/head.h"
#include "controller/adapters/http/pool.h"

namespace galleryd::http {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// What one call needs; lives in the frame of Client::send, which joins everything that points to it.
struct Exchange {
    Origin origin;
    Request request;
    CallLimits limits;
    const char* phase = "waiting for a free connection to";
    std::optional<Result<Response>> result{};

    std::string name() const {
        return request.method + " " + to_string(origin) + request.target.substr(0, request.target.find('?'));
    }
    std::unexpected<Error> network_error(const std::string& why) const {
        return std::unexpected(Error{.kind = ErrorKind::transient,
                                     .reason = "NetworkError",
                                     .message = name() + " failed: " + why,
                                     .code = "GD3008"});
    }
    std::unexpected<Error> too_large(const std::string& what, std::size_t limit) const {
        return fail(
            ErrorKind::invalid, "AnswerTooLarge",
            name() + " failed: the " + what + " of the answer is larger than " + std::to_string(limit) + " bytes");
    }
};

// Sent again on a fresh connection when the idle one was dead: only what may arrive twice.
bool may_repeat(const std::string& method) {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE";
}

void throw_if_aborted(const error_code& error) {
    if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
}

class Client : public Transport {
  public:
    Client(Clock& clock, ClientOptions options, std::unique_ptr<Connector> connector)
        : clock_(clock),
          connector_(std::move(connector)),
          pool_(clock, options.connections_per_origin_max, options.idle_max) {}

    Task<Response> send(Origin origin, Request request, CallLimits limits) override;

  private:
    asio::awaitable<void> run(Exchange* exchange);
    Task<bool> open(Exchange* exchange, Lease* lease);
    // nullopt: the connection was dead before the first byte of an answer.
    asio::awaitable<std::optional<Result<Response>>> exchange_once(Exchange* exchange, Lease* lease);
    Task<Response> read_answer(Exchange* exchange, Lease* lease, bool* got_some);

    Clock& clock_;
    std::unique_ptr<Connector> connector_;
    Pool pool_;
};

Task<Response> Client::send(Origin origin, Request request, CallLimits limits) {
    if (const Status sound = check_request(request); !sound) co_return std::unexpected(sound.error());
    Exchange exchange{.origin = std::move(origin), .request = std::move(request), .limits = limits};
    auto running = run(&exchange);
    const bool in_time = co_await ends_within(clock_, limits.deadline, std::move(running));
    if (exchange.result && (in_time || exchange.result->has_value())) co_return std::move(*exchange.result);
    co_return fail(ErrorKind::transient, "DeadlineExceeded",
                   exchange.name() + " took longer than " + std::to_string(limits.deadline.count()) + "ms; it was " +
                       exchange.phase + " the server");
}

asio::awaitable<void> Client::run(Exchange* exchange) {
    const auto lease = co_await pool_.acquire(to_string(exchange->origin));
    if (!lease->take_idle()) {
        const auto opened = co_await open(exchange, lease.get());
        if (!opened) {
            exchange->result.emplace(std::unexpected(opened.error()));
            co_return;
        }
    }
    auto answer = co_await exchange_once(exchange, lease.get());
    if (!answer) {
        const auto opened = co_await open(exchange, lease.get());
        if (!opened) {
            exchange->result.emplace(std::unexpected(opened.error()));
            co_return;
        }
        answer = co_await exchange_once(exchange, lease.get());
    }
    exchange->result = std::move(answer);
}

Task<bool> Client::open(Exchange* exchange, Lease* lease) {
    exchange->phase = "connecting to";
    auto stream = co_await connector_->connect(exchange->origin);
    if (!stream) co_return std::unexpected(stream.error());
    auto connection = std::make_unique<Connection>();
    connection->stream = std::move(*stream);
    lease->set(std::move(connection));
    co_return true;
}

asio::awaitable<std::optional<Result<Response>>> Client::exchange_once(Exchange* exchange, Lease* lease) {
    Connection& connection = lease->connection();
    const bool replaceable = connection.reused && may_repeat(exchange->request.method);
    exchange->phase = "sending the request to";
    std::string bytes;
    append_request(bytes, exchange->origin, exchange->request);
    const auto [error, count] = co_await connection.stream->write_all(asio::buffer(bytes));
    throw_if_aborted(error);
    if (error) {
        if (replaceable) co_return std::nullopt;
        co_return exchange->network_error("the request could not be sent: " + error.message());
    }
    exchange->phase = "waiting for the answer of";
    bool got_some = false;
    auto answer = co_await read_answer(exchange, lease, &got_some);
    if (!answer && !got_some && replaceable && answer.error().reason == "NetworkError") co_return std::nullopt;
    co_return std::move(answer);
}

Task<Response> Client::read_answer(Exchange* exchange, Lease* lease, bool* got_some) {
    Connection& connection = lease->connection();
    const CallLimits& limits = exchange->limits;
    ResponseParser parser({.header_bytes_max = limits.header_bytes_max, .body_bytes_max = limits.body_bytes_max},
                          exchange->request.method == "HEAD");
    ParseState state = ParseState::more;
    while (state == ParseState::more) {
        const auto [error, count] = co_await connection.stream->read_some(connection.input.prepare());
        throw_if_aborted(error);
        if (error) {
            // A TLS end without its closing message could be forged: it never completes an answer.
            state = is_end_of_stream(error) || is_truncated_tls(error) ? parser.finish(is_end_of_stream(error))
                                                                       : ParseState::truncated;
            if (state == ParseState::complete) break;
            co_return exchange->network_error("the connection ended before the answer was complete (" +
                                              error.message() + ")");
        }
        *got_some = true;
        exchange->phase = "reading the answer of";
        connection.input.commit(count);
        state = parser.feed(connection.input);
    }
    switch (state) {
        case ParseState::header_too_large: co_return exchange->too_large("head", limits.header_bytes_max);
        case ParseState::body_too_large: co_return exchange->too_large("body", limits.body_bytes_max);
        case ParseState::complete: break;
        default: co_return exchange->network_error("the answer is not HTTP/1.1: " + parser.problem());
    }
    if (parser.may_reuse_connection() && connection.input.empty()) lease->mark_reusable();
    co_return parser.take();
}

}  // namespace

Result<std::unique_ptr<Transport>> make_client(asio::any_io_executor executor, Clock& clock, ClientOptions options) {
    ConnectorOptions connector_options{.ca_file = options.ca_file, .deadline = options.connect_deadline};
    auto connector = Connector::make(std::move(executor), clock, std::move(connector_options));
    if (!connector) return std::unexpected(connector.error());
    options.connections_per_origin_max = std::max<std::size_t>(options.connections_per_origin_max, 1);
    return std::make_unique<Client>(clock, std::move(options), std::move(*connector));
}

}  // namespace galleryd::http
