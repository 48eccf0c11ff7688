#include "controller/program/credentials.h"

#include <array>
#include <cstdlib>

#include "controller/adapters/azure/token_chain.h"
#include "controller/adapters/azure/token_entra.h"
#include "controller/adapters/process/child.h"
#include "controller/program/credentials_environment.h"
#include "controller/program/credentials_file.h"
#include "controller/program/messages.h"
#include "controller/program/suggest.h"

namespace galleryd {

std::string environment_value(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string missing_of(const std::vector<const char*>& names) {
    std::string missing;
    for (const char* const name : names) {
        if (environment_value(name).empty()) missing += (missing.empty() ? "" : " ") + std::string(name);
    }
    return missing;
}

std::vector<std::string> azure_cli_environment() {
    constexpr std::array<const char*, 18> passed{"PATH",          "HOME",
                                                 "USER",          "LOGNAME",
                                                 "LANG",          "LC_ALL",
                                                 "HTTPS_PROXY",   "HTTP_PROXY",
                                                 "NO_PROXY",      "https_proxy",
                                                 "http_proxy",    "no_proxy",
                                                 "ALL_PROXY",     "all_proxy",
                                                 "TMPDIR",        "REQUESTS_CA_BUNDLE",
                                                 "SSL_CERT_FILE", "AZURE_CONFIG_DIR"};
    std::vector<std::string> variables;
    for (const char* const name : passed) {
        const std::string value = environment_value(name);
        if (!value.empty()) variables.push_back(std::string(name) + "=" + value);
    }
    return variables;
}

namespace {

using Credential = std::unique_ptr<azure::TokenProvider>;
using azure::IdentityService;

// One function for each way to sign in; each returns a credential or what is missing for it.
class CredentialMaker {
  public:
    CredentialMaker(const Cloud& cloud, http::Transport& transport, Clock& clock, Log& log, Metrics& metrics)
        : cloud_(cloud), transport_(transport), clock_(clock), log_(log), metrics_(metrics) {}

    Result<Credential> client_secret();
    Result<Credential> client_certificate();
    Result<Credential> workload_identity();
    Result<Credential> managed_identity();
    Result<Credential> azure_cli();
    Result<Credential> environment();
    Result<Credential> first_configured();

  private:
    struct IdentityPlace {
        IdentityService service = IdentityService::instance_metadata;
        std::string endpoint;
    };
    Result<azure::EntraOptions> entra_options(const std::string& credential, const char* proof);
    static Result<IdentityPlace> identity_place();
    Result<std::unique_ptr<azure::ManagedIdentityToken>> make_managed_identity(const IdentityPlace& place);
    std::unique_ptr<azure::AzureCliToken> make_azure_cli(const std::string& program);
    Result<Credential> chosen(Result<Credential> made, const std::vector<azure::SkippedCredential>& skipped);

    const Cloud& cloud_;
    http::Transport& transport_;
    Clock& clock_;
    Log& log_;
    Metrics& metrics_;
};

bool is_set(const char* name) { return !environment_value(name).empty(); }

Result<azure::EntraOptions> CredentialMaker::entra_options(const std::string& credential, const char* proof) {
    const std::string missing = missing_of({"AZURE_TENANT_ID", "AZURE_CLIENT_ID", proof});
    if (!missing.empty()) {
        return wrong_usage("GD5005", "no credential for Azure was found: " + credential +
                                         ": missing in the environment: " + missing +
                                         ". Set them, or use --credential none with the simulator.");
    }
    const auto authority = find_authority();
    if (!authority) return std::unexpected(authority.error());
    azure::EntraOptions options{.login = authority->value_or(cloud_.login),
                                .tenant_id = environment_value("AZURE_TENANT_ID"),
                                .client_id = environment_value("AZURE_CLIENT_ID"),
                                .scope = cloud_.token_scope};
    if (const Status fits = check_authority(cloud_, options.login); !fits) return std::unexpected(fits.error());
    return options;
}

Result<Credential> CredentialMaker::client_secret() {
    auto options = entra_options("client-secret", "AZURE_CLIENT_SECRET");
    if (!options) return std::unexpected(options.error());
    return std::make_unique<azure::ClientSecretToken>(transport_, clock_, log_, metrics_, std::move(*options),
                                                      azure::Secret(environment_value("AZURE_CLIENT_SECRET")));
}

Result<Credential> CredentialMaker::client_certificate() {
    auto options = entra_options("client-certificate", "AZURE_CLIENT_CERTIFICATE_PATH");
    if (!options) return std::unexpected(options.error());
    azure::CertificateFile file{.path = environment_value("AZURE_CLIENT_CERTIFICATE_PATH"),
                                .password = azure::Secret(environment_value("AZURE_CLIENT_CERTIFICATE_PASSWORD")),
                                .read = read_credential_file};
    auto made = std::make_unique<azure::ClientCertificateToken>(transport_, clock_, log_, metrics_, std::move(*options),
                                                                std::move(file));
    if (const Status usable = made->check(); !usable) return std::unexpected(usable.error());
    return made;
}

Result<Credential> CredentialMaker::workload_identity() {
    auto options = entra_options("workload-identity", "AZURE_FEDERATED_TOKEN_FILE");
    if (!options) return std::unexpected(options.error());
    azure::FederatedTokenFile file{.path = environment_value("AZURE_FEDERATED_TOKEN_FILE"),
                                   .read = read_credential_file};
    return std::make_unique<azure::WorkloadIdentityToken>(transport_, clock_, log_, metrics_, std::move(*options),
                                                          std::move(file));
}

Result<CredentialMaker::IdentityPlace> CredentialMaker::identity_place() {
    const std::string endpoint = environment_value("IDENTITY_ENDPOINT");
    if (!endpoint.empty() && is_set("IDENTITY_HEADER")) return IdentityPlace{IdentityService::app_service, endpoint};
    if (!endpoint.empty() && is_set("IMDS_ENDPOINT")) return IdentityPlace{IdentityService::arc, endpoint};
    if (!endpoint.empty()) {
        return wrong_usage("GD5005",
                           "IDENTITY_ENDPOINT is set, but neither IDENTITY_HEADER (App Service) nor IMDS_ENDPOINT "
                           "(Azure Arc). Set what belongs to it, or unset it.");
    }
    std::string host = environment_value("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    if (host.empty()) return IdentityPlace{.endpoint = std::string(azure::instance_metadata_endpoint)};
    if (host.ends_with('/')) host.pop_back();
    return IdentityPlace{.endpoint = host + "/metadata/identity/oauth2/token"};
}

Result<std::unique_ptr<azure::ManagedIdentityToken>> CredentialMaker::make_managed_identity(
    const IdentityPlace& place) {
    azure::ManagedIdentityOptions options{.service = place.service,
                                          .endpoint = place.endpoint,
                                          .header = azure::Secret(environment_value("IDENTITY_HEADER")),
                                          .client_id = environment_value("AZURE_CLIENT_ID"),
                                          .resource = http::to_string(cloud_.arm) + "/",
                                          .read_file = read_credential_file};
    return azure::ManagedIdentityToken::make(transport_, clock_, log_, metrics_, std::move(options));
}

Result<Credential> CredentialMaker::managed_identity() {
    const auto place = identity_place();
    if (!place) return std::unexpected(place.error());
    auto made = make_managed_identity(*place);
    if (!made) return std::unexpected(made.error());
    return std::move(*made);
}

std::unique_ptr<azure::AzureCliToken> CredentialMaker::make_azure_cli(const std::string& program) {
    azure::AzureCliOptions options{.program = program,
                                   .scope = cloud_.token_scope,
                                   .tenant_id = environment_value("AZURE_TENANT_ID"),
                                   .environment = azure_cli_environment()};
    return std::make_unique<azure::AzureCliToken>(process::make_runner(clock_), clock_, log_, metrics_,
                                                  std::move(options));
}

Result<Credential> CredentialMaker::azure_cli() {
    const std::string program = process::find_program("az", environment_value("PATH"));
    if (program.empty())
        return wrong_usage("GD5005", "--credential azure-cli: there is no program az on PATH. Install the Azure CLI.");
    return make_azure_cli(program);
}

Result<Credential> CredentialMaker::environment() {
    if (is_set("AZURE_CLIENT_SECRET") || !is_set("AZURE_CLIENT_CERTIFICATE_PATH")) return client_secret();
    return client_certificate();
}

Result<Credential> CredentialMaker::chosen(Result<Credential> made,
                                           const std::vector<azure::SkippedCredential>& skipped) {
    if (made)
        log_.info("azure sign-in",
                  {{"credential", std::string((*made)->name())}, {"not_used", azure::to_text(skipped)}});
    return made;
}

Result<Credential> CredentialMaker::first_configured() {
    std::vector<azure::SkippedCredential> skipped;
    if (is_set("AZURE_CLIENT_SECRET") || is_set("AZURE_CLIENT_CERTIFICATE_PATH")) return chosen(environment(), skipped);
    skipped.push_back(
        {.name = "environment", .reason = "neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH is set"});
    if (is_set("AZURE_FEDERATED_TOKEN_FILE")) return chosen(workload_identity(), skipped);
    skipped.push_back({.name = "workload-identity", .reason = "AZURE_FEDERATED_TOKEN_FILE is not set"});
    const auto place = identity_place();
    if (!place) return std::unexpected(place.error());
    auto identity = make_managed_identity(*place);
    if (!identity) return std::unexpected(identity.error());
    if (place->service != IdentityService::instance_metadata) return chosen(std::move(*identity), skipped);
    azure::ChainMembers members{.skipped = std::move(skipped), .managed_identity = std::move(*identity)};
    const std::string program = process::find_program("az", environment_value("PATH"));
    if (program.empty()) members.no_cli = "there is no program az on PATH";
    else members.azure_cli = make_azure_cli(program);
    return std::make_unique<azure::DefaultToken>(clock_, log_, std::move(members));
}

}  // namespace

Result<Credential> make_credential(const std::string& credential, const Cloud& cloud, http::Transport& transport,
                                   Clock& clock, Log& log, Metrics& metrics) {
    if (credential == "none") return std::make_unique<azure::NoToken>();
    CredentialMaker maker(cloud, transport, clock, log, metrics);
    if (credential == "default") return maker.first_configured();
    if (credential == "environment") return maker.environment();
    if (credential == "client-secret") return maker.client_secret();
    if (credential == "client-certificate") return maker.client_certificate();
    if (credential == "workload-identity") return maker.workload_identity();
    if (credential == "managed-identity") return maker.managed_identity();
    if (credential == "azure-cli") return maker.azure_cli();
    const auto meant = nearest(credential, {"default", "environment", "client-secret", "client-certificate",
                                            "workload-identity", "managed-identity", "azure-cli", "none"});
    return wrong_usage("GD5025", "--credential " + credential + " is not known" +
                                     (meant ? "; did you mean " + *meant + "?" : ".") +
                                     " Write default, environment, client-secret, client-certificate, "
                                     "workload-identity, managed-identity, azure-cli or none.");
}

}  // namespace galleryd
