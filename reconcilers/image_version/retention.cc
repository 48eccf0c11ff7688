#include "reconcilers/image_version/retention.h"

#include <algorithm>

#include "controller/core/hold.h"
#include "controller/core/tags.h"
#include "reconcilers/lifecycle/record_update.h"

namespace galleryd::image_version {
namespace {

Judgement keep(std::string rule, std::string text) {
    return {.candidate = false, .rule = std::move(rule), .text = std::move(text), .matching = {}};
}

// Is it certain that it never became usable anywhere? Azure reports no sizes before provisioning has finished
// (azure-facts §3.3).
bool was_never_provisioned(const ObservedVersion& observed) {
    if (observed.state != ProvisioningState::failed) return false;
    const bool has_copy = std::ranges::any_of(observed.replication, [](const auto& region) {
        return region.second.state != ReplicationState::failed && region.second.state != ReplicationState::unknown;
    });
    const bool has_size = observed.os_disk_gb > 0 || observed.data_disks_gb > 0;
    return !has_copy && (observed.replication_known || !has_size);
}

std::optional<Judgement> not_for_the_policy(const Facts& facts, const VersionFacts& version) {
    if (version.observed == nullptr) {
        const bool was_removed = version.record != nullptr && version.record->tombstone;
        if (was_removed) return keep("tombstone", "retention removed it; it is not made again");
        return keep("notInAzure", "it does not exist yet");
    }
    if (!version.number)
        return keep("unknownVersionNumber", "its name is not MAJOR.MINOR.PATCH, so it is never touched");
    switch (version.ownership) {
        case Ownership::foreign: return keep("notOurs", "it belongs to " + version.owner);
        case Ownership::unreadable: return keep("notOurs", "its owner tag cannot be read");
        case Ownership::orphaned:
            return keep("orphaned", "its document is gone; it is left alone until the tag galleryd-owner is taken off");
        case Ownership::removed:
            return keep("removedDocument", "its document was removed with deletionPolicy: " +
                                               std::string(to_string(version.removed->deletion_policy)));
        case Ownership::untagged:
            if (version.desired != nullptr) return keep("notOurs", "it carries no owner tag and is not adopted");
            break;
        case Ownership::absent:
        case Ownership::ours: break;
    }
    if (facts.input.policy == nullptr) return keep("noPolicy", "no lifecycle policy applies");
    if (!version.governed)
        return keep(
            "notOurs",
            "it was published by others and the policy governs declared versions, in definitions that are ours");
    if (facts.retention() == nullptr) return keep("noRetention", "the policy has no retention");
    return std::nullopt;
}

// Azure said that it was gone. Reads may find it for minutes after that; later it is there because somebody restored
// it.
std::optional<Judgement> deleted_lately(const VersionFacts& version, TimePoint now) {
    const ResourceRecord* record = version.record;
    if (record == nullptr || !record->gone_at || !record->deleted_at || now - *record->deleted_at > deletion_settles)
        return std::nullopt;
    return keep("deletedLately", "it was deleted at " +
                                     format_rfc3339(std::chrono::floor<std::chrono::seconds>(*record->gone_at)) +
                                     "; it is there again only if it still is after a quarter of an hour");
}

std::optional<Judgement> unknown_data(const VersionFacts& version) {
    const ObservedVersion& observed = *version.observed;
    if (version.in_transition) return keep("inTransition", "an operation is in flight on it");
    if (observed.state != ProvisioningState::succeeded && observed.state != ProvisioningState::failed) {
        return keep("unknownState", "Azure does not report a known state");
    }
    if (!observed.published) return keep("unknownPublishedDate", "Azure reports no readable published date");
    if (observed.end_of_life_unparsable) return keep("unknownEndOfLife", "its end of life cannot be read");
    return std::nullopt;
}

// In the order in which they are named: a declared rule, its threshold, and what it says of this version.
void match_candidate_rules(Judgement& judgement, const Facts& facts, const VersionFacts& version) {
    const Retention& retention = *facts.retention();
    const ObservedVersion& observed = *version.observed;
    const Duration age = facts.now - *observed.published;
    const auto name = [&](const std::string& rule, std::string text) {
        judgement.matching.push_back(facts.rule(rule));
        if (judgement.candidate) return;
        judgement.candidate = true;
        judgement.rule = facts.rule(rule);
        judgement.text = std::move(text);
    };
    if (retention.older_than && age > *retention.older_than)
        name("olderThan", "it is older than " + format_duration(*retention.older_than));
    if (retention.past_end_of_life && observed.end_of_life &&
        facts.now - *observed.end_of_life > *retention.past_end_of_life) {
        name("pastEndOfLife",
             "its end of life passed more than " + format_duration(*retention.past_end_of_life) + " ago");
    }
    if (retention.failed_after && was_never_provisioned(observed)) {
        // Azure does not say when it failed: the later of the first PUT and our last failed write.
        TimePoint failed = *observed.published;
        if (version.record != nullptr && version.record->last_failure_at)
            failed = std::max(failed, *version.record->last_failure_at);
        if (facts.now - failed > *retention.failed_after) {
            name("failedAfter",
                 "its provisioning failed more than " + format_duration(*retention.failed_after) + " ago");
        }
    }
}

}  // namespace

Judgement judge(const Facts& facts, const VersionFacts& version, const Standing& standing, const Latest& latest) {
    if (auto kept = not_for_the_policy(facts, version)) return *kept;
    if (const auto holds = holds_of(facts, version); !holds.empty())
        return keep(holds.front().rule, "held: " + holds.front().text);
    if (auto kept = deleted_lately(version, facts.now)) return *kept;
    if (auto kept = unknown_data(version)) return *kept;
    if (const KeepRule rule = keep_rule(facts, version, standing, latest, KeepCount::likely); !rule.rule.empty())
        return keep(rule.rule, rule.text);
    Judgement judgement;
    match_candidate_rules(judgement, facts, version);
    if (!judgement.candidate) return keep(facts.rule("retention"), "no retention rule names it");
    judgement.text += ended_hold_text(facts, version);
    return judgement;
}

Mark mark_of(const Facts& facts, const VersionFacts& version, const Judgement& judgement) {
    if (version.observed == nullptr) return {};
    const ObservedTags& tags = version.observed->tags;
    const auto date = find_tag_any_case(tags, delete_after_tag);
    const auto rule = find_tag_any_case(tags, delete_rule_tag);
    Mark mark;
    mark.any_tag = date != tags.end() || rule != tags.end();
    if (date == tags.end() || rule == tags.end() || !date->second || !rule->second) return mark;
    const bool still_named = std::ranges::find(judgement.matching, *rule->second) != judgement.matching.end();
    if (!still_named) return mark;
    const auto delete_after = parse_rfc3339(*date->second);
    if (!delete_after) return mark;
    // What was announced has happened since, and somebody restored the version: a new deletion is announced anew.
    const bool is_done =
        version.record != nullptr && version.record->gone_at && *delete_after <= *version.record->gone_at;
    // A hold cancels, also where nobody was there to take the mark off before the hold ended.
    const auto held = held_until(facts, version);
    const Duration grace = facts.retention() != nullptr ? facts.retention()->grace : std::chrono::seconds{0};
    const bool is_canceled = held && *delete_after - grace <= *held;
    if (!is_done && !is_canceled) mark.delete_after = delete_after;
    return mark;
}

}  // namespace galleryd::image_version
