#include "controller/adapters/azure/credential_certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "controller/adapters/azure/credential_jwt.h"

namespace galleryd::azure {
namespace {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Pkcs12 = std::unique_ptr<PKCS12, Deleter<PKCS12_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

constexpr int key_bits_min = 2048;
constexpr std::chrono::minutes assertion_life{10};  // azure-facts §13: 5 to 10 minutes

std::unexpected<Error> unusable(const std::string& why) {
    ERR_clear_error();  // what OpenSSL left in the queue would surface in the next TLS call
    return std::unexpected(Error{.kind = ErrorKind::denied,
                                 .reason = "AuthenticationFailed",
                                 .message = "cannot be used: " + why,
                                 .code = "GD3025"});
}

// For PEM: the password, never a prompt (OpenSSL's own default asks the terminal).
int give_password(char* buffer, int size, int, void* context) {
    const auto* const password = static_cast<const Secret*>(context);
    if (password == nullptr || password->empty() || size <= 0) return -1;
    const std::size_t length = password->reveal().size();
    if (length > static_cast<std::size_t>(size)) return -1;
    std::memcpy(buffer, password->reveal().data(), length);
    return static_cast<int>(length);
}

Memory memory_of(const Secret& content) {
    return Memory(BIO_new_mem_buf(content.reveal().data(), static_cast<int>(content.reveal().size())));
}

bool queue_holds(int library, int reason) {
    for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
        if (ERR_GET_LIB(code) == library && ERR_GET_REASON(code) == reason) return true;
    }
    return false;
}

struct Pair {
    Key key;
    Certificate certificate;
};

Result<Key> read_pem_key(const Secret& content, const Secret& password) {
    const Memory memory = memory_of(content);
    auto* const context = const_cast<Secret*>(&password);  // OpenSSL's callback takes it without const
    Key key(memory ? PEM_read_bio_PrivateKey(memory.get(), nullptr, give_password, context) : nullptr);
    if (key) return key;
    const std::string& text = content.reveal();
    if (text.find("PRIVATE KEY-----") == std::string::npos)
        return unusable("the file holds no private key. Put certificate and key into one PEM file");
    const bool encrypted = text.find("ENCRYPTED") != std::string::npos;
    if (encrypted && password.empty())
        return unusable("its private key is encrypted. Set AZURE_CLIENT_CERTIFICATE_PASSWORD");
    if (encrypted) return unusable("its private key does not open with AZURE_CLIENT_CERTIFICATE_PASSWORD");
    return unusable("its private key is damaged");
}

Result<Pair> read_pem(const Secret& content, const Secret& password) {
    auto key = read_pem_key(content, password);
    if (!key) return std::unexpected(key.error());
    const Memory memory = memory_of(content);
    bool any = false;
    while (true) {  // the one that belongs to the key: chains come in any order
        Certificate certificate(memory ? PEM_read_bio_X509(memory.get(), nullptr, give_password, nullptr) : nullptr);
        if (!certificate) break;
        any = true;
        if (X509_check_private_key(certificate.get(), key->get()) == 1)
            return Pair{.key = std::move(*key), .certificate = std::move(certificate)};
    }
    return unusable(any ? "its private key belongs to another certificate"
                        : "the file holds no certificate. Put certificate and key into one PEM file");
}

Result<Pair> read_pkcs12(const Secret& content, const Secret& password) {
    const Memory memory = memory_of(content);
    const Pkcs12 bag(memory ? d2i_PKCS12_bio(memory.get(), nullptr) : nullptr);
    if (!bag) return unusable("the file is neither PEM nor PKCS #12 (PFX)");
    EVP_PKEY* key = nullptr;
    X509* certificate = nullptr;
    ERR_clear_error();
    const bool parsed = PKCS12_parse(bag.get(), password.reveal().c_str(), &key, &certificate, nullptr) == 1;
    Pair pair{.key = Key(key), .certificate = Certificate(certificate)};
    if (!parsed) {
        if (queue_holds(ERR_LIB_PKCS12, PKCS12_R_MAC_VERIFY_FAILURE))
            return unusable(password.empty() ? "the PFX file has a password. Set AZURE_CLIENT_CERTIFICATE_PASSWORD"
                                             : "AZURE_CLIENT_CERTIFICATE_PASSWORD does not open the PFX file");
        return unusable(
            "the PFX file is damaged, or uses the old encryption RC2 that OpenSSL 3 refuses. Export it again with "
            "AES-256, or "
            "make a PEM file of it");
    }
    if (!pair.key || !pair.certificate) return unusable("the PFX file lacks the certificate or its private key");
    return pair;
}

TimePoint time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return TimePoint{};
    const auto day = std::chrono::year{parts.tm_year + 1900} / (parts.tm_mon + 1) / parts.tm_mday;
    return std::chrono::sys_days{day} + std::chrono::hours{parts.tm_hour} + std::chrono::minutes{parts.tm_min} +
           std::chrono::seconds{parts.tm_sec};
}

std::string fresh_guid() {
    std::array<unsigned char, 16> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return {};
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0fU) | 0x40U);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3fU) | 0x80U);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += digits[bytes[i] >> 4U];
        text += digits[bytes[i] & 15U];
    }
    return text;
}

}  // namespace

struct ClientCertificate::Parts {
    Pair pair;
    std::string thumbprint;
    TimePoint not_before, not_after;
};

ClientCertificate::ClientCertificate(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ClientCertificate::ClientCertificate(ClientCertificate&&) noexcept = default;
ClientCertificate& ClientCertificate::operator=(ClientCertificate&&) noexcept = default;
ClientCertificate::~ClientCertificate() = default;
const std::string& ClientCertificate::thumbprint_sha256() const { return parts_->thumbprint; }
TimePoint ClientCertificate::not_before() const { return parts_->not_before; }
TimePoint ClientCertificate::not_after() const { return parts_->not_after; }

Result<ClientCertificate> ClientCertificate::parse(const Secret& content, const Secret& password) {
    if (content.empty()) return unusable("the file is empty");
    ERR_clear_error();
    const bool pem = content.reveal().find("-----BEGIN ") != std::string::npos;
    auto pair = pem ? read_pem(content, password) : read_pkcs12(content, password);
    ERR_clear_error();
    if (!pair) return std::unexpected(pair.error());
    if (EVP_PKEY_get_base_id(pair->key.get()) != EVP_PKEY_RSA)
        return unusable("its key is not RSA; Microsoft Entra takes client assertions signed with RSA (PS256) only");
    if (EVP_PKEY_get_bits(pair->key.get()) < key_bits_min) return unusable("its RSA key has fewer than 2048 bits");
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(pair->certificate.get(), EVP_sha256(), digest.data(), &size) != 1)
        return unusable("its fingerprint cannot be computed");
    auto parts = std::make_unique<Parts>();
    parts->thumbprint = encode_base64url(std::string_view(reinterpret_cast<const char*>(digest.data()), size));
    parts->not_before = time_of(X509_get0_notBefore(pair->certificate.get()));
    parts->not_after = time_of(X509_get0_notAfter(pair->certificate.get()));
    parts->pair = std::move(*pair);
    return ClientCertificate(std::move(parts));
}

Result<std::string> ClientCertificate::sign_ps256(std::string_view text) const {
    const Digest digest(EVP_MD_CTX_new());
    EVP_PKEY_CTX* context = nullptr;  // belongs to the digest
    const bool ready = digest &&
                       EVP_DigestSignInit(digest.get(), &context, EVP_sha256(), nullptr, parts_->pair.key.get()) == 1 &&
                       EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                       EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
                       EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
    const auto* const data = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = 0;
    if (!ready || EVP_DigestSign(digest.get(), nullptr, &size, data, text.size()) != 1)
        return unusable("signing with its key failed");
    std::string signature(size, '\0');
    if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data, text.size()) != 1)
        return unusable("signing with its key failed");
    signature.resize(size);
    return signature;
}

Result<Secret> make_client_assertion(const ClientCertificate& certificate, const AssertionClaims& claims,
                                     TimePoint now) {
    const std::string id = fresh_guid();
    if (id.empty()) return unusable("the system has no random numbers");
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    const nlohmann::json header{{"alg", "PS256"}, {"typ", "JWT"}, {"x5t#S256", certificate.thumbprint_sha256()}};
    const nlohmann::json payload{{"aud", claims.audience},
                                 {"iss", claims.client_id},
                                 {"sub", claims.client_id},
                                 {"jti", id},
                                 {"nbf", seconds},
                                 {"iat", seconds},
                                 {"exp", seconds + std::chrono::seconds{assertion_life}.count()}};
    constexpr auto replace = nlohmann::json::error_handler_t::replace;  // an id from the environment may be any bytes
    std::string text = encode_base64url(header.dump(-1, ' ', false, replace)) + "." +
                       encode_base64url(payload.dump(-1, ' ', false, replace));
    const auto signature = certificate.sign_ps256(text);
    if (!signature) return std::unexpected(signature.error());
    text += "." + encode_base64url(*signature);
    return Secret(std::move(text));
}

}  // namespace galleryd::azure
