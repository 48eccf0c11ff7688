#include "controller/adapters/http/server.h"

#include <openssl/ssl.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <map>
#include <optional>

#include "controller/adapters/http/deadline.h"
#include "controller/adapters/http/session.h"
#include "controller/adapters/http/transport.h"

namespace galleryd::http {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

std::unexpected<Error> cannot_listen(const std::string& where, const std::string& why) {
    return std::unexpected(Error{.kind = ErrorKind::invalid,
                                 .reason = "ListenFailed",
                                 .message = "cannot listen on '" + where + "': " + why,
                                 .code = "GD5027"});
}

std::string refusal_text(const error_code& error) {
    if (error == asio::error::address_in_use)
        return "another program listens there already. Stop it, or take another port; port 0 picks a free one";
    if (error == asio::error::access_denied)
        return "this user may not take that port (below 1024 it needs CAP_NET_BIND_SERVICE). Take a higher one";
    if (error == boost::system::errc::address_not_available) return "this machine has no such address";
    return error.message();
}

std::string text_of(const tcp::endpoint& endpoint) {
    const std::string address = endpoint.address().to_string();
    const std::string port = std::to_string(endpoint.port());
    return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

// "HOST:PORT", "[::1]:PORT", "localhost:PORT" (IPv4), ":PORT" (every address).
std::optional<tcp::endpoint> parse_listen(const std::string& listen) {
    const auto colon = listen.rfind(':');
    if (colon == std::string::npos) return std::nullopt;
    std::string host = listen.substr(0, colon);
    unsigned short port = 0;
    const char* end = listen.data() + listen.size();
    const auto [rest, failed] = std::from_chars(listen.data() + colon + 1, end, port);
    if (failed != std::errc{} || rest != end) return std::nullopt;
    if (host.empty()) return tcp::endpoint(tcp::v6(), port);
    if (host == "localhost") host = "127.0.0.1";
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    error_code wrong;
    const auto address = asio::ip::make_address(host, wrong);
    if (wrong) return std::nullopt;
    return tcp::endpoint(address, port);
}

// Owned by everything that runs: the Server object, the accept loop, the sweeper and every session.
struct State : std::enable_shared_from_this<State> {
    State(asio::any_io_executor on, std::shared_ptr<ServerContext> with)
        : executor(on), context(std::move(with)), acceptor(on), ended(std::move(on), 1) {}

    Status open();
    Status set_up_tls();
    Status listen();
    void start();
    void stop();
    void close_idle();
    asio::awaitable<void> wait_empty();

    asio::awaitable<void> accept();
    asio::awaitable<void> sweep();
    void begin_session(tcp::socket socket);
    void task_ended(std::size_t id);

    asio::any_io_executor executor;
    std::shared_ptr<ServerContext> context;
    tcp::acceptor acceptor;
    std::optional<asio::ssl::context> tls;
    std::map<std::size_t, std::shared_ptr<Session>> sessions;
    std::size_t next_id = 0;
    std::uint64_t accepted = 0;
    asio::cancellation_signal accept_signal, sweep_signal;
    int loops = 0;                                        // accept and sweep
    asio::experimental::channel<void(error_code)> ended;  // one buffered message: something has ended
};

Status State::set_up_tls() {
    const ServerOptions& options = context->options;
    if (options.certificate_chain_pem.empty() && options.private_key_pem.empty()) return {};
    error_code error;
    tls.emplace(asio::ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_mode(tls->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    tls->use_certificate_chain(asio::buffer(options.certificate_chain_pem), error);
    if (error) return cannot_listen(options.listen, "the certificate chain is not usable PEM: " + error.message());
    tls->use_private_key(asio::buffer(options.private_key_pem), asio::ssl::context::pem, error);
    if (error) return cannot_listen(options.listen, "the private key is not usable PEM: " + error.message());
    context->tls = true;
    return {};
}

Status State::listen() {
    const std::string& where = context->options.listen;
    auto endpoint = parse_listen(where);
    if (!endpoint) return cannot_listen(where, "it is not HOST:PORT with an IP address and a port from 0 to 65535");
    error_code error;
    acceptor.open(endpoint->protocol(), error);
    if (error == asio::error::address_family_not_supported && endpoint->address().is_unspecified()) {  // no IPv6 here
        *endpoint = tcp::endpoint(tcp::v4(), endpoint->port());
        acceptor.open(endpoint->protocol(), error);
    }
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint->address().is_v6() && endpoint->address().is_unspecified()) {
        acceptor.set_option(asio::ip::v6_only(false), error);
    }
    if (!error) acceptor.bind(*endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return cannot_listen(where, refusal_text(error));
    context->local_address = text_of(acceptor.local_endpoint());
    return {};
}

Status State::open() {
    if (const Status ready = set_up_tls(); !ready) return ready;
    return listen();
}

void State::start() {
    const auto self = shared_from_this();
    const auto loop_ended = [self](const std::exception_ptr&) {  // cancellation; the loops throw nothing else
        --self->loops;
        self->ended.try_send(error_code{});
    };
    loops = 2;
    asio::co_spawn(executor, accept(), asio::bind_cancellation_slot(accept_signal.slot(), loop_ended));
    asio::co_spawn(executor, sweep(), asio::bind_cancellation_slot(sweep_signal.slot(), loop_ended));
}

asio::awaitable<void> State::accept() {
    while (!context->stopping) {
        auto [error, socket] = co_await acceptor.async_accept(use_tuple);
        if (context->stopping) co_return;
        if (error) {  // out of descriptors, or the peer is gone already: breathe, go on
            co_await context->clock.sleep_for(std::chrono::milliseconds{100});
            continue;
        }
        if (sessions.size() < context->options.connections_max) begin_session(std::move(socket));
    }
}

void State::begin_session(tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto stream = tls ? make_tls_server_stream(std::move(socket), *tls) : make_plain_stream(std::move(socket));
    const auto session = std::make_shared<Session>(context, std::move(stream));
    const std::size_t id = next_id++;
    ++accepted;
    sessions.emplace(id, session);
    // The handler keeps the session: it may end while its signal is being emitted. What leaves it is cancellation, or
    // bad_alloc, which costs this connection only.
    auto session_ended = [self = shared_from_this(), id, session](const std::exception_ptr&) { self->task_ended(id); };
    asio::co_spawn(executor, session->run(),
                   asio::bind_cancellation_slot(session->signal().slot(), std::move(session_ended)));
}

void State::task_ended(std::size_t id) {
    const auto found = sessions.find(id);
    if (found != sessions.end()) {
        found->second->close();
        sessions.erase(found);
    }
    ended.try_send(error_code{});
}

// One timer for all connections instead of one per read.
asio::awaitable<void> State::sweep() {
    const std::chrono::nanoseconds period = context->options.idle_timeout;
    while (!context->stopping) {
        co_await context->clock.sleep_for(
            std::max<std::chrono::nanoseconds>(period / 4, std::chrono::milliseconds{10}));
        const auto now = context->clock.monotonic();
        for (const auto& [id, session] : sessions) {
            if (session->deadline() <= now) session->close();
        }
    }
}

void State::stop() {
    context->stopping = true;
    error_code ignored;
    acceptor.close(ignored);
    for (const auto& [id, session] : sessions) session->close();
    // Signals are emitted on the loop: emitting them from outside could reach a coroutine that has just ended.
    asio::post(executor, [self = shared_from_this()] {
        self->accept_signal.emit(asio::cancellation_type::terminal);
        self->sweep_signal.emit(asio::cancellation_type::terminal);
        const auto copy = self->sessions;
        for (const auto& [id, session] : copy) session->signal().emit(asio::cancellation_type::terminal);
    });
}

void State::close_idle() {
    context->stopping = true;
    error_code ignored;
    acceptor.close(ignored);
    for (const auto& [id, session] : sessions) {
        if (session->is_idle()) session->close();
    }
}

asio::awaitable<void> State::wait_empty() {
    while (!sessions.empty()) {
        const auto [error] = co_await ended.async_receive(use_tuple);
        if (error) throw boost::system::system_error(asio::error::operation_aborted);
    }
}

class HttpServer : public Server {
  public:
    explicit HttpServer(std::shared_ptr<State> state)
        : state_(std::move(state)),
          address_(state_->context->local_address),
          port_(state_->acceptor.local_endpoint().port()) {}
    ~HttpServer() override { stop(); }
    std::string address() const override { return address_; }
    int port() const override { return port_; }
    void stop() override { state_->stop(); }
    std::size_t connections() const override { return state_->sessions.size(); }
    std::uint64_t connections_accepted() const override { return state_->accepted; }

    asio::awaitable<void> close(std::chrono::milliseconds grace) override {
        const auto state = state_;
        state->close_idle();
        auto empty = state->wait_empty();
        co_await ends_within(state->context->clock, grace, std::move(empty));
        state->stop();
        while (!state->sessions.empty() || state->loops > 0) co_await state->ended.async_receive(use_tuple);
    }

  private:
    std::shared_ptr<State> state_;
    std::string address_;
    int port_;
};

}  // namespace

Result<std::unique_ptr<Server>> start_server(asio::any_io_executor executor, Clock& clock, ServerOptions options,
                                             Handler handler) {
    auto context = std::make_shared<ServerContext>(clock, std::move(options), std::move(handler));
    const auto state = std::make_shared<State>(std::move(executor), std::move(context));
    if (const Status open = state->open(); !open) return std::unexpected(open.error());
    state->start();
    return std::make_unique<HttpServer>(state);
}

}  // namespace galleryd::http
