#include "controller/adapters/telemetry/ops_pages.h"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

using namespace galleryd;
using namespace galleryd::telemetry;
using http::ServerRequest;
using http::ServerResponse;

namespace {

struct StandingClock : Clock {
    TimePoint now() const override { return {}; }
    std::chrono::nanoseconds monotonic() const override { return std::chrono::seconds(1); }
    boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds) override { co_return; }
};

struct Daemon {
    StandingClock clock;
    HealthState health;
    std::unique_ptr<MetricsRegistry> metrics = make_metrics(MetricsOptions{.strict = true});
    http::Handler next;

    ServerResponse ask(const std::string& method, const std::string& target, const std::string& accept = "") {
        OpsPages pages;
        pages.health = &health;
        pages.metrics = metrics.get();
        pages.clock = &clock;
        pages.next = next;
        const http::Handler handler = make_ops_handler(pages);
        ServerRequest request;
        request.method = method;
        request.target = target;
        if (!accept.empty()) request.headers.add("Accept", accept);
        boost::asio::io_context context;
        ServerResponse response;
        boost::asio::co_spawn(context, handler(request), [&](std::exception_ptr failed, ServerResponse answer) {
            REQUIRE(failed == nullptr);
            response = std::move(answer);
        });
        context.run();
        return response;
    }
};

boost::asio::awaitable<ServerResponse> echo(ServerRequest request) {
    ServerResponse response;
    response.status = 201;
    response.body = request.target;
    co_return response;
}

}  // namespace

TEST_CASE("readyz is 200 only when every registered check is ready, and lists them") {
    Daemon daemon;
    CHECK(daemon.ask("GET", "/readyz").status == 200);
    daemon.health.require("azure");
    daemon.health.require("source dir:a");
    CHECK(daemon.ask("GET", "/readyz").status == 503);
    daemon.health.set_ready("azure");
    daemon.health.set_not_ready("source dir:a", "folder\nis gone");
    const auto answer = daemon.ask("GET", "/readyz");
    CHECK(answer.status == 503);
    CHECK(answer.body == "[+]azure ok\n[-]source dir:a failed: folder is gone\nreadyz check failed\n");
    daemon.health.set_ready("source dir:a");
    daemon.health.require("azure");  // once more changes nothing
    CHECK(daemon.ask("GET", "/readyz").body == "ok\n");
    CHECK(daemon.ask("HEAD", "/readyz").status == 200);
    CHECK(daemon.ask("GET", "/readyz?verbose").body == "[+]azure ok\n[+]source dir:a ok\nreadyz check passed\n");
    CHECK(daemon.ask("GET", "/readyz?x=1&verbose=true").body.starts_with("[+]azure ok"));
    CHECK(daemon.ask("GET", "/readyz?nonverbose").body == "ok\n");
    daemon.health.set_ready("azure", "does not answer\nsince noon");
    CHECK(daemon.ask("GET", "/readyz").body == "ok\n");
    CHECK(daemon.ask("GET", "/readyz?verbose").body.starts_with("[+]azure ok; does not answer since noon\n"));
    daemon.health.set_ready("azure");
    CHECK(daemon.ask("GET", "/readyz?verbose").body.starts_with("[+]azure ok\n"));
}

TEST_CASE("livez and healthz answer as long as the loop turns") {
    Daemon daemon;
    daemon.health.require("azure");
    CHECK(daemon.ask("GET", "/livez").status == 200);
    CHECK(daemon.ask("GET", "/healthz").body == "ok\n");
    CHECK(daemon.ask("GET", "/livez?verbose").body == "[+]event-loop ok\nlivez check passed\n");
    CHECK(daemon.ask("GET", "/livez").headers.get("Cache-Control") == "no-store");
}

TEST_CASE("metrics come in the format that was asked for") {
    Daemon daemon;
    const auto plain = daemon.ask("GET", "/metrics");
    CHECK(plain.status == 200);
    CHECK(plain.headers.get("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(plain.body.find("# TYPE process_open_fds gauge\n") != std::string::npos);
    const auto open = daemon.ask("GET", "/metrics", "application/openmetrics-text; version=1.0.0");
    CHECK(open.headers.get("Content-Type") == "application/openmetrics-text; version=1.0.0; charset=utf-8");
    CHECK(open.body.ends_with("# EOF\n"));
    CHECK(daemon.ask("GET", "/metrics")
              .body.find(R"(galleryd_http_requests_total{code="200",handler="/metrics",method="GET"} 2)") !=
          std::string::npos);
}

TEST_CASE("other methods get 405, other paths 404, and nothing can be traversed") {
    Daemon daemon;
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"}) {
        CAPTURE(method);
        const auto answer = daemon.ask(method, "/metrics");
        CHECK(answer.status == 405);
        CHECK(answer.headers.get("Allow") == "GET, HEAD");
    }
    for (const char* path : {"/", "/metrics/", "/metrics/../metrics", "//metrics", "/%6detrics", "/../etc/passwd",
                             "/LIVEZ", "metrics", ""}) {
        CAPTURE(path);
        CHECK(daemon.ask("GET", path).status == 404);
    }
    const std::string text = daemon.ask("GET", "/metrics").body;
    CHECK(text.find(R"(galleryd_http_requests_total{code="405",handler="/metrics",method="other"} 1)") !=
          std::string::npos);
    CHECK(text.find(R"(galleryd_http_requests_total{code="404",handler="other",method="GET"} 9)") != std::string::npos);
    CHECK(text.find("passwd") == std::string::npos);
}

TEST_CASE("further pages are the next handler's") {
    Daemon daemon;
    daemon.next = [](ServerRequest request) { return echo(std::move(request)); };
    const auto answer = daemon.ask("POST", "/api/v1/plan?x=1");
    CHECK(answer.status == 201);
    CHECK(answer.body == "/api/v1/plan?x=1");
    CHECK(daemon.ask("GET", "/livez").status == 200);
    CHECK(daemon.ask("GET", "/metrics")
              .body.find(R"(galleryd_http_requests_total{code="201",handler="other",method="POST"} 1)") !=
          std::string::npos);
}
