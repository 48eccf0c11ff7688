#include "reconcilers/image_version/destruction.h"

#include <algorithm>

#include "controller/core/version_name.h"

namespace galleryd::image_version {
namespace {

struct Proof {
    OwnershipProof proof = OwnershipProof::none;
    std::string problem;
};

Proof prove_document(const VersionFacts& version, const ObjectKey& key) {
    const std::string document = to_string(key);
    if (version.record == nullptr || !version.record->written_by_us) {
        return {OwnershipProof::none,
                "the owner tag names " + document + ", but our own record does not say that we wrote it"};
    }
    if (version.record->document != document) {
        return {OwnershipProof::none,
                "the owner tag names " + document + ", but our own record says " + version.record->document};
    }
    return {OwnershipProof::document, ""};
}

Proof prove(const Facts& facts, const VersionFacts& version, Destruction destruction) {
    switch (version.ownership) {
        case Ownership::ours: return prove_document(version, version.desired->meta.key);
        case Ownership::removed: return prove_document(version, version.removed->key);
        case Ownership::untagged: {
            if (version.desired != nullptr || version.removed != nullptr)
                return {OwnershipProof::none, "it carries no owner tag"};
            if (!version.governed) return {OwnershipProof::none, "it was published by others and no policy governs it"};
            const bool may_go = destruction != Destruction::delete_version ||
                                (facts.retention() != nullptr && facts.retention()->action == RetentionAction::remove);
            if (!may_go) return {OwnershipProof::none, "it was published by others and retention.action is Report"};
            return {OwnershipProof::policy_governs_all, ""};
        }
        case Ownership::foreign: return {OwnershipProof::none, "it belongs to " + version.owner};
        case Ownership::unreadable: return {OwnershipProof::none, "its owner tag cannot be read"};
        case Ownership::orphaned:
            return {OwnershipProof::none,
                    "its owner tag names a document that is not known any more: " + version.owner};
        case Ownership::absent: return {OwnershipProof::none, "it is not in Azure"};
    }
    return {};
}

}  // namespace

InterlockQuestion question_about(const Facts& facts, const VersionFacts& version, Destruction destruction) {
    InterlockQuestion question;
    question.destruction = destruction;
    question.name = name_for_people(version.id);
    question.policy = &facts.policy;
    question.now = facts.now;
    question.mode = version.strict_mode;
    const Proof proof = prove(facts, version, destruction);
    question.ownership = proof.proof;
    question.ownership_problem = proof.problem;
    question.view_complete = facts.input.view->complete;
    question.operation_in_flight = version.in_transition;
    for (const Hold& hold : holds_of(facts, version)) {
        question.holds.push_back(hold.text);
        question.hold_ways_out.push_back(hold.way_out);
    }
    question.locked = facts.policy.locked.contains(version.id.key());
    question.usage = facts.policy.usage_of(version.id);
    question.usage_ignored = facts.retention() != nullptr && facts.retention()->in_use == InUseRule::ignore;
    if (const ResourceRecord* record = version.record; record != nullptr) {
        question.refused_at = record->removal_failed_at;
        if (destruction == Destruction::delete_version && record->failures > 0 && record->last_failure_at) {
            question.refused_at =
                std::max(question.refused_at.value_or(*record->last_failure_at), *record->last_failure_at);
        }
    }
    const ObservedVersion* observed = version.observed;
    if (observed == nullptr) return question;
    question.state = observed->state;
    question.identity_known = observed->published.has_value();
    question.blocked_until_end_of_life =
        observed->block_deletion_before_end_of_life.value_or(false) ||
        (version.desired != nullptr && version.desired->block_deletion_before_end_of_life);
    question.end_of_life_unknown = observed->end_of_life_unparsable;
    question.end_of_life = observed->end_of_life;
    // The later of what is declared and what Azure has: a date on its way to Azure already counts.
    if (version.desired != nullptr && version.desired->end_of_life) {
        question.end_of_life =
            std::max(question.end_of_life.value_or(*version.desired->end_of_life), *version.desired->end_of_life);
    }
    // A region or replica step deletes no version: the guard against deletion before end of life is not about it.
    if (destruction != Destruction::delete_version) question.blocked_until_end_of_life = false;
    return question;
}

KeepRule keep_rule(const Facts& facts, const VersionFacts& version, const Standing& standing, const Latest& latest,
                   KeepCount count) {
    // Not certain whether it is usable counts as usable here; certainly unusable ones (Failed, excluded by hand) are
    // not kept by rank.
    const bool may_be_usable = version.observed != nullptr && version.number && !standing.excluded_by_hand &&
                               version.observed->state != ProvisioningState::failed;
    const int newer =
        count == KeepCount::likely ? standing.place - 1 : std::min(standing.certain_newer, standing.place - 1);
    const bool nothing_newer = standing.newest_usable || newer == 0;
    if (may_be_usable && nothing_newer && standing.newest_usable)
        return {"newestUsable", "it is the newest usable version of its definition"};
    if (latest.is_latest_anywhere(version)) return {"latestInRegion", "`latest` resolves to it in at least one region"};
    const Retention* retention = facts.retention();
    const int keep_newest = retention != nullptr ? std::max(retention->keep_newest, 1) : 1;
    if (may_be_usable && newer < keep_newest) {
        if (retention == nullptr) return {"newestUsable", "no newer version is certainly usable"};
        return {facts.rule("keepNewest"), "it is among the newest " + std::to_string(keep_newest) + " usable versions"};
    }
    if (retention == nullptr || version.observed == nullptr || !version.observed->published) return {};
    if (facts.now - *version.observed->published < retention->minimum_age) {
        return {facts.rule("minimumAge"), "it is younger than " + format_duration(retention->minimum_age)};
    }
    return {};
}

const Retention& brakes_of(const Facts& facts) {
    static const Retention defaults;
    return facts.retention() != nullptr ? *facts.retention() : defaults;
}

bool is_approved_digest(const Facts& facts, const VersionFacts* version, const std::string& digest) {
    if (digest.empty()) return false;
    if (facts.policy.is_approved(digest)) return true;
    const auto approves = [&](const Metadata& meta) { return meta.deletion_approved == digest; };
    if (version != nullptr && version->desired != nullptr && approves(version->desired->meta)) return true;
    return (facts.input.policy != nullptr && approves(facts.input.policy->meta)) ||
           (facts.input.definition != nullptr && approves(facts.input.definition->meta)) ||
           (facts.input.gallery != nullptr && approves(facts.input.gallery->meta));
}

}  // namespace galleryd::image_version
