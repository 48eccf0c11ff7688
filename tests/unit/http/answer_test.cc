// What the client makes of servers that answer wrongly, partly, slowly or never.
#include <doctest/doctest.h>

#include <cstring>

#include "controller/adapters/http/client.h"
#include "controller/adapters/http/parser.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"
#include "tests/unit/http/raw_peer.h"

using namespace galleryd;
using namespace std::chrono_literals;
using galleryd::test::RawServer;
using galleryd::test::Reply;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct World {
    boost::asio::io_context io{1};
    ManualClock clock{io};
    RawServer server;
    std::unique_ptr<http::Transport> client;
    http::Origin origin;

    explicit World(std::vector<Reply> replies, http::ClientOptions options = {})
        : server(io, clock, std::move(replies)) {
        client = std::move(*http::make_client(io.get_executor(), clock, std::move(options)));
        origin = *http::parse_origin("http://" + server.address());
    }
    Task<http::Response> call(const std::string& method, http::CallLimits limits = {}) {
        http::Request request{
            .method = method, .target = "/x?secret=1", .headers = {}, .body = method == "POST" ? "body" : ""};
        return client->send(origin, std::move(request), limits);
    }
    Result<http::Response> send(const std::string& method = "GET", http::CallLimits limits = {}) {
        return run_task(io, call(method, limits));
    }
};

}  // namespace

TEST_CASE("complete answers in every framing") {
    struct Row {
        const char* method;
        std::string bytes;
        bool close;
        int status;
        const char* body;
        bool reusable;
    };
    for (const Row& row : std::vector<Row>{
             {"GET", ok, false, 200, "ok", true},
             {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n",
              false, 200, "abcde", true},
             {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: x\r\n\r\n", false,
              200, "a", true},
             {"GET", "HTTP/1.1 200 OK\r\n\r\nuntil the end", true, 200, "until the end", false},
             {"GET", "HTTP/1.1 204 No Content\r\n\r\n", false, 204, "", true},
             {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", false, 304, "", true},
             {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", false, 200, "", true},
             {"GET", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok, false, 200, "ok",
              true},
             {"GET", "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", false, 302,
              "", true},
             {"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false, 200, "ok", false},
             {"GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false, 200, "ok", false},
             {"GET", ok + "and more than was announced", false, 200, "ok", false},
         }) {
        CAPTURE(row.bytes);
        World world({Reply{.bytes = row.bytes, .close_after = row.close}, Reply{.bytes = ok}});
        const auto answer = world.send(row.method);
        REQUIRE(answer.has_value());
        CHECK(answer->status == row.status);
        CHECK(answer->body == row.body);
        CHECK(world.server.requests() == 1);
        REQUIRE(world.send().has_value());
        CHECK(world.server.connections() == (row.reusable ? 1 : 2));
    }
}

TEST_CASE("Z3: a truncated or malformed answer is a network error, never a value") {
    for (const char* bytes : {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
                              "HTTP/1.1 100 Continue\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200\r\n\r\n",
                              "\x15\x03\x01", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
                              "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok",
                              "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                              "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
                              "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n"}) {
        CAPTURE(bytes);
        World world({Reply{.bytes = bytes, .close_after = true}});
        const auto answer = world.send();
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().kind == ErrorKind::transient);
        CHECK(answer.error().reason == "NetworkError");
        CHECK(answer.error().message.find("secret") == std::string::npos);
        CHECK(world.server.requests() == 1);
    }
}

TEST_CASE("Z3: a TLS stream that ends without its closing message never completes an answer") {
    const std::string bytes = "HTTP/1.1 200 OK\r\n\r\nlooks whole";
    for (const bool orderly : {true, false}) {
        http::InputBuffer input;
        const auto room = input.prepare();
        boost::asio::buffer_copy(room, boost::asio::buffer(bytes));
        input.commit(bytes.size());
        http::ResponseParser parser({}, false);
        CHECK(parser.feed(input) == http::ParseState::more);
        CHECK(parser.finish(orderly) == (orderly ? http::ParseState::complete : http::ParseState::truncated));
        if (orderly) CHECK(parser.take().body == "looks whole");
    }
    http::ResponseParser untouched({}, false);
    CHECK(untouched.finish(true) == http::ParseState::truncated);
}

TEST_CASE("answers larger than the limits are refused while they arrive") {
    const http::CallLimits limits{.deadline = 60s, .body_bytes_max = 1000, .header_bytes_max = 2000};
    const std::string chunk = "200\r\n" + std::string(512, 'x') + "\r\n";
    for (const std::string& bytes : std::vector<std::string>{
             "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
             (std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") + chunk + chunk),
             (std::string("HTTP/1.1 200 OK\r\n\r\n") + std::string(1001, 'x')),
             (std::string("HTTP/1.1 200 OK\r\nX: ") + std::string(3000, 'x'))}) {
        CAPTURE(bytes.substr(0, 60));
        World world({Reply{.bytes = bytes}});
        const auto answer = world.send("GET", limits);
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().kind == ErrorKind::invalid);
        CHECK(answer.error().reason == "AnswerTooLarge");
        run_until_idle(world.io);
        CHECK(world.server.open_connections() == 0);
    }
}

TEST_CASE("Z3: a server that never answers, or one byte a second, is left at the deadline") {
    const std::string slow_body = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x');
    for (const Reply& reply : {Reply{.silent = true}, Reply{.bytes = slow_body, .one_byte_a_second = true},
                               Reply{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"}}) {
        World world({reply});
        StartedTask call(world.io, world.call("GET", {.deadline = 60s}));
        world.clock.advance(59s);
        CHECK_FALSE(call.done());
        world.clock.advance(1s);
        REQUIRE(call.done());
        REQUIRE_FALSE(call.result().has_value());
        CHECK(call.result().error().kind == ErrorKind::transient);
        CHECK(call.result().error().reason == "DeadlineExceeded");
        world.clock.advance(3s);
        CHECK(world.server.open_connections() == 0);
        CHECK(world.clock.sleepers() == 0);
    }
}

TEST_CASE("waiting for a free connection counts into the deadline, and a slot is never lost") {
    World world({Reply{.silent = true}, Reply{.bytes = ok}}, {.ca_file = {}, .connections_per_origin_max = 1});
    StartedTask first(world.io, world.call("GET", {.deadline = 30s}));
    StartedTask waiting(world.io, world.call("GET", {.deadline = 10s}));
    StartedTask patient(world.io, world.call("GET", {.deadline = 40s}));
    world.clock.advance(10s);
    REQUIRE(waiting.done());
    CHECK(waiting.result().error().message.find("free connection") != std::string::npos);
    CHECK_FALSE(patient.done());
    world.clock.advance(20s);
    CHECK(first.done());
    REQUIRE(patient.done());
    CHECK(patient.result().has_value());
    CHECK(world.send().has_value());
}

TEST_CASE("slots survive the cancellation of whoever waits last") {
    World world({Reply{.silent = true}, Reply{.bytes = ok}}, {.connections_per_origin_max = 1});
    for (int i = 0; i < 3; ++i) {
        StartedTask holder(world.io, world.call("GET", {.deadline = 30s}));
        StartedTask last(world.io, world.call("GET", {.deadline = 600s}));
        last.cancel(world.io);
        CHECK(last.done());
        world.clock.advance(30s);
        REQUIRE(holder.done());
    }
    CHECK(world.send("GET", {.deadline = 1s}).has_value());
}

TEST_CASE("cancelling a call closes its connection and arrives as an exception") {
    World world({Reply{.silent = true}, Reply{.bytes = ok}});
    StartedTask call(world.io, world.call("GET"));
    CHECK(world.server.open_connections() == 1);
    call.cancel(world.io);
    REQUIRE(call.done());
    CHECK(call.exception() != nullptr);
    CHECK(world.server.open_connections() == 0);
    CHECK(world.clock.sleepers() == 0);
    CHECK(world.send().has_value());
}

TEST_CASE("a dead idle connection is replaced once, for methods that may be repeated") {
    for (const std::string method : {"GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"}) {
        CAPTURE(method);
        // The second request is read and dropped, as by a server that closes in that moment.
        World world({Reply{.bytes = ok}, Reply{.bytes = "", .close_after = true},
                     Reply{.bytes = method == "HEAD" ? ok.substr(0, ok.size() - 2) : ok}});
        REQUIRE(world.send().has_value());
        const auto answer = world.send(method);
        const bool repeated = method != "POST" && method != "PATCH";
        CHECK(answer.has_value() == repeated);
        CHECK(world.server.requests() == (repeated ? 3 : 2));
        if (!repeated) CHECK(answer.error().reason == "NetworkError");
    }
    World dead({Reply{.bytes = ok}, Reply{.bytes = "", .close_after = true}});
    REQUIRE(dead.send().has_value());
    CHECK(dead.send().error().reason == "NetworkError");
    CHECK(dead.server.requests() == 3);  // once, not for ever
}

TEST_CASE("a connection that died while idle is noticed before anything is sent") {
    World world({Reply{.bytes = ok, .close_after = true}, Reply{.bytes = ok}});
    REQUIRE(world.send("POST").has_value());
    run_until_idle(world.io);
    CHECK(world.send("POST").has_value());
    CHECK(world.server.connections() == 2);
    world.clock.advance(61s);
    CHECK(world.send("POST").has_value());
    CHECK(world.server.connections() == 3);  // idle_max
}

TEST_CASE("refused connections and wrong requests are told apart") {
    World world({Reply{.bytes = ok}});
    const auto nobody = *http::parse_origin("http://127.0.0.1:1");
    const http::Request plain{.method = "GET", .target = "/", .headers = {}, .body = ""};
    const auto refused = run_task(world.io, world.client->send(nobody, plain, {}));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().reason == "NetworkError");
    CHECK(refused.error().message.find("refused") != std::string::npos);
    for (const http::Request& wrong :
         {http::Request{.method = "GET", .target = "/a b", .headers = {}, .body = ""},
          http::Request{.method = "GET", .target = "/\r\nX: y", .headers = {}, .body = ""},
          http::Request{.method = "GET", .target = "http://h/", .headers = {}, .body = ""},
          http::Request{.method = "G T", .target = "/", .headers = {}, .body = ""},
          http::Request{.method = "GET", .target = "/", .headers = {{"A", "b\r\nC: d"}}, .body = ""},
          http::Request{.method = "GET", .target = "/", .headers = {{"A:", "b"}}, .body = ""}}) {
        const auto answer = run_task(world.io, world.client->send(world.origin, wrong, {}));
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().reason == "InvalidRequest");
    }
    CHECK(world.server.received().empty());
}

TEST_CASE("an answer with a status below 100 is malformed, also when only the end of the stream completes it") {
    for (const char* status : {"003", "099", "000"}) {
        for (const char* rest : {"\r\n\r\nbody", "\r\nContent-Length: 0\r\n\r\n",
                                 "\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"}) {
            CAPTURE(status);
            CAPTURE(rest);
            const std::string bytes = "HTTP/1.1 " + std::string(status) + " Early" + rest;
            http::ResponseParser parser({}, false);
            http::InputBuffer input;
            const auto room = input.prepare();
            std::memcpy(room.data(), bytes.data(), bytes.size());
            input.commit(bytes.size());
            http::ParseState state = parser.feed(input);
            if (state == http::ParseState::more) state = parser.finish(true);
            CHECK(state == http::ParseState::malformed);
        }
    }
}
