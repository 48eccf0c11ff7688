#include "controller/program/gallery_token.h"

#include <array>

#include "controller/adapters/azure/token_entra.h"
#include "controller/core/digest.h"
#include "controller/program/credentials_environment.h"

namespace galleryd {
namespace {

constexpr const char* tenant_key = "AZURE_TENANT_ID";
constexpr const char* client_key = "AZURE_CLIENT_ID";
constexpr const char* secret_key = "AZURE_CLIENT_SECRET";
constexpr const char* certificate_key = "AZURE_CLIENT_CERTIFICATE";
constexpr const char* password_key = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
constexpr const char* token_key = "AZURE_FEDERATED_TOKEN";

bool is_given(const CredentialValues& values, const std::string& key) {
    const auto found = values.find(key);
    return found != values.end() && !found->second.empty();
}

azure::Secret value_of(const CredentialValues& values, const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? azure::Secret() : found->second;
}

// What proves who signs in: the first of these that is there, as in the environment.
std::string proof_in(const CredentialValues& values) {
    for (const char* const key : {secret_key, certificate_key, token_key}) {
        if (is_given(values, key)) return key;
    }
    return {};
}

std::string missing_in(const CredentialValues& values) {
    std::string missing;
    const auto add = [&missing](const std::string& what) { missing += (missing.empty() ? "" : ", ") + what; };
    for (const char* const key : {tenant_key, client_key}) {
        if (!is_given(values, key)) add(key);
    }
    if (proof_in(values).empty()) add("one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE, AZURE_FEDERATED_TOKEN");
    return missing;
}

// A federated token is no part of it: it is read for each sign-in, and one that rotates makes no new credential.
std::string digest_of(const CredentialValues& values, const std::string& proof) {
    std::string text = proof;
    for (const char* const key : {tenant_key, client_key, secret_key, certificate_key, password_key})
        text += "\n" + sha256_hex(value_of(values, key).reveal());
    return sha256_hex(text);
}

}  // namespace

azure::ReadFile GalleryToken::reader_of(const std::string& key) const {
    return [&store = parts_.store, name = name_, key](const azure::FileToRead& file) -> Result<azure::Secret> {
        auto values = store.read(name);
        if (!values) return std::unexpected(values.error());
        const auto found = values->find(key);
        if (found == values->end())
            return fail(ErrorKind::denied, "AuthenticationFailed", file.path + ": there is no such file");
        return std::move(found->second);
    };
}

std::shared_ptr<azure::TokenProvider> GalleryToken::make(CredentialValues& values, http::Origin login) const {
    azure::EntraOptions options{.login = std::move(login),
                                .tenant_id = value_of(values, tenant_key).reveal(),
                                .client_id = value_of(values, client_key).reveal(),
                                .scope = cloud_.token_scope,
                                .label = name_};
    const std::string proof = proof_in(values);
    const std::string path = parts_.store.place_of(name_) + "/" + proof;
    if (proof == secret_key)
        return std::make_shared<azure::ClientSecretToken>(parts_.transport, parts_.clock, parts_.log, parts_.metrics,
                                                          std::move(options), value_of(values, secret_key));
    if (proof == certificate_key) {
        azure::CertificateFile file{
            .path = path, .password = value_of(values, password_key), .read = reader_of(certificate_key)};
        return std::make_shared<azure::ClientCertificateToken>(parts_.transport, parts_.clock, parts_.log,
                                                               parts_.metrics, std::move(options), std::move(file));
    }
    azure::FederatedTokenFile file{.path = path, .read = reader_of(token_key)};
    return std::make_shared<azure::WorkloadIdentityToken>(parts_.transport, parts_.clock, parts_.log, parts_.metrics,
                                                          std::move(options), std::move(file));
}

Status GalleryToken::take(CredentialValues values) {
    const std::string missing = missing_in(values);
    if (!missing.empty()) return unusable_credential(name_, parts_.store.place_of(name_) + " lacks " + missing);
    const std::string proof = proof_in(values), digest = digest_of(values, proof);
    if (current_ && digest == digest_) return {};
    auto login = find_login(cloud_);
    if (!login) return unusable_credential(name_, login.error().message);
    current_ = make(values, std::move(*login));
    ++changes_;
    digest_ = digest;
    proof_ = proof;
    parts_.log.info("credential of galleries read", {{"credential", name_}, {"by", proof_}});
    return {};
}

void GalleryToken::tell(const Error& error) {
    parts_.metrics.add("galleryd_arm_auth_failures_total", {{"credential", name_}});
    if (failure_ && failure_->message == error.message) return;
    parts_.log.warning("credential of galleries cannot be used",
                       {{"credential", name_}, {"code", error.code}, {"reason", error.message}});
}

// What is there now is in force: a Secret that was taken away is no longer used, whatever its last token still allows.
Status GalleryToken::look() {
    const auto now = parts_.clock.monotonic();
    if (!look_again_at_ || now >= *look_again_at_) {
        look_again_at_ = now + look_pause;
        auto values = parts_.store.read(name_);
        const Status taken = values ? take(std::move(*values)) : Status(std::unexpected(values.error()));
        if (!taken) tell(taken.error());
        if (failure_.has_value() != !taken.has_value()) ++changes_;
        failure_ = taken ? std::nullopt : std::optional(taken.error());
    }
    if (failure_) return std::unexpected(*failure_);
    return {};
}

std::uint64_t GalleryToken::changes() {
    static_cast<void>(look().has_value());
    return changes_;
}

Task<std::string> GalleryToken::token() {
    if (const Status usable = look(); !usable) co_return std::unexpected(usable.error());
    const std::shared_ptr<azure::TokenProvider> current = current_;
    auto token = co_await current->token();
    if (!token) {  // the sign-in's words name variables; here they are files, and whoever mends them has to find them
        std::string& text = token.error().message;
        const std::string place = parts_.store.place_of(name_);
        const bool is_placed = !text.contains("AZURE_") || text.contains(place);
        text = acting_as() + (is_placed ? "" : " (its values are the files in " + place + ")") + ": " + text;
    }
    co_return token;
}

void GalleryToken::invalidate(std::string refused) {
    if (current_) current_->invalidate(std::move(refused));
    else azure::Secret::wipe(refused);
}

std::string GalleryToken::principal() const { return current_ ? current_->principal() : std::string(); }

}  // namespace galleryd
