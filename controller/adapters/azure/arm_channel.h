#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "controller/adapters/azure/admission.h"
#include "controller/adapters/azure/arm_metrics.h"
#include "controller/adapters/azure/token.h"
#include "controller/adapters/http/transport.h"
#include "controller/ports/clock.h"
#include "controller/ports/log.h"

namespace galleryd::azure {

struct ArmOptions {
    http::Origin arm;                            // the only place a token is ever sent to
    std::chrono::milliseconds deadline{60'000};  // of one call, its retries and waits included
    std::size_t in_flight_max = 8;               // per subscription
    std::size_t waiting_max = 10'000;            // per subscription
    std::size_t pages_max = 1'000;               // of one list
    int read_attempts_max = 3;                   // 429 and 5xx of a GET
    std::chrono::seconds wait_inside_max{10};    // a longer Retry-After goes back to the caller; so long waits a write
    std::chrono::seconds exchange_min{5};  // of the deadline, kept for the exchange: waiting for a turn ends before
    double share = 0.5;                    // of each request budget (--arm-share), 0 < share <= 1
    double time_scale = 1;                 // Azure's seconds in one of ours (a simulator that runs faster)
    Worth read_worth = Worth::look;        // of reads that no write waits for; `person` for a command
    std::size_t operation_url_bytes_max = 8UL * 1024;
    std::string user_agent = "galleryd/" GALLERYD_VERSION;
};

struct ArmCall {
    std::string method, target;  // target byte for byte
    std::string body = {};
    std::string subscription = {}, resource_type = {};  // for budgets and metrics
    std::string what = {};                              // "read gallery /subscriptions/…", for messages
    std::string region = {};                            // of the resource, any spelling; "" when not known
    Worth worth = Worth::look;
};
// The budgets that a call is charged to: the provider's policy from method, type and path, the region as given.
RequestClass budget_class(const ArmCall& call);

// One exchange with ARM at a time and its manners: token and one renewal after 401, and nothing leaves before every
// budget and every Retry-After that concerns it lets it go (Admission; reliability I9). Reads wait for that within
// their deadline, writes for `wait_inside_max` at most (what they send was read before); who cannot go in time is
// `throttled` with what is left. An answer of any status is a result; no answer is an error.
class ArmChannel {
  public:
    ArmChannel(http::Transport& transport, TokenProvider& tokens, Clock& clock, Log& log, Metrics& metrics,
               ArmOptions options);

    Task<http::Response> read(ArmCall call);   // retried inside the deadline
    Task<http::Response> write(ArmCall call);  // sent once (after a 401, which changed nothing, once more)
    const ArmOptions& options() const { return options_; }

  private:
    struct Limits {
        std::chrono::nanoseconds deadline{0}, give_up{0};  // monotonic: of the call, of waiting for a turn
    };
    Task<http::Response> send_with_token(ArmCall call, Limits limits);
    Task<http::Response> send_once(ArmCall call, std::string token, Limits limits);
    http::Request request_of(const ArmCall& call, const std::string& token) const;
    std::optional<std::chrono::nanoseconds> pause_before_retry(const Result<http::Response>& answer, int attempt,
                                                               std::chrono::nanoseconds deadline) const;
    void learn(const ArmCall& call, Admission::Permit& permit, const http::Response& answer);
    void note(const ArmCall& call, const Result<http::Response>& answer, std::chrono::nanoseconds took);

    http::Transport& transport_;
    TokenProvider& tokens_;
    Clock& clock_;
    Log& log_;
    ArmMetrics metrics_;
    ArmOptions options_;
    Admission admission_;
};

}  // namespace galleryd::azure
