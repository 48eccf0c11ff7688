#include "controller/adapters/telemetry/ops_pages.h"

#include <array>

#include "controller/core/check.h"

namespace galleryd::telemetry {

namespace {

using http::ServerRequest;
using http::ServerResponse;

constexpr std::array<std::string_view, 4> own_paths{"/livez", "/healthz", "/readyz", "/metrics"};

// The label `method`: a client can send any word, the set of series must stay small.
std::string known_method(const std::string& method) {
    for (const char* known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
        if (method == known) return method;
    }
    return "other";
}

ServerResponse text_answer(int status, std::string body) {
    ServerResponse response;
    response.status = status;
    response.body = std::move(body);
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    response.headers.add("Cache-Control", "no-store");
    response.headers.add("X-Content-Type-Options", "nosniff");
    return response;
}

std::string one_line(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    }
    return text;
}

bool is_verbose(std::string_view query) {
    while (!query.empty()) {
        const std::string_view field = query.substr(0, query.find('&'));
        const std::string_view name = field.substr(0, field.find('='));
        if (name == "verbose") return true;
        query.remove_prefix(std::min(field.size() + 1, query.size()));
    }
    return false;
}

ServerResponse readiness(const HealthState& health, bool verbose) {
    const bool ready = health.is_ready();
    if (ready && !verbose) return text_answer(200, "ok\n");
    std::string body;
    for (const auto& [name, reason] : health.checks()) {
        const std::string remark = one_line(health.remark_on(name));
        body += !reason.empty() ? "[-]" + one_line(name) + " failed: " + one_line(reason) + "\n"
                                : "[+]" + one_line(name) + " ok" + (remark.empty() ? "" : "; " + remark) + "\n";
    }
    return text_answer(ready ? 200 : 503, body + (ready ? "readyz check passed\n" : "readyz check failed\n"));
}

class OpsHandler {
  public:
    explicit OpsHandler(OpsPages pages) : pages_(std::move(pages)) {}

    ServerResponse own_page(const ServerRequest& request, const std::string& path, std::string_view query) const {
        if (request.method != "GET" && request.method != "HEAD") {
            ServerResponse refused = text_answer(405, "only GET and HEAD\n");
            refused.headers.add("Allow", "GET, HEAD");
            return refused;
        }
        if (path == "/readyz") return readiness(*pages_.health, is_verbose(query));
        if (path == "/metrics") {
            const MetricsFormat format = negotiate_metrics_format(request.headers.get("Accept"));
            ServerResponse response = text_answer(200, pages_.metrics->serialise(format));
            response.headers.set("Content-Type", content_type(format).data());
            response.headers.add("Vary", "Accept");
            return response;
        }
        // That this runs is the check: the loop that answers is the loop that works.
        return text_answer(200, is_verbose(query) ? "[+]event-loop ok\n" + path.substr(1) + " check passed\n" : "ok\n");
    }

    std::string name_of(const std::string& path, bool is_own) const {
        if (is_own) return path;
        return pages_.name_of == nullptr ? "other" : pages_.name_of(path);
    }

    static boost::asio::awaitable<ServerResponse> answer(std::shared_ptr<OpsHandler> self, ServerRequest request) {
        const auto started = self->pages_.clock->monotonic();
        const std::size_t mark = request.target.find('?');
        const std::string path = request.target.substr(0, mark);
        const std::string query = mark == std::string::npos ? "" : request.target.substr(mark + 1);
        const std::string method = known_method(request.method);
        const bool is_own = std::find(own_paths.begin(), own_paths.end(), path) != own_paths.end();
        ServerResponse response;
        if (is_own) {
            response = self->own_page(request, path, query);
        } else if (self->pages_.next) {
            response = co_await self->pages_.next(std::move(request));
        } else {
            response = text_answer(404, "no such page\n");
        }
        const std::string handler = self->name_of(path, is_own);
        MetricLabels labels{{"handler", handler}, {"method", method}, {"code", std::to_string(response.status)}};
        self->pages_.metrics->add("galleryd_http_requests_total", std::move(labels), 1);
        const std::chrono::duration<double> took = self->pages_.clock->monotonic() - started;
        self->pages_.metrics->observe("galleryd_http_request_duration_seconds", {{"handler", handler}}, took.count());
        co_return response;
    }

  private:
    OpsPages pages_;
};

}  // namespace

http::Handler make_ops_handler(OpsPages pages) {
    GALLERYD_CHECK(pages.health != nullptr && pages.metrics != nullptr && pages.clock != nullptr,
                   "ops pages need health, metrics and a clock");
    return [self = std::make_shared<OpsHandler>(std::move(pages))](ServerRequest request) {
        return OpsHandler::answer(self, std::move(request));
    };
}

}  // namespace galleryd::telemetry
