#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <string>
#include <tuple>

namespace boost::asio::ssl {
class context;
}

// A byte stream, plain or TLS, behind one virtual interface: Asio's and OpenSSL's operations are instantiated once, in
// stream.cc (stack §1 and §2: five times cheaper to compile than Beast's own reading and writing on every stream type).
namespace galleryd::http {

using IoResult = std::tuple<boost::system::error_code, std::size_t>;

class Stream {
  public:
    virtual ~Stream() = default;  // closes
    virtual boost::asio::awaitable<IoResult> read_some(boost::asio::mutable_buffer buffer) = 0;
    virtual boost::asio::awaitable<IoResult> write_all(boost::asio::const_buffer buffer) = 0;
    virtual boost::asio::awaitable<boost::system::error_code> handshake() = 0;  // nothing to do on plain TCP
    virtual void close() = 0;          // at once; pending operations end with an error
    virtual void shutdown_send() = 0;  // tells the peer that no more comes (TCP level)
    // Nothing to read and not closed by the peer: an idle connection that may be used again. One non-blocking peek.
    virtual bool is_quiet() = 0;
    // Why the certificate was refused, in words; "" when it was not.
    virtual std::string certificate_problem() const = 0;
};

std::unique_ptr<Stream> make_plain_stream(boost::asio::ip::tcp::socket socket);
std::unique_ptr<Stream> make_tls_server_stream(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& context);
// SNI and verification of `host` (a name or an IP address) against the certificate.
std::unique_ptr<Stream> make_tls_client_stream(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& context,
                                               const std::string& host);

bool is_end_of_stream(const boost::system::error_code& error);  // the peer closed in an orderly way
bool is_truncated_tls(const boost::system::error_code& error);  // TLS ended without its closing message
bool is_tls_failure(const boost::system::error_code& error);    // the handshake itself was refused, by us or the peer

}  // namespace galleryd::http
