#include "reconcilers/image_version/ranks.h"

namespace galleryd::image_version {
namespace {

std::string group_of(const ImageVersionNumber& number, const LifecyclePolicy* policy) {
    if (policy == nullptr || policy->per == RankPer::definition) return "";
    std::string group = std::to_string(number.major_number);
    if (policy->per == RankPer::major_minor) group += "." + std::to_string(number.minor_number);
    return group;
}

std::string deprecation(const Facts& facts, const VersionFacts& version, int rank) {
    const LifecyclePolicy* policy = facts.input.policy;
    if (policy == nullptr || !version.governed || version.observed == nullptr) return {};
    if (policy->deprecate_beyond_newest && rank > *policy->deprecate_beyond_newest)
        return facts.rule("deprecate.beyondNewest");
    const auto published = version.observed->published;
    if (policy->deprecate_older_than && published && facts.now - *published > *policy->deprecate_older_than) {
        return facts.rule("deprecate.olderThan");
    }
    return {};
}

bool is_provisioned(const VersionFacts& version) {
    return version.number && version.observed != nullptr &&
           (version.observed->state == ProvisioningState::succeeded ||
            version.observed->state == ProvisioningState::updating);
}

bool will_be_made(const VersionFacts& version) {
    return version.desired != nullptr && version.observed == nullptr &&
           !(version.record != nullptr && version.record->tombstone);
}

// Excluded in Azure, and who did it? See the header.
struct Exclusion {
    bool by_hand = false;
    bool certain = true;
};
Exclusion exclusion(const Facts& facts, const VersionFacts& version, int place) {
    const bool is_declared =
        version.desired != nullptr && (version.ownership == Ownership::ours || version.ownership == Ownership::absent);
    const bool in_azure = version.observed != nullptr && version.observed->exclude_from_latest;
    if (is_declared) {
        // The document decides. But a version that it lets in and Azure has excluded, without hold or our record, was
        // perhaps pulled by a person a minute ago: it counts as usable, not as certainly usable.
        const bool explained = version.desired->hold_latest_until_replicated ||
                               (version.record != nullptr && version.record->excluded_by_us) ||
                               !deprecation(facts, version, place).empty();
        return {.by_hand = version.desired->exclude_from_latest, .certain = !in_azure || explained};
    }
    // A document that is not ours to carry out still says what a person thinks of the version.
    const bool doubted = version.desired != nullptr && version.desired->exclude_from_latest;
    if (!in_azure) return {.by_hand = false, .certain = !doubted};
    if (version.record != nullptr && version.record->excluded_by_us && version.governed) return {};
    return {.by_hand = deprecation(facts, version, place).empty(), .certain = false};
}

const Tier* tier_of(const LifecyclePolicy& policy, int rank, bool& is_last) {
    for (const Tier& tier : policy.tiers) {
        if (tier.newest && rank > *tier.newest) continue;
        is_last = &tier == &policy.tiers.back() && policy.tiers.size() > 1;
        return &tier;
    }
    return nullptr;
}

bool is_full(const VersionFacts& version) {
    if (version.observed != nullptr && version.observed->replication_mode != "Full") return false;
    return version.desired == nullptr || version.desired->replication_mode == "Full";
}

}  // namespace

std::vector<Standing> rank_versions(const Facts& facts) {
    struct Counts {
        int usable = 0, certain = 0, coming = 0;
    };
    std::map<std::string, Counts> groups;
    bool newest_found = false;
    std::vector<Standing> standings(facts.versions.size());
    for (std::size_t i = 0; i < facts.versions.size(); ++i) {
        const VersionFacts& version = facts.versions[i];
        Standing& standing = standings[i];
        if (!version.number) continue;
        standing.group = group_of(*version.number, facts.input.policy);
        Counts& counts = groups[standing.group];
        const bool coming = will_be_made(version);
        standing.place = 1 + counts.usable + (coming ? counts.coming : 0);
        standing.certain_newer = counts.certain;
        const Exclusion excluded = exclusion(facts, version, standing.place);
        standing.excluded_by_hand = excluded.by_hand;
        standing.usable = is_provisioned(version) && !excluded.by_hand;
        standing.certainly_usable =
            standing.usable && excluded.certain && version.observed->state == ProvisioningState::succeeded;
        if (coming && !excluded.by_hand) ++counts.coming;
        if (standing.usable) {
            standing.rank = standing.place;
            standing.newest_usable = !newest_found;
            newest_found = true;
            ++counts.usable;
            // What `latest` resolves to is never taken out of latest by its age alone: nothing would be left to resolve
            // to.
            if (!standing.newest_usable) standing.deprecated_by = deprecation(facts, version, *standing.rank);
        }
        if (standing.certainly_usable) ++counts.certain;
        const bool takes_tier = version.governed && (standing.usable || coming) && is_full(version);
        if (takes_tier) standing.tier = tier_of(*facts.input.policy, standing.place, standing.is_last_tier);
    }
    return standings;
}

std::string lifecycle_state(const VersionFacts& version, const Standing& standing) {
    if (version.observed == nullptr)
        return version.record != nullptr && version.record->tombstone ? "Deleted" : "Preview";
    if (version.observed->state == ProvisioningState::creating) return "Preview";
    if (version.observed->state == ProvisioningState::deleting) return "Deleted";
    const bool excluded = version.observed->exclude_from_latest;
    const bool holds = version.desired != nullptr && version.desired->hold_latest_until_replicated &&
                       !version.desired->exclude_from_latest;
    if (holds && excluded && standing.deprecated_by.empty()) return "Preview";
    if (standing.tier != nullptr && standing.is_last_tier) return "Retired";
    if (excluded || standing.excluded_by_hand || !standing.deprecated_by.empty()) return "Deprecated";
    return "Active";
}

}  // namespace galleryd::image_version
