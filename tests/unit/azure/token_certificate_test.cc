#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "controller/adapters/azure/credential_jwt.h"
#include "controller/adapters/azure/token_entra.h"
#include "tests/unit/azure/credential_bench.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using std::chrono::hours;
using std::chrono::seconds;
using Json = nlohmann::json;

namespace {

constexpr const char* path = "/etc/galleryd/app.pem";
constexpr const char* tenant = "72f988bf-0000-0000-0000-000000000000";

struct CertificateBench : SignInBench {
    CertificateTimes times{.from = clock.now() - hours{24}, .until = clock.now() + hours{24}};
    TestCertificate certificate = make_test_certificate(times);

    ClientCertificateToken make(const std::string& password = "") {
        EntraOptions options{.login = {.scheme = "https", .host = "login.microsoftonline.com", .port = "443"},
                             .tenant_id = tenant,
                             .client_id = "app",
                             .scope = "https://management.azure.com/.default"};
        CertificateFile file{.path = path, .password = Secret(password), .read = reader()};
        return {transport, clock, log, metrics, std::move(options), std::move(file)};
    }
    std::string problem(const std::string& content, const std::string& password = "") {
        files[path] = content;
        auto provider = make(password);
        const Status usable = provider.check();
        if (usable) return "usable";
        CHECK(usable.error().code == "GD3025");
        CHECK(usable.error().kind == ErrorKind::denied);
        CHECK_FALSE(usable.error().message.contains("sesame"));
        return usable.error().message;
    }
    std::string assertion(std::size_t index = 0) const {
        const std::string body = sent_body(index);
        const std::size_t at = body.find("&client_assertion=") + 18;
        return body.substr(at, body.find('&', at) - at);
    }
};

Json part(const std::string& token, int index) {
    std::size_t from = 0;
    for (int i = 0; i < index; ++i) from = token.find('.', from) + 1;
    return Json::parse(decode_base64url(token.substr(from, token.find('.', from) - from)).value_or("null"));
}

}  // namespace

TEST_CASE("a certificate signs an assertion as Entra wants it: PS256, fingerprint, audience, ten minutes, a fresh id") {
    CertificateBench bench;
    bench.files[path] = bench.certificate.key_pem + bench.certificate.certificate_pem;
    auto provider = bench.make();
    bench.transport.answer(200, token_answer("bought", 3600));
    bench.transport.answer(200, token_answer("again", 3600));
    CHECK(bench.token(provider).value_or("none") == "bought");
    CHECK(provider.name() == "client-certificate");
    CHECK(
        bench.sent_body(0).starts_with("grant_type=client_credentials&client_id=app&client_assertion_type=urn%3Aietf%"
                                       "3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion="));
    CHECK(bench.sent_body(0).ends_with("&scope=https%3A%2F%2Fmanagement.azure.com%2F.default"));
    CHECK_FALSE(bench.sent_body(0).contains("client_secret"));
    const std::string token = bench.assertion();
    CHECK(is_signed_by(token, bench.certificate.certificate_pem));
    const Json header = part(token, 0);
    CHECK(header.at("alg") == "PS256");
    CHECK(header.at("typ") == "JWT");
    CHECK(header.at("x5t#S256").get<std::string>().size() == 43);
    const Json claims = part(token, 1);
    CHECK(claims.at("aud") == "https://login.microsoftonline.com/" + std::string(tenant) + "/oauth2/v2.0/token");
    CHECK(claims.at("iss") == "app");
    CHECK(claims.at("sub") == "app");
    const auto now = std::chrono::duration_cast<seconds>(ManualClock::default_start.time_since_epoch()).count();
    CHECK(claims.at("nbf") == now);
    CHECK(claims.at("exp") == now + 600);
    bench.clock.advance(hours{1});
    CHECK(bench.token(provider).value_or("none") == "again");
    CHECK(part(bench.assertion(1), 1).at("jti") != claims.at("jti"));
    CHECK(bench.files_read.size() == 2);  // a renewed certificate needs no restart
}

TEST_CASE("PEM in any order and with a chain, encrypted keys and PFX are read") {
    CertificateBench bench;
    const TestCertificate other =
        make_test_certificate({.from = bench.times.from, .until = bench.times.until}, /*elliptic=*/true);
    const TestCertificate& own = bench.certificate;
    CHECK(bench.problem(own.certificate_pem + own.key_pem) == "usable");
    CHECK(bench.problem(other.certificate_pem + own.key_pem + own.certificate_pem) == "usable");
    CHECK(bench.problem(own.certificate_pem + own.encrypted_key_pem, "open sesame") == "usable");
    CHECK(bench.problem(own.pfx, "open sesame") == "usable");
}

TEST_CASE("a certificate file that cannot be used is told by what is wrong with it") {
    CertificateBench bench;
    const TestCertificate other =
        make_test_certificate({.from = bench.times.from, .until = bench.times.until}, /*elliptic=*/true);
    const TestCertificate& own = bench.certificate;
    CHECK(bench.problem("").contains("empty"));
    CHECK(bench.problem("rubbish").contains("neither PEM nor PKCS #12"));
    CHECK(bench.problem(own.certificate_pem).contains("no private key"));
    CHECK(bench.problem(own.key_pem).contains("no certificate"));
    CHECK(bench.problem(other.certificate_pem + own.key_pem).contains("another certificate"));
    CHECK(bench.problem(other.certificate_pem + other.key_pem).contains("not RSA"));
    CHECK(bench.problem(own.certificate_pem + own.encrypted_key_pem).contains("Set AZURE_CLIENT_CERTIFICATE_PASSWORD"));
    CHECK(bench.problem(own.certificate_pem + own.encrypted_key_pem, "wrong").contains("does not open"));
    CHECK(bench.problem(own.pfx).contains("Set AZURE_CLIENT_CERTIFICATE_PASSWORD"));
    CHECK(bench.problem(own.pfx, "wrong").contains("does not open"));
    CHECK(bench.problem(own.pfx.substr(0, own.pfx.size() / 2), "open sesame").contains("neither PEM nor PKCS #12"));
    bench.files.clear();
    const Status missing = bench.make().check();
    CHECK(missing.error().message.contains("No such file"));
    CHECK(missing.error().message.contains("AZURE_CLIENT_CERTIFICATE_PATH"));
}

TEST_CASE("a certificate outside its time is reported with its date, and nothing is sent") {
    CertificateBench bench;
    const TimePoint now = bench.clock.now();
    const TestCertificate ended = make_test_certificate({.from = now - hours{48}, .until = now - hours{1}});
    const TestCertificate early = make_test_certificate({.from = now + hours{1}, .until = now + hours{48}});
    auto provider = bench.make();
    bench.files[path] = ended.certificate_pem + ended.key_pem;
    const auto after = bench.token(provider);
    REQUIRE_FALSE(after.has_value());
    CHECK(after.error().code == "GD3025");
    CHECK(after.error().message.contains("ended on 2026-02-28T23:00:00Z"));
    bench.files[path] = early.certificate_pem + early.key_pem;
    bench.clock.advance(seconds{11});
    CHECK(bench.token(provider).error().message.contains("begins on 2026-03-01T01:00:00Z"));
    CHECK(bench.transport.sent.empty());
    bench.files[path] = bench.certificate.certificate_pem + bench.certificate.key_pem;  // renewed in place
    bench.transport.answer(200, token_answer("renewed", 3600));
    bench.clock.advance(seconds{11});
    CHECK(bench.token(provider).value_or("none") == "renewed");
}

TEST_CASE("a refused assertion says whose clock is wrong and by how much") {
    CertificateBench bench;
    bench.files[path] = bench.certificate.certificate_pem + bench.certificate.key_pem;
    auto provider = bench.make();
    const auto refuse = [&](const std::string& body, const http::Headers& headers) {
        bench.transport.answer(401, body, headers);
        bench.clock.advance(seconds{11});
        return bench.token(provider).error();
    };
    const Error behind = refuse(refusal(700024), {{"Date", format_http_date(bench.clock.now() + hours{1})}});
    CHECK(behind.code == "GD3019");
    CHECK(behind.message.contains("clock is 59 minutes behind"));
    const Error ahead = refuse(refusal(700024), {{"Date", format_http_date(bench.clock.now() - hours{2})}});
    CHECK(ahead.message.contains("clock is 120 minutes ahead of"));
    const Error alike = refuse(refusal(700024), {{"Date", format_http_date(bench.clock.now())}});
    CHECK(alike.code == "GD3019");
    CHECK_FALSE(alike.message.contains("minutes"));
    CHECK(refuse(refusal(50013, "Assertion is not within its valid time range."), {}).code == "GD3019");
    CHECK(refuse(refusal(50013, "The provided signature value did not match."), {}).code == "GD3017");
    CHECK(refuse(refusal(700027), {}).code == "GD3017");
    CHECK(refuse(refusal(53003), {}).code == "GD3024");
    for (const std::string& secret : {bench.assertion(0), std::string("canary"), std::string("PRIVATE KEY")})
        CHECK_FALSE(bench.log.text.contains(secret));
}

TEST_CASE("a token that is not valid yet is used, and the clock is named in the log") {
    CertificateBench bench;
    bench.files[path] = bench.certificate.certificate_pem + bench.certificate.key_pem;
    auto provider = bench.make();
    const auto issued_at = [&](std::chrono::minutes later) {
        const auto nbf = std::chrono::duration_cast<seconds>((bench.clock.now() + later).time_since_epoch()).count();
        return "e30." + encode_base64url(R"({"nbf":)" + std::to_string(nbf) + "}") + ".c2ln";
    };
    const std::string early = issued_at(std::chrono::minutes{20});
    bench.transport.answer(200, token_answer(early, 3600));
    CHECK(bench.token(provider).value_or("none") == early);
    CHECK(bench.log.text.contains("code=GD3019"));
    CHECK(bench.log.text.contains("seconds=1200"));
    CHECK_FALSE(bench.log.text.contains(early));
    CertificateBench quiet;
    quiet.files[path] = quiet.certificate.certificate_pem + quiet.certificate.key_pem;
    auto other = quiet.make();
    quiet.transport.answer(200, token_answer(issued_at(std::chrono::minutes{2}), 3600));
    CHECK(quiet.token(other).has_value());
    CHECK(quiet.log.text.empty());
}
