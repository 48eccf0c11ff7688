#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "controller/adapters/azure/credential_file.h"
#include "controller/adapters/azure/token.h"
#include "controller/adapters/http/transport.h"

// The identity that Azure gives to a machine (azure-facts §13, 4).
namespace galleryd::azure {

// How the identity is asked for. The last two come with environment variables of their own.
enum class IdentityService : std::uint8_t {
    instance_metadata,  // virtual machines, scale sets, AKS: http://169.254.169.254
    app_service,        // App Service, Functions, Container Apps: IDENTITY_ENDPOINT and IDENTITY_HEADER
    arc,                // Azure Arc: IDENTITY_ENDPOINT and IMDS_ENDPOINT; a challenge names a file only root may read
};

inline constexpr std::string_view instance_metadata_endpoint = "http://169.254.169.254/metadata/identity/oauth2/token";

struct ManagedIdentityOptions {
    IdentityService service = IdentityService::instance_metadata;
    std::string endpoint{instance_metadata_endpoint};  // URL without query
    Secret header{};                                   // IDENTITY_HEADER
    std::string client_id{};                           // of a user-assigned identity; "" = the system-assigned one
    std::string resource{};                            // https://management.azure.com/
    ReadFile read_file{};                              // arc
    std::chrono::milliseconds deadline{10'000};        // of one request
    std::chrono::milliseconds probe_deadline{2'000};
};

// Plain http and a fixed address of this machine or link (127.0.0.0/8, ::1, localhost, 169.254.0.0/16): identity
// endpoints are nowhere else, and whoever can set a variable must not lead us to another host. `denied` GD3027.
Result<http::Url> parse_identity_endpoint(const std::string& url);

class ManagedIdentityToken : public CachedToken {
  public:
    // Errors: GD3027 for an endpoint that is refused, or arc with a client id (Arc has one identity only).
    static Result<std::unique_ptr<ManagedIdentityToken>> make(http::Transport& transport, Clock& clock, Log& log,
                                                              Metrics& metrics, ManagedIdentityOptions options);
    std::string_view name() const override { return "managed-identity"; }

    // "" when the instance metadata service answers here as Azure's does, else why it does not (for the chain).
    Task<std::string> find_obstacle();
    bool is_user_assigned() const { return !options_.client_id.empty(); }
    // After a fetch: the service is there and says that this machine has no (such) identity.
    bool has_no_identity() const { return has_no_identity_; }

  protected:
    // 404, 410, 429 and 5xx are repeated after 2, 6, 14 and 30 s (azure-facts §13), or what Retry-After asks for;
    // while the old token is still good one attempt is enough. Every other refusal is final.
    Task<FetchedToken> fetch() override;

  private:
    ManagedIdentityToken(http::Transport& transport, Clock& clock, Log& log, Metrics& metrics,
                         ManagedIdentityOptions options, http::Url endpoint)
        : CachedToken(clock, log, metrics),
          transport_(transport),
          options_(std::move(options)),
          endpoint_(std::move(endpoint)) {}
    http::Request request() const;
    Task<http::Response> exchange(http::Request request, std::chrono::milliseconds deadline);
    Task<http::Response> ask();  // with Arc's challenge
    Result<std::string> answer_challenge(const http::Response& challenge) const;
    Result<FetchedToken> read(http::Response& answer);

    http::Transport& transport_;
    ManagedIdentityOptions options_;
    http::Url endpoint_;
    bool has_no_identity_ = false;
};

// The path that Arc's challenge names: only a *.key file directly in /var/opt/azcmagent/tokens, so that the endpoint
// cannot have any other file sent to it. GD3027.
Result<std::string> find_challenge_file(const std::string& www_authenticate);

}  // namespace galleryd::azure
