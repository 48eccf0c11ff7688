#pragma once
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/adapters/azure/arm_client.h"
#include "controller/adapters/http/transport.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"

// A transport that plays back answers in order and remembers what was sent; an answer may take time on the test's
// clock.
namespace galleryd::azure::test {

struct Played {
    Result<http::Response> answer;
    std::chrono::seconds takes{0};
};

class ScriptedTransport : public http::Transport {
  public:
    struct Sent {
        http::Origin origin;
        http::Request request;
        std::chrono::nanoseconds at{0};
        http::CallLimits limits;
    };
    explicit ScriptedTransport(Clock& clock) : clock_(clock) {}

    Task<http::Response> send(http::Origin origin, http::Request request, http::CallLimits limits) override;

    void answer(int status, std::string body = {}, http::Headers headers = {},
                std::chrono::seconds takes = std::chrono::seconds{0});
    void fail_with(Error error);

    std::vector<Sent> sent;
    std::size_t in_flight = 0, in_flight_most = 0;
    std::size_t left() const { return script_.size(); }

  private:
    Clock& clock_;
    std::deque<Played> script_;
};

// A token that counts how often it was made anew.
class CountingToken : public TokenProvider {
  public:
    Task<std::string> token() override;
    void invalidate(std::string refused) override;
    std::string_view name() const override { return "counting"; }
    int generation = 1;
};

class RecordingMetrics : public Metrics {
  public:
    void add(std::string_view counter, MetricLabels labels, double amount) override;
    void set(std::string_view gauge, MetricLabels labels, double value) override;
    void observe(std::string_view histogram, MetricLabels labels, double value) override;
    void forget(std::string_view gauge, MetricLabels match) override;
    void replace_part(const std::string&, std::vector<GaugeSample>) override {}
    std::optional<double> value(const std::string& name, const MetricLabels& labels) const;

  private:
    std::map<std::pair<std::string, MetricLabels>, double> values_;
};

class RecordingLog : public Log {
  public:
    void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) override;
    std::string text;  // everything that was logged
};

// All of them around an ArmClient for https://management.azure.com.
struct Bench {
    explicit Bench(ArmOptions options = {});
    boost::asio::io_context io;
    ManualClock clock;
    ScriptedTransport transport;
    CountingToken tokens;
    RecordingMetrics metrics;
    RecordingLog log;
    ArmClient client;

    template <class T>
    Result<T> run(Task<T> task) {
        return run_task(io, clock, std::move(task));
    }
};

extern const ResourceId sample_gallery, sample_definition, sample_version;
std::string gallery_body();  // recorded, CRLF
std::string definition_body();
std::string version_body();  // recorded after the update to two regions
std::string error_body(const std::string& code, const std::string& message);

}  // namespace galleryd::azure::test
