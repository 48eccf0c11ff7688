#include "controller/program/doctor/checkup.h"

#include <algorithm>

#include "controller/core/resource_id.h"
#include "controller/runtime/task_group.h"
#include "controller/runtime/within.h"
#include "controller/simulator/simulator.h"

namespace galleryd::doctor {

using boost::asio::awaitable;

namespace {

constexpr int subscriptions_at_a_time = 4;
constexpr std::chrono::seconds sign_in_deadline{60};
constexpr const char* compute = "Microsoft.Compute";
constexpr std::chrono::seconds subscription_deadline{120};  // where every question hangs, people wait no longer

std::string namespace_of(const azure::ApiVersion& pinned) {
    return std::string(pinned.resource.substr(0, pinned.resource.find('/')));
}

}  // namespace

struct Checkup::Patient {
    std::string id;
    SubscriptionNeeds needs;
    std::vector<Finding> findings;
    bool readable = false;
    std::optional<azure::ProviderFacts> compute;
    std::chrono::nanoseconds until{0};  // monotonic
    bool is_late = false;
};

void Checkup::tell(std::vector<Finding>& to, Finding finding) const {
    if (!options_.credential.empty() && finding.about != options_.credential)
        finding.about += (finding.about.empty() ? "(credential " : " (credential ") + options_.credential + ")";
    if (options_.on_finding) options_.on_finding(finding);
    to.push_back(std::move(finding));
}

std::vector<Finding> not_checked(const std::string& why) {
    std::vector<Finding> findings;
    for (const char* check :
         {"subscription", "provider", "regions", "rights", "quota", "api-version", "resource-graph"})
        findings.push_back({.check = check,
                            .about = {},
                            .verdict = Verdict::skipped,
                            .measured = "not checked: " + why,
                            .fix = {},
                            .code = {}});
    return findings;
}

void Checkup::skip_the_rest(const std::string& why) {
    for (Finding& finding : not_checked(why)) tell(findings_, std::move(finding));
    if (const auto replicas = judge_replicas(options_.needs)) tell(findings_, *replicas);
}

Task<bool> Checkup::reach() {
    const auto began = clock_.monotonic();
    const auto answer = co_await questions_.greet();
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.monotonic() - began);
    tell(findings_, judge_endpoint(options_.endpoint, answer, took));
    if (findings_.back().verdict == Verdict::failed) co_return false;
    const std::string pace = answer->headers.get(simulator::time_scale_header);
    tell(findings_, judge_clock(parse_http_date(answer->headers.get("Date")), clock_.now(), pace));
    co_return true;
}

Task<bool> Checkup::sign_in() {
    const auto token = co_await within(clock_, sign_in_deadline, "sign-in to Azure", tokens_.token());
    options_.sign_in.credential = std::string(tokens_.name());
    tell(findings_, judge_sign_in(options_.sign_in, token, clock_.now()));
    if (!token) co_return false;
    asker_.folder = options_.sign_in.folder;
    asker_.bearer.app_id = options_.sign_in.client_id;
    if (const auto identity = azure::find_token_identity(*token)) {
        asker_.bearer = {.object_id = identity->object_id, .app_id = identity->app_id, .is_user = identity->is_user};
        asker_.tenant = fold_case(identity->tenant);
    }
    co_return true;
}

// A token that only Azure can read does not say who asks; Azure's refusal does.
void Checkup::take_bearer(const Error& refusal) {
    if (!asker_.bearer.object_id.empty()) return;
    Bearer named = find_bearer(refusal.message);
    if (!named.object_id.empty()) asker_.bearer = std::move(named);
}

Task<void> Checkup::find_subscriptions() {
    none_named_ = options_.needs.subscriptions.empty();
    if (!none_named_) co_return Status{};
    const auto visible = co_await questions_.visible_subscriptions();
    if (!visible) {
        tell(findings_, unanswered("subscriptions", "", visible.error()));
        co_return Status{};
    }
    for (const azure::SubscriptionFacts& one : *visible) options_.needs.subscriptions[one.id];
    if (!visible->empty()) co_return Status{};
    tell(findings_, failed("subscriptions", "", "this identity can read none",
                           {grant_command(asker_.bearer, "Reader", "/subscriptions/SUBSCRIPTION_ID")}, "GD3043"));
    co_return Status{};
}

awaitable<void> Checkup::look_at_providers(Patient& patient) {
    std::vector<WantedProvider> wanted{{.subscription = patient.id, .name = compute, .use = {}}};
    if (patient.needs.storage) wanted.push_back({.subscription = patient.id, .name = "Microsoft.Storage", .use = {}});
    wanted.push_back({.subscription = patient.id,
                      .name = "Microsoft.VirtualMachineImages",
                      .optional = true,
                      .use = "Azure Image Builder"});
    for (const WantedProvider& one : wanted) {
        auto answer = co_await questions_.provider(one.subscription, one.name);
        tell(patient.findings, judge_provider(one, answer));
        if (answer && one.name == compute) patient.compute = std::move(*answer);
    }
    if (patient.compute && !patient.needs.regions.empty())
        tell(patient.findings, judge_regions(patient.id, patient.needs, *patient.compute));
    if (!patient.needs.soft_delete) co_return;
    const auto state = co_await questions_.feature(patient.id, "SIGSoftDelete");
    tell(patient.findings, judge_soft_delete(patient.id, state));
}

// One finding, however many questions are left.
bool Checkup::is_out_of_time(Patient& patient) const {
    if (patient.is_late || clock_.monotonic() < patient.until) return patient.is_late;
    patient.is_late = true;
    tell(patient.findings, {.check = "subscription",
                            .about = patient.id,
                            .verdict = Verdict::skipped,
                            .measured = "answers took longer than " + format_duration(subscription_deadline) +
                                        " in all; the rest was not asked",
                            .fix = {},
                            .code = {}});
    return true;
}

// `refused`: where findings go whose scope may not even be asked about; none: to the others.
awaitable<void> Checkup::look_at_rights(Patient& patient, std::vector<Finding>* refused) {
    for (const NeededRights& needed : patient.needs.rights) {
        if (is_out_of_time(patient)) co_return;
        const auto answer = co_await questions_.rights(needed.scope, !needed.is_source);
        const bool may_not_ask = !answer && answer.error().reason == "AuthorizationFailed";
        for (Finding& finding : judge_rights(needed, answer, asker_.bearer)) {
            if (may_not_ask && refused != nullptr) refused->push_back(std::move(finding));
            else tell(patient.findings, std::move(finding));
        }
    }
}

// Fourteen lines about one missing role help nobody: they become one.
awaitable<void> Checkup::look_at_closed(Patient& patient, Finding subscription) {
    std::vector<Finding> refused;
    const bool is_refused = subscription.verdict == Verdict::failed;
    co_await look_at_rights(patient, is_refused ? &refused : nullptr);
    tell(patient.findings, join_refused(std::move(subscription), refused));
    tell(patient.findings, {.check = "quota",
                            .about = patient.id,
                            .verdict = Verdict::skipped,
                            .measured = "providers, features and quotas were not asked: the subscription "
                                        "cannot be read",
                            .fix = {},
                            .code = {}});
}

awaitable<void> Checkup::look_at_quotas(Patient& patient) {
    for (const auto& [region, use] : patient.needs.regions) {
        if (use.galleries + use.definitions + use.versions == 0) continue;  // counted where they are at home
        if (is_out_of_time(patient)) co_return;
        const auto answer = co_await questions_.usages(patient.id, region);
        tell(patient.findings, judge_quota({.subscription = patient.id, .region = region}, use, answer));
    }
}

awaitable<void> Checkup::look_at(Patient& patient) {
    patient.until = clock_.monotonic() + subscription_deadline;
    const auto facts = co_await questions_.subscription(patient.id);
    patient.readable = facts.has_value();
    if (!facts) take_bearer(facts.error());
    Finding subscription = judge_subscription(patient.id, facts, asker_);
    if (!patient.readable) {
        co_await look_at_closed(patient, std::move(subscription));
        co_return;
    }
    tell(patient.findings, std::move(subscription));
    co_await look_at_providers(patient);
    co_await look_at_rights(patient, nullptr);
    co_await look_at_quotas(patient);
    if (!none_named_) co_return;
    const auto galleries = co_await questions_.count_galleries(patient.id);
    Finding finding{.check = "galleries",
                    .about = patient.id,
                    .verdict = Verdict::ok,
                    .measured = galleries ? std::to_string(*galleries) + " can be read" : "",
                    .fix = {},
                    .code = {}};
    if (!galleries) finding = unanswered("galleries", patient.id, galleries.error());
    if (!galleries && finding.verdict == Verdict::failed && galleries.error().reason == "AuthorizationFailed")
        finding.fix = {grant_command(asker_.bearer, "Reader", "/subscriptions/" + patient.id)};
    tell(patient.findings, std::move(finding));
}

awaitable<void> Checkup::work(Round& round) {
    while (round.next < round.patients.size()) co_await look_at(round.patients[round.next++]);
}

// What is the same in all subscriptions of a cloud: asked in the first one that can be read.
awaitable<void> Checkup::look_at_cloud(const Round& round) {
    const auto first = std::ranges::find_if(round.patients, &Patient::readable);
    const bool storage = std::ranges::any_of(round.patients, [](const Patient& one) { return one.needs.storage; });
    for (const azure::ApiVersion& pinned : azure::api_versions) {
        if (first == round.patients.end()) break;
        const std::string provider = namespace_of(pinned);
        if (provider == "Microsoft.Storage" && !storage) continue;
        auto answer = co_await questions_.provider(first->id, provider);
        Finding finding = judge_api_version(pinned, answer);
        const bool has_a_way_round = pinned.resource == azure::resource_graph_api.resource;  // the lists of ARM
        if (has_a_way_round && finding.verdict == Verdict::failed) finding.verdict = Verdict::warning;
        tell(findings_, std::move(finding));
    }
    std::vector<std::string> readable;
    for (const Patient& one : round.patients) {
        if (one.readable) readable.push_back(one.id);
    }
    if (readable.empty()) co_return;
    const auto answer = co_await questions_.graph(readable);
    tell(findings_, judge_graph(readable, answer, asker_.bearer));
}

Task<std::vector<Finding>> Checkup::run_without_sign_in() {
    const auto reached = co_await reach();
    if (!reached) co_return std::unexpected(reached.error());
    co_return std::move(findings_);
}

Task<std::vector<Finding>> Checkup::run() {
    if (options_.credential.empty()) {
        const auto reached = co_await reach();
        if (!reached) co_return std::unexpected(reached.error());
        if (!*reached) {
            skip_the_rest("Azure cannot be reached");
            co_return std::move(findings_);
        }
    }
    const auto signed_in = co_await sign_in();
    if (!signed_in) co_return std::unexpected(signed_in.error());
    if (!*signed_in) {
        skip_the_rest("no token");
        co_return std::move(findings_);
    }
    const auto found = co_await find_subscriptions();
    if (!found) co_return std::unexpected(found.error());
    Round round;
    for (auto& [id, needs] : options_.needs.subscriptions)
        round.patients.push_back({.id = id, .needs = needs, .findings = {}, .compute = {}});
    const auto executor = co_await boost::asio::this_coro::executor;
    TaskGroup group(executor);
    for (int i = 0; i < subscriptions_at_a_time; ++i) group.spawn(work(round));
    co_await group.finish();
    for (Patient& one : round.patients) std::ranges::move(one.findings, std::back_inserter(findings_));
    co_await look_at_cloud(round);
    if (const auto replicas = judge_replicas(options_.needs)) tell(findings_, *replicas);
    tell(findings_, judge_budgets(questions_.remaining()));
    co_return std::move(findings_);
}

}  // namespace galleryd::doctor
