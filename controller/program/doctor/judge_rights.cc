#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "controller/core/resource_id.h"
#include "controller/program/doctor/judge.h"

namespace galleryd::doctor {
namespace {

using Actions = std::vector<const NeededAction*>;

std::string names_of(const Actions& actions) {
    std::string text;
    for (const NeededAction* action : actions) text += (text.empty() ? "" : ", ") + action->action;
    return text;
}

std::string subscription_of(const std::string& scope) { return scope.substr(0, scope.find("/resourceGroups/")); }

// A role at a single gallery would be lost with it, and one at a group that is still to be made cannot be given.
std::string grant_scope(const NeededRights& needed, const std::string& asked_at, const NeededAction& action) {
    const bool at_subscription =
        !asked_at.contains("/resourceGroups/") || action.action.ends_with("resourceGroups/write");
    if (at_subscription) return subscription_of(needed.scope);
    const ResourceId id(needed.scope);
    return resource_group_id(id.subscription(), id.resource_group()).text();
}

Finding quiet(const NeededRights& needed, Verdict verdict, std::string measured) {
    return {.check = "rights",
            .about = needed.scope,
            .verdict = verdict,
            .measured = std::move(measured) + " (" + needed.why + ")",
            .fix = {},
            .code = {}};
}

Finding missing_role(const NeededRights& needed, const Actions& actions, std::string command) {
    const bool is_warning = actions.front()->need == Need::only_for_deleting;
    Finding finding{.check = "rights",
                    .about = needed.scope,
                    .verdict = is_warning ? Verdict::warning : Verdict::failed,
                    .measured = "missing: " + names_of(actions) + " (" + needed.why + ")",
                    .fix = {std::move(command)},
                    .code = needed.is_source ? "GD3021" : "GD3020"};
    if (is_warning) finding.measured += "; needed only to delete, and nothing that is declared deletes";
    return finding;
}

Finding missing_group(const NeededRights& needed) {
    const ResourceId id(needed.scope);
    return failed("group", needed.scope, "does not exist (" + needed.why + ")",
                  {"az group create --name " + id.resource_group() + " --location " + needed.location +
                   " --subscription " + id.subscription() + "    # or spec.ensureResourceGroup: true"},
                  "GD3041");
}

}  // namespace

std::vector<Finding> judge_rights(const NeededRights& needed, const Result<FoundRights>& answer, const Bearer& bearer) {
    const FoundRights nothing{.rights = {}, .asked_at = needed.scope};  // who may not even ask holds nothing there
    if (!answer && needed.is_source && answer.error().http_status == 404)
        return {quiet(needed, Verdict::skipped, "the group is gone; versions that exist do not need it")};
    if (!answer && answer.error().reason != "AuthorizationFailed")
        return {unanswered("rights", needed.scope, answer.error())};
    const FoundRights& found = answer ? *answer : nothing;
    std::vector<Finding> findings;
    if (!needed.location.empty() && !needed.makes_group && !found.asked_at.contains("/resourceGroups/"))
        findings.push_back(missing_group(needed));
    std::map<std::tuple<Need, std::string, std::string>, Actions> missing;
    for (const NeededAction& action : needed.actions) {
        if (!holds(found.rights, action.action))
            missing[{action.need, action.role, grant_scope(needed, found.asked_at, action)}].push_back(&action);
    }
    if (!missing.empty() && !found.rights.complete) {  // a later page could hold what seems to be missing
        findings.push_back(quiet(needed, Verdict::skipped, "the list of rights is longer than one page; not judged"));
        return findings;
    }
    for (const auto& [role, actions] : missing) {
        const auto& [need, name, scope] = role;
        findings.push_back(missing_role(needed, actions, grant_command(bearer, name, scope)));
    }
    if (missing.empty()) {
        const std::size_t count = needed.actions.size();
        findings.push_back(
            quiet(needed, Verdict::ok, "holds all " + std::to_string(count) + (count == 1 ? " action" : " actions")));
    }
    return findings;
}

Finding join_refused(Finding subscription, const std::vector<Finding>& refused) {
    std::set<std::string> scopes;
    const std::string reader = subscription.fix.empty() ? "" : subscription.fix.front();
    for (const Finding& finding : refused) {
        scopes.insert(finding.about);
        if (finding.verdict != Verdict::failed) continue;
        for (const std::string& command : finding.fix) {
            const bool is_below_reader = !reader.empty() && command.starts_with(reader + "/");
            if (!is_below_reader && std::ranges::find(subscription.fix, command) == subscription.fix.end())
                subscription.fix.push_back(command);
        }
    }
    if (!scopes.empty())
        subscription.measured += "; nor can the " + std::to_string(scopes.size()) +
                                 (scopes.size() == 1 ? " scope" : " scopes") + " in it that the documents need";
    return subscription;
}

}  // namespace galleryd::doctor
