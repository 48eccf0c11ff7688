#include "reconcilers/image_version/changes.h"

#include <algorithm>
#include <utility>

#include "controller/core/fingerprint.h"

namespace galleryd::image_version {

VersionWrite write_from(const ObservedVersion& observed) {
    VersionWrite write;
    write.location = observed.location;
    write.target_regions = observed.target_regions;
    write.replica_count = observed.replica_count;
    write.storage_account_type = observed.storage_account_type;
    write.replication_mode = observed.replication_mode;
    write.exclude_from_latest = observed.exclude_from_latest;
    write.end_of_life = observed.end_of_life;
    write.block_deletion_before_end_of_life = observed.block_deletion_before_end_of_life.value_or(false);
    write.allow_deletion_of_replicated_locations = observed.allow_deletion_of_replicated_locations;
    return write;
}

Change change_about(const Facts& facts, const VersionFacts& version, Action action, Step step) {
    Change change;
    change.address = version.address;
    change.kind = "ImageVersion";
    change.arm_id = version.id;
    change.object = version.object();
    change.manifest = version.manifest(facts.input);
    change.action = action;
    change.step = std::move(step);
    if (version.observed != nullptr) change.seen = fingerprint_of(*version.observed);
    return change;
}

Blocked blocked_about(const Facts& facts, const VersionFacts& version, Action action, std::string rule,
                      std::vector<BlockReason> reasons) {
    Blocked blocked;
    blocked.address = version.address;
    blocked.kind = "ImageVersion";
    blocked.arm_id = version.id;
    blocked.manifest = version.manifest(facts.input);
    blocked.action = action;
    blocked.rule = std::move(rule);
    blocked.reasons = std::move(reasons);
    VersionUsage usage = facts.policy.usage_of(version.id);
    if (!usage.detail.empty()) {
        blocked.evidence = std::move(usage.evidence);
        blocked.evidence["usage"] = std::move(usage.detail);
    }
    return blocked;
}

void propose(const Facts& facts, const VersionFacts& version, Plan& plan, Change change) {
    if (facts.policy.may_write(version.mode)) {
        plan.changes.push_back(std::move(change));
        return;
    }
    BlockReason reason;
    if (facts.policy.observe || version.mode != Mode::manage) {
        reason.reason = "observing";
        reason.condition = "Observing";
        reason.message = facts.policy.observe ? "this daemon runs with --observe and writes nothing to Azure"
                                              : "spec.mode is Observe: differences are reported, nothing is written";
        reason.way_out = facts.policy.observe ? "start galleryd without --observe" : "set spec.mode: Manage";
    } else {
        reason.interlock_point = 11;
        reason.reason = "not_leader";
        reason.condition = "BrakeEngaged";
        reason.message = "this process does not hold the lease";
        reason.way_out = "none needed: the leader does it";
    }
    Blocked blocked = blocked_about(facts, version, change.action, change.rule, {std::move(reason)});
    for (const FieldChange& field : change.fields) blocked.evidence[field.path] = field.before + " -> " + field.after;
    plan.blocked.push_back(std::move(blocked));
}

void add_waiting(Plan& plan, const VersionFacts& version, const std::string& notice) {
    if (std::ranges::find(plan.waiting, version.address) == plan.waiting.end()) plan.waiting.push_back(version.address);
    if (!notice.empty()) plan.notices.push_back(version.address + ": " + notice);
}

std::string print(const TargetRegion& region) {
    return "x" + std::to_string(region.replicas) + " " + region.storage_account_type;
}

}  // namespace galleryd::image_version
