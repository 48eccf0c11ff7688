#pragma once
#include <memory>
#include <string>
#include <vector>

#include "controller/adapters/azure/token.h"
#include "controller/adapters/azure/token_cli.h"
#include "controller/adapters/azure/token_managed_identity.h"

namespace galleryd::azure {

struct SkippedCredential {
    std::string name;    // "environment"
    std::string reason;  // "AZURE_CLIENT_SECRET and AZURE_CLIENT_CERTIFICATE_PATH are not set"
};

struct ChainMembers {
    std::vector<SkippedCredential> skipped;                    // ruled out already, in the order of the chain
    std::unique_ptr<ManagedIdentityToken> managed_identity{};  // asked first; null: ruled out
    std::unique_ptr<AzureCliToken> azure_cli{};                // asked last; null: ruled out (its reason in `no_cli`)
    std::string no_cli{};
};

// The end of the chain `default` (contract §2): what only asking can tell. The first member that is there is taken for
// the life of the process, and from then on its failures are final; as long as none is there, each call looks again, at
// most once in 10 s. Error of "none works": `denied` GD5005 with each member's reason and what to set.
class DefaultToken : public TokenProvider {
  public:
    DefaultToken(Clock& clock, Log& log, ChainMembers members)
        : clock_(clock), log_(log), members_(std::move(members)) {}
    Task<std::string> token() override;
    void invalidate(std::string refused) override;
    std::string_view name() const override { return chosen_ == nullptr ? "default" : chosen_->name(); }

  private:
    Task<std::string> choose();
    void take(TokenProvider& member, const std::vector<SkippedCredential>& skipped);

    Clock& clock_;
    Log& log_;
    ChainMembers members_;
    TokenProvider* chosen_ = nullptr;
    Slots one_at_a_time_{1, 10'000};
    std::optional<Error> failure_;
    std::chrono::nanoseconds look_again_at_{0};
};

std::string to_text(const std::vector<SkippedCredential>& skipped);  // "environment: …; azure-cli: …"

}  // namespace galleryd::azure
