#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "controller/adapters/azure/arm_metrics.h"
#include "controller/adapters/azure/slots.h"
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
    std::chrono::seconds wait_inside_max{10};    // a longer Retry-After goes back to the caller
    std::size_t operation_url_bytes_max = 8UL * 1024;
    std::string user_agent = "galleryd/" GALLERYD_VERSION;
};

struct ArmCall {
    std::string method, target;  // target byte for byte
    std::string body;
    std::string subscription, resource_type;  // for budgets and metrics
    std::string what;                         // "read gallery /subscriptions/…", for messages
};

// One exchange with ARM at a time and its manners: token and one renewal after 401, at most `in_flight_max` requests of
// a subscription on the wire, and none before a Retry-After has elapsed (reliability I9): reads wait for it when it is
// short, everything else is `throttled` with what is left. An answer of any status is a result; no answer is an error.
class ArmChannel {
  public:
    ArmChannel(http::Transport& transport, TokenProvider& tokens, Clock& clock, Log& log, Metrics& metrics,
               ArmOptions options);

    Task<http::Response> read(ArmCall call);   // retried inside the deadline
    Task<http::Response> write(ArmCall call);  // sent once (after a 401, which changed nothing, once more)
    const ArmOptions& options() const { return options_; }

  private:
    struct Limits {
        std::chrono::nanoseconds deadline{0};  // monotonic
        bool may_wait = false;
    };
    struct Subscription {
        explicit Subscription(const ArmOptions& options) : slots(options.in_flight_max, options.waiting_max) {}
        Slots slots;
        std::chrono::nanoseconds held_until{0};  // monotonic; 0 = open
    };

    Task<http::Response> send_with_token(ArmCall call, Limits limits);
    Task<http::Response> send_once(ArmCall call, std::string token, Limits limits);
    Task<Slots::Permit> enter(std::string subscription, std::string what, Limits limits);
    Status pass_gate(Subscription& state, const std::string& subscription, const std::string& what);
    std::optional<std::chrono::nanoseconds> pause_before_retry(const Result<http::Response>& answer, int attempt,
                                                               std::chrono::nanoseconds deadline) const;
    void close_gate(const ArmCall& call, const http::Response& answer);
    void note(const ArmCall& call, const Result<http::Response>& answer, std::chrono::nanoseconds took);
    Subscription& state_of(const std::string& subscription);

    http::Transport& transport_;
    TokenProvider& tokens_;
    Clock& clock_;
    Log& log_;
    ArmMetrics metrics_;
    ArmOptions options_;
    std::map<std::string, std::unique_ptr<Subscription>> subscriptions_;  // by lower-case id; they stay
};

}  // namespace galleryd::azure
