#pragma once
#include <string>
#include <vector>

#include "controller/core/result.h"
#include "controller/core/time.h"

namespace galleryd::http {

struct TlsAuthorityOptions {
    std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};  // DNS names and IP addresses of the server
    std::string common_name = "galleryd simulator CA";
};

// A fresh authority with one server certificate, as PEM texts. For `galleryd simulate --listen-tls` and tests: the keys
// exist in this process only, so trusting `ca_pem` trusts nobody else.
struct TlsAuthority {
    std::string ca_pem;     // what clients trust
    std::string chain_pem;  // server certificate, then the authority's
    std::string key_pem;    // PKCS #8, not encrypted
};

// ECDSA P-256; valid from a day before `now` for 825 days (the longest that Apple's and some other clients accept).
// Errors: `invalid` without names, `bug` when OpenSSL refuses.
Result<TlsAuthority> make_tls_authority(TimePoint now, TlsAuthorityOptions options = {});

}  // namespace galleryd::http
