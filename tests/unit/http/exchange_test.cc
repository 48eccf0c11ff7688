#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "controller/adapters/clock/system_clock.h"
#include "controller/adapters/http/client.h"
#include "controller/adapters/http/server.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"

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
