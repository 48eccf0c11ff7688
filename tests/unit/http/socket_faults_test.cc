// Reliability Z3: whatever a socket does, a call ends within its limit, and half an answer is never a whole one.
#include <doctest/doctest.h>

#include "controller/adapters/azure/arm_channel.h"
#include "controller/adapters/http/client.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"
#include "tests/unit/http/raw_peer.h"

using namespace galleryd;
using namespace std::chrono_literals;
using galleryd::test::RawServer;
using galleryd::test::Reply;

namespace {

struct Peer {
    boost::asio::io_context io{1};
    ManualClock clock{io};
    RawServer server;
    std::unique_ptr<http::Transport> client;
    http::Origin origin;

    explicit Peer(std::vector<Reply> replies, const std::string& scheme = "http")
        : server(io, clock, std::move(replies)) {
        client = std::move(*http::make_client(io.get_executor(), clock, {}));
        origin = *http::parse_origin(scheme + "://" + server.address());
    }
    Task<http::Response> call() {
        http::Request request{.method = "GET", .target = "/x", .headers = {}, .body = ""};
        return client->send(origin, std::move(request), http::CallLimits{});
    }
    // Ends by itself before the clock moves, or when the limit has passed.
    Result<http::Response> end(bool at_the_limit) {
        StartedTask<http::Response> task(io, call());
        if (at_the_limit) {
            clock.advance(5s);
            CHECK_FALSE(task.done());
            clock.advance(55s);
        } else {
            for (int i = 0; i < 200 && !task.done(); ++i) {  // bytes need the kernel's time, not the clock's
                io.restart();
                io.run_one_for(10ms);
            }
        }
        REQUIRE(task.done());
        return task.result();
    }
};

const std::string half = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"value\": []";

// A SETTINGS frame and a GOAWAY, as an HTTP/2 server sends them to a client that it takes for one of its own.
const std::string http2(
    "\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0d", 25);

}  // namespace

TEST_CASE("Z3: the limit of a call to Azure, retries and waits included, is sixty seconds") {
    CHECK(azure::ArmOptions{}.deadline <= 60s);
    CHECK(http::CallLimits{}.deadline <= 60s);
}

TEST_CASE("Z3: a connection that is reset in the middle of a body is an error at once, never a short answer") {
    for (const std::string& bytes :
         {half, std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1, 2"),
          std::string("HTTP/1.1 200 OK\r\n\r\nuntil the end"), std::string("HTTP/1.1 200 OK\r\nConte")}) {
        CAPTURE(bytes);
        Peer peer({Reply{.bytes = bytes, .reset_after = true}});
        const auto answer = peer.end(false);
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().kind == ErrorKind::transient);
        CHECK(answer.error().reason == "NetworkError");
    }
}

TEST_CASE("Z3: a peer that accepts and then says nothing is left at the limit, before and after the handshake") {
    for (const char* scheme : {"http", "https"}) {
        CAPTURE(scheme);
        Peer peer({Reply{.silent = true}}, scheme);
        const auto answer = peer.end(true);
        CAPTURE(answer.error().message);
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().kind == ErrorKind::transient);
        CHECK(answer.error().reason == "DeadlineExceeded");
        peer.clock.advance(5s);
        CHECK(peer.server.open_connections() == 0);
    }
}

TEST_CASE("Z3: frames of HTTP/2, a GOAWAY among them, are no answer") {
    for (const bool before : {true, false}) {
        CAPTURE(before);
        Peer peer({Reply{.bytes = http2, .before_request = before}});
        const auto answer = peer.end(false);
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().kind == ErrorKind::transient);
        CHECK(answer.error().reason == "NetworkError");
    }
}

TEST_CASE("Z3: whatever the byte at which an answer with a length ends, it is never taken for whole") {
    const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"value\":[]}";
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        CAPTURE(cut);
        Peer peer({Reply{.bytes = whole.substr(0, cut), .close_after = true}});
        const auto answer = run_task(peer.io, peer.call());
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().kind == ErrorKind::transient);
    }
    Peer peer({Reply{.bytes = whole, .close_after = true}});
    const auto answer = run_task(peer.io, peer.call());
    REQUIRE(answer.has_value());
    CHECK(answer->body == "{\"value\":[]}");
}
