#include "reconcilers/image_version/wanted.h"

#include <algorithm>

namespace galleryd::image_version {
namespace {

std::string source_region(const VersionFacts& version) {
    // The version's own location in Azure wins: it cannot change, and Azure insists that it is among the targets.
    if (version.observed != nullptr && !version.observed->location.empty()) return version.observed->location;
    return version.desired != nullptr ? version.desired->location : "";
}

void take(Wanted& wanted, const std::vector<TargetRegion>& regions, const std::string& cause,
          bool storage_type_counts) {
    for (const TargetRegion& region : regions) wanted.regions[region.name] = {region, cause, storage_type_counts};
}

bool is_encrypted(const ObservedVersion& observed) {
    return std::ranges::any_of(observed.target_regions,
                               [](const TargetRegion& region) { return region.encryption.has_value(); });
}

// A tier names places for every version of the definition, so it yields to what a single version cannot do.
void take_tier(Wanted& wanted, const Facts& facts, const VersionFacts& version, const Tier& tier) {
    const std::string cause = "policy " + facts.rule("tier " + tier.name);
    const std::vector<std::string>* allowed =
        facts.input.definition != nullptr ? &facts.input.definition->allowed_regions : nullptr;
    for (const TargetRegion& region : tier.target_regions) {
        if (allowed != nullptr && !allowed->empty() && std::ranges::find(*allowed, region.name) == allowed->end()) {
            wanted.notices.push_back(version.address + ": tier " + tier.name + " names " + region.name +
                                     ", which the gallery's allowedRegions forbid; it is left out");
            continue;
        }
        const bool is_there = version.observed != nullptr &&
                              std::ranges::find(version.observed->target_regions, region.name, &TargetRegion::name) !=
                                  version.observed->target_regions.end();
        if (version.observed != nullptr && !is_there && is_encrypted(*version.observed) && !region.encryption) {
            wanted.notices.push_back(
                version.address + ": tier " + tier.name + " names " + region.name +
                ", but the version is encrypted and the tier gives no disk encryption set for it; it is left out");
            continue;
        }
        wanted.regions[region.name] = {region, cause, false};
    }
}

void add_source_region(Wanted& wanted, const VersionFacts& version, const std::string& cause) {
    const std::string source = source_region(version);
    if (source.empty() || wanted.regions.contains(source)) return;
    TargetRegion region;
    region.name = source;
    if (version.desired != nullptr) region.storage_account_type = version.desired->storage_account_type;
    wanted.regions[source] = {region, cause, false};
    wanted.notices.push_back(version.address + ": its source region " + source +
                             " is not among its regions; it is kept there with one replica, as Azure asks");
}

void choose_regions(Wanted& wanted, const Facts& facts, const VersionFacts& version, const Standing& standing) {
    const ImageVersion* desired = version.desired;
    if (desired != nullptr && desired->target_regions) {
        take(wanted, *desired->target_regions, "spec", true);
        return add_source_region(wanted, version, "azure");
    }
    if (standing.tier != nullptr) {
        wanted.regions_from_tier = true;
        take_tier(wanted, facts, version, *standing.tier);
        return add_source_region(wanted, version, "azure");
    }
    const bool left_to_tiers =
        version.ownership == Ownership::untagged && facts.input.policy != nullptr && !facts.input.policy->tiers.empty();
    if (version.observed != nullptr && (desired == nullptr || version.governed || left_to_tiers)) {
        wanted.regions_from_azure =
            true;  // Failed or excluded by hand: the policy has no place for it, so it stays where it is
        return take(wanted, version.observed->target_regions, "azure", false);
    }
    TargetRegion home;  // neither regions nor a policy: its source region alone
    home.name = source_region(version);
    home.replicas = desired->replicas_default;
    home.storage_account_type = desired->storage_account_type;
    wanted.regions[home.name] = {home, "spec", true};
}

void choose_end_of_life(Wanted& wanted, const Facts& facts, const VersionFacts& version) {
    if (version.desired != nullptr && version.desired->end_of_life) {
        wanted.end_of_life = version.desired->end_of_life;
        wanted.end_of_life_cause = "spec";
        return;
    }
    const ObservedVersion* observed = version.observed;
    wanted.end_of_life_cause = "azure";
    if (observed != nullptr) wanted.end_of_life = observed->end_of_life;
    const LifecyclePolicy* policy = facts.input.policy;
    if (policy == nullptr || !policy->end_of_life_after || !version.governed || wanted.end_of_life) return;
    std::optional<TimePoint> end;
    if (observed == nullptr) {
        end = facts.now + *policy->end_of_life_after;
    } else if (!observed->end_of_life_unparsable && observed->published &&
               observed->state == ProvisioningState::succeeded) {
        end = *observed->published + *policy->end_of_life_after;
        if (*end <= facts.now)
            end.reset();  // Azure wants a date in the future (azure-facts §5); an old version gets none
    }
    if (!end) return;
    wanted.end_of_life = std::chrono::floor<std::chrono::seconds>(*end);
    wanted.end_of_life_cause = "policy " + facts.rule("endOfLife.after");
}

void choose_exclusion(Wanted& wanted, const Facts& facts, const VersionFacts& version, const Standing& standing) {
    const ImageVersion* desired = version.desired;
    const bool is_excluded = version.observed != nullptr && version.observed->exclude_from_latest;
    if (desired != nullptr && desired->exclude_from_latest) {
        wanted.exclude_from_latest = true;
        wanted.exclude_cause = "spec";
        return;
    }
    if (!standing.deprecated_by.empty()) {
        wanted.exclude_from_latest = true;
        wanted.exclude_cause = "policy " + standing.deprecated_by;
        return;
    }
    if (desired == nullptr) {
        // Excluded by us, and no rule asks for it any more: let go. Excluded by others: theirs.
        const bool ours =
            version.record != nullptr && version.record->excluded_by_us && version.governed && standing.usable;
        wanted.exclude_from_latest = is_excluded && !ours;
        wanted.exclude_cause = ours ? "policy " + facts.rule("deprecate") : "azure";
        return;
    }
    wanted.exclude_cause = "spec";
    if (!desired->hold_latest_until_replicated) return;
    // Held only until it was let go once: a region added later must not take `latest` back everywhere else.
    const bool not_let_go = version.observed == nullptr || is_excluded;
    const bool replicated = version.observed != nullptr && version.observed->state == ProvisioningState::succeeded &&
                            is_fully_replicated(wanted, *version.observed).value_or(false);
    wanted.exclude_from_latest = not_let_go && !replicated;
    if (not_let_go) wanted.exclude_cause = "hold_latest";
}

void choose_flags(Wanted& wanted, const Facts& facts, const VersionFacts& version) {
    const ImageVersion* desired = version.desired;
    const ObservedVersion* observed = version.observed;
    const bool is_blocked = observed != nullptr && observed->block_deletion_before_end_of_life.value_or(false);
    if (desired == nullptr) {
        wanted.block_deletion = is_blocked;
        // Raised by us in order to take a region away and never by a policy for its own sake: Azure's default, the
        // safer value, comes back where a tier decides about regions.
        const bool tiers_decide =
            version.governed && facts.input.policy != nullptr && !facts.input.policy->tiers.empty();
        wanted.allow_region_deletion =
            !tiers_decide && observed != nullptr && observed->allow_deletion_of_replicated_locations;
        return;
    }
    // A guard that somebody raised is only lowered when the document speaks of safety at all (reliability Z11).
    const bool is_explicit = desired->meta.field_lines.contains("safety");
    wanted.block_deletion = desired->block_deletion_before_end_of_life || (is_blocked && !is_explicit);
    wanted.allow_region_deletion = desired->allow_deletion_of_replicated_locations;
}

}  // namespace

std::optional<bool> is_fully_replicated(const Wanted& wanted, const ObservedVersion& observed) {
    if (!observed.replication_known) return std::nullopt;
    return std::ranges::all_of(wanted.regions, [&](const auto& entry) {
        const bool is_target = std::ranges::find(observed.target_regions, entry.first, &TargetRegion::name) !=
                               observed.target_regions.end();
        const auto replication = observed.replication.find(entry.first);
        return is_target && replication != observed.replication.end() &&
               replication->second.state == ReplicationState::completed;
    });
}

Wanted wanted_version(const Facts& facts, const VersionFacts& version, const Standing& standing) {
    Wanted wanted;
    choose_regions(wanted, facts, version, standing);
    wanted.replica_count = version.desired != nullptr    ? version.desired->replicas_default
                           : version.observed != nullptr ? version.observed->replica_count
                                                         : 1;
    choose_end_of_life(wanted, facts, version);
    choose_exclusion(wanted, facts, version, standing);
    choose_flags(wanted, facts, version);
    if (version.desired != nullptr) {
        wanted.tags = version.desired->governance.tags;
        const bool is_nobodys =
            version.ownership ==
            Ownership::untagged;  // compared without it: no difference that adoption alone would make
        if (!is_nobodys) wanted.tags[owner_tag] = owner_tag_value(facts.policy.instance, version.desired->meta.key);
    }
    return wanted;
}

}  // namespace galleryd::image_version
