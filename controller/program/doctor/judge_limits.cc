#include <algorithm>
#include <charconv>

#include "controller/program/doctor/judge.h"

namespace galleryd::doctor {
namespace {

constexpr int replicas_per_version_max = 100;  // azure-facts §1
constexpr int nearly_full_percent = 90;
constexpr int budget_low = 10;  // requests left

struct CountedKind {
    std::string_view usage, word;
    std::size_t RegionUse::*declared;
};
constexpr CountedKind counted_kinds[] = {{"Gallery", "galleries", &RegionUse::galleries},
                                         {"GalleryImage", "definitions", &RegionUse::definitions},
                                         {"GalleryImageVersion", "versions", &RegionUse::versions}};

Verdict worse(Verdict a, Verdict b) {
    const auto rank = [](Verdict v) { return v == Verdict::failed ? 2 : v == Verdict::warning ? 1 : 0; };
    return rank(a) >= rank(b) ? a : b;
}

}  // namespace

Finding judge_quota(const Place& place, const RegionUse& declared, const Result<std::vector<azure::UsageRow>>& answer) {
    const std::string about = place.region + " in " + place.subscription;
    if (!answer) return unanswered("quota", about, answer.error());
    Finding finding{.check = "quota", .about = about, .verdict = Verdict::ok, .measured = {}, .fix = {}, .code = {}};
    for (const CountedKind& kind : counted_kinds) {
        const auto row = std::ranges::find(*answer, kind.usage, &azure::UsageRow::name);
        if (row == answer->end()) continue;
        finding.measured += (finding.measured.empty() ? "" : ", ") + std::string(kind.word) + " " +
                            std::to_string(row->current) + " of " + std::to_string(row->limit);
        const auto wanted = static_cast<std::int64_t>(declared.*(kind.declared));
        const bool too_many = wanted > row->limit;
        if (too_many) finding.measured += " (" + std::to_string(wanted) + " declared)";
        Verdict verdict = Verdict::ok;
        if (row->current * 100 >= row->limit * nearly_full_percent) verdict = Verdict::warning;
        // Whether the declared ones are among the existing ones a count does not tell: full means the next is refused.
        if (too_many || (row->current >= row->limit && wanted > 0)) verdict = Verdict::failed;
        finding.verdict = worse(verdict, finding.verdict);
    }
    if (finding.measured.empty()) {
        finding.verdict = Verdict::skipped;
        finding.measured = "the provider does not count galleries here";
    }
    if (finding.verdict == Verdict::ok || finding.verdict == Verdict::skipped) return finding;
    finding.code = "GD3031";
    finding.fix = {
        "delete what is not needed (galleryd plan --explain says what keeps each version), or ask for more: "
        "portal, subscription " +
        place.subscription + ", Usage + quotas, Compute, " + place.region};
    return finding;
}

std::optional<Finding> judge_replicas(const Needs& needs) {
    if (needs.replicas_most == 0) return std::nullopt;
    Finding finding{.check = "replicas",
                    .about = needs.replicas_where,
                    .verdict = Verdict::ok,
                    .measured = std::to_string(needs.replicas_most) + " of " +
                                std::to_string(replicas_per_version_max) + " replicas, the most of any version",
                    .fix = {},
                    .code = {}};
    if (needs.replicas_most <= replicas_per_version_max) return finding;
    finding.verdict = Verdict::warning;
    finding.code = "GD3031";
    finding.fix = {"lower spec.targetRegions[].replicas of " + needs.replicas_where + " to " +
                   std::to_string(replicas_per_version_max) + " in all"};
    return finding;
}

Finding judge_graph(const std::vector<std::string>& subscriptions, const Status& answer, const Bearer& bearer) {
    Finding finding{.check = "resource-graph",
                    .about = {},
                    .verdict = Verdict::ok,
                    .measured = "answers for " + std::to_string(subscriptions.size()) +
                                (subscriptions.size() == 1 ? " subscription" : " subscriptions"),
                    .fix = {},
                    .code = {}};
    if (answer) return finding;
    finding.verdict = Verdict::warning;  // ARM lists serve as well, with more requests
    finding.code = "GD3007";
    finding.measured = answer.error().message + "; ARM lists are used instead, with many more requests";
    for (const std::string& subscription : subscriptions)
        finding.fix.push_back(grant_command(bearer, "Reader", "/subscriptions/" + subscription));
    return finding;
}

Finding judge_budgets(const std::map<std::string, std::string>& remaining) {
    Finding finding{
        .check = "request-budget", .about = {}, .verdict = Verdict::ok, .measured = {}, .fix = {}, .code = {}};
    for (const auto& [name, left] : remaining) {
        finding.measured += (finding.measured.empty() ? "left: " : ", ") + name + " " + left;
        int number = 0;
        const auto [end, error] = std::from_chars(left.data(), left.data() + left.size(), number);
        if (error == std::errc{} && end == left.data() + left.size() && number < budget_low)
            finding.verdict = Verdict::warning;
    }
    if (remaining.empty()) {
        finding.verdict = Verdict::skipped;
        finding.measured = "Azure's answers name no budgets";
    }
    if (finding.verdict != Verdict::warning) return finding;
    finding.code = "GD3030";
    finding.fix = {
        "wait a minute; if it stays: a lower --arm-share, a longer --interval, or find the other caller in the "
        "activity log"};
    return finding;
}

}  // namespace galleryd::doctor
