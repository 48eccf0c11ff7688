#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "controller/adapters/clock/system_clock.h"
#include "controller/adapters/http/client.h"
#include "controller/adapters/http/server.h"
#include "controller/adapters/http/tls_authority.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"
#include "tests/unit/http/raw_peer.h"

using namespace galleryd;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// A file that goes with the test.
struct TemporaryFile {
    explicit TemporaryFile(const std::string& content) {
        std::string name = (std::filesystem::temp_directory_path() / "galleryd-test-XXXXXX").string();
        const int handle = ::mkstemp(name.data());
        REQUIRE(handle >= 0);
        ::close(handle);
        path = name;
        std::ofstream(path) << content;
    }
    ~TemporaryFile() { std::filesystem::remove(path); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    std::string path;
};

int handled = 0;

asio::awaitable<http::ServerResponse> answer(http::ServerRequest request) {
    ++handled;
    http::ServerResponse response;
    response.status = 200;
    response.body = std::string(request.tls ? "tls " : "plain ") + request.headers.get("Authorization");
    if (request.target == "/large") response.body.assign(2'000'000, 'x');
    if (request.target == "/cut") response.cut_after_bytes = 3;
    co_return response;
}

// OpenSSL compares certificates with the machine's time, so the certificates are made for it.
http::TlsAuthority authority_at(Duration ago, std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"}) {
    auto made = http::make_tls_authority(SystemClock().now() - ago, {.names = std::move(names)});
    REQUIRE(made.has_value());
    return *made;
}

struct World {
    asio::io_context io{1};
    ManualClock clock{io};
    std::unique_ptr<http::Server> server;
    std::unique_ptr<http::Transport> client;
    TemporaryFile ca;

    World(const http::TlsAuthority& serving, const std::string& trusted_pem) : ca(trusted_pem) {
        handled = 0;
        http::ServerOptions options{.certificate_chain_pem = serving.chain_pem, .private_key_pem = serving.key_pem};
        auto started = http::start_server(io.get_executor(), clock, std::move(options), answer);
        REQUIRE(started.has_value());
        server = std::move(*started);
        client = std::move(*http::make_client(io.get_executor(), clock, {.ca_file = ca.path}));
    }
    Result<http::Response> get(const std::string& host, const std::string& target = "/") {
        const auto origin = *http::parse_origin("https://" + host + ":" + std::to_string(server->port()));
        http::Request request{
            .method = "GET", .target = target, .headers = {{"Authorization", "Bearer secret"}}, .body = ""};
        return run_task(io, client->send(origin, std::move(request), {}));
    }
};

}  // namespace

TEST_CASE("TLS with a trusted authority: by name and by address, with reuse") {
    const auto authority = authority_at(0s);
    World world(authority, authority.ca_pem);
    for (int i = 0; i < 3; ++i) {
        const auto by_address = world.get("127.0.0.1");
        REQUIRE(by_address.has_value());
        CHECK(by_address->body == "tls Bearer secret");
    }
    CHECK(world.server->connections_accepted() == 1);
    CHECK(world.get("localhost").has_value());
    CHECK(world.get("127.0.0.1", "/large")->body.size() == 2'000'000);
    const auto cut = world.get("127.0.0.1", "/cut");
    REQUIRE_FALSE(cut.has_value());
    CHECK(cut.error().reason == "NetworkError");
    run(world.io, world.server->close(1s));
}

TEST_CASE("an unknown authority, a wrong name and an expired certificate are refused before anything is sent") {
    const auto good = authority_at(0s);
    const auto other = authority_at(0s);
    const auto elsewhere = authority_at(0s, {"management.azure.com", "10.0.0.1"});
    const auto expired = authority_at(std::chrono::days{900});
    const auto early = authority_at(-std::chrono::days{30});
    struct Row {
        const http::TlsAuthority& serving;
        const std::string& trusted;
        const char* words;
    };
    for (const Row& row :
         {Row{good, other.ca_pem, "certificate"}, Row{elsewhere, elsewhere.ca_pem, "does not name this host"},
          Row{expired, expired.ca_pem, "expired"}, Row{early, early.ca_pem, "not yet valid"}}) {
        CAPTURE(row.words);
        World world(row.serving, row.trusted);
        for (const char* host : {"127.0.0.1", "localhost"}) {
            const auto refused = world.get(host);
            REQUIRE_FALSE(refused.has_value());
            CHECK(refused.error().kind == ErrorKind::denied);
            CHECK(refused.error().reason == "TlsError");
            CHECK(refused.error().message.find(row.words) != std::string::npos);
        }
        CHECK(handled == 0);
    }
}

TEST_CASE("the client offers TLS 1.2 and 1.3 only, names the host, and survives a peer that is not TLS") {
    asio::io_context io{1};
    ManualClock clock(io);
    // The first bytes of a ClientHello never hold an empty line, so the peer's script must not wait for one.
    const auto client = std::move(*http::make_client(io.get_executor(), clock, {}));
    test::RawServer server(io, clock, {test::Reply{.silent = true}});
    const std::string port = server.address().substr(server.address().find(':'));
    const http::Request request{
        .method = "GET", .target = "/", .headers = {{"Authorization", "Bearer secret"}}, .body = ""};
    StartedTask call(io, client->send(*http::parse_origin("https://127.0.0.1" + port), request, {}));
    const std::string hello = server.received();
    CHECK(hello.starts_with("\x16\x03\x01"));
    CHECK(hello.find(std::string("\x00\x2b\x00\x05\x04\x03\x04\x03\x03", 9)) !=
          std::string::npos);  // supported_versions: 1.3, 1.2
    CHECK(hello.find("secret") == std::string::npos);
    clock.advance(10s);
    REQUIRE(call.done());
    CHECK(call.result().error().reason == "DeadlineExceeded");  // of connecting, well before the exchange's 60 s
    CHECK(server.open_connections() == 0);
}

TEST_CASE("a TLS port that gets plain HTTP, and a plain port that gets TLS") {
    const auto authority = authority_at(0s);
    World world(authority, authority.ca_pem);
    const std::string answered = test::talk(world.io, world.server->port(), "GET / HTTP/1.1\r\n\r\n");
    CHECK(answered.find("200 OK") == std::string::npos);
    CHECK(handled == 0);
    CHECK(world.get("127.0.0.1").has_value());
    auto plain = std::move(*http::start_server(world.io.get_executor(), world.clock, {}, answer));
    const auto origin = *http::parse_origin("https://" + plain->address());
    const auto refused =
        run_task(world.io, world.client->send(origin, {.method = "GET", .target = "/", .headers = {}, .body = ""}, {}));
    CHECK_FALSE(refused.has_value());
}

TEST_CASE("CA files and PEM texts that cannot be used are invalid") {
    asio::io_context io{1};
    ManualClock clock(io);
    const TemporaryFile nonsense("this is no certificate");
    for (const std::string& path : {std::string("/nowhere/ca.pem"), nonsense.path}) {
        const auto client = http::make_client(io.get_executor(), clock, {.ca_file = path});
        REQUIRE_FALSE(client.has_value());
        CHECK(client.error().kind == ErrorKind::invalid);
        CHECK(client.error().message.find(path) != std::string::npos);
    }
    const auto authority = authority_at(0s);
    const auto other = authority_at(0s);
    for (const auto& [chain, key] :
         {std::pair(std::string("x"), authority.key_pem), std::pair(authority.chain_pem, std::string("x")),
          std::pair(authority.chain_pem, std::string()), std::pair(authority.chain_pem, other.key_pem)}) {
        const auto server = http::start_server(io.get_executor(), clock,
                                               {.certificate_chain_pem = chain, .private_key_pem = key}, answer);
        REQUIRE_FALSE(server.has_value());
        CHECK(server.error().reason == "ListenFailed");
    }
    CHECK_FALSE(http::make_tls_authority(clock.now(), {.names = {}}).has_value());
    CHECK_FALSE(http::make_tls_authority(clock.now(), {.names = {"a,DNS:evil"}}).has_value());
}
