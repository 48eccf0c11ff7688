#include "controller/adapters/azure/token.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "controller/adapters/azure/credential_jwt.h"

namespace galleryd::azure {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds refresh_ahead_max = std::chrono::minutes{5};
constexpr seconds long_life_min = std::chrono::hours{2};
constexpr seconds usable_rest_min{30};
constexpr seconds failure_pause{10};
constexpr seconds clock_difference_max = std::chrono::minutes{5};  // what Microsoft Entra and ARM tolerate as well

nanoseconds refresh_ahead(seconds life) {
    if (life >= long_life_min) return nanoseconds{life} / 2;
    return std::min<nanoseconds>(refresh_ahead_max, nanoseconds{life} / 3);
}

// True until the end of the scope.
class Raised {
  public:
    explicit Raised(bool& flag) : flag_(flag) { flag_ = true; }
    ~Raised() { flag_ = false; }
    Raised(const Raised&) = delete;
    Raised& operator=(const Raised&) = delete;

  private:
    bool& flag_;
};

}  // namespace

void Secret::wipe(std::string& text) { OPENSSL_cleanse(text.data(), text.size()); }

Task<std::string> NoToken::token() { co_return std::string{}; }

bool CachedToken::is_token_usable() const {
    return !token_.empty() && clock_.monotonic() + usable_rest_min < expires_at_;
}

Task<std::string> CachedToken::token() {
    if (!token_.empty() && clock_.monotonic() < refresh_at_) co_return token_.reveal();
    if (is_refreshing_ && is_token_usable()) co_return token_.reveal();  // one asks, the others need not wait for it
    const auto turn = co_await one_at_a_time_.acquire();
    if (!turn) co_return std::unexpected(turn.error());
    if (!token_.empty() && clock_.monotonic() < refresh_at_) co_return token_.reveal();  // fetched while we waited
    if (failure_ && clock_.monotonic() < ask_again_at_) {
        if (is_token_usable()) co_return token_.reveal();
        co_return std::unexpected(*failure_);
    }
    co_return co_await refresh();
}

Task<std::string> CachedToken::refresh() {
    const Raised refreshing(is_refreshing_);
    auto fetched = co_await fetch();
    if (fetched) {
        keep(std::move(*fetched));
        co_return token_.reveal();
    }
    remember_failure(fetched.error());
    if (is_token_usable()) co_return token_.reveal();
    co_return std::unexpected(std::move(fetched.error()));
}

void CachedToken::keep(FetchedToken fetched) {
    const nanoseconds now = clock_.monotonic();
    token_ = std::move(fetched.token);
    expires_at_ = now + fetched.life;
    refresh_at_ = expires_at_ - refresh_ahead(fetched.life);
    failure_.reset();
    const auto expiry = std::chrono::duration_cast<seconds>(clock_.now().time_since_epoch()) + fetched.life;
    metrics_.set("galleryd_arm_token_expiry_timestamp_seconds", {{"credential", std::string(name())}},
                 static_cast<double>(expiry.count()));
    const auto times = find_jwt_times(token_.reveal());
    if (!times || !times->not_before) return;
    const auto early = std::chrono::ceil<seconds>(*times->not_before - clock_.now());
    if (early <= clock_difference_max) return;
    log_.warning("azure token is not valid yet by this machine's clock, which is behind",
                 {{"credential", std::string(name())}, {"code", "GD3019"}, {"seconds", std::to_string(early.count())}});
}

void CachedToken::remember_failure(const Error& error) {
    failure_ = error;
    ask_again_at_ = clock_.monotonic() + error.retry_after.value_or(failure_pause);
    metrics_.add("galleryd_arm_auth_failures_total", {{"credential", std::string(name())}});
    log_.warning("azure sign-in failed",
                 {{"credential", std::string(name())}, {"code", error.code}, {"reason", error.message}});
}

void CachedToken::invalidate(std::string refused) {
    if (refused == token_.reveal()) token_ = Secret{};
    Secret::wipe(refused);
}

}  // namespace galleryd::azure
