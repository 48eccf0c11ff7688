#include "controller/simulator/login_assertion.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>

#include "controller/core/resource_id.h"

namespace galleryd::simulator {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::chrono::minutes tolerance{5};
constexpr int key_not_found = 700027;

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

std::optional<std::string> decode_base64url(std::string_view text) {
    std::string bytes;
    unsigned bits = 0;
    unsigned have = 0;
    for (const char c : text) {
        const std::size_t value = alphabet.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = (bits << 6U) | static_cast<unsigned>(value);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        bytes += static_cast<char>((bits >> have) & 255U);
    }
    return bytes;
}

struct Jwt {
    Json header, claims;
    std::string_view signed_text;
    std::string signature;
};

std::optional<Jwt> parse_jwt(std::string_view text) {
    const std::size_t first = text.find('.');
    const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
    if (second == std::string_view::npos || text.size() > 32UL * 1024) return std::nullopt;
    const auto header = decode_base64url(text.substr(0, first));
    const auto claims = decode_base64url(text.substr(first + 1, second - first - 1));
    const auto signature = decode_base64url(text.substr(second + 1));
    if (!header || !claims || !signature || signature->empty()) return std::nullopt;
    Jwt jwt{.header = Json::parse(*header, nullptr, false),
            .claims = Json::parse(*claims, nullptr, false),
            .signed_text = text.substr(0, second),
            .signature = *signature};
    if (!jwt.header.is_object() || !jwt.claims.is_object()) return std::nullopt;
    return jwt;
}

Certificate read_certificate(const std::string& pem) {
    const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    Certificate certificate(memory ? PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr) : nullptr);
    ERR_clear_error();
    return certificate;
}

std::string fingerprint(const X509* certificate, const EVP_MD* algorithm) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(certificate, algorithm, digest.data(), &size) != 1) return {};
    return encode_base64url(std::string_view(reinterpret_cast<const char*>(digest.data()), size));
}

bool is_named_by(const X509* certificate, const Json& header) {
    const std::string sha256 = text_of(header, "x5t#S256");
    if (!sha256.empty()) return sha256 == fingerprint(certificate, EVP_sha256());
    return text_of(header, "x5t") == fingerprint(certificate, EVP_sha1());  // the older form
}

bool is_signed_by(const Jwt& jwt, X509* certificate) {
    const std::string algorithm = text_of(jwt.header, "alg");
    if (algorithm != "PS256" && algorithm != "RS256") return false;
    const Digest digest(EVP_MD_CTX_new());
    EVP_PKEY_CTX* context = nullptr;
    bool ready = digest && EVP_DigestVerifyInit(digest.get(), &context, EVP_sha256(), nullptr,
                                                X509_get0_pubkey(certificate)) == 1;
    if (ready && algorithm == "PS256") {
        ready = EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    const auto* const signature = reinterpret_cast<const unsigned char*>(jwt.signature.data());
    const auto* const text = reinterpret_cast<const unsigned char*>(jwt.signed_text.data());
    const bool fits =
        ready && EVP_DigestVerify(digest.get(), signature, jwt.signature.size(), text, jwt.signed_text.size()) == 1;
    ERR_clear_error();
    return fits;
}

bool has_ended(const X509* certificate, TimePoint now) {
    std::time_t seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    return X509_cmp_time(X509_get0_notAfter(certificate), &seconds) < 0;
}

std::optional<TimePoint> time_of(const Json& claims, std::string_view name) {
    const Json& value = member(claims, name);
    if (!value.is_number()) return std::nullopt;
    const double seconds = value.get<double>();
    if (!(seconds >= 0) || seconds > 32'503'680'000.0) return std::nullopt;
    return TimePoint{std::chrono::seconds{static_cast<std::int64_t>(seconds)}};
}

std::string shown(TimePoint time) { return format_rfc3339(std::chrono::floor<std::chrono::seconds>(time)); }

std::optional<Refusal> refuse_times(const Jwt& jwt, const AssertionToCheck& check) {
    const auto until = time_of(jwt.claims, "exp");
    if (!until)
        return Refusal{.number = 50027, .text = "JWT token is invalid or malformed: the claim 'exp' is missing."};
    const TimePoint from = time_of(jwt.claims, "nbf").value_or(*until);
    const bool within = check.now < *until + tolerance && (from >= *until || from <= check.now + tolerance);
    if (!check.times || within) return std::nullopt;
    return Refusal{.number = 700024,
                   .text = "Client assertion is not within its valid time range. Current time: " + shown(check.now) +
                           ", assertion valid from " + shown(from) + ", expiry time of assertion " + shown(*until) +
                           ". Review the documentation at "
                           "https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-"
                           "credentials ."};
}

// The token endpoint of the tenant in either version, or its issuer.
bool is_for_tenant(const std::string& audience, const std::string& tenant) {
    const std::string text = fold_case(audience);
    const std::string root = "/" + fold_case(tenant);
    return std::ranges::any_of(std::array<std::string, 5>{root + "/oauth2/v2.0/token", root + "/oauth2/token",
                                                          root + "/v2.0", root + "/", root},
                               [&text](const std::string& end) { return text.ends_with(end); });
}

std::optional<Refusal> refuse_certificate(const LoginState& state, const Jwt& jwt, const AssertionToCheck& check) {
    if (!is_for_tenant(text_of(jwt.claims, "aud"), check.tenant))
        return Refusal{.number = 700023, .text = "Client assertion audience claim does not match Realm issuer."};
    if (auto refused = refuse_times(jwt, check)) return refused;
    const auto known = state.certificates.find(fold_case(check.client));
    if (known == state.certificates.end()) return std::nullopt;
    const auto refuse = [&check](const std::string& reason) {
        return Refusal{.number = key_not_found,
                       .text =
                           "The certificate with identifier used to sign the client assertion is not registered on "
                           "application. [Reason - " +
                           reason + "] (application '" + check.client + "')"};
    };
    for (const std::string& pem : known->second) {
        const Certificate certificate = read_certificate(pem);
        if (!certificate || !is_named_by(certificate.get(), jwt.header)) continue;
        if (!is_signed_by(jwt, certificate.get())) return refuse("The provided signature value did not match the key.");
        if (has_ended(certificate.get(), check.now)) return refuse("The key used is expired.");
        return std::nullopt;
    }
    return refuse("The key was not found.");
}

bool has_audience(const Json& claims, const std::string& audience) {
    const Json& given = member(claims, "aud");
    if (given.is_string()) return given.get<std::string>() == audience;
    return given.is_array() && std::ranges::find(given, Json(audience)) != given.end();
}

std::optional<Refusal> refuse_federated(const LoginState& state, const Jwt& jwt, const AssertionToCheck& check) {
    if (auto refused = refuse_times(jwt, check)) return refused;
    const auto known = state.federated.find(fold_case(check.client));
    if (known == state.federated.end()) return std::nullopt;
    const auto refuse = [](int number, const std::string& part, const std::string& value) {
        return Refusal{.number = number,
                       .text = "No matching federated identity record found for presented assertion " + part + " '" +
                               value +
                               "'. Check your federated identity credential Subject, Audience and Issuer "
                               "against the presented assertion."};
    };
    const std::string issuer = text_of(jwt.claims, "iss");
    const std::string subject = text_of(jwt.claims, "sub");
    bool any_issuer = false;
    bool any_subject = false;
    for (const FederatedCredential& one : known->second) {
        any_issuer = any_issuer || one.issuer == issuer;
        if (one.issuer != issuer || one.subject != subject) continue;
        any_subject = true;
        if (has_audience(jwt.claims, one.audience)) return std::nullopt;
    }
    if (!any_issuer) return refuse(700211, "issuer", issuer);
    if (!any_subject) return refuse(700213, "subject", subject);
    return refuse(700212, "audience", text_of(jwt.claims, "aud"));
}

}  // namespace

std::string encode_base64url(std::string_view bytes) {
    std::string text;
    unsigned bits = 0;
    unsigned have = 0;
    for (const char c : bytes) {
        bits = (bits << 8U) | static_cast<unsigned char>(c);
        for (have += 8; have >= 6; have -= 6) text += alphabet[(bits >> (have - 6)) & 63U];
    }
    if (have > 0) text += alphabet[(bits << (6 - have)) & 63U];
    return text;
}

bool is_certificate(const std::string& pem) { return read_certificate(pem) != nullptr; }

std::optional<Refusal> refuse_assertion(const LoginState& state, const AssertionToCheck& check) {
    const auto jwt = parse_jwt(check.text);
    if (!jwt) return Refusal{.error = "invalid_request", .number = 50027, .text = "JWT token is invalid or malformed."};
    const bool own = fold_case(text_of(jwt->claims, "iss")) == fold_case(check.client);
    return own ? refuse_certificate(state, *jwt, check) : refuse_federated(state, *jwt, check);
}

}  // namespace galleryd::simulator
