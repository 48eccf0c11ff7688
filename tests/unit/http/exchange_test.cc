#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "controller/adapters/clock/system_clock.h"
#include "controller/adapters/http/client.h"
#include "controller/adapters/http/server.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"
#include "tests/unit/http/raw_peer.h"

using namespace galleryd;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

asio::awaitable<http::ServerResponse> echo(http::ServerRequest request) {
    http::ServerResponse response;
    response.status = 200;
    response.headers.add("X-Method", request.method);
    response.headers.add("X-Host", request.host);
    response.body = request.target + "|" + request.body;
    if (request.target == "/throws") throw std::runtime_error("handler is broken");
    if (request.target == "/empty") response.status = 204;
    if (request.target == "/cut") response.cut_after_bytes = 2;
    if (request.target == "/slow") response.delay = 60s;
    if (request.target == "/large") response.body.assign(1'000'000, 'x');
    co_return response;
}

struct World {
    asio::io_context io{1};
    ManualClock clock{io};
    std::unique_ptr<http::Server> server;
    std::unique_ptr<http::Transport> client;
    http::Origin origin;

    explicit World(http::ServerOptions server_options = {}, http::ClientOptions client_options = {}) {
        auto started = http::start_server(io.get_executor(), clock, std::move(server_options), echo);
        REQUIRE(started.has_value());
        server = std::move(*started);
        auto made = http::make_client(io.get_executor(), clock, std::move(client_options));
        REQUIRE(made.has_value());
        client = std::move(*made);
        origin = *http::parse_origin("http://" + server->address());
    }
    Result<http::Response> send(http::Request request, http::CallLimits limits = {}) {
        return run_task(io, client->send(origin, std::move(request), limits));
    }
    Result<http::Response> get(const std::string& target, http::CallLimits limits = {}) {
        return send({.method = "GET", .target = target, .headers = {}, .body = ""}, limits);
    }
};

}  // namespace

TEST_CASE("requests and answers travel whole, on one connection") {
    World world;
    for (int i = 0; i < 20; ++i) {
        const auto answer = world.send({.method = "PUT", .target = "/a?b=%24c", .headers = {}, .body = "body"});
        REQUIRE(answer.has_value());
        CHECK(answer->status == 200);
        CHECK(answer->headers.get("x-method") == "PUT");
        CHECK(answer->headers.get("X-Host") == world.server->address());
        CHECK(answer->headers.get("Date") == "Sun, 01 Mar 2026 00:00:00 GMT");
        CHECK(answer->body == "/a?b=%24c|body");
    }
    CHECK(world.server->connections_accepted() == 1);
    run(world.io, world.server->close(1s));
    CHECK(world.server->connections() == 0);
}

TEST_CASE("HEAD and 204 carry no body and keep the connection") {
    World world;
    const auto head = world.send({.method = "HEAD", .target = "/h", .headers = {}, .body = ""});
    REQUIRE(head.has_value());
    CHECK(head->body.empty());
    CHECK(head->headers.get("Content-Length") == "3");  // of "/h|"
    const auto empty = world.get("/empty");
    REQUIRE(empty.has_value());
    CHECK(empty->status == 204);
    CHECK(empty->body.empty());
    CHECK(empty->headers.find("Content-Length") == nullptr);
    CHECK(world.get("/next")->body == "/next|");
    CHECK(world.server->connections_accepted() == 1);
}

TEST_CASE("a handler that throws answers 500 and the server goes on") {
    World world;
    CHECK(world.get("/throws")->status == 500);
    CHECK(world.get("/a")->status == 200);
    CHECK(world.server->connections_accepted() == 1);
}

TEST_CASE("an answer cut by a fault is a network error") {
    World world;
    const auto cut = world.get("/cut");
    REQUIRE_FALSE(cut.has_value());
    CHECK(cut.error().kind == ErrorKind::transient);
    CHECK(cut.error().reason == "NetworkError");
    CHECK(world.get("/a")->status == 200);
}

TEST_CASE("a delayed answer comes after its delay on the clock, or not within the deadline") {
    World world;
    const http::Request request{.method = "GET", .target = "/slow", .headers = {}, .body = ""};
    StartedTask patient(world.io, world.client->send(world.origin, request, {.deadline = 90s}));
    StartedTask hasty(world.io, world.client->send(world.origin, request, {.deadline = 30s}));
    world.clock.advance(59s);
    CHECK_FALSE(patient.done());
    REQUIRE(hasty.done());
    CHECK(hasty.result().error().reason == "DeadlineExceeded");
    world.clock.advance(1s);
    REQUIRE(patient.done());
    CHECK(patient.result()->status == 200);
}

TEST_CASE("large bodies travel whole in both directions") {
    World world;
    CHECK(world.get("/large")->body == std::string(1'000'000, 'x'));
    const std::string body(3'000'000, 'y');
    const auto answer = world.send({.method = "PUT", .target = "/p", .headers = {}, .body = body});
    REQUIRE(answer.has_value());
    CHECK(answer->body == "/p|" + body);
}

TEST_CASE("requests beyond the limits are refused with the right status") {
    World world({.request_body_bytes_max = 1000, .request_header_bytes_max = 2000});
    const std::string big(10'000, 'x');
    CHECK(world.send({.method = "PUT", .target = "/", .headers = {}, .body = big})->status == 413);
    CHECK(world.send({.method = "GET", .target = "/", .headers = {{"X", big}}, .body = ""})->status == 431);
    CHECK(world.get("/a")->status == 200);
}

TEST_CASE("many calls at once share the connections that the limit allows") {
    World world({}, {.ca_file = "", .connections_per_origin_max = 8});
    const http::Request request{.method = "GET", .target = "/a", .headers = {}, .body = ""};
    std::vector<StartedTask<http::Response>> calls;
    for (int i = 0; i < 500; ++i) calls.emplace_back(world.io, world.client->send(world.origin, request, {}));
    run_until_idle(world.io);
    CHECK(std::ranges::all_of(calls, [](const auto& call) { return call.done() && call.result().has_value(); }));
    CHECK(world.server->connections_accepted() <= 8);
}

TEST_CASE("connections beyond the cap are closed at once, idle ones after the idle time-out") {
    World world({.connections_max = 2, .idle_timeout = 60s});
    using galleryd::test::talk;
    const int port = world.server->port();
    CHECK(talk(world.io, port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n").find("200 OK") != std::string::npos);
    StartedTask first(world.io,
                      world.client->send(world.origin, {.method = "GET", .target = "/slow", .headers = {}, .body = ""},
                                         {.deadline = 600s}));
    CHECK(world.get("/a").has_value());
    CHECK(world.server->connections() == 2);
    CHECK(talk(world.io, port, "GET / HTTP/1.1\r\n\r\n").empty());
    world.clock.advance(76s);
    CHECK(first.done());  // a working handler is not idle
    world.clock.advance(76s);
    CHECK(world.server->connections() == 0);
    CHECK(world.get("/a").has_value());
}

TEST_CASE("half a request is dropped after the idle time-out") {
    World world({.idle_timeout = 60s});
    StartedTask call(world.io, galleryd::test::talk_task(world.server->port(),
                                                         "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf", ""));
    CHECK(world.server->connections() == 1);
    world.clock.advance(76s);
    CHECK(world.server->connections() == 0);
    REQUIRE(call.done());
    CHECK(call.result()->empty());
}

TEST_CASE("raw requests: pipelining, garbage, absolute form, continue, old versions") {
    World world;
    using galleryd::test::talk;
    const int port = world.server->port();
    const auto count = [](const std::string& text, const std::string& part) {
        int found = 0;
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
        return found;
    };
    const std::string piped = talk(world.io, port, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGARBAGE\r\n\r\n");
    CHECK(count(piped, "200 OK") == 2);
    CHECK(piped.find("/1|") < piped.find("/2|"));
    CHECK(count(piped, "400 Bad Request") == 1);
    CHECK(count(piped, "Connection: close") == 1);
    CHECK(talk(world.io, port, "GET http://h.example/p?q HTTP/1.1\r\nHost: h.example\r\nConnection: close\r\n\r\n")
              .find("/p?q|") != std::string::npos);
    CHECK(talk(world.io, port, "GET //double HTTP/1.1\r\nConnection: close\r\n\r\n").find("//double|") !=
          std::string::npos);
    CHECK(talk(world.io, port, "GET / HTTP/1.0\r\n\r\n").find("X-Host: " + world.server->address()) !=
          std::string::npos);
    CHECK(talk(world.io, port, "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
               "100 Continue\r\n\r\n")
              .starts_with("HTTP/1.1 100"));
    for (const char* wrong : {"\x16\x03\x01\x02", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                              "GET / HTTP/1.1\r\nA B: c\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                              "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
        CAPTURE(wrong);
        CHECK(talk(world.io, port, std::string(wrong) + "\r\n\r\n").starts_with("HTTP/1.1 400"));
    }
    CHECK(world.get("/a")->status == 200);
}

TEST_CASE("random bytes never take the server down") {
    World world;
    SystemRandom random(42);
    for (int i = 0; i < 300; ++i) {
        std::string bytes = i % 2 == 0 ? "" : "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (std::uint64_t n = random.next() % 200; n > 0; --n) bytes.push_back(static_cast<char>(random.next()));
        bytes += "\r\n\r\n";
        const std::string answer = galleryd::test::talk(world.io, world.server->port(), bytes, "HTTP/1.1 ");
        CHECK((answer.empty() || answer.starts_with("HTTP/1.1 ")));
    }
    CHECK(world.get("/a")->status == 200);
}

TEST_CASE("close lets answers in progress finish, stop does not") {
    const http::Request request{.method = "GET", .target = "/slow", .headers = {}, .body = ""};
    {
        World world;
        StartedTask call(world.io, world.client->send(world.origin, request, {.deadline = 600s}));
        StartedTask closing(world.io, galleryd::test::as_task(world.server->close(100s)));
        CHECK_FALSE(closing.done());
        CHECK_FALSE(world.get("/a").has_value());  // nobody listens any more
        world.clock.advance(60s);
        CHECK(closing.done());
        REQUIRE(call.done());
        CHECK(call.result()->headers.get("Connection") == "close");
    }
    {
        World world;
        StartedTask call(world.io, world.client->send(world.origin, request, {.deadline = 600s}));
        StartedTask closing(world.io, galleryd::test::as_task(world.server->close(5s)));
        world.clock.advance(5s);
        CHECK(closing.done());
        REQUIRE(call.done());
        CHECK(call.result().error().reason == "NetworkError");
        CHECK(world.clock.sleepers() == 0);
    }
    {
        World world;
        StartedTask call(world.io, world.client->send(world.origin, request, {.deadline = 600s}));
        world.server.reset();
        run_until_idle(world.io);
        REQUIRE(call.done());
        CHECK(call.result().error().reason == "NetworkError");
        CHECK(world.clock.sleepers() == 0);
    }
}

TEST_CASE("a wrong or taken address is refused") {
    World world;
    for (const std::string& wrong :
         {std::string("nonsense"), std::string("127.0.0.1"), std::string("127.0.0.1:99999"),
          std::string("example.com:80"), std::string("1.2.3.4:1x"), world.server->address()}) {
        CAPTURE(wrong);
        const auto server = http::start_server(world.io.get_executor(), world.clock, {.listen = wrong}, echo);
        REQUIRE_FALSE(server.has_value());
        CHECK(server.error().kind == ErrorKind::invalid);
        CHECK(server.error().reason == "ListenFailed");
        CHECK(server.error().code == "GD5027");
    }
    const auto taken =
        http::start_server(world.io.get_executor(), world.clock, {.listen = world.server->address()}, echo);
    CHECK(taken.error().message.contains("another program listens there already. Stop it, or take another port"));
    const auto any = http::start_server(world.io.get_executor(), world.clock, {.listen = "localhost:0"}, echo);
    REQUIRE(any.has_value());
    CHECK((*any)->address() == "127.0.0.1:" + std::to_string((*any)->port()));
}
