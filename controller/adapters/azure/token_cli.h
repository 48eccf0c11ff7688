#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "controller/adapters/azure/token.h"
#include "controller/adapters/process/child.h"

namespace galleryd::azure {

struct AzureCliOptions {
    std::string program;                   // absolute path of az
    std::string scope;                     // https://management.azure.com/.default
    std::string tenant_id;                 // "" = the CLI's own
    std::vector<std::string> environment;  // what az needs: PATH, HOME, proxies; never our secrets
    std::chrono::milliseconds deadline{30'000};
};

// The person's (or pipeline's) sign-in of the Azure CLI: `az account get-access-token`. What az prints is never shown:
// on success it is a token, and errors hold names.
class AzureCliToken : public CachedToken {
  public:
    AzureCliToken(std::unique_ptr<process::Runner> runner, Clock& clock, Log& log, Metrics& metrics,
                  AzureCliOptions options)
        : CachedToken(clock, log, metrics), runner_(std::move(runner)), options_(std::move(options)) {}
    std::string_view name() const override { return "azure-cli"; }
    // After a fetch: az says that nobody has signed in.
    bool is_signed_out() const { return is_signed_out_; }

  protected:
    Task<FetchedToken> fetch() override;

  private:
    Result<FetchedToken> read(const process::Ended& ended);
    Error describe_failure(const process::Ended& ended);

    std::unique_ptr<process::Runner> runner_;
    AzureCliOptions options_;
    bool is_signed_out_ = false;
};

}  // namespace galleryd::azure
