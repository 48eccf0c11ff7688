#include "controller/program/doctor/share_check.h"

#include "controller/adapters/azure/credential_certificate.h"
#include "controller/program/doctor/checkup.h"
#include "controller/program/gallery_clients.h"

namespace galleryd::doctor {
namespace {

std::string text_of(const CredentialValues& values, const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? "" : found->second.reveal();
}

// For commands that can be pasted; nothing secret. Empty where the values cannot be read: the sign-in says why.
SignInSetting setting_of(const ShareCheck& check, const CredentialValues& values) {
    const std::string& name = check.share.choice.name;
    SignInSetting setting{.credential = name,
                          .tenant_id = text_of(values, "AZURE_TENANT_ID"),
                          .client_id = text_of(values, "AZURE_CLIENT_ID"),
                          .certificate_path = {},
                          .token_file = {},
                          .issuer = {},
                          .subject = {},
                          .audience = {},
                          .folder = check.sign_in.store.place_of(name)};
    const std::string place = setting.folder + "/";
    if (values.contains("AZURE_CLIENT_SECRET")) return setting;
    if (values.contains("AZURE_CLIENT_CERTIFICATE")) {
        setting.certificate_path = place + "AZURE_CLIENT_CERTIFICATE";
    } else if (values.contains("AZURE_FEDERATED_TOKEN")) {
        setting.token_file = place + "AZURE_FEDERATED_TOKEN";
        if (const auto workload = azure::find_workload(text_of(values, "AZURE_FEDERATED_TOKEN"))) {
            setting.issuer = workload->issuer;
            setting.subject = workload->subject;
            setting.audience = workload->audience;
        }
    }
    return setting;
}

std::optional<Finding> look_at_certificate(const SignInSetting& setting, const CredentialValues& values,
                                           TimePoint now) {
    if (setting.certificate_path.empty()) return std::nullopt;
    const auto password = values.find("AZURE_CLIENT_CERTIFICATE_PASSWORD");
    const auto certificate = azure::ClientCertificate::parse(
        values.at("AZURE_CLIENT_CERTIFICATE"), password == values.end() ? azure::Secret() : password->second);
    if (!certificate || certificate->not_after() <= now) return std::nullopt;  // the sign-in says it
    return judge_certificate(setting, certificate->not_after(), now);
}

}  // namespace

Task<std::vector<Finding>> check_share(ShareCheck check) {
    const SignInParts& parts = check.sign_in;
    const auto read = parts.store.read(check.share.choice.name);
    const CredentialValues values = read ? *read : CredentialValues{};
    const SignInSetting setting = setting_of(check, values);
    std::vector<Finding> findings;
    if (auto certificate = look_at_certificate(setting, values, parts.clock.now())) {
        if (check.on_finding) check.on_finding(*certificate);
        findings.push_back(std::move(*certificate));
    }
    const auto token = make_gallery_token(check.share.choice, check.cloud, parts);
    Questions questions(parts.transport, *token, parts.clock, parts.log, parts.metrics, check.arm);
    Checkup checkup(questions, *token, parts.clock,
                    {.endpoint = {},
                     .sign_in = setting,
                     .needs = find_needs(check.share.objects, check.options),
                     .on_finding = check.on_finding,
                     .credential = std::string(token->name())});
    auto found = co_await checkup.run();
    if (!found) co_return std::unexpected(found.error());
    std::ranges::move(*found, std::back_inserter(findings));
    co_return findings;
}

}  // namespace galleryd::doctor
