#include "controller/simulator/face.h"

#include "controller/core/resource_id.h"
#include "controller/simulator/call.h"
#include "controller/simulator/control.h"

namespace galleryd::simulator {
namespace {

std::string log_text(const http::ServerRequest& request, const http::ServerResponse& response,
                     std::chrono::nanoseconds took, const std::string& policy, TimePoint real, TimePoint simulated) {
    const Path path = parse_path(request.target);
    Json line = Json::object();
    line["time"] = format_rfc3339(real);
    line["method"] = request.method;
    line["path"] = path.text.empty() ? "/" : path.text;
    line["apiVersion"] = path.get("api-version");
    line["status"] = response.status;
    line["ms"] = static_cast<double>(took.count() / 1000) / 1000.0;
    line["policy"] = policy;
    line["bytes"] = response.body.size();
    line["simulatedTime"] = format_rfc3339(simulated);
    return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

bool is_loopback(const std::string& listen) {
    const std::size_t colon = listen.rfind(':');
    if (colon == std::string::npos) return false;
    const std::string host = fold_case(listen.substr(0, colon));
    return host == "localhost" || host == "[::1]" ||
           (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

Result<std::unique_ptr<Face>> Face::start(boost::asio::any_io_executor executor, Simulator& simulator, Clock& real,
                                          Clock& simulated, FaceOptions options,
                                          std::function<void(const std::string&)> log_line) {
    if (!options.listen.empty() && !is_loopback(options.listen)) {
        return std::unexpected(
            Error{.kind = ErrorKind::invalid,
                  .reason = "ListenRefused",
                  .message = "plain HTTP on " + options.listen +
                             " would be reachable from other machines; listen on 127.0.0.1 or use --listen-tls",
                  .code = "GD5011"});
    }
    const http::Handler handler =
        [&simulator, &real, &simulated, log = std::move(log_line),
         has_door = options.control](http::ServerRequest request) -> boost::asio::awaitable<http::ServerResponse> {
        if (has_door) {
            if (auto answer = control(simulator, request)) co_return std::move(*answer);
        }
        const auto before = real.monotonic();
        http::ServerResponse response = simulator.handle(request);
        if (log)
            log(log_text(request, response, real.monotonic() - before, simulator.last_policy(), real.now(),
                         simulated.now()));
        co_return response;
    };
    std::unique_ptr<Face> face(new Face);
    if (!options.listen.empty()) {
        http::ServerOptions plain;
        plain.listen = options.listen;
        auto server = http::start_server(executor, real, plain, handler);
        if (!server) return std::unexpected(server.error());
        face->plain_ = std::move(*server);
    }
    if (!options.listen_tls.empty()) {
        http::ServerOptions tls;
        tls.listen = options.listen_tls;
        tls.certificate_chain_pem = options.certificate_chain_pem;
        tls.private_key_pem = options.private_key_pem;
        auto server = http::start_server(executor, real, tls, handler);
        if (!server) return std::unexpected(server.error());
        face->tls_ = std::move(*server);
    }
    return face;
}

std::vector<std::string> Face::urls() const {
    std::vector<std::string> urls;
    if (plain_) urls.push_back("http://" + plain_->address());
    if (tls_) urls.push_back("https://" + tls_->address());
    return urls;
}

void Face::stop() {
    if (plain_) plain_->stop();
    if (tls_) tls_->stop();
}

}  // namespace galleryd::simulator
