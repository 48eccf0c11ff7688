#include "reconcilers/lifecycle/quiet_scopes.h"

#include <algorithm>

#include "controller/core/digest.h"

namespace galleryd {
namespace {

constexpr std::chrono::hours replication_may_run{48};  // "can take a few hours" (azure-facts §6), and then some

bool is_settled(const Plan& plan) { return plan.complete && plan.changes.empty() && plan.waiting.empty(); }
bool is_clean(const Plan& hint) { return is_settled(hint) && hint.conflicts.empty() && hint.blocked.empty(); }

}  // namespace

std::string plan_signature(const Plan& plan) {
    std::string text = plan.id + "\n" + plan.observed_digest + "\n";
    for (const Change& change : plan.changes) text += change.address + " " + change.reason + "\n";
    for (const Conflict& conflict : plan.conflicts)
        text += conflict.address + " " + conflict.code + " " + conflict.path + " " + conflict.before + "\n";
    for (const Blocked& blocked : plan.blocked) {
        text += blocked.address + " " + blocked.rule;
        for (const BlockReason& reason : blocked.reasons) text += " " + reason.reason;
        text += "\n";
    }
    for (const std::string& waiting : plan.waiting) text += waiting + "\n";
    return sha256_label(text);
}

HintFacts facts_of(const DefinitionView& view, TimePoint now) {
    HintFacts facts;
    facts.fresh_versions = std::ranges::any_of(view.versions, [now](const ObservedVersion& version) {
        if (version.replication_known) return false;
        return version.state != ProvisioningState::succeeded || !version.published ||
               now - *version.published < replication_may_run;
    });
    return facts;
}

Trust QuietScopes::trust(const std::string& scope, const Plan& hint, HintFacts facts, bool few,
                         std::chrono::nanoseconds now) {
    const auto known = looked_.find(scope);
    if (!hint.complete || facts.fresh_versions) return Trust::nothing;
    if (known == looked_.end()) {
        if (few || facts.blind || !is_clean(hint)) return Trust::nothing;
    } else {
        Looked& last = known->second;
        if (!last.settled) return Trust::nothing;
        if (facts.blind && now - last.at >= blind_audit_age) return Trust::nothing;
        if (facts.blind || !is_clean(hint))
            return plan_signature(hint) == last.signature ? Trust::last_look : Trust::nothing;
        last.signature = plan_signature(hint);  // clean again: a difference that was tolerated before is news now
        if (now - last.at < audit_age) return Trust::hint;
    }
    if (audits_left_ < 1) return Trust::hint;
    audits_left_ -= 1;
    return Trust::nothing;
}

void QuietScopes::note_look(const std::string& scope, const Plan* hint, const Plan& plan,
                            std::chrono::nanoseconds now) {
    looked_[scope] = {
        .signature = hint == nullptr ? "" : plan_signature(*hint), .settled = is_settled(plan), .at = now};
}

void QuietScopes::touch(const std::string& scope) {
    if (const auto known = looked_.find(scope); known != looked_.end()) known->second.signature.clear();
}

void QuietScopes::refill(std::size_t scopes, std::chrono::nanoseconds now) {
    const auto passed = now - refilled_.value_or(now);
    refilled_ = now;
    const double days = std::chrono::duration<double>(passed) / std::chrono::duration<double>(audit_age);
    audits_left_ = std::min(audits_left_ + days * static_cast<double>(scopes), audits_at_once_max);
}

void QuietScopes::doubt(const std::string& scope) {
    if (const auto known = looked_.find(scope); known != looked_.end()) known->second.settled = false;
}

}  // namespace galleryd
