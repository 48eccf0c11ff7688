#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "controller/adapters/azure/credential_certificate.h"
#include "controller/adapters/azure/credential_file.h"
#include "controller/adapters/azure/token.h"
#include "controller/adapters/azure/token_answer.h"
#include "controller/adapters/http/transport.h"

// Applications that sign in at Microsoft Entra: POST {login}/{tenant}/oauth2/v2.0/token (azure-facts §13, 1 to 3).
namespace galleryd::azure {

struct EntraOptions {
    http::Origin login;  // https://login.microsoftonline.com
    std::string tenant_id, client_id;
    std::string scope;  // https://management.azure.com/.default
    std::chrono::milliseconds deadline{30'000};
    std::string label{};  // name() of the provider; "" = that of its kind ("client-secret")
};

// The exchange; what proves who we are comes from the derived class, anew for each request. Neither the proof nor the
// service's description of an error is ever logged or put into an error.
class EntraToken : public CachedToken {
  public:
    std::string_view name() const final { return options_.label.empty() ? kind() : std::string_view(options_.label); }
    std::string principal() const final;

  protected:
    EntraToken(http::Transport& transport, Clock& clock, Log& log, Metrics& metrics, EntraOptions options)
        : CachedToken(clock, log, metrics), transport_(transport), options_(std::move(options)) {}
    virtual std::string_view kind() const = 0;
    // Form parameters, encoded: "client_secret=…".
    virtual Result<Secret> proof(const std::string& audience) = 0;
    virtual SignInKind sign_in() const = 0;
    virtual std::string time_hint() const { return {}; }  // after GD3019: what is known here about the time, "; …"
    Task<FetchedToken> fetch() override;
    const EntraOptions& options() const { return options_; }

  private:
    http::Transport& transport_;
    EntraOptions options_;
};

class ClientSecretToken : public EntraToken {
  public:
    ClientSecretToken(http::Transport& transport, Clock& clock, Log& log, Metrics& metrics, EntraOptions options,
                      Secret secret)
        : EntraToken(transport, clock, log, metrics, std::move(options)), secret_(std::move(secret)) {}

  protected:
    Result<Secret> proof(const std::string& audience) override;
    std::string_view kind() const override { return "client-secret"; }
    SignInKind sign_in() const override { return SignInKind::client_secret; }

  private:
    Secret secret_;
};

struct CertificateFile {
    std::string path;  // PEM or PFX
    Secret password;   // "" = none
    ReadFile read;
};

// The file is read for each request, so that a renewed certificate is taken up without a restart. A certificate that is
// not valid by this machine's clock is reported (GD3025) without asking the service.
class ClientCertificateToken : public EntraToken {
  public:
    ClientCertificateToken(http::Transport& transport, Clock& clock, Log& log, Metrics& metrics, EntraOptions options,
                           CertificateFile file)
        : EntraToken(transport, clock, log, metrics, std::move(options)), file_(std::move(file)) {}
    Status check() const;  // the file, without any request: for the start

  protected:
    Result<Secret> proof(const std::string& audience) override;
    std::string_view kind() const override { return "client-certificate"; }
    SignInKind sign_in() const override { return SignInKind::certificate; }

  private:
    Result<ClientCertificate> load() const;
    CertificateFile file_;
};

struct FederatedTokenFile {
    std::string path;  // AZURE_FEDERATED_TOKEN_FILE
    ReadFile read;
};

// The file rotates (Kubernetes writes it anew about every hour) and is read for each request. While it is empty or
// half-written, the last whole content serves as long as its own `exp` lies ahead; without one: `transient` GD3026, and
// nothing is sent.
class WorkloadIdentityToken : public EntraToken {
  public:
    WorkloadIdentityToken(http::Transport& transport, Clock& clock, Log& log, Metrics& metrics, EntraOptions options,
                          FederatedTokenFile file)
        : EntraToken(transport, clock, log, metrics, std::move(options)), file_(std::move(file)) {}

  protected:
    Result<Secret> proof(const std::string& audience) override;
    std::string_view kind() const override { return "workload-identity"; }
    SignInKind sign_in() const override { return SignInKind::federated; }
    std::string time_hint() const override;

  private:
    Result<Secret> damaged(const std::string& what);
    FederatedTokenFile file_;
    Secret last_;  // whole and with a time of its own, else empty
    TimePoint last_until_{};
};

}  // namespace galleryd::azure
