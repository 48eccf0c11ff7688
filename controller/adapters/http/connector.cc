#include "controller/adapters/http/connector.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <charconv>
#include <vector>

#include "controller/adapters/http/deadline.h"

namespace galleryd::http {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

std::unexpected<Error> network_error(const Origin& origin, const std::string& why) {
    return std::unexpected(Error{.kind = ErrorKind::transient,
                                 .reason = "NetworkError",
                                 .message = "cannot connect to " + to_string(origin) + ": " + why,
                                 .code = "GD3008"});
}

std::unexpected<Error> tls_error(const Origin& origin, const Stream& stream, const error_code& error) {
    std::string why = stream.certificate_problem();
    const bool certificate = !why.empty();
    if (!certificate) why = error.message();
    std::string advice =
        certificate ? "; the server must present a certificate for this name from an authority in the system's "
                      "store or the CA file"
                    : "; TLS 1.2 or newer is needed on both sides";
    return std::unexpected(
        Error{.kind = ErrorKind::denied,
              .reason = "TlsError",
              .message = "the TLS connection to " + to_string(origin) + " was refused: " + why + advice,
              .code = "GD3009"});
}

}  // namespace

struct Connector::Impl {
    Impl(asio::any_io_executor on, Clock& time, ConnectorOptions with)
        : executor(on),
          clock(time),
          options(std::move(with)),
          context(asio::ssl::context::tls_client),
          resolver(std::move(on)) {}

    asio::any_io_executor executor;
    Clock& clock;
    ConnectorOptions options;
    asio::ssl::context context;
    tcp::resolver resolver;

    Status set_up_tls();
    Task<std::vector<tcp::endpoint>> resolve(Origin origin);
    Task<std::unique_ptr<Stream>> open(Origin origin);
    asio::awaitable<void> open_into(Origin origin, std::optional<Result<std::unique_ptr<Stream>>>* result);
    asio::awaitable<void> connect_one(tcp::socket* socket, tcp::endpoint endpoint, error_code* error);
};

Status Connector::Impl::set_up_tls() {
    SSL_CTX* native = context.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    static constexpr unsigned char alpn[] = "\x08http/1.1";
    SSL_CTX_set_alpn_protos(native, alpn, sizeof(alpn) - 1);
    context.set_verify_mode(asio::ssl::verify_peer);
    error_code error;
    context.set_default_verify_paths(error);  // SSL_CERT_FILE and SSL_CERT_DIR, else the system's
    ERR_clear_error();
    if (options.ca_file.empty()) return {};
    context.load_verify_file(options.ca_file, error);
    if (!error) return {};
    return fail(ErrorKind::invalid, "CaFileUnreadable",
                "the CA file '" + options.ca_file + "' cannot be used: " + error.message() +
                    "; it must hold certificates in PEM");
}

// getaddrinfo cannot be cancelled (stack §1.5): the look-up reports into a channel that outlives us, and only the
// waiting ends.
Task<std::vector<tcp::endpoint>> Connector::Impl::resolve(Origin origin) {
    constexpr std::size_t addresses_max = 4;
    std::vector<tcp::endpoint> endpoints;
    error_code not_an_address;
    const auto address = asio::ip::make_address(origin.host, not_an_address);
    if (!not_an_address) {
        unsigned short port = 0;
        std::from_chars(origin.port.data(), origin.port.data() + origin.port.size(), port);
        endpoints.emplace_back(address, port);
        co_return endpoints;
    }
    using Channel = asio::experimental::channel<void(error_code, tcp::resolver::results_type)>;
    const auto channel = std::make_shared<Channel>(executor, 1);
    auto report = [channel](const error_code& error, const tcp::resolver::results_type& found) {
        channel->try_send(error, found);
    };
    resolver.async_resolve(origin.host, origin.port, tcp::resolver::numeric_service, std::move(report));
    const auto [error, found] = co_await channel->async_receive(use_tuple);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
    if (error) co_return network_error(origin, "the name cannot be resolved: " + error.message());
    for (const auto& entry : found) {
        if (endpoints.size() < addresses_max) endpoints.push_back(entry.endpoint());
    }
    if (endpoints.empty()) co_return network_error(origin, "the name has no address");
    co_return endpoints;
}

asio::awaitable<void> Connector::Impl::connect_one(tcp::socket* socket, tcp::endpoint endpoint, error_code* error) {
    const auto [failed] = co_await socket->async_connect(endpoint, use_tuple);
    *error = failed;
}

Task<std::unique_ptr<Stream>> Connector::Impl::open(Origin origin) {
    const auto endpoints = co_await resolve(origin);
    if (!endpoints) co_return std::unexpected(endpoints.error());
    std::string why;
    for (const tcp::endpoint& endpoint : *endpoints) {
        tcp::socket socket(executor);
        error_code error = asio::error::timed_out;
        auto attempt = connect_one(&socket, endpoint, &error);
        const auto share = options.deadline / static_cast<int>(endpoints->size());
        const bool in_time = co_await ends_within(clock, share, std::move(attempt));
        if (!in_time && error) error = asio::error::timed_out;
        if (error) {
            if (!why.empty()) why += ", ";
            why += endpoint.address().to_string() + ": " + error.message();
            continue;
        }
        socket.set_option(tcp::no_delay(true), error);
        if (origin.scheme != "https") co_return make_plain_stream(std::move(socket));
        auto stream = make_tls_client_stream(std::move(socket), context, origin.host);
        const auto refused = co_await stream->handshake();
        if (!refused) co_return stream;
        if (refused == asio::error::operation_aborted) throw boost::system::system_error(refused);
        if (is_tls_failure(refused)) co_return tls_error(origin, *stream, refused);
        co_return network_error(origin, "the TLS handshake broke off: " + refused.message());
    }
    co_return network_error(origin, why);
}

asio::awaitable<void> Connector::Impl::open_into(Origin origin,
                                                 std::optional<Result<std::unique_ptr<Stream>>>* result) {
    result->emplace(co_await open(std::move(origin)));
}

Connector::Connector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connector::~Connector() = default;

Result<std::unique_ptr<Connector>> Connector::make(asio::any_io_executor executor, Clock& clock,
                                                   ConnectorOptions options) {
    auto impl = std::make_unique<Impl>(std::move(executor), clock, std::move(options));
    if (const Status ready = impl->set_up_tls(); !ready) return std::unexpected(ready.error());
    return std::unique_ptr<Connector>(new Connector(std::move(impl)));
}

Task<std::unique_ptr<Stream>> Connector::connect(Origin origin) {
    std::optional<Result<std::unique_ptr<Stream>>> result;
    auto opening = impl_->open_into(origin, &result);
    const bool in_time = co_await ends_within(impl_->clock, impl_->options.deadline, std::move(opening));
    if (result && (in_time || result->has_value())) co_return std::move(*result);
    co_return fail(ErrorKind::transient, "DeadlineExceeded",
                   "connecting to " + to_string(origin) + " took longer than " +
                       std::to_string(impl_->options.deadline.count()) + "ms");
}

}  // namespace galleryd::http
