#include "tests/unit/http/raw_peer.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "tests/support/run_task.h"

namespace galleryd::test {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
}

struct RawServer::State : std::enable_shared_from_this<State> {
    State(asio::io_context& on, Clock& time, std::vector<Reply> with)
        : io(on),
          clock(time),
          replies(std::move(with)),
          acceptor(on, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

    asio::io_context& io;
    Clock& clock;
    std::vector<Reply> replies;
    tcp::acceptor acceptor;
    std::string received;
    int requests = 0, connections = 0, open = 0;

    // The shared pointer keeps the state while the coroutine runs.
    static asio::awaitable<void> accept(std::shared_ptr<State> self) {
        for (;;) {
            auto [error, socket] = co_await self->acceptor.async_accept(use_tuple);
            if (error) co_return;
            ++self->connections;
            ++self->open;
            auto session = serve(self, std::move(socket));
            asio::co_spawn(self->io, std::move(session), [self](const std::exception_ptr&) { --self->open; });
        }
    }

    static asio::awaitable<void> serve(std::shared_ptr<State> self, tcp::socket socket) {
        std::string pending;
        std::array<char, 8192> buffer{};
        for (;;) {
            while (!self->replies.front().before_request && pending.find("\r\n\r\n") == std::string::npos) {
                const auto [error, count] = co_await socket.async_read_some(asio::buffer(buffer), use_tuple);
                if (error) co_return;
                pending.append(buffer.data(), count);
                self->received.append(buffer.data(), count);
            }
            if (!self->replies.front().before_request) pending.erase(0, pending.find("\r\n\r\n") + 4);
            const auto index = std::min(static_cast<std::size_t>(self->requests++), self->replies.size() - 1);
            const Reply reply = self->replies[index];
            if (reply.silent) continue;
            if (reply.one_byte_a_second) {
                for (const char c : reply.bytes) {
                    const auto [error, count] = co_await asio::async_write(socket, asio::buffer(&c, 1), use_tuple);
                    if (error) co_return;
                    co_await self->clock.sleep_for(std::chrono::seconds{1});
                }
            } else {
                const auto [error, count] = co_await asio::async_write(socket, asio::buffer(reply.bytes), use_tuple);
                if (error) co_return;
            }
            if (reply.reset_after) {
                socket.set_option(tcp::socket::linger(true, 0));
                socket.close();  // Asio's destructor would send FIN
                co_return;
            }
            if (reply.close_after) co_return;
            if (reply.before_request) {  // and reads on, for as long as the other side cares to stay
                while (true) {
                    const auto [error, count] = co_await socket.async_read_some(asio::buffer(buffer), use_tuple);
                    if (error) co_return;
                }
            }
        }
    }
};

RawServer::RawServer(asio::io_context& io, Clock& clock, std::vector<Reply> replies)
    : state_(std::make_shared<State>(io, clock, std::move(replies))) {
    asio::co_spawn(io, State::accept(state_), [state = state_](const std::exception_ptr&) {});
}
RawServer::~RawServer() { state_->acceptor.close(); }
std::string RawServer::address() const {
    return "127.0.0.1:" + std::to_string(state_->acceptor.local_endpoint().port());
}
const std::string& RawServer::received() const { return state_->received; }
int RawServer::requests() const { return state_->requests; }
int RawServer::connections() const { return state_->connections; }
int RawServer::open_connections() const { return state_->open; }

Task<std::string> talk_task(int port, std::string bytes, std::string until) {
    const auto executor = co_await asio::this_coro::executor;
    tcp::socket socket(executor);
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), static_cast<unsigned short>(port));
    co_await socket.async_connect(endpoint, asio::use_awaitable);
    const auto [unsent, sent] = co_await asio::async_write(socket, asio::buffer(bytes), use_tuple);
    static_cast<void>(unsent);  // the server may have refused before everything was sent
    std::string received;
    std::array<char, 8192> buffer{};
    while (until.empty() || received.find(until) == std::string::npos) {
        const auto [error, count] = co_await socket.async_read_some(asio::buffer(buffer), use_tuple);
        if (error) break;
        received.append(buffer.data(), count);
    }
    co_return received;
}

Task<bool> as_task(asio::awaitable<void> task) {
    co_await std::move(task);
    co_return true;
}

std::string talk(asio::io_context& io, int port, std::string bytes, std::string until) {
    const auto received = run_task(io, talk_task(port, std::move(bytes), std::move(until)));
    return received ? *received : "stuck";
}

}  // namespace galleryd::test
