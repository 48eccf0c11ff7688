#include "controller/program/api_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "controller/adapters/clock/system_clock.h"
#include "controller/adapters/http/client.h"

namespace galleryd {
namespace {

boost::asio::awaitable<void> get_once(http::Transport& transport, http::Origin origin, std::string path,
                                      std::optional<Result<http::Response>>& answer) {
    http::Request request{
        .method = "GET", .target = std::move(path), .headers = {{"Accept", "application/json"}}, .body = ""};
    http::CallLimits limits;
    limits.deadline = std::chrono::seconds{10};
    answer = co_await transport.send(std::move(origin), std::move(request), limits);
}

std::unexpected<Error> no_daemon(const std::string& server, const std::string& why) {
    Error error{.kind = ErrorKind::transient,
                .reason = "NoDaemon",
                .message = "no galleryd answers at " + server + ": " + why +
                           ". Start one with `galleryd run`, or name its address with --server."};
    error.code = "GD5010";
    return std::unexpected(std::move(error));
}

}  // namespace

Result<nlohmann::json> fetch_json(const std::string& server, const std::string& path) {
    const auto origin = http::parse_origin(server.find("://") == std::string::npos ? "http://" + server : server);
    if (!origin) return std::unexpected(origin.error());
    boost::asio::io_context context;
    SystemClock clock;
    auto client = http::make_client(context.get_executor(), clock, http::ClientOptions{});
    if (!client) return std::unexpected(client.error());
    std::optional<Result<http::Response>> answer;
    bool ended = false;
    auto call = get_once(**client, *origin, path, answer);
    boost::asio::co_spawn(context, std::move(call), [&](const std::exception_ptr&) {
        ended = true;
        context.stop();
    });
    context.run();
    if (!ended || !answer) return no_daemon(server, "no answer");
    if (!*answer) return no_daemon(server, answer->error().message);
    if ((*answer)->status != 200)
        return no_daemon(server, "HTTP status " + std::to_string((*answer)->status) + " for " + path);
    nlohmann::json body = nlohmann::json::parse((*answer)->body, nullptr, false);
    if (body.is_discarded()) return no_daemon(server, "the answer is not JSON");
    return body;
}

}  // namespace galleryd
