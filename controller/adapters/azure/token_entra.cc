#include "controller/adapters/azure/token_entra.h"

#include "controller/adapters/azure/credential_jwt.h"
#include "controller/core/resource_id.h"
#include "controller/core/time.h"

namespace galleryd::azure {
namespace {

constexpr std::size_t certificate_bytes_max = 256UL * 1024;
constexpr std::size_t federated_bytes_max = 32UL * 1024;
constexpr std::size_t answer_bytes_max = 256UL * 1024;

Error about(std::string_view code, ErrorKind kind, const std::string& message) {
    Error error = denied_sign_in(std::string(code), message);
    error.kind = kind;
    return error;
}

std::string assertion_form(const Secret& assertion) {
    return "client_assertion_type=" + form_encode("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") +
           "&client_assertion=" + form_encode(assertion.reveal());
}

std::string day_of(TimePoint time) { return format_rfc3339(std::chrono::floor<std::chrono::seconds>(time)); }

}  // namespace

std::string EntraToken::principal() const { return fold_case(options_.tenant_id + "/" + options_.client_id); }

Task<FetchedToken> EntraToken::fetch() {
    if (!is_plain_name(options_.tenant_id))
        co_return std::unexpected(denied_sign_in("GD3014", "the tenant is not a valid name. Check AZURE_TENANT_ID"));
    const std::string path = "/" + options_.tenant_id + "/oauth2/v2.0/token";
    const auto shown = proof(http::to_string(options_.login) + path);
    if (!shown) co_return std::unexpected(shown.error());
    http::Request request{
        .method = "POST",
        .target = path,
        .headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}},
        .body = "grant_type=client_credentials&client_id=" + form_encode(options_.client_id) + "&" + shown->reveal() +
                "&scope=" + form_encode(options_.scope)};
    const http::CallLimits limits{.deadline = options_.deadline, .body_bytes_max = answer_bytes_max};
    auto answer = co_await transport_.send(options_.login, std::move(request), limits);
    if (!answer) {
        Error error = std::move(answer.error());
        error.message = "sign-in to Azure: " + error.message;
        co_return std::unexpected(std::move(error));
    }
    auto fetched = read_token_answer(*answer, sign_in(), clock_.now());
    Secret::wipe(answer->body);
    if (!fetched && fetched.error().code == "GD3019") fetched.error().message += time_hint();
    co_return fetched;
}

Result<Secret> ClientSecretToken::proof(const std::string&) {
    return Secret("client_secret=" + form_encode(secret_.reveal()));
}

Result<ClientCertificate> ClientCertificateToken::load() const {
    const auto content = file_.read(FileToRead{.path = file_.path, .bytes_max = certificate_bytes_max});
    if (!content) {
        return std::unexpected(
            denied_sign_in("GD3025", "the client certificate cannot be read: " + content.error().message +
                                         ". Check AZURE_CLIENT_CERTIFICATE_PATH"));
    }
    auto certificate = ClientCertificate::parse(*content, file_.password);
    if (certificate) return certificate;
    return std::unexpected(
        denied_sign_in("GD3025", "the client certificate " + file_.path + " " + certificate.error().message));
}

Status ClientCertificateToken::check() const {
    const auto certificate = load();
    if (!certificate) return std::unexpected(certificate.error());
    return {};
}

Result<Secret> ClientCertificateToken::proof(const std::string& audience) {
    const auto certificate = load();
    if (!certificate) return std::unexpected(certificate.error());
    const TimePoint now = clock_.now();
    if (now >= certificate->not_after()) {
        return std::unexpected(
            denied_sign_in("GD3025", "the client certificate ended on " + day_of(certificate->not_after()) + " (" +
                                         file_.path + "). Renew it and register the new one with the application"));
    }
    if (now < certificate->not_before()) {
        return std::unexpected(
            denied_sign_in("GD3025", "the client certificate begins on " + day_of(certificate->not_before()) + " (" +
                                         file_.path + "). Use one that is valid now, or set this machine's clock"));
    }
    const AssertionClaims claims{.client_id = options().client_id, .audience = audience};
    const auto assertion = make_client_assertion(*certificate, claims, now);
    if (!assertion)
        return std::unexpected(
            denied_sign_in("GD3025", "the client certificate " + file_.path + " " + assertion.error().message));
    return Secret(assertion_form(*assertion));
}

std::string WorkloadIdentityToken::time_hint() const {
    if (last_.empty() || clock_.now() < last_until_) return {};
    return "; the token in " + file_.path + " ended at " + day_of(last_until_);
}

Result<Secret> WorkloadIdentityToken::damaged(const std::string& what) {
    if (!last_.empty() && clock_.now() < last_until_) return Secret(assertion_form(last_));
    return std::unexpected(about("GD3026", ErrorKind::transient,
                                 "the workload's token file " + file_.path + " " + what + "; it is read again soon"));
}

Result<Secret> WorkloadIdentityToken::proof(const std::string&) {
    const auto content = file_.read(FileToRead{.path = file_.path, .bytes_max = federated_bytes_max});
    if (!content) {
        return std::unexpected(about("GD3026", ErrorKind::denied,
                                     "the workload's token cannot be read: " + content.error().message +
                                         ". Check AZURE_FEDERATED_TOKEN_FILE and the volume that holds it"));
    }
    std::string token = content->reveal();
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
    if (token.empty()) return damaged("is empty");
    Secret assertion(std::move(token));
    if (!is_whole_jwt(assertion.reveal()))
        return damaged("holds no whole token (it may be in the middle of being written)");
    const auto times = find_jwt_times(assertion.reveal());
    const bool has_end = times && times->expires;
    last_ = has_end ? assertion : Secret{};
    last_until_ = has_end ? *times->expires : TimePoint{};
    return Secret(assertion_form(assertion));
}

}  // namespace galleryd::azure
