#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "controller/adapters/azure/secret.h"
#include "controller/adapters/azure/slots.h"
#include "controller/adapters/http/transport.h"
#include "controller/ports/clock.h"
#include "controller/ports/log.h"
#include "controller/ports/metrics.h"
#include "controller/ports/task.h"

// Access tokens for ARM (azure-facts §13).
namespace galleryd::azure {

class TokenProvider {
  public:
    virtual ~TokenProvider() = default;
    // A token with some life left, or "" when none is needed (then no Authorization header is sent). Errors: `denied`
    // AuthenticationFailed with a GD301n code that says what to change; `transient` or `throttled` when the sign-in
    // service is unwell.
    virtual Task<std::string> token() = 0;
    virtual void invalidate(std::string refused) = 0;  // ARM refused that token: forget it (a newer one stays)
    virtual std::string_view name() const = 0;         // label `credential` of the metrics: "client-secret", "none"
};

class NoToken : public TokenProvider {
  public:
    Task<std::string> token() override;
    void invalidate(std::string) override {}
    std::string_view name() const override { return "none"; }
};

struct FetchedToken {
    Secret token;
    std::chrono::seconds life{0};
};

// The part that every real credential shares: one request at a time, refreshed min(5 min, a third of its life) before
// the end; a token that still has 30 s is used on while refreshing fails; after a failure nobody asks again for 10 s
// (or what the sign-in service asked for), so that a wrong secret does not lock an account.
class CachedToken : public TokenProvider {
  public:
    CachedToken(Clock& clock, Log& log, Metrics& metrics) : clock_(clock), log_(log), metrics_(metrics) {}
    Task<std::string> token() override;
    void invalidate(std::string refused) override;

  protected:
    virtual Task<FetchedToken> fetch() = 0;
    Clock& clock_;
    Log& log_;

  private:
    void keep(FetchedToken fetched);
    void remember_failure(const Error& error);

    Metrics& metrics_;
    Slots one_at_a_time_{1, 10'000};
    Secret token_;
    std::chrono::nanoseconds refresh_at_{0}, expires_at_{0};  // monotonic
    std::optional<Error> failure_;
    std::chrono::nanoseconds ask_again_at_{0};
};

struct ClientSecretOptions {
    http::Origin login;  // https://login.microsoftonline.com
    std::string tenant_id, client_id;
    Secret client_secret;
    std::string scope;  // https://management.azure.com/.default
    std::chrono::milliseconds deadline{30'000};
};

// POST {login}/{tenant}/oauth2/v2.0/token with a client secret. Secret and description of errors are never logged.
class ClientSecretToken : public CachedToken {
  public:
    ClientSecretToken(http::Transport& transport, Clock& clock, Log& log, Metrics& metrics, ClientSecretOptions options)
        : CachedToken(clock, log, metrics), transport_(transport), options_(std::move(options)) {}
    std::string_view name() const override { return "client-secret"; }

  protected:
    Task<FetchedToken> fetch() override;

  private:
    http::Transport& transport_;
    ClientSecretOptions options_;
};

// For credentials that speak to the same endpoint: the answer to a token, or to an error in our words (azure-facts
// §13).
Result<FetchedToken> read_token_answer(const http::Response& answer, TimePoint now);
std::string form_encode(
    std::string_view text);  // application/x-www-form-urlencoded, everything but unreserved characters escaped

}  // namespace galleryd::azure
