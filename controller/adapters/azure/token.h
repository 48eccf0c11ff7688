#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "controller/adapters/azure/secret.h"
#include "controller/adapters/azure/slots.h"
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
    virtual std::string_view name() const = 0;  // label `credential` of the metrics: "client-secret", "none", …
    // Who signs in, as far as it is known here ("tenant/client", lower case; "" not known): ARM counts requests for
    // each principal. May change with each token.
    virtual std::string principal() const { return {}; }
    // For messages of what Azure refuses: "the credential images/team-a"; "" for the daemon's own.
    virtual std::string acting_as() const { return {}; }
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
// the end, at half its life when that is two hours or more (managed identities get a day: an identity endpoint that is
// down for an hour is then never noticed); a token that still has 30 s is used on while refreshing fails or takes its
// time; after a failure nobody asks again for 10 s (or what the sign-in service asked for), so that a wrong secret does
// not lock an account. A token that this machine's clock says is not valid yet is used and logged with GD3019.
class CachedToken : public TokenProvider {
  public:
    CachedToken(Clock& clock, Log& log, Metrics& metrics) : clock_(clock), log_(log), metrics_(metrics) {}
    Task<std::string> token() override;
    void invalidate(std::string refused) override;

  protected:
    virtual Task<FetchedToken> fetch() = 0;
    bool is_token_usable() const;  // with half a minute left: a fetch need not insist
    Clock& clock_;
    Log& log_;

  private:
    Task<std::string> refresh();
    void keep(FetchedToken fetched);
    void remember_failure(const Error& error);

    Metrics& metrics_;
    Slots one_at_a_time_{1, 10'000};
    Secret token_;
    std::chrono::nanoseconds refresh_at_{0}, expires_at_{0};  // monotonic
    std::optional<Error> failure_;
    bool is_refreshing_ = false;
    std::chrono::nanoseconds ask_again_at_{0};
};

}  // namespace galleryd::azure
