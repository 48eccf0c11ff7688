#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "controller/core/error_catalogue.h"
#include "controller/program/doctor/judge.h"
#include "controller/program/doctor/local_checks.h"
#include "controller/program/doctor/print.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/documents/samples.h"

using namespace galleryd;
using namespace galleryd::doctor;

namespace {

const TimePoint now = *parse_rfc3339("2026-03-01T00:00:00Z");
const std::string subscription = "00000000-0000-0000-0000-000000000001";
const std::string group = "/subscriptions/" + subscription + "/resourceGroups/rg";
const std::string gallery = group + "/providers/Microsoft.Compute/galleries/golden";
const Bearer bearer{.object_id = "oid", .app_id = "app", .is_user = false};

azure::Rights rights_of(std::vector<azure::RightSet> sets) { return {.sets = std::move(sets), .complete = true}; }

NeededRights needed(std::vector<NeededAction> actions) {
    return {.scope = gallery,
            .why = "gallery golden",
            .is_source = false,
            .makes_group = true,
            .location = "canadacentral",
            .actions = std::move(actions)};
}

Error azure_error(ErrorKind kind, const std::string& reason, const std::string& code, int status) {
    return {.kind = kind, .reason = reason, .message = "m", .code = code, .http_status = status};
}

// What every finding must be, whatever it says.
void check_form(const Finding& finding) {
    CAPTURE(finding.check);
    CAPTURE(finding.measured);
    CHECK_FALSE(finding.check.empty());
    CHECK_FALSE(finding.measured.empty());
    const bool is_bad = finding.verdict == Verdict::failed || finding.verdict == Verdict::warning;
    CHECK(finding.fix.empty() == !is_bad);
    for (const std::string& fix : finding.fix) CHECK_FALSE(fix.empty());
    if (is_bad) CHECK(find_error(finding.code) != nullptr);
}

std::string line(const Finding& finding) {
    check_form(finding);
    return std::string(to_string(finding.verdict)) + " " + finding.code + " " +
           (finding.fix.empty() ? "-" : finding.fix.front());
}

}  // namespace

TEST_CASE("a right is held when one role names it and does not take it back") {
    const auto rights = rights_of(
        {{.actions = {"*/read"}, .not_actions = {}},
         {.actions = {"Microsoft.Compute/galleries/*"}, .not_actions = {"Microsoft.Compute/galleries/share/action"}},
         {.actions = {"microsoft.compute/GALLERIES/images/versions/delete"}, .not_actions = {}}});
    CHECK(holds(rights, "Microsoft.Compute/galleries/read"));
    CHECK(holds(rights, "Microsoft.Compute/galleries/images/versions/write"));
    CHECK(holds(rights, "Microsoft.Compute/galleries/images/versions/delete"));
    CHECK_FALSE(holds(rights, "Microsoft.Compute/galleries/share/action"));
    CHECK_FALSE(holds(rights, "Microsoft.Authorization/roleAssignments/write"));
    CHECK_FALSE(holds({}, "Microsoft.Compute/galleries/read"));
    // Another role's notActions take nothing away.
    CHECK(holds(
        rights_of({{.actions = {"*"}, .not_actions = {"*/write"}}, {.actions = {"A/b/write"}, .not_actions = {}}}),
        "a/B/write"));
    CHECK(matches_action("*", "a"));
    CHECK(matches_action("A/*/c", "a/b/b/C"));
    CHECK(matches_action("a*", "a"));
    CHECK_FALSE(matches_action("a/*", "a"));
    CHECK_FALSE(matches_action("", "a"));
    CHECK_FALSE(matches_action("a/b", "a/bc"));
}

TEST_CASE("what documents need follows from what they declare and how the daemon runs") {
    const auto names = [](const NeededRights& rights, Need need) {
        std::string text;
        for (const NeededAction& action : rights.actions) {
            if (action.need == need) text += action.action.substr(action.action.find('/') + 1) + " ";
        }
        return text;
    };
    const DesiredObjects plain = test::read_text(test::estate()).objects;
    REQUIRE(plain.galleries.size() == 1);
    const Gallery& declared = plain.galleries.begin()->second;
    const Needs needs = find_needs(plain, {});
    REQUIRE(needs.subscriptions.size() == 1);
    const SubscriptionNeeds& one = needs.subscriptions.begin()->second;
    CHECK(needs.subscriptions.begin()->first == fold_case(declared.subscription_id));
    CHECK(one.regions.at(declared.location).galleries == 1);
    CHECK(one.regions.at(declared.location).definitions == 1);
    REQUIRE(one.rights.size() == 2);  // the group, then the gallery
    CHECK(one.rights.front().scope == resource_group_id(declared.subscription_id, declared.resource_group).text());
    CHECK(one.rights.front().location == declared.location);
    CHECK(names(one.rights.front(), Need::required).starts_with("subscriptions/resourceGroups/read "));
    CHECK(one.rights.back().scope == declared.id.text());
    CHECK(one.rights.back().location.empty());
    CHECK(names(one.rights.back(), Need::required).contains("galleries/write"));
    CHECK(names(one.rights.back(), Need::required).contains("galleries/images/write"));
    CHECK_FALSE(names(one.rights.back(), Need::required).contains("delete"));
    CHECK(names(one.rights.back(), Need::only_for_deleting).contains("galleries/images/delete"));

    const Needs observing = find_needs(plain, {.observe = true, .allow_deletes = false});
    CHECK_FALSE(names(observing.subscriptions.begin()->second.rights.back(), Need::required).contains("write"));
    const Needs deleting = find_needs(plain, {.observe = false, .allow_deletes = true});
    CHECK(names(deleting.subscriptions.begin()->second.rights.back(), Need::required).contains("galleries/delete"));

    DesiredObjects removing = plain;
    removing.definitions.begin()->second.governance.deletion_policy = DeletionPolicy::remove;
    const Needs by_document = find_needs(removing, {});
    CHECK(names(by_document.subscriptions.begin()->second.rights.back(), Need::required).contains("images/delete"));
    DesiredObjects suspended = plain;
    suspended.galleries.begin()->second.governance.mode = Mode::suspend;
    suspended.definitions.begin()->second.governance.mode = Mode::suspend;
    CHECK(find_needs(suspended, {}).subscriptions.empty());
}

TEST_CASE("a missing role is named once, with the group where it is to be given") {
    const NeededRights wants =
        needed({{.action = "Microsoft.Compute/galleries/images/write", .role = "P"},
                {.action = "Microsoft.Compute/galleries/write", .role = "P"},
                {.action = "Microsoft.Compute/galleries/delete", .role = "P", .need = Need::only_for_deleting},
                {.action = "Microsoft.Resources/subscriptions/resourceGroups/write", .role = "C"}});
    const auto judged = [&](azure::Rights rights, const std::string& asked_at) {
        return judge_rights(wants, FoundRights{.rights = std::move(rights), .asked_at = asked_at}, bearer);
    };
    const std::string create =
        "az role assignment create --assignee-object-id oid --assignee-principal-type ServicePrincipal --role ";
    auto found = judged({}, gallery);
    REQUIRE(found.size() == 3);
    CHECK(line(found[0]) == "failed GD3020 " + create + "\"C\" --scope /subscriptions/" + subscription);
    CHECK(line(found[1]) == "failed GD3020 " + create + "\"P\" --scope " + group);
    CHECK(found[1].measured.contains("galleries/images/write, Microsoft.Compute/galleries/write"));
    CHECK(line(found[2]) == "warning GD3020 " + create + "\"P\" --scope " + group);
    // The group is still to be made: a role can only be given above it.
    found = judged({}, "/subscriptions/" + subscription);
    CHECK(line(found[1]) == "failed GD3020 " + create + "\"P\" --scope /subscriptions/" + subscription);
    found = judged(rights_of({{.actions = {"*"}, .not_actions = {}}}), gallery);
    REQUIRE(found.size() == 1);
    CHECK(line(found[0]) == "ok  -");
    // More pages than were read: what seems to be missing may stand there.
    found = judged({.sets = {}, .complete = false}, gallery);
    REQUIRE(found.size() == 1);
    CHECK(found[0].verdict == Verdict::skipped);
    // Who may not even ask holds nothing.
    found = judge_rights(wants, std::unexpected(azure_error(ErrorKind::denied, "AuthorizationFailed", "GD3020", 403)),
                         bearer);
    CHECK(found.size() == 3);
    found =
        judge_rights(wants, std::unexpected(azure_error(ErrorKind::transient, "AzureError", "GD3090", 503)), bearer);
    REQUIRE(found.size() == 1);
    CHECK(found[0].verdict == Verdict::skipped);
    NeededRights unmade = wants;
    unmade.makes_group = false;
    found = judge_rights(unmade,
                         FoundRights{.rights = rights_of({{.actions = {"*"}, .not_actions = {}}}),
                                     .asked_at = "/subscriptions/" + subscription},
                         bearer);
    REQUIRE(found.size() == 2);
    CHECK(line(found[0]) == "failed GD3041 az group create --name rg --location canadacentral --subscription " +
                                subscription + "    # or spec.ensureResourceGroup: true");
    CHECK(
        grant_command({.object_id = "u", .app_id = "", .is_user = true}, "Reader", "/s") ==
        "az role assignment create --assignee-object-id u --assignee-principal-type User --role \"Reader\" --scope /s");
    CHECK(grant_command({}, "Reader", "/s").contains("--assignee OBJECT_ID"));
}

TEST_CASE("who asked is read out of Azure's refusal where the token does not say it") {
    const std::string id = "0581142e-ae8f-4bc0-9a0d-ffb7cbad05b2";
    const auto said = [](const std::string& client, const std::string& object) {
        return find_bearer("HTTP 403: The client '" + client + "' with object id '" + object +
                           "' does not have authorization to perform action 'a/read' over scope '/subscriptions/1'");
    };
    CHECK(said("app", id).object_id == id);
    CHECK_FALSE(said("app", id).is_user);
    CHECK(said("ann@example.com", id).is_user);
    CHECK(said("app", "x; rm -rf /").object_id.empty());  // it becomes part of a command
    CHECK(said("app", std::string(36, '`')).object_id.empty());
    CHECK(find_bearer("with object id '" + id).object_id.empty());
    CHECK(find_bearer("").object_id.empty());
}

TEST_CASE("the clock may differ by a minute quietly and by five at most") {
    const auto judged = [](std::chrono::seconds ahead) { return judge_clock(now, now + ahead); };
    using namespace std::chrono_literals;
    CHECK(line(judged(0s)) == "ok  -");
    CHECK(judged(0s).measured == "agrees with Azure's");
    CHECK(line(judged(60s)) == "ok  -");
    CHECK(line(judged(-61s)) == "warning GD3019 timedatectl set-ntp true");
    CHECK(judged(-61s).measured == "1m1s behind Azure's");
    CHECK(judged(300s).verdict == Verdict::warning);
    CHECK(line(judged(301s)) == "failed GD3019 timedatectl set-ntp true");
    CHECK(judged(-301s).verdict == Verdict::failed);
    CHECK(judge_clock(std::nullopt, now).verdict == Verdict::skipped);
    const Finding simulated = judge_clock(now + 1h, now, "600");
    CHECK(simulated.verdict == Verdict::skipped);
    CHECK(simulated.measured.contains("600 times"));
}

TEST_CASE("each state of a subscription, a provider and a feature has its verdict") {
    const auto of_subscription = [](const std::string& state) {
        return judge_subscription(
            subscription,
            azure::SubscriptionFacts{
                .id = subscription, .name = "n", .tenant = "t", .state = state, .managed_by_tenants = {}},
            {.bearer = bearer, .tenant = "t"});
    };
    CHECK(line(of_subscription("Enabled")) == "ok  -");
    CHECK(of_subscription("Warned").verdict == Verdict::warning);
    CHECK(of_subscription("PastDue").verdict == Verdict::warning);
    for (const char* state : {"Disabled", "Deleted", "SomethingNew", ""})
        CHECK(line(of_subscription(state)) == "failed GD3044 az account subscription enable --id " + subscription);
    const azure::SubscriptionFacts delegated{
        .id = subscription, .name = "n", .tenant = "customer", .state = "Enabled", .managed_by_tenants = {"t"}};
    CHECK(judge_subscription(subscription, delegated, {.bearer = bearer, .tenant = "t"}).verdict == Verdict::ok);
    CHECK(line(judge_subscription(subscription, delegated, {.bearer = bearer, .tenant = "other"})) ==
          "failed GD3016 AZURE_TENANT_ID=customer");
    for (const char* code : {"GD3020", "GD3043"}) {
        const Result<azure::SubscriptionFacts> refused =
            std::unexpected(azure_error(ErrorKind::denied, "AuthorizationFailed", code, 403));
        CHECK(judge_subscription(subscription, refused, {.bearer = bearer, .tenant = ""}).fix.front() ==
              grant_command(bearer, "Reader", "/subscriptions/" + subscription));
    }

    const auto of_provider = [](const std::string& state, bool optional) {
        return judge_provider({.subscription = "s", .name = "N", .optional = optional, .use = "x"},
                              azure::ProviderFacts{.name = "N", .state = state, .types = {}});
    };
    CHECK(line(of_provider("Registered", false)) == "ok  -");
    CHECK(line(of_provider("NotRegistered", false)) ==
          "failed GD3064 az provider register --namespace N --subscription s");
    CHECK(of_provider("Unregistered", false).verdict == Verdict::failed);
    CHECK(of_provider("Registering", false).verdict == Verdict::warning);
    CHECK(of_provider("NotRegistered", true).verdict == Verdict::skipped);

    CHECK(line(judge_soft_delete("s", std::string("Registered"))) == "ok  -");
    CHECK(judge_soft_delete("s", std::string("Pending")).verdict == Verdict::warning);
    CHECK(line(judge_soft_delete("s", std::string("NotRegistered"))) ==
          "failed GD3065 az feature register --namespace Microsoft.Compute --name SIGSoftDelete --subscription s");
    CHECK(judge_soft_delete("s", std::unexpected(azure_error(ErrorKind::not_ready, "NotFoundInAzure", "GD3040", 404)))
              .verdict == Verdict::skipped);
}

TEST_CASE("an api-version must be offered for every type of a gallery") {
    const auto with = [](std::vector<std::string> types, std::vector<std::string> versions) {
        azure::ProviderFacts facts{.name = "Microsoft.Compute", .state = "Registered", .types = {}};
        for (std::string& type : types)
            facts.types.push_back({.name = std::move(type), .api_versions = versions, .regions = {"westeurope"}});
        return judge_api_version(azure::gallery_api, facts);
    };
    const std::vector<std::string> all{"Galleries", "galleries/images", "galleries/images/versions"};
    CHECK(line(with(all, {"2025-03-03", "2024-03-03"})) == "ok  -");
    CHECK(line(with(all, {"2023-07-03", "2021-10-01"})) ==
          "failed GD3063 use a galleryd that is pinned to 2023-07-03 or older: galleryd version");
    CHECK(with({"galleries", "galleries/images"}, {"2024-03-03"}).measured.contains("galleries/images/versions"));
    CHECK(with({}, {}).verdict == Verdict::failed);
}

TEST_CASE("quotas, replicas and budgets warn before they are used up") {
    const RegionUse declared{.galleries = 1, .definitions = 2, .versions = 3, .is_target = true};
    const auto judged = [&](std::int64_t current, std::int64_t limit, RegionUse use) {
        return judge_quota({.subscription = "s", .region = "r"}, use,
                           std::vector<azure::UsageRow>{{.name = "GalleryImage", .current = current, .limit = limit}});
    };
    CHECK(judged(899, 1000, declared).verdict == Verdict::ok);
    CHECK(judged(900, 1000, declared).verdict == Verdict::warning);
    CHECK(judged(1000, 1000, declared).verdict == Verdict::failed);
    CHECK(judged(1000, 1000, {}).verdict == Verdict::warning);  // nothing of ours counts there
    CHECK(judged(0, 1, declared).measured == "definitions 0 of 1 (2 declared)");
    CHECK(judged(0, 1, declared).verdict == Verdict::failed);
    check_form(judged(1000, 1000, declared));
    CHECK(judge_quota({}, declared, std::vector<azure::UsageRow>{}).verdict == Verdict::skipped);

    CHECK_FALSE(judge_replicas({}).has_value());
    CHECK(judge_replicas({.subscriptions = {}, .replicas_most = 100, .replicas_where = "v"})->verdict == Verdict::ok);
    CHECK(judge_replicas({.subscriptions = {}, .replicas_most = 101, .replicas_where = "v"})->verdict ==
          Verdict::warning);

    CHECK(judge_budgets({}).verdict == Verdict::skipped);
    CHECK(line(judge_budgets({{"subscription-reads", "10"}})) == "ok  -");
    CHECK(judge_budgets({{"subscription-reads", "9"}, {"tenant-reads", "250"}}).verdict == Verdict::warning);
    CHECK(judge_budgets({{"odd", "many"}}).verdict == Verdict::ok);
    CHECK(judge_graph({"s"}, Status{}, bearer).verdict == Verdict::ok);
    CHECK(judge_graph({"s", "t"}, std::unexpected(azure_error(ErrorKind::denied, "x", "GD3007", 403)), bearer)
              .fix.size() == 2);
}

TEST_CASE("an answer that did not come is skipped, a certain refusal fails with the catalogue's remedy") {
    const auto judged = [](ErrorKind kind, const std::string& code) {
        return unanswered("quota", "here", azure_error(kind, "AzureError", code, 0));
    };
    for (const ErrorKind kind :
         {ErrorKind::transient, ErrorKind::throttled, ErrorKind::conflict, ErrorKind::not_ready, ErrorKind::bug}) {
        CHECK(judged(kind, "GD3090").verdict == Verdict::skipped);
        CHECK(judged(kind, "GD3090").fix.empty());
    }
    CHECK(judged(ErrorKind::denied, "GD3022").verdict == Verdict::failed);
    CHECK(judged(ErrorKind::denied, "GD3022").fix.front() == find_error("GD3022")->remedy);
    CHECK_FALSE(judged(ErrorKind::denied, "").fix.front().empty());
}

TEST_CASE("the state directory is looked at and never made") {
    const TemporaryDirectory directory;
    const std::string unmade = directory.path() + "/a/b";
    CHECK(line(look_at_state_directory(unmade)) == "ok  -");
    CHECK(look_at_state_directory(unmade).measured.contains("does not exist yet"));
    CHECK_FALSE(std::filesystem::exists(directory.path() + "/a"));
    CHECK(look_at_state_directory(directory.path()).measured == "writable, not in use");
    CHECK_FALSE(std::filesystem::exists(directory.path() + "/galleryd.lock"));
    directory.write("file", "x");
    CHECK(look_at_state_directory(directory.path() + "/file").code == "GD4106");
    CHECK(look_at_state_directory(directory.path() + "/file/below").verdict == Verdict::failed);
    check_form(look_at_state_directory(directory.path() + "/file/below"));
    for (const std::string nowhere : {"/proc/x", "/proc", "/sys/kernel/x"}) {  // root may, and still cannot
        CAPTURE(nowhere);
        const Finding found = look_at_state_directory(nowhere);
        CHECK(found.verdict == Verdict::failed);
        check_form(found);
    }
    CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);  // the file alone
}

TEST_CASE("a path without documents is told with what to do about the path") {
    const auto found = judge_documents({"/nowhere"},
                                       std::unexpected(Error{.kind = ErrorKind::invalid,
                                                             .reason = "PathMissing",
                                                             .message = "/nowhere: no such file or folder",
                                                             .code = "GD1090"}),
                                       true);
    CHECK(found.verdict == Verdict::failed);
    CHECK(found.code == "GD1090");
    CHECK(found.about.empty());  // the message begins with it
    CHECK(found.fix.front().starts_with("name folders or files with manifests"));
}

TEST_CASE("the report is one line a check with its repairs below, and the same as JSON") {
    const std::vector<Finding> findings{
        {.check = "clock", .about = "", .verdict = Verdict::ok, .measured = "agrees", .fix = {}, .code = {}},
        failed("provider", "N in s", "NotRegistered\x1b[31m", {"first", "second"}, "GD3064")};
    std::ostringstream text;
    for (const Finding& finding : findings) print_line(text, finding);
    print_counts(text, findings);
    CHECK(text.str() ==
          "ok       clock           agrees\n"
          "failed   provider        N in s: NotRegistered [31m (GD3064)\n"
          "        fix: first\n"
          "        fix: second\n"
          "\n1 ok, 0 warnings, 1 failed, 0 skipped.\nNext: galleryd explain GD3064\n");
    std::ostringstream json;
    print_json(json, findings, "public");
    const auto document = nlohmann::json::parse(json.str());
    CHECK(document["format_version"] == "1.0");
    CHECK(document["checks"][1]["fix"] == nlohmann::json::array({"first", "second"}));
    CHECK(document["checks"][0]["fix"] == nlohmann::json::array());
    CHECK(document["summary"]["failed"] == 1);
}

TEST_CASE("doctor: what a gallery's own credential lacks is put into its file, not into the environment") {
    const auto fix = [](const std::string& code) {
        const SignInSetting setting{.credential = "images/team-a",
                                    .tenant_id = "t",
                                    .client_id = "app",
                                    .certificate_path = "/creds/images/team-a/AZURE_CLIENT_CERTIFICATE",
                                    .token_file = {},
                                    .issuer = {},
                                    .subject = {},
                                    .audience = {},
                                    .folder = "/creds/images/team-a"};
        const auto lines =
            sign_in_fix(setting, Error{.kind = ErrorKind::denied, .reason = {}, .message = {}, .code = code});
        REQUIRE(lines.size() == 1);
        return lines.front();
    };
    CHECK(fix("GD3011") ==
          "az ad app credential reset --id app --append    # then write <its password> into "
          "/creds/images/team-a/AZURE_CLIENT_SECRET");
    CHECK(fix("GD3013") ==
          "az ad sp show --id app    # in tenant t; then correct /creds/images/team-a/AZURE_CLIENT_ID or "
          "/creds/images/team-a/AZURE_TENANT_ID");
    CHECK(fix("GD3014") ==
          "az account show --query tenantId --output tsv    # then write <that> into "
          "/creds/images/team-a/AZURE_TENANT_ID, now t");
    CHECK(fix("GD3025") ==
          "az ad app credential reset --id app --create-cert --append    # then put the file that it "
          "names at /creds/images/team-a/AZURE_CLIENT_CERTIFICATE");
    CHECK(fix("GD3010").ends_with(" Of this credential they are the files in /creds/images/team-a."));
    azure::SubscriptionFacts facts;
    facts.tenant = "their";
    const Finding foreign = judge_subscription("s", facts, {.bearer = {}, .tenant = "ours", .folder = "/creds/x"});
    CHECK(foreign.fix == std::vector<std::string>{"write their into /creds/x/AZURE_TENANT_ID"});
}
