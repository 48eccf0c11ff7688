#include "controller/adapters/http/stream.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace galleryd::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using asio::ip::tcp;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

void close_socket(tcp::socket& socket) {
    error_code ignored;
    socket.close(ignored);
}

bool is_socket_quiet(tcp::socket& socket) {
    char byte = 0;
    const auto count = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

class PlainStream : public Stream {
  public:
    explicit PlainStream(tcp::socket socket) : socket_(std::move(socket)) {}
    asio::awaitable<IoResult> read_some(asio::mutable_buffer buffer) override { return socket_.async_read_some(buffer, use_tuple); }
    asio::awaitable<IoResult> write_all(asio::const_buffer buffer) override { return asio::async_write(socket_, buffer, use_tuple); }
    asio::awaitable<error_code> handshake() override { co_return error_code{}; }
    void close() override { close_socket(socket_); }
    void shutdown_send() override {
        error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
    }
    bool is_quiet() override { return is_socket_quiet(socket_); }
    std::string certificate_problem() const override { return {}; }

  private:
    tcp::socket socket_;
};

class TlsStream : public Stream {
  public:
    TlsStream(tcp::socket socket, asio::ssl::context& context, asio::ssl::stream_base::handshake_type role)
        : stream_(std::move(socket), context), role_(role) {}

    void expect_host(const std::string& host) {
        error_code not_an_address;
        asio::ip::make_address(host, not_an_address);
        if (not_an_address) SSL_set_tlsext_host_name(stream_.native_handle(), host.c_str());  // RFC 6066: names only
        stream_.set_verify_mode(asio::ssl::verify_peer);
        stream_.set_verify_callback(asio::ssl::host_name_verification(host));
    }

    asio::awaitable<IoResult> read_some(asio::mutable_buffer buffer) override { return stream_.async_read_some(buffer, use_tuple); }
    asio::awaitable<IoResult> write_all(asio::const_buffer buffer) override { return asio::async_write(stream_, buffer, use_tuple); }
    asio::awaitable<error_code> handshake() override {
        const auto [error] = co_await stream_.async_handshake(role_, use_tuple);
        co_return error;
    }
    void close() override { close_socket(stream_.next_layer()); }
    void shutdown_send() override {
        error_code ignored;
        stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    }
    bool is_quiet() override { return is_socket_quiet(stream_.next_layer()); }
    std::string certificate_problem() const override {
        // The host check fails inside the callback, which OpenSSL reports as "application verification failure".
        const long result = SSL_get_verify_result(const_cast<asio::ssl::stream<tcp::socket>&>(stream_).native_handle());
        if (result == X509_V_OK) return {};
        if (result == X509_V_ERR_APPLICATION_VERIFICATION) return "the certificate does not name this host";
        return X509_verify_cert_error_string(result);
    }

  private:
    asio::ssl::stream<tcp::socket> stream_;
    asio::ssl::stream_base::handshake_type role_;
};

}  // namespace

std::unique_ptr<Stream> make_plain_stream(tcp::socket socket) { return std::make_unique<PlainStream>(std::move(socket)); }

std::unique_ptr<Stream> make_tls_server_stream(tcp::socket socket, asio::ssl::context& context) {
    return std::make_unique<TlsStream>(std::move(socket), context, asio::ssl::stream_base::server);
}

std::unique_ptr<Stream> make_tls_client_stream(tcp::socket socket, asio::ssl::context& context, const std::string& host) {
    auto stream = std::make_unique<TlsStream>(std::move(socket), context, asio::ssl::stream_base::client);
    stream->expect_host(host);
    return stream;
}

bool is_end_of_stream(const error_code& error) { return error == asio::error::eof; }
bool is_truncated_tls(const error_code& error) { return error == asio::ssl::error::stream_truncated; }
bool is_tls_failure(const error_code& error) { return error.category() == asio::error::get_ssl_category(); }

}  // namespace galleryd::http
