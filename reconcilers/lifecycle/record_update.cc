#include "reconcilers/lifecycle/record_update.h"

#include <algorithm>

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

}  // namespace

std::chrono::seconds region_retry_pause(int retries) {
    constexpr std::chrono::seconds first = std::chrono::minutes(15), longest = std::chrono::hours(6);
    std::chrono::seconds pause = first;
    for (int i = 1; i < retries && pause < longest; ++i) pause *= 2;
    return std::min(pause, longest);
}

void note_accepted(ResourceRecord& record, const Change& change, TimePoint now) {
    if (std::holds_alternative<CreateVersion>(change.step)) {  // a new life: nothing of the old one counts
        record.region_retries.clear();
        record.region_retry_after.clear();
        record.region_readds.clear();
        record.excluded_by_us = false;
    }
    for (const FieldChange& field : change.fields) {
        if (field.path.starts_with(regions_prefix)) note_region(record, change, field, now);
        if (field.path != "/excludeFromLatest") continue;
        const bool by_rule = field.cause == "hold_latest" || field.cause.starts_with("policy");
        record.excluded_by_us = field.after == "true" && by_rule;
    }
}

}  // namespace galleryd
