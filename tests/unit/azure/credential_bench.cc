#include "tests/unit/azure/credential_bench.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "controller/adapters/azure/credential_jwt.h"

namespace galleryd::azure::test {
namespace {

std::string take(BIO* memory) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(memory);
    return text;
}

constexpr const char* password = "open sesame";

EVP_PKEY* rsa_key() {  // made once: a key of 2048 bits takes a while
    static EVP_PKEY* const key = EVP_RSA_gen(2048);
    EVP_PKEY_up_ref(key);
    return key;
}

}  // namespace

std::string jwt(const std::string& claims) {
    return encode_base64url(R"({"alg":"RS256","kid":"1"})") + "." + encode_base64url(claims) + "." +
           encode_base64url(std::string(256, 's'));
}

TestCertificate make_test_certificate(CertificateTimes times, bool elliptic) {
    EVP_PKEY* const key = elliptic ? EVP_EC_gen("P-256") : rsa_key();
    X509* const made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
    const auto seconds = [](TimePoint time) {
        return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
    };
    ASN1_TIME_set(X509_getm_notBefore(made), seconds(times.from));
    ASN1_TIME_set(X509_getm_notAfter(made), seconds(times.until));
    const auto* const name = reinterpret_cast<const unsigned char*>("galleryd test");
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8, name, -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(made));
    X509_set_pubkey(made, key);
    X509_sign(made, key, EVP_sha256());
    TestCertificate result;
    BIO* memory = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(memory, made);
    result.certificate_pem = take(memory);
    memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(memory, key, nullptr, nullptr, 0, nullptr, nullptr);
    result.key_pem = take(memory);
    memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(memory, key, EVP_aes_256_cbc(), password, 11, nullptr, nullptr);
    result.encrypted_key_pem = take(memory);
    PKCS12* const bag = PKCS12_create(password, "galleryd", key, made, nullptr, 0, 0, 0, 0, 0);
    memory = BIO_new(BIO_s_mem());
    i2d_PKCS12_bio(memory, bag);
    result.pfx = take(memory);
    PKCS12_free(bag);
    X509_free(made);
    EVP_PKEY_free(key);
    return result;
}

bool is_signed_by(const std::string& token, const std::string& certificate_pem) {
    const std::size_t dot = token.rfind('.');
    const auto signature = decode_base64url(token.substr(dot + 1));
    BIO* const memory = BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size()));
    X509* const certificate = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr);
    EVP_MD_CTX* const digest = EVP_MD_CTX_new();
    EVP_PKEY_CTX* context = nullptr;
    bool fits =
        signature && EVP_DigestVerifyInit(digest, &context, EVP_sha256(), nullptr, X509_get0_pubkey(certificate)) == 1;
    fits = fits && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32) == 1;
    fits = fits && EVP_DigestVerify(digest, reinterpret_cast<const unsigned char*>(signature->data()),
                                    signature->size(), reinterpret_cast<const unsigned char*>(token.data()), dot) == 1;
    EVP_MD_CTX_free(digest);
    X509_free(certificate);
    BIO_free(memory);
    return fits;
}

}  // namespace galleryd::azure::test
