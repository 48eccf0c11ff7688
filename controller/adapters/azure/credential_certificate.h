#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "controller/adapters/azure/secret.h"
#include "controller/core/result.h"
#include "controller/core/time.h"

namespace galleryd::azure {

// An application's certificate with its private key, as AZURE_CLIENT_CERTIFICATE_PATH holds it.
class ClientCertificate {
  public:
    // `content`: PEM with certificate and key in any order (further certificates are ignored), or PKCS #12 (PFX). The
    // password opens an encrypted key or PFX; "" when there is none. Errors: `denied` AuthenticationFailed GD3025
    // "cannot be used: …" that says what is wrong with the file (unreadable form, no key, key of another certificate,
    // wrong password, an encryption that this OpenSSL refuses, not RSA, fewer than 2048 bits). Never asks a terminal
    // for a password.
    static Result<ClientCertificate> parse(const Secret& content, const Secret& password);
    ClientCertificate(ClientCertificate&&) noexcept;
    ClientCertificate& operator=(ClientCertificate&&) noexcept;
    ~ClientCertificate();

    const std::string& thumbprint_sha256() const;  // of the DER form, base64url: JWT header x5t#S256
    TimePoint not_before() const;
    TimePoint not_after() const;
    // RSASSA-PSS with SHA-256, MGF1-SHA-256 and a salt of 32 bytes (RFC 7518 §3.5), the raw bytes.
    Result<std::string> sign_ps256(std::string_view text) const;

  private:
    struct Parts;
    explicit ClientCertificate(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

struct AssertionClaims {
    std::string client_id;
    std::string audience;  // the token endpoint with the tenant
};

// A client assertion (azure-facts §13): header alg PS256, typ JWT, x5t#S256; claims aud, iss, sub, jti (fresh), nbf,
// iat and exp ten minutes after `now`.
Result<Secret> make_client_assertion(const ClientCertificate& certificate, const AssertionClaims& claims,
                                     TimePoint now);

}  // namespace galleryd::azure
