#include <algorithm>

#include "controller/core/error_catalogue.h"
#include "controller/core/resource_id.h"
#include "controller/program/doctor/judge.h"

namespace galleryd::doctor {
namespace {

using std::chrono::seconds;

constexpr seconds clock_difference_max = std::chrono::minutes{5};
constexpr seconds clock_difference_odd = std::chrono::minutes{1};
constexpr auto certificate_soon = std::chrono::days{30};

// What the catalogue says to do: its command lines, else its sentence.
std::vector<std::string> catalogue_fix(const std::string& code) {
    const CatalogueEntry* const entry = find_error(code);
    if (entry == nullptr) return {"galleryd explain " + (code.empty() ? std::string("GD3099") : code)};
    return {std::string(entry->remedy)};
}

std::string client_or(const SignInSetting& setting, const char* placeholder) {
    return setting.client_id.empty() ? placeholder : setting.client_id;
}

// Where a value has to be put: "AZURE_TENANT_ID=<that>", or the file of a gallery's credential.
std::string put(const SignInSetting& setting, const std::string& key, const std::string& value) {
    return setting.folder.empty() ? key + "=" + value : "write " + value + " into " + setting.folder + "/" + key;
}

std::string place_of(const SignInSetting& setting, const std::string& key) {
    return setting.folder.empty() ? key : setting.folder + "/" + key;
}

// The catalogue speaks of the environment's variables.
std::vector<std::string> catalogue_fix(const SignInSetting& setting, const std::string& code) {
    std::vector<std::string> fix = catalogue_fix(code);
    if (setting.folder.empty() || !fix.front().contains("AZURE_")) return fix;
    fix.front() += " Of this credential they are the files in " + setting.folder + ".";
    return fix;
}

std::string federated_command(const SignInSetting& setting) {
    if (setting.subject.empty()) return "az ad app federated-credential list --id " + client_or(setting, "APP_ID");
    return "az ad app federated-credential create --id " + client_or(setting, "APP_ID") +
           " --parameters '{\"name\": \"galleryd\", \"issuer\": \"" + setting.issuer + "\", \"subject\": \"" +
           setting.subject + "\", \"audiences\": [\"" + setting.audience + "\"]}'";
}

bool is_azures(const http::Response& answer) {
    // Every answer of ARM carries its request id; a proxy's page does not.
    return answer.headers.find("x-ms-request-id") != nullptr ||
           answer.headers.find("x-ms-correlation-request-id") != nullptr;
}

std::string trust_text(const Endpoint& endpoint) {
    if (endpoint.url.starts_with("http:")) return "plain http to this machine";
    return endpoint.ca_file.empty() ? "TLS checked with the system's authorities"
                                    : "TLS checked with " + endpoint.ca_file + " and the system's authorities";
}

}  // namespace

Finding unanswered(std::string check, std::string about, const Error& error) {
    const bool is_certain = error.kind == ErrorKind::denied || error.kind == ErrorKind::invalid;
    Finding finding{.check = std::move(check),
                    .about = std::move(about),
                    .verdict = is_certain ? Verdict::failed : Verdict::skipped,
                    .measured = error.message,
                    .fix = {},
                    .code = error.code};
    if (is_certain) finding.fix = catalogue_fix(error.code);
    return finding;
}

Finding judge_endpoint(const Endpoint& endpoint, const Result<http::Response>& answer, std::chrono::milliseconds took) {
    const std::string host = endpoint.url.substr(endpoint.url.find("//") + 2);
    if (!answer && answer.error().reason == "TlsError") {
        return failed("endpoint", endpoint.url, answer.error().message,
                      {"--azure-ca-file FILE, with the certificate (PEM) of the authority that signs for " + host +
                       "; to see it: openssl s_client -connect " + host + (host.contains(':') ? "" : ":443") +
                       " -showcerts </dev/null"},
                      "GD3009");
    }
    if (!answer) {
        return failed("endpoint", endpoint.url, answer.error().message,
                      {"curl -sS -o /dev/null -w '%{http_code}\\n' " + endpoint.url +
                       "/    # must answer from this machine: name service, routes, firewall, --azure"},
                      "GD3008");
    }
    if (!is_azures(*answer)) {
        return failed("endpoint", endpoint.url,
                      "HTTP " + std::to_string(answer->status) +
                          " came from something that is not Azure Resource "
                          "Manager (" +
                          answer->headers.get("Content-Type") + ")",
                      {"let " + host + " through the proxy or firewall unchanged, or correct --azure"}, "GD3002");
    }
    return {.check = "endpoint",
            .about = endpoint.url,
            .verdict = Verdict::ok,
            .measured = "answers in " + std::to_string(took.count()) + " ms; " + trust_text(endpoint),
            .fix = {},
            .code = {}};
}

Finding judge_clock(std::optional<TimePoint> azure, TimePoint ours, const std::string& pace) {
    Finding finding{.check = "clock", .about = {}, .verdict = Verdict::ok, .measured = {}, .fix = {}, .code = {}};
    if (!pace.empty()) {
        finding.verdict = Verdict::skipped;
        finding.measured =
            "not compared: this is a simulator whose clock runs at " + pace + " times this machine's pace";
        return finding;
    }
    if (!azure) {
        finding.verdict = Verdict::skipped;
        finding.measured = "Azure's answer carries no date";
        return finding;
    }
    const auto ahead = std::chrono::duration_cast<seconds>(ours - *azure);
    const seconds off = std::chrono::abs(ahead);
    finding.measured = off < seconds{2}
                           ? "agrees with Azure's"
                           : format_duration(off) + (ahead.count() > 0 ? " ahead of" : " behind") + " Azure's";
    if (off <= clock_difference_odd) return finding;
    finding.verdict = off > clock_difference_max ? Verdict::failed : Verdict::warning;
    finding.code = "GD3019";
    finding.fix = {"timedatectl set-ntp true"};
    if (finding.verdict == Verdict::failed)
        finding.measured += "; above 5m sign-ins are refused and nothing is ever deleted";
    return finding;
}

std::vector<std::string> sign_in_fix(const SignInSetting& setting, const Error& error) {
    const std::string app = client_or(setting, "APP_ID");
    if (error.code == "GD3011" || error.code == "GD3012")
        return {"az ad app credential reset --id " + app + " --append    # then " +
                put(setting, "AZURE_CLIENT_SECRET", "<its password>")};
    if (error.code == "GD3013")
        return {"az ad sp show --id " + app + "    # in tenant " +
                (setting.tenant_id.empty() ? "AZURE_TENANT_ID" : setting.tenant_id) + "; then correct " +
                place_of(setting, "AZURE_CLIENT_ID") + " or " + place_of(setting, "AZURE_TENANT_ID")};
    if (error.code == "GD3014")
        return {"az account show --query tenantId --output tsv    # then " + put(setting, "AZURE_TENANT_ID", "<that>") +
                ", now " + (setting.tenant_id.empty() ? "not set" : setting.tenant_id)};
    if (error.code == "GD3017" && !setting.certificate_path.empty())
        return {"az ad app credential reset --id " + app + " --cert @" + setting.certificate_path + " --append"};
    if (error.code == "GD3018") return {federated_command(setting)};
    if (error.code == "GD3019")
        return setting.token_file.empty()
                   ? std::vector<std::string>{"timedatectl set-ntp true"}
                   : std::vector<std::string>{"stat " + setting.token_file + "    # must be written about every hour"};
    if (error.code == "GD3025")
        return {"az ad app credential reset --id " + app + " --create-cert --append    # then " +
                (setting.folder.empty()
                     ? "AZURE_CLIENT_CERTIFICATE_PATH=<the file it names>"
                     : "put the file that it names at " + place_of(setting, "AZURE_CLIENT_CERTIFICATE"))};
    if (error.code == "GD3028")
        return {"az login" + (setting.tenant_id.empty() ? "" : " --tenant " + setting.tenant_id)};
    return catalogue_fix(setting, error.code);
}

Finding judge_sign_in(const SignInSetting& setting, const Result<std::string>& token, TimePoint now) {
    if (!token) {
        const Error& error = token.error();
        const bool nobody_answers = error.reason == "NetworkError" || error.reason == "TlsError";
        return failed("sign-in", setting.credential, error.message,
                      nobody_answers
                          ? std::vector<std::string>{"let this machine reach the sign-in host (AZURE_AUTHORITY_HOST, "
                                                     "else the cloud's); see the message for its name"}
                          : sign_in_fix(setting, error),
                      error.code.empty() ? "GD3008" : error.code);
    }
    Finding finding{
        .check = "sign-in", .about = setting.credential, .verdict = Verdict::ok, .measured = {}, .fix = {}, .code = {}};
    const auto identity = azure::find_token_identity(*token);
    if (token->empty()) {
        finding.measured = "requests carry no token (only the simulator takes them)";
    } else if (!identity) {
        finding.measured = "a token that only Azure can read";
    } else {
        finding.measured = identity->is_user ? "user " + identity->user : "application " + identity->app_id;
        finding.measured += ", object " + identity->object_id + ", tenant " + identity->tenant;
        if (identity->expires) finding.measured += ", token ends " + format_relative(*identity->expires, now);
        if (!identity->audience.empty()) finding.measured += ", for " + identity->audience;
    }
    return finding;
}

Finding judge_certificate(const SignInSetting& setting, TimePoint ends, TimePoint now) {
    Finding finding{
        .check = "certificate",
        .about = setting.certificate_path,
        .verdict = Verdict::ok,
        .measured = "ends " + format_relative(ends, now) + ", on " + format_rfc3339(std::chrono::floor<seconds>(ends)),
        .fix = {},
        .code = {}};
    if (ends - now > certificate_soon) return finding;
    finding.verdict = Verdict::warning;
    finding.code = "GD3025";
    finding.fix = sign_in_fix(setting, Error{.kind = ErrorKind::denied, .reason = {}, .message = {}, .code = "GD3025"});
    return finding;
}

}  // namespace galleryd::doctor
