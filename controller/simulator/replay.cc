#include "controller/simulator/replay.h"

#include <boost/asio/awaitable.hpp>

#include "controller/core/resource_id.h"
#include "controller/simulator/replay_recording.h"

namespace galleryd::simulator {
namespace {

// The time of the recording: moved from exchange to exchange, never waited for.
class RecordedClock : public Clock {
  public:
    TimePoint now() const override { return at; }
    std::chrono::nanoseconds monotonic() const override { return at.time_since_epoch(); }
    boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds) override { co_return; }
    TimePoint at;
};

struct OperationUrls {
    std::string poll, monitor;  // targets at our simulator
};

std::string target_of(const std::string& url) {
    const std::size_t host = url.find("//");
    const std::size_t path = host == std::string::npos ? 0 : url.find('/', host + 2);
    return path == std::string::npos ? url : url.substr(path);
}

// The recorded operation URL leads to ours; "" when the request that began it was not replayed.
std::string mapped_target(const Exchange& exchange, const std::map<std::string, OperationUrls>& operations) {
    if (exchange.path.type != "microsoft.compute/locations/capsoperations") return exchange.target;
    const auto found = operations.find(fold_case(exchange.path.name()));
    if (found == operations.end()) return {};
    return fold_case(exchange.path.get("monitor")) == "true" ? found->second.monitor : found->second.poll;
}

std::string label(std::size_t index, const Exchange& exchange) {
    return "exchange " + std::to_string(index) + " " + exchange.method + " " + exchange.path.text;
}

}  // namespace

Result<ReplayReport> replay_recording(const std::string& yaml) {
    auto exchanges = read_recording(yaml);
    if (!exchanges) return std::unexpected(exchanges.error());
    ReplayReport report;
    report.exchanges = static_cast<int>(exchanges->size());
    if (exchanges->empty()) return report;
    RecordedClock clock;
    clock.at = exchanges->front().at - std::chrono::seconds(1);
    std::size_t index = 0;
    Options options;
    options.check_tokens = false;
    options.parent_lag_max = std::chrono::seconds(0);  // the recording's own writer waited long enough
    options.operation_length = [&exchanges, &index](std::string_view, std::string_view) {
        return std::optional(recorded_length(*exchanges, index));
    };
    Simulator simulator(clock, options);
    if (const auto seeded = simulator.load_state(presupposed_state(*exchanges)); !seeded)
        return std::unexpected(seeded.error());
    AnswerComparer comparer;
    std::map<std::string, OperationUrls> operations;
    for (; index < exchanges->size(); ++index) {
        const Exchange& exchange = (*exchanges)[index];
        const std::string target = mapped_target(exchange, operations);
        if (!exchange.skip.empty() || target.empty()) {
            report.skipped.push_back(
                label(index, exchange) + ": " +
                (exchange.skip.empty() ? "an operation of a request that was not replayed" : exchange.skip));
            continue;
        }
        clock.at = exchange.at;
        http::ServerRequest request;
        request.method = exchange.method;
        request.target =
            exchange.path.type == "microsoft.compute/locations/capsoperations" ? target : comparer.translate(target);
        request.body = comparer.translate(exchange.request_body);
        request.host = exchange.host;
        request.tls = true;
        if (!request.body.empty()) request.headers.add("Content-Type", "application/json");
        const http::ServerResponse ours = simulator.handle(request);
        ++report.compared;
        for (const std::string& difference : comparer.compare(exchange, ours))
            report.differences.push_back(label(index, exchange) + ": " + difference);
        if (!exchange.operation.empty()) {
            const std::string poll = ours.headers.get("Azure-AsyncOperation");
            const std::string monitor = ours.headers.get("Location");
            if (!poll.empty() || !monitor.empty())
                operations[exchange.operation] = {.poll = target_of(poll.empty() ? monitor : poll),
                                                  .monitor = target_of(monitor.empty() ? poll : monitor)};
        }
    }
    return report;
}

}  // namespace galleryd::simulator
