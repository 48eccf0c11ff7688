#include "controller/adapters/azure/credential_certificate.h"
#include "controller/simulator/login_assertion.h"
#include "tests/fuzz/target.h"

// The PEM file of AZURE_CLIENT_CERTIFICATE_PATH, and the assertions that the built-in sign-in is sent. PKCS #12 and
// passwords are left to unit tests: such a file says itself how many rounds of hashing open it, and OpenSSL does them
// all.
namespace galleryd::fuzz {
namespace {

constexpr TimePoint now = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};

void check_certificate(std::string_view bytes) {
    (void)simulator::is_certificate(std::string(bytes));
    if (!bytes.contains("-----BEGIN ")) return;
    const auto certificate =
        azure::ClientCertificate::parse(azure::Secret(std::string(bytes)), azure::Secret(std::string()));
    if (!certificate) {
        require_clear(certificate.error());
        require(certificate.error().code == "GD3025", "a wrong file has its code");
        return;
    }
    require(certificate->thumbprint_sha256().size() == 43, "a certificate has a fingerprint");
    const auto assertion = azure::make_client_assertion(*certificate, {.client_id = "app", .audience = "a"}, now);
    require(assertion.has_value(), "a certificate that is taken can sign");
}

void check_assertion(std::string_view bytes) {
    const simulator::LoginState state;
    const auto refusal = simulator::refuse_assertion(
        state, {.text = std::string(bytes), .client = "app", .tenant = "tenant", .now = now});
    require(refusal || bytes.contains('.'), "what is no token is refused");
    if (!refusal) return;  // an estate that says nothing lets anybody in
    require(refusal->number > 0 && refusal->status >= 400 && !refusal->text.empty(), "a refusal says why");
}

void run(std::string_view bytes) {
    check_certificate(bytes);
    check_assertion(bytes);
}

const Registered registered({.name = "certificate", .run = run, .mutations = 1000});

}  // namespace
}  // namespace galleryd::fuzz
