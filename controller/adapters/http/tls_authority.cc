#include "controller/adapters/http/tls_authority.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <memory>

namespace galleryd::http {
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
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;

struct Subject {
    std::string common_name;
    bool authority = false;
    std::string names;  // subjectAltName in OpenSSL's configuration form
};

std::string take_text(const Memory& memory) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string pem(X509* certificate) {
    const Memory memory(BIO_new(BIO_s_mem()));
    return memory && PEM_write_bio_X509(memory.get(), certificate) == 1 ? take_text(memory) : std::string();
}

std::string pem(EVP_PKEY* key) {
    const Memory memory(BIO_new(BIO_s_mem()));
    const bool written =
        memory && PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
    return written ? take_text(memory) : std::string();
}

bool set_serial(X509* certificate) {  // 127 random bits: clients refuse two certificates with one serial and issuer
    const Number number(BN_new());
    return number && BN_rand(number.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_times(X509* certificate, TimePoint now) {
    constexpr std::chrono::days lifetime{825};
    const auto from = std::chrono::floor<std::chrono::seconds>(now) - std::chrono::days{1};
    const auto until = from + lifetime;
    return ASN1_TIME_set(X509_getm_notBefore(certificate), from.time_since_epoch().count()) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), until.time_since_epoch().count()) != nullptr;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_name(X509_NAME* name, const std::string& common_name) {
    const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, static_cast<int>(common_name.size()), -1, 0) ==
           1;
}

// `issuer` null: signed by itself.
Certificate make_certificate(const Subject& subject, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key, TimePoint now) {
    Certificate certificate(X509_new());
    if (!certificate) return nullptr;
    X509* raw = certificate.get();
    X509* signer = issuer == nullptr ? raw : issuer;
    const bool filled = X509_set_version(raw, X509_VERSION_3) == 1 && set_serial(raw) && set_times(raw, now) &&
                        set_name(X509_get_subject_name(raw), subject.common_name) &&
                        X509_set_issuer_name(raw, X509_get_subject_name(signer)) == 1 && X509_set_pubkey(raw, key) == 1;
    if (!filled) return nullptr;
    // Python 3.13 and other strict verifiers want key identifiers and critical constraints (RFC 5280 §4.2).
    bool extended = add_extension(raw, signer, NID_subject_key_identifier, "hash") &&
                    add_extension(raw, signer, NID_authority_key_identifier, "keyid:always");
    if (subject.authority) {
        extended = extended && add_extension(raw, signer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                   add_extension(raw, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        extended = extended && add_extension(raw, signer, NID_basic_constraints, "critical,CA:FALSE") &&
                   add_extension(raw, signer, NID_key_usage, "critical,digitalSignature") &&
                   add_extension(raw, signer, NID_ext_key_usage, "serverAuth") &&
                   add_extension(raw, signer, NID_subject_alt_name, subject.names);
    }
    if (!extended || X509_sign(raw, issuer_key, EVP_sha256()) == 0) return nullptr;
    return certificate;
}

std::string alternative_names(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        boost::system::error_code not_an_address;
        boost::asio::ip::make_address(name, not_an_address);
        if (!text.empty()) text += ",";
        text += (not_an_address ? "DNS:" : "IP:") + name;
    }
    return text;
}

bool is_name(const std::string& name) {  // nothing that could add a further entry to the configuration text
    return !name.empty() && name.size() <= 253 && name.find_first_of(", \t\r\n@") == std::string::npos;
}

}  // namespace

Result<TlsAuthority> make_tls_authority(TimePoint now, TlsAuthorityOptions options) {
    if (options.names.empty() || !std::ranges::all_of(options.names, is_name)) {
        return fail(ErrorKind::invalid, "InvalidName",
                    "a server certificate needs DNS names or IP addresses, without blanks or commas");
    }
    const auto refused = [] {
        const unsigned long code = ERR_get_error();
        ERR_clear_error();
        std::string text(256, '\0');
        ERR_error_string_n(code, text.data(), text.size());
        text.resize(text.find('\0'));
        return fail(ErrorKind::bug, "TlsAuthorityFailed", "a test certificate cannot be made: " + text);
    };
    const Key ca_key(EVP_EC_gen("P-256"));
    const Key key(EVP_EC_gen("P-256"));
    if (!ca_key || !key) return refused();
    const Subject ca_subject{.common_name = options.common_name, .authority = true, .names = {}};
    const Certificate ca = make_certificate(ca_subject, ca_key.get(), nullptr, ca_key.get(), now);
    if (!ca) return refused();
    const Subject subject{.common_name = options.names.front().substr(0, 64),
                          .authority = false,
                          .names = alternative_names(options.names)};
    const Certificate server = make_certificate(subject, key.get(), ca.get(), ca_key.get(), now);
    if (!server) return refused();
    TlsAuthority authority{
        .ca_pem = pem(ca.get()), .chain_pem = pem(server.get()) + pem(ca.get()), .key_pem = pem(key.get())};
    if (authority.ca_pem.empty() || authority.key_pem.empty()) return refused();
    return authority;
}

}  // namespace galleryd::http
