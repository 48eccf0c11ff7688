#include "reconcilers/lifecycle/record_update.h"

#include <algorithm>

#include "controller/core/steps.h"

namespace galleryd {
namespace {

constexpr std::string_view regions_prefix = "/targetRegions/";
constexpr std::string_view replication_suffix = "/replication";

void forget_region(ResourceRecord& record, const std::string& region) {
    record.region_retries.erase(region);
    record.region_retry_after.erase(region);
    record.region_readds.erase(region);
}

void note_region(ResourceRecord& record, const Change& change, const FieldChange& field, TimePoint now) {
    std::string region = field.path.substr(regions_prefix.size());
    if (region.ends_with(replication_suffix)) {
        region.resize(region.size() - replication_suffix.size());
        const int retries = ++record.region_retries[region];
        record.region_retry_after[region] = now + region_retry_pause(retries);
        return;
    }
    if (region.find('/') != std::string::npos || field.op != FieldOp::remove) return;
    if (change.rule != "spec.regionRetry")
        return forget_region(record, region);  // not wanted any more: a fresh start if it comes back
    ++record.region_readds[region];
    record.region_retries.erase(region);
    record.region_retry_after.erase(region);
}

void note_exclusion(ResourceRecord& record, const Change& change) {
    for (const FieldChange& field : change.fields) {
        if (field.path != "/excludeFromLatest") continue;
        const bool by_rule = field.cause == "hold_latest" || field.cause.starts_with("policy");
        record.excluded_by_us = field.after == "true" && by_rule;
    }
}

void note_tags(ResourceRecord& record, const Tags& written, const std::vector<std::string>& removed) {
    for (const auto& [name, value] : written) {
        if (!fold_case(name).starts_with("galleryd-")) record.applied_tags[name] = value;
    }
    for (const std::string& name : removed)
        std::erase_if(record.applied_tags, [&](const auto& tag) { return fold_case(tag.first) == fold_case(name); });
}

}  // namespace

std::chrono::seconds region_retry_pause(int retries) {
    constexpr std::chrono::seconds first = std::chrono::minutes(15), longest = std::chrono::hours(6);
    std::chrono::seconds pause = first;
    for (int i = 1; i < retries && pause < longest; ++i) pause *= 2;
    return std::min(pause, longest);
}

void note_possible(ResourceRecord& record, const Change& change) {
    std::visit(
        [&](const auto& step) {
            if constexpr (requires { step.write.tags_removed; }) note_tags(record, step.write.tags, {});
        },
        change.step);
    ResourceRecord after = record;
    note_exclusion(after, change);
    record.excluded_by_us = record.excluded_by_us || after.excluded_by_us;
}

bool note_sighted(ResourceRecord& record, const ObservedBase& seen) {
    const bool is_at_rest = !is_in_transition(seen.state) && seen.state != ProvisioningState::unknown;
    if (!record.deleted_at || record.operation_in_flight || !is_at_rest ||
        seen.read_at - *record.deleted_at <= deletion_settles)
        return false;
    record.deleted_at.reset();
    if (record.gone_at) record.tombstone = false;  // it was gone, and somebody restored it
    return true;
}

bool note_healed(ResourceRecord& record, const ObservedVersion& version) {
    bool changed = note_sighted(record, version);
    for (const auto& [region, copy] : version.replication) {
        if (copy.state != ReplicationState::completed) continue;
        if (!record.region_retries.contains(region) && !record.region_readds.contains(region)) continue;
        forget_region(record, region);
        changed = true;
    }
    return changed;
}

void note_accepted(ResourceRecord& record, const Change& change, TimePoint now) {
    if (std::holds_alternative<CreateVersion>(change.step)) {  // a new life: nothing of the old one counts
        record.region_retries.clear();
        record.region_retry_after.clear();
        record.region_readds.clear();
        record.excluded_by_us = false;
        record.gone_at.reset();
    }
    if (is_create(change.step) || change.action == Action::adopt) {
        record.deleted_at.reset();
        record.applied_tags.clear();  // others made them
    }
    std::visit(
        [&](const auto& step) {
            if constexpr (requires { step.write.tags_removed; })
                note_tags(record, step.write.tags, step.write.tags_removed);
        },
        change.step);
    for (const FieldChange& field : change.fields) {
        if (field.path.starts_with(regions_prefix)) note_region(record, change, field, now);
    }
    note_exclusion(record, change);
}

}  // namespace galleryd
