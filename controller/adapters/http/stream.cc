#include "controller/adapters/http/stream.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <new>

namespace galleryd::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
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
    asio::awaitable<IoResult> read_some(asio::mutable_buffer buffer) override {
        return socket_.async_read_some(buffer, use_tuple);
    }
    asio::awaitable<IoResult> write_all(asio::const_buffer buffer) override {
        return asio::async_write(socket_, buffer, use_tuple);
    }
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

    // OpenSSL's own check rather than Asio's callback: it names the reason (mismatch, not merely "refused").
    void expect_host(const std::string& host) {
        SSL* ssl = stream_.native_handle();
        X509_VERIFY_PARAM* expected = SSL_get0_param(ssl);
        X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        error_code not_an_address;
        asio::ip::make_address(host, not_an_address);
        bool set = false;
        if (not_an_address) {
            set = SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 && SSL_set1_host(ssl, host.c_str()) == 1;
        } else {  // RFC 6066: SNI is for names only
            set = X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
        }
        if (!set) throw std::bad_alloc();  // the only cause left: parse_origin has checked the text
        SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
    }

    asio::awaitable<IoResult> read_some(asio::mutable_buffer buffer) override {
        return stream_.async_read_some(buffer, use_tuple);
    }
    asio::awaitable<IoResult> write_all(asio::const_buffer buffer) override {
        return asio::async_write(stream_, buffer, use_tuple);
    }
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
        const long result = SSL_get_verify_result(const_cast<asio::ssl::stream<tcp::socket>&>(stream_).native_handle());
        if (result == X509_V_OK) return {};
        const std::string words = X509_verify_cert_error_string(result);
        const bool other_host = result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH;
        return other_host ? "the certificate does not name this host (" + words + ")" : words;
    }

  private:
    asio::ssl::stream<tcp::socket> stream_;
    asio::ssl::stream_base::handshake_type role_;
};

}  // namespace

std::unique_ptr<Stream> make_plain_stream(tcp::socket socket) {
    return std::make_unique<PlainStream>(std::move(socket));
}

std::unique_ptr<Stream> make_tls_server_stream(tcp::socket socket, asio::ssl::context& context) {
    return std::make_unique<TlsStream>(std::move(socket), context, asio::ssl::stream_base::server);
}

std::unique_ptr<Stream> make_tls_client_stream(tcp::socket socket, asio::ssl::context& context,
                                               const std::string& host) {
    auto stream = std::make_unique<TlsStream>(std::move(socket), context, asio::ssl::stream_base::client);
    stream->expect_host(host);
    return stream;
}

bool is_end_of_stream(const error_code& error) { return error == asio::error::eof; }
bool is_truncated_tls(const error_code& error) { return error == asio::ssl::error::stream_truncated; }
bool is_tls_failure(const error_code& error) { return error.category() == asio::error::get_ssl_category(); }

}  // namespace galleryd::http
