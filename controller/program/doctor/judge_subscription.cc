#include <algorithm>

#include "controller/adapters/azure/error_table.h"
#include "controller/core/resource_id.h"
#include "controller/program/doctor/judge.h"

namespace galleryd::doctor {
namespace {

constexpr std::string_view soft_delete_feature = "SIGSoftDelete";  // Microsoft's page on soft delete, prerequisites

bool is_not_readable(const Error& error) {
    return error.reason == "AuthorizationFailed" || error.code == "GD3043" || error.code == "GD3020";
}

std::string listed(const std::vector<std::string>& words, std::size_t most) {
    std::string text;
    for (std::size_t i = 0; i < std::min(words.size(), most); ++i) text += (i == 0 ? "" : ", ") + words[i];
    if (words.size() > most) text += " and " + std::to_string(words.size() - most) + " more";
    return text;
}

}  // namespace

Finding judge_subscription(const std::string& id, const Result<azure::SubscriptionFacts>& answer, const Asker& asker) {
    const std::string scope = "/subscriptions/" + id;
    if (!answer) {
        if (!is_not_readable(answer.error())) return unanswered("subscription", id, answer.error());
        std::string said = answer.error().message;  // what to grant stands below it
        if (const std::size_t advice = said.find(azure::grant_advice_begins); advice != std::string::npos)
            said.resize(said.find_last_not_of(" .", advice == 0 ? 0 : advice - 1) + 1);
        return failed("subscription", id, "cannot be read: " + said, {grant_command(asker.bearer, "Reader", scope)},
                      answer.error().code);
    }
    const bool is_foreign =
        !asker.tenant.empty() && !answer->tenant.empty() && answer->tenant != asker.tenant &&
        std::ranges::find(answer->managed_by_tenants, asker.tenant) == answer->managed_by_tenants.end();
    if (is_foreign)
        return failed("subscription", id, "belongs to tenant " + answer->tenant + ", the token is from " + asker.tenant,
                      {asker.folder.empty() ? "AZURE_TENANT_ID=" + answer->tenant
                                            : "write " + answer->tenant + " into " + asker.folder + "/AZURE_TENANT_ID"},
                      "GD3016");
    Finding finding{.check = "subscription",
                    .about = id,
                    .verdict = Verdict::ok,
                    .measured = "readable, " + answer->state + " (" + answer->name + ")",
                    .fix = {},
                    .code = {}};
    const std::string state = fold_case(answer->state);
    if (state == "enabled") return finding;
    const bool works = state == "warned" || state == "pastdue";
    finding.verdict = works ? Verdict::warning : Verdict::failed;
    finding.code = "GD3044";
    finding.fix = {"az account subscription enable --id " + id};
    if (works) finding.fix = {"the account's owner settles the payment or warning of subscription " + id};
    return finding;
}

Finding judge_provider(const WantedProvider& wanted, const Result<azure::ProviderFacts>& answer) {
    const std::string about = wanted.name + " in " + wanted.subscription;
    if (!answer) return unanswered("provider", about, answer.error());
    Finding finding{
        .check = "provider", .about = about, .verdict = Verdict::ok, .measured = answer->state, .fix = {}, .code = {}};
    const std::string state = fold_case(answer->state);
    if (state == "registered") return finding;
    if (wanted.optional) {
        finding.verdict = Verdict::skipped;
        finding.measured = answer->state + "; only needed for " + wanted.use;
        return finding;
    }
    finding.code = "GD3064";
    finding.fix = {"az provider register --namespace " + wanted.name + " --subscription " + wanted.subscription};
    finding.verdict = state == "registering" ? Verdict::warning : Verdict::failed;
    if (state == "registering")
        finding.fix = {"az provider show --namespace " + wanted.name + " --subscription " + wanted.subscription +
                       " --query registrationState    # wait for Registered"};
    return finding;
}

Finding judge_api_version(const azure::ApiVersion& pinned, const Result<azure::ProviderFacts>& answer) {
    const std::string about = std::string(pinned.resource) + " " + std::string(pinned.version);
    if (!answer) return unanswered("api-version", about, answer.error());
    const std::string base(pinned.resource.substr(pinned.resource.find('/') + 1));
    std::vector<std::string> names{base};
    if (base == "galleries") names.insert(names.end(), {base + "/images", base + "/images/versions"});
    const azure::ProviderType* type = nullptr;
    for (const std::string& name : names) {
        type = answer->find(name);
        if (type == nullptr)
            return failed("api-version", about, "this cloud does not offer the resource type " + name,
                          {"choose another cloud (--azure), or do without what needs " + std::string(pinned.resource)},
                          "GD3063");
        if (std::ranges::find(type->api_versions, pinned.version) == type->api_versions.end()) break;
        type = nullptr;
    }
    if (type == nullptr)
        return {.check = "api-version",
                .about = about,
                .verdict = Verdict::ok,
                .measured = "offered",
                .fix = {},
                .code = {}};
    return failed("api-version", about, "not offered here; offered are " + listed(type->api_versions, 5),
                  {"use a galleryd that is pinned to " +
                   (type->api_versions.empty() ? std::string("a version of this cloud")
                                               : *std::ranges::max_element(type->api_versions)) +
                   " or older: galleryd version"},
                  "GD3063");
}

Finding judge_regions(const std::string& subscription, const SubscriptionNeeds& needs,
                      const azure::ProviderFacts& compute) {
    Finding finding{
        .check = "regions", .about = subscription, .verdict = Verdict::ok, .measured = {}, .fix = {}, .code = {}};
    const azure::ProviderType* const galleries = compute.find("galleries");
    if (galleries == nullptr || galleries->regions.empty()) {
        finding.verdict = Verdict::skipped;
        finding.measured = "the provider does not say which regions it serves";
        return finding;
    }
    std::vector<std::string> missing;
    for (const auto& [region, use] : needs.regions) {
        if (!region.empty() && std::ranges::find(galleries->regions, region) == galleries->regions.end())
            missing.push_back(region);
    }
    finding.measured = "galleries are offered in all " + std::to_string(needs.regions.size()) + " declared regions";
    if (needs.regions.size() == 1) finding.measured = "galleries are offered in " + needs.regions.begin()->first;
    if (missing.empty()) return finding;
    return failed("regions", subscription, "galleries are not offered in " + listed(missing, 10),
                  {"az account list-locations --query \"[].name\" --output tsv    # then correct the documents"},
                  "GD3062");
}

Finding judge_soft_delete(const std::string& subscription, const Result<std::string>& state) {
    const std::string feature = "Microsoft.Compute/" + std::string(soft_delete_feature);
    const std::string about = feature + " in " + subscription;
    Finding finding{.check = "feature", .about = about, .verdict = Verdict::ok, .measured = {}, .fix = {}, .code = {}};
    if (!state) {
        if (state.error().http_status != 404) return unanswered("feature", about, state.error());
        finding.verdict = Verdict::skipped;  // what has become general knows no feature any more
        finding.measured = "this cloud knows no such feature; soft delete is either general here or not offered";
        return finding;
    }
    finding.measured = *state;
    const std::string folded = fold_case(*state);
    if (folded == "registered") return finding;
    const bool pending = folded == "registering" || folded == "pending";
    finding.verdict = pending ? Verdict::warning : Verdict::failed;
    finding.code = "GD3065";
    finding.fix = {"az feature register --namespace Microsoft.Compute --name " + std::string(soft_delete_feature) +
                   " --subscription " + subscription};
    if (pending)
        finding.fix = {"az feature show --namespace Microsoft.Compute --name " + std::string(soft_delete_feature) +
                       " --subscription " + subscription + " --query properties.state    # wait for Registered"};
    return finding;
}

}  // namespace galleryd::doctor
