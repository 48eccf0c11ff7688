#include "reconcilers/image_version/region_repair.h"

#include <algorithm>

#include "reconcilers/image_version/destruction.h"

namespace galleryd::image_version {
namespace {

template <class Value>
Value recorded(const std::map<std::string, Value>& values, const std::string& region, Value otherwise) {
    const auto found = values.find(region);
    return found == values.end() ? otherwise : found->second;
}

std::vector<std::string> failed_regions(const RegionContext& context) {
    const ObservedVersion& observed = *context.version.observed;
    std::vector<std::string> failed;
    for (const TargetRegion& region : observed.target_regions) {
        const auto replication = observed.replication.find(region.name);
        if (replication == observed.replication.end() || replication->second.state != ReplicationState::failed)
            continue;
        if (context.wanted.regions.contains(region.name)) failed.push_back(region.name);
    }
    // Failed as a whole, and no region says where: the whole set is written again, counted at the source region.
    const bool is_declared = context.version.desired != nullptr;
    if (failed.empty() && is_declared && observed.state == ProvisioningState::failed)
        failed.push_back(observed.location);
    return failed;
}

InterlockQuestion readd_question(const RegionContext& context) {
    InterlockQuestion question = question_about(context.facts, context.version, Destruction::remove_failed_region);
    question.positive_reason = "spec.regionRetry: RemoveAndAdd";
    return question;
}

void give_up(Repair& repair, const RegionContext& context, const std::string& region) {
    const auto& replication = context.version.observed->replication;
    const auto found = replication.find(region);
    Conflict conflict =
        conflict_about(context.facts, context.version, "GD2110", "ReplicationFailed", "/targetRegions/" + region);
    conflict.before = "Failed";
    conflict.after = "Completed";
    conflict.message =
        region + ": replication failed" +
        (found != replication.end() && !found->second.detail.empty() ? " (" + found->second.detail + ")" : "") +
        "; it was retried, and removed and added again three times";
    conflict.ways_out = {"leave the region out of targetRegions for now",
                         "open a support case with Azure; galleryd tries again once the region is added anew"};
    repair.conflicts.push_back(std::move(conflict));
}

}  // namespace

bool is_ours_to_repair(const VersionFacts& version) {
    if (version.desired != nullptr) return true;
    return version.governed && std::ranges::any_of(version.observed->replication, [](const auto& region) {
               return region.second.state == ReplicationState::completed;
           });
}

Repair plan_repair(const RegionContext& context) {
    Repair repair;
    if (!is_ours_to_repair(context.version)) return repair;
    const ResourceRecord nothing;
    const ResourceRecord& record = context.version.record != nullptr ? *context.version.record : nothing;
    const bool readds =
        context.version.desired != nullptr && context.version.desired->region_retry == RegionRetry::remove_and_add;
    for (const std::string& region : failed_regions(context)) {
        if (context.immutable.all_regions_frozen || context.immutable.frozen_regions.contains(region)) continue;
        const TimePoint due = recorded(record.region_retry_after, region, TimePoint::min());
        if (due > context.facts.now) {
            repair.waiting.push_back(region + ": replication failed; the next attempt is at " + format_rfc3339(due));
            continue;
        }
        const int retries = recorded(record.region_retries, region, 0);
        const bool is_source = region == context.version.observed->location;
        if (!readds || is_source || retries < plain_retries) {
            repair.retry.push_back(region);
            continue;
        }
        if (recorded(record.region_readds, region, 0) >= region_readds_max) {
            give_up(repair, context, region);
            continue;
        }
        auto reasons = interlock(readd_question(context));
        if (reasons.empty()) {
            repair.remove.push_back(region);
            continue;
        }
        Blocked blocked =
            blocked_about(context.facts, context.version, Action::update, "spec.regionRetry", std::move(reasons));
        blocked.evidence["step"] = "remove and add " + region;
        repair.blocked.push_back(std::move(blocked));
        repair.retry.push_back(region);  // a plain retry takes nothing away
    }
    return repair;
}

void apply_repair(const RegionContext& context, const Repair& repair, RegionSteps& steps) {
    const auto add_field = [&](const std::string& region, FieldOp op, std::string before, std::string after) {
        steps.fields.push_back({.path = "/targetRegions/" + region + (op == FieldOp::remove ? "" : "/replication"),
                                .op = op,
                                .before = std::move(before),
                                .after = std::move(after),
                                .effect = {},
                                .detail = {},
                                .cause = "replication_failed"});
    };
    const int retries_before = repair.retry.empty() || context.version.record == nullptr
                                   ? 0
                                   : recorded(context.version.record->region_retries, repair.retry.front(), 0);
    for (const std::string& region : repair.retry)
        add_field(region, FieldOp::replace, "Failed", "retry " + std::to_string(retries_before + 1));
    // Never together with another removal: one thing is taken away at a time.
    if (repair.remove.empty() || steps.destructive || steps.raises_flag) return;
    const std::string& region = repair.remove.front();
    steps.rule = "spec.regionRetry";
    steps.readds_failed_region = true;
    const auto flag =
        std::ranges::find(steps.fields, std::string("/safety/allowDeletionOfReplicatedLocations"), &FieldChange::path);
    if (!context.version.observed->allow_deletion_of_replicated_locations) {
        steps.allow_region_deletion = true;
        steps.raises_flag = true;
        if (flag == steps.fields.end()) {
            steps.fields.push_back({.path = "/safety/allowDeletionOfReplicatedLocations",
                                    .op = FieldOp::replace,
                                    .before = "false",
                                    .after = "true",
                                    .effect = {},
                                    .detail = {},
                                    .cause = "region_removal"});
        }
        steps.follow_up = "then remove " + region + ", then add it again";
        return;
    }
    if (flag != steps.fields.end()) steps.fields.erase(flag);  // it stays raised for this step
    steps.allow_region_deletion = true;
    const auto there = std::ranges::find(steps.regions, region, &TargetRegion::name);
    add_field(region, FieldOp::remove, print(*there), "");
    steps.regions.erase(there);
    steps.destructive = true;
    steps.removes_region = true;
    steps.follow_up = "then add " + region + " again";
}

}  // namespace galleryd::image_version
