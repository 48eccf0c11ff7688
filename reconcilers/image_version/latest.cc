#include "reconcilers/image_version/latest.h"

#include <algorithm>

namespace galleryd::image_version {

std::optional<LatestEntry> latest_entry(const VersionFacts& version) {
    if (!version.number || version.observed == nullptr) return std::nullopt;
    const ObservedVersion& observed = *version.observed;
    if (observed.state == ProvisioningState::deleting || observed.state == ProvisioningState::creating)
        return std::nullopt;
    LatestEntry entry{.number = *version.number, .excluded = observed.exclude_from_latest, .regions = {}};
    for (const TargetRegion& region : observed.target_regions) {
        const auto replication = observed.replication.find(region.name);
        if (replication == observed.replication.end() || replication->second.state != ReplicationState::completed)
            continue;
        entry.regions[region.name] = region.exclude_from_latest.value_or(false);
    }
    return entry;
}

LatestEntry latest_entry_after(const ImageVersionNumber& number, const VersionWrite& write) {
    LatestEntry entry{.number = number, .excluded = write.exclude_from_latest, .regions = {}};
    for (const TargetRegion& region : write.target_regions)
        entry.regions[region.name] = region.exclude_from_latest.value_or(false);
    return entry;
}

LatestByRegion latest_by_region(const std::vector<LatestEntry>& entries) {
    LatestByRegion latest;
    for (const LatestEntry& entry : entries) {
        if (entry.excluded) continue;
        for (const auto& [region, excluded] : entry.regions) {
            if (excluded) continue;
            const auto [found, added] = latest.emplace(region, entry.number);
            if (!added) found->second = std::max(found->second, entry.number);
        }
    }
    return latest;
}

namespace {

LatestByRegion latest_of(const std::map<std::string, LatestEntry>& entries) {
    std::vector<LatestEntry> list;
    for (const auto& [key, entry] : entries) list.push_back(entry);
    return latest_by_region(list);
}

}  // namespace

Latest::Latest(const Facts& facts) {
    for (const VersionFacts& version : facts.versions) {
        if (const auto entry = latest_entry(version)) entries_.emplace(version.id.key(), *entry);
    }
    now_ = latest_of(entries_);
}

bool Latest::is_latest_anywhere(const VersionFacts& version) const {
    return version.number &&
           std::ranges::any_of(now_, [&](const auto& region) { return region.second == *version.number; });
}

LatestByRegion Latest::after(const VersionFacts& version, const std::optional<LatestEntry>& after) const {
    std::map<std::string, LatestEntry> entries = entries_;
    entries.erase(version.id.key());
    if (after) entries.emplace(version.id.key(), *after);
    return latest_of(entries);
}

LatestEffect latest_effect(const LatestByRegion& before, const LatestByRegion& after,
                           const std::set<std::string>& regions) {
    std::map<std::string, std::optional<ImageVersionNumber>> moved;
    bool falls = false;
    const auto note = [&](const std::string& region) {
        if (!regions.empty() && !regions.contains(region)) return;
        const auto old = before.find(region);
        const auto fresh = after.find(region);
        const bool had = old != before.end(), has = fresh != after.end();
        if (had == has && (!had || old->second == fresh->second)) return;
        moved[region] = has ? std::optional(fresh->second) : std::nullopt;
        falls = falls || !has || (had && fresh->second < old->second);
    };
    for (const auto& [region, number] : before) note(region);
    for (const auto& [region, number] : after) note(region);
    if (moved.empty()) return {};
    const auto text = [](const std::optional<ImageVersionNumber>& number) {
        return number ? to_string(*number) : std::string("none");
    };
    const bool all_the_same =
        std::ranges::all_of(moved, [&](const auto& region) { return region.second == moved.begin()->second; });
    std::string detail;
    if (all_the_same) {
        detail = text(moved.begin()->second);
    } else {
        for (const auto& [region, number] : moved)
            detail += (detail.empty() ? "" : ", ") + region + ": " + text(number);
    }
    return {.effect = falls ? "latest_falls_back" : "latest_moves", .detail = std::move(detail)};
}

}  // namespace galleryd::image_version
