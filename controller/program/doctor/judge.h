#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/adapters/azure/api_versions.h"
#include "controller/adapters/azure/decode_checkup.h"
#include "controller/adapters/http/message.h"
#include "controller/core/result.h"
#include "controller/program/doctor/finding.h"
#include "controller/program/doctor/needs.h"
#include "controller/program/doctor/rights.h"

// Answers of Azure (and of this machine) to findings. Pure: no clock, no I/O; an error is an answer too.
namespace galleryd::doctor {

// ---- reaching Azure and signing in (judge_sign_in.cc) ----

struct Endpoint {
    std::string url;      // "https://management.azure.com"
    std::string ca_file;  // --azure-ca-file
};
Finding judge_endpoint(const Endpoint& endpoint, const Result<http::Response>& answer, std::chrono::milliseconds took);
// Five minutes is what sign-in and the interlock allow (azure-facts §13, behaviour §6.8).
// `pace`: what a simulator says of its own clock ("600" times as fast as the world's); "" for every other Azure.
Finding judge_clock(std::optional<TimePoint> azure, TimePoint ours, const std::string& pace = "");

// What the environment says about the credential; nothing secret. For commands that can be pasted.
struct SignInSetting {
    std::string credential;  // of the chain: "client-secret", …
    std::string tenant_id, client_id;
    std::string certificate_path;
    std::string token_file;                 // AZURE_FEDERATED_TOKEN_FILE
    std::string issuer, subject, audience;  // of the token in that file, "" when unreadable
    // Of a gallery's own credential: where its values lie as files ("DIR/images/team-a"); "": they are the
    // environment's.
    std::string folder = {};
};
Finding judge_sign_in(const SignInSetting& setting, const Result<std::string>& token, TimePoint now);
std::vector<std::string> sign_in_fix(const SignInSetting& setting, const Error& error);
// A certificate that ends soon is a warning; one that has ended fails at the sign-in itself.
Finding judge_certificate(const SignInSetting& setting, TimePoint ends, TimePoint now);

// ---- subscriptions and what they offer (judge_subscription.cc) ----

struct Asker {
    Bearer bearer;
    std::string tenant;       // of the token, lower case; "" unknown
    std::string folder = {};  // as SignInSetting's
};
Finding judge_subscription(const std::string& id, const Result<azure::SubscriptionFacts>& answer, const Asker& asker);
struct WantedProvider {
    std::string subscription, name;
    bool optional = false;  // not registered is no failure
    std::string use;        // what it is for, when optional
};
Finding judge_provider(const WantedProvider& wanted, const Result<azure::ProviderFacts>& answer);
// One pinned api-version; `answer` is of the provider that owns the resource.
Finding judge_api_version(const azure::ApiVersion& pinned, const Result<azure::ProviderFacts>& answer);
// Every declared region, in one finding.
Finding judge_regions(const std::string& subscription, const SubscriptionNeeds& needs,
                      const azure::ProviderFacts& compute);
Finding judge_soft_delete(const std::string& subscription, const Result<std::string>& state);

// ---- rights (judge_rights.cc) ----

// One finding for each role that is missing, or one that says that all is held.
// A role is to be given at the group (at the subscription while the group does not exist). A gallery whose group is
// missing and may not be made fails as well.
std::vector<Finding> judge_rights(const NeededRights& needed, const Result<FoundRights>& answer, const Bearer& bearer);

// One cause, one finding: `refused` are the rights at scopes of a subscription that cannot be read, where nothing may
// even be asked. What is to be granted there stands below the subscription's own line; Reader on it holds below it.
Finding join_refused(Finding subscription, const std::vector<Finding>& refused);

// ---- limits (judge_limits.cc) ----

struct Place {
    std::string subscription, region;
};
Finding judge_quota(const Place& place, const RegionUse& declared, const Result<std::vector<azure::UsageRow>>& answer);
std::optional<Finding> judge_replicas(const Needs& needs);  // nullopt: no version is declared
Finding judge_graph(const std::vector<std::string>& subscriptions, const Status& answer, const Bearer& bearer);
// The last x-ms-ratelimit-remaining-… headers, by what they count.
Finding judge_budgets(const std::map<std::string, std::string>& remaining);

// An answer that did not come, or a refusal: `skipped` where nothing is known to be wrong with what was declared.
Finding unanswered(std::string check, std::string about, const Error& error);

}  // namespace galleryd::doctor
