#include "reconcilers/image_version/update.h"

#include <algorithm>

#include "controller/core/tags.h"
#include "reconcilers/image_version/region_repair.h"
#include "reconcilers/lifecycle/ownership.h"

namespace galleryd::image_version {
namespace {

std::string print(bool flag) { return flag ? "true" : "false"; }
std::string print(const std::optional<TimePoint>& time) { return time ? format_rfc3339(*time) : ""; }

FieldChange replaced(std::string path, std::string before, std::string after, std::string cause) {
    const FieldOp op = before.empty() ? FieldOp::add : after.empty() ? FieldOp::remove : FieldOp::replace;
    return {.path = std::move(path),
            .op = op,
            .before = std::move(before),
            .after = std::move(after),
            .effect = {},
            .detail = {},
            .cause = std::move(cause)};
}

// Names are kept as Azure spells them: it has one tag for "Env" and "env".
void set_tag(VersionWrite& write, std::vector<FieldChange>& fields, const ObservedTags& there, const std::string& name,
             const std::string& value, const std::string& cause) {
    const auto found = find_tag_any_case(there, name);
    write.tags[found == there.end() ? name : found->first] = value;
    if (found != there.end() && found->second == value) return;
    fields.push_back(
        replaced("/tags/" + name, found == there.end() ? "" : found->second.value_or("null"), value, cause));
}

void remove_tag(VersionWrite& write, std::vector<FieldChange>& fields, const ObservedTags& there,
                const std::string& name, const std::string& cause) {
    const auto found = find_tag_any_case(there, name);
    if (found == there.end()) return;
    write.tags_removed.push_back(found->first);
    fields.push_back(replaced("/tags/" + name, found->second.value_or("null"), "", cause));
}

void compare_scalars(VersionWrite& write, std::vector<FieldChange>& fields, const VersionPlan& input) {
    const ObservedVersion& observed = *input.version.observed;
    const Wanted& wanted = input.wanted;
    if (wanted.replica_count != observed.replica_count && observed.replication_mode == "Full") {
        write.replica_count = wanted.replica_count;
        fields.push_back(replaced("/replicas", std::to_string(observed.replica_count),
                                  std::to_string(wanted.replica_count), "spec"));
    }
    if (wanted.exclude_from_latest != observed.exclude_from_latest) {
        write.exclude_from_latest = wanted.exclude_from_latest;
        fields.push_back(replaced("/excludeFromLatest", print(observed.exclude_from_latest),
                                  print(wanted.exclude_from_latest), wanted.exclude_cause));
    }
    if (wanted.end_of_life && wanted.end_of_life != observed.end_of_life) {
        write.end_of_life = wanted.end_of_life;
        fields.push_back(replaced("/endOfLifeDate", print(observed.end_of_life), print(wanted.end_of_life),
                                  wanted.end_of_life_cause));
    }
    // Nothing that is on its way out loses its guard through us.
    const bool is_blocked = observed.block_deletion_before_end_of_life.value_or(false);
    const bool would_clear = is_blocked && !wanted.block_deletion;
    const bool on_its_way_out = input.fate.judgement.candidate || input.fate.delete_after.has_value();
    if (wanted.block_deletion != is_blocked && !(would_clear && on_its_way_out)) {
        write.block_deletion_before_end_of_life = wanted.block_deletion;
        fields.push_back(
            replaced("/safety/blockDeletionBeforeEndOfLife", print(is_blocked), print(wanted.block_deletion), "spec"));
    }
}

void compare_mark(VersionWrite& write, std::vector<FieldChange>& fields, const VersionPlan& input) {
    const ObservedTags& there = input.version.observed->tags;
    const std::string& rule = input.fate.judgement.rule;
    if (input.fate.mark == MarkStep::mark) {
        set_tag(write, fields, there, delete_after_tag, format_rfc3339(*input.fate.delete_after), "policy " + rule);
        set_tag(write, fields, there, delete_rule_tag, rule, "policy " + rule);
    } else if (input.fate.mark == MarkStep::unmark) {
        remove_tag(write, fields, there, delete_after_tag, rule);
        remove_tag(write, fields, there, delete_rule_tag, rule);
    }
}

void add_effects(Change& change, const VersionWrite& write, const VersionPlan& input) {
    if (!input.version.number) return;
    const LatestByRegion after = input.latest.after(input.version, latest_entry_after(*input.version.number, write));
    for (FieldChange& field : change.fields) {
        LatestEffect effect;
        if (field.path == "/excludeFromLatest") {
            effect = latest_effect(input.latest.now(), after);
        } else if (field.path.starts_with("/targetRegions/") && !field.path.ends_with("/replication")) {
            const std::string rest = field.path.substr(std::string("/targetRegions/").size());
            effect = latest_effect(input.latest.now(), after, {rest.substr(0, rest.find('/'))});
        }
        field.effect = effect.effect;
        field.detail = effect.detail;
        if (!effect.effect.empty() && change.risk == Risk::none) change.risk = Risk::latest_moves;
    }
}

bool any_cause(const std::vector<FieldChange>& fields, std::string_view prefix) {
    return std::ranges::any_of(fields, [&](const FieldChange& field) { return field.cause.starts_with(prefix); });
}

void explain(Change& change, const VersionPlan& input, const RegionSteps& steps, const Repair& repair,
             bool marks_only) {
    const ImageVersion* desired = input.version.desired;
    const ResourceRecord* record = input.version.record;
    if (marks_only) {
        change.action = input.fate.mark == MarkStep::mark ? Action::mark : Action::unmark;
        change.reason = "retention";
        change.rule = input.fate.judgement.rule;
        change.why = input.fate.mark == MarkStep::mark
                         ? input.fate.judgement.text
                         : "the mark is taken off: " +
                               (input.fate.mark_why.empty() ? input.fate.judgement.text : input.fate.mark_why);
    } else if (steps.raises_flag && steps.readds_failed_region) {
        // Not a removal yet: like every write of the whole set it tries the failed region again, so it may well end in
        // Failed, and that must not count as a removal that Azure refused.
        change.reason = "replication_failed";
        change.rule = steps.rule;
        change.why = "a region whose replication keeps failing is taken away in steps, and added again";
    } else if (steps.removes_region || steps.raises_flag) {
        change.reason = "region_removal";
        change.rule = steps.rule;
        change.why = "a region is taken away in steps";
        change.usage_asked = steps.asks_usage;
    } else if (!repair.retry.empty()) {
        change.reason = "replication_failed";
        change.why = "replication failed in " + repair.retry.front() + "; the same set is written again";
    } else if (steps.destructive) {
        change.reason = "replicas_lowered";
        change.why = "fewer replicas are asked for";
    } else if (any_cause(change.fields, "replication_failed")) {
        change.reason = "replication_failed";
        change.why = "a region that was taken away because its replication failed is added again";
    } else if (any_cause(change.fields, "spec") || any_cause(change.fields, "ownership")) {
        const bool is_drift = record != nullptr && desired != nullptr && !desired->meta.digest.empty() &&
                              record->last_applied_digest == desired->meta.digest;
        change.reason = is_drift ? "drift" : "manifest_changed";
        change.why = is_drift ? "Azure was changed after the declaration was last applied; it is put back"
                              : "the document asks for it";
    } else if (any_cause(change.fields, "hold_latest")) {
        change.reason = "lifecycle";
        change.why = input.wanted.exclude_from_latest
                         ? "held back from latest until every wanted region is Completed"
                         : "every wanted region is Completed, so latest may move to it everywhere at once";
    } else if (any_cause(change.fields, "region_removal") && !any_cause(change.fields, "policy")) {
        change.reason = "region_removal";
        change.why = "the flag that lets regions be taken away is put back";
    } else {
        change.reason = "lifecycle";
        change.why = "the lifecycle policy asks for it";
    }
    if (change.rule.empty()) {
        if (!steps.rule.empty()) change.rule = steps.rule;
        for (const FieldChange& field : change.fields) {
            if (change.rule.empty() && field.cause.starts_with("policy ")) change.rule = field.cause.substr(7);
        }
    }
}

Conflict not_owned_version(const Facts& facts, const VersionFacts& version) {
    Conflict conflict = conflict_about(facts, version, "GD2001", "NotOwned", "/adoption");
    conflict.before = "no owner tag";
    conflict.after = owner_tag_value(facts.policy.instance, version.desired->meta.key);
    const bool was_ours = version.record != nullptr && version.record->written_by_us;
    conflict.message =
        was_ours ? "the owner tag that galleryd wrote was taken off by somebody; untagged resources are not touched"
                 : "the version is already there and was not made by galleryd; spec.adoption is Never";
    conflict.ways_out = {"set spec.adoption: Adopt to take it over as it is",
                         "remove the document, or publish under another version number"};
    return conflict;
}

// What others published and no document describes is theirs to repair, but never passed over in silence.
void note_failed_regions(const VersionFacts& version, Plan& plan) {
    std::string names;
    for (const TargetRegion& region : version.observed->target_regions) {
        const auto replication = version.observed->replication.find(region.name);
        if (replication == version.observed->replication.end() || replication->second.state != ReplicationState::failed)
            continue;
        names += (names.empty() ? "" : ", ") + region.name;
    }
    if (!names.empty())
        plan.notices.push_back(version.address + ": replication failed in " + names +
                               "; the version was published by others, so it is not repaired");
}

// True when the version may be compared; otherwise what stands against it was added to the plan.
bool is_ours_to_write(const Facts& facts, const VersionPlan& input, const ImmutableFindings& immutable, Plan& plan) {
    const VersionFacts& version = input.version;
    if (version.desired == nullptr) return version.governed;
    if (version.ownership == Ownership::ours) return true;
    if (version.ownership != Ownership::untagged) {
        Conflict conflict = conflict_about(facts, version, "GD2002", "NotOwned", "/adoption");
        conflict.before = version.owner.empty() ? "an unreadable owner tag" : version.owner;
        conflict.after = owner_tag_value(facts.policy.instance, version.desired->meta.key);
        conflict.message = "the version belongs to another instance or document of galleryd";
        conflict.ways_out = {"remove this document, or publish under another version number",
                             "release it there, take its tag galleryd-owner off, and set spec.adoption: Adopt here"};
        plan.conflicts.push_back(std::move(conflict));
        return false;
    }
    for (const Conflict& conflict : immutable.conflicts) plan.conflicts.push_back(conflict);
    if (!immutable.conflicts.empty()) return false;  // the document does not describe what is there: not taken over
    if (version.in_transition) {
        add_waiting(plan, version, "it is adopted when the operation on it has ended");
        return false;
    }
    VersionWrite write = write_from(*version.observed);
    std::vector<FieldChange> fields;
    set_tag(write, fields, version.observed->tags, owner_tag,
            owner_tag_value(facts.policy.instance, version.desired->meta.key), "spec");
    Change change = change_about(facts, version, Action::adopt, UpdateVersion{std::move(write)});
    change.reason = "adopt";
    change.why = "spec.adoption takes over the version that is there; nothing but its owner tag is written";
    change.fields = std::move(fields);
    propose(facts, version, plan, std::move(change));
    return false;
}

bool can_be_compared(const VersionFacts& version, Plan& plan) {
    const ObservedVersion& observed = *version.observed;
    if (version.in_transition) {
        add_waiting(plan, version, "");
        return false;
    }
    if (observed.state != ProvisioningState::succeeded && observed.state != ProvisioningState::failed) {
        plan.notices.push_back(version.address + ": Azure reports no known state, so nothing is written to it");
        return false;
    }
    if (observed.target_regions.empty() || observed.location.empty()) {
        plan.notices.push_back(version.address + ": Azure reports no target regions, so nothing is written to it");
        return false;
    }
    return true;
}

void note_replication(const VersionPlan& input, const RegionSteps& steps, const Repair& repair, Plan& plan) {
    for (const std::string& text : steps.waiting) add_waiting(plan, input.version, text);
    for (const std::string& text : repair.waiting) add_waiting(plan, input.version, text);
    const ObservedVersion& observed = *input.version.observed;
    const bool is_replicating = std::ranges::any_of(observed.target_regions, [&](const TargetRegion& region) {
        const auto replication = observed.replication.find(region.name);
        return observed.replication_known && input.wanted.regions.contains(region.name) &&
               (replication == observed.replication.end() ||
                (replication->second.state != ReplicationState::completed &&
                 replication->second.state != ReplicationState::failed));
    });
    const bool held = input.wanted.exclude_cause == "hold_latest" && input.wanted.exclude_from_latest;
    if (is_replicating) add_waiting(plan, input.version, "");
    if (held && !observed.replication_known)
        add_waiting(plan, input.version, "held back from latest; its replication status was not read");
}

// Everything that differs, as one write. Returns the regions after it.
std::vector<TargetRegion> compare_version(const Facts& facts, const VersionPlan& input,
                                          const ImmutableFindings& immutable, Plan& plan) {
    const VersionFacts& version = input.version;
    const ObservedVersion& observed = *version.observed;
    for (const std::string& notice : input.wanted.notices) plan.notices.push_back(notice);

    const RegionContext context{facts,      version, input.standing, input.wanted, immutable, input.newer_ones_settled,
                                input.brake};
    RegionSteps steps = plan_region_steps(context);
    const Repair repair = plan_repair(context);
    apply_repair(context, repair, steps);
    for (const Conflict& conflict : repair.conflicts) plan.conflicts.push_back(conflict);
    std::ranges::copy(steps.blocked, std::back_inserter(plan.blocked));
    std::ranges::copy(repair.blocked, std::back_inserter(plan.blocked));
    note_replication(input, steps, repair, plan);

    VersionWrite write = write_from(observed);
    write.target_regions = steps.regions;
    write.allow_deletion_of_replicated_locations = steps.allow_region_deletion;
    std::vector<FieldChange> fields = steps.fields;
    compare_scalars(write, fields, input);
    for (const auto& [name, value] : input.wanted.tags)
        set_tag(write, fields, observed.tags, name, value, name == owner_tag ? "ownership" : "spec");
    if (version.desired != nullptr)
        for (std::string& name : take_away_tags(fields, version.record, input.wanted.tags, observed.tags))
            write.tags_removed.push_back(std::move(name));
    const bool marks_only = fields.empty();
    compare_mark(write, fields, input);
    if (fields.empty()) return observed.target_regions;  // the usual case; a change with its fingerprint costs more

    Change change = change_about(facts, version, Action::update, UpdateVersion{});
    change.fields = std::move(fields);
    change.destructive = steps.destructive;
    if (steps.destructive) change.risk = Risk::capacity_removed;
    change.follow_up = steps.follow_up;
    explain(change, input, steps, repair, marks_only);
    add_effects(change, write, input);
    change.step = UpdateVersion{std::move(write)};
    propose(facts, version, plan, std::move(change));
    return steps.regions;
}

void compare_unowned(const Facts& facts, const VersionPlan& input, const ImmutableFindings& immutable, Plan& plan) {
    const VersionFacts& version = input.version;
    if (!can_be_compared(version, plan)) return;
    Plan compared;
    compared.conflicts = immutable.conflicts;
    compare_version(facts, input, immutable, compared);
    const Subject subject{.address = version.address,
                          .kind = "ImageVersion",
                          .id = version.id,
                          .meta = &version.desired->meta,
                          .mode = version.mode};
    settle_unowned(plan, std::move(compared), subject, not_owned_version(facts, version), facts.policy);
}

}  // namespace

std::vector<TargetRegion> plan_existing_version(const Facts& facts, const VersionPlan& input, Plan& plan) {
    const VersionFacts& version = input.version;
    const ObservedVersion& observed = *version.observed;
    if (!is_ours_to_repair(version)) note_failed_regions(version, plan);
    const ImmutableFindings immutable = find_immutable_differences(facts, version, input.wanted);
    const bool is_nobodys = version.desired != nullptr && version.ownership == Ownership::untagged;
    if (is_nobodys && version.desired->governance.adoption == Adoption::never) {
        compare_unowned(facts, input, immutable, plan);
        return observed.target_regions;
    }
    const bool may_be_unmarked = version.ownership == Ownership::ours || version.governed;
    if (!may_be_unmarked && !is_ours_to_write(facts, input, immutable, plan)) return observed.target_regions;
    for (const Conflict& conflict : immutable.conflicts) plan.conflicts.push_back(conflict);
    if (!can_be_compared(version, plan)) return observed.target_regions;
    return compare_version(facts, input, immutable, plan);
}

}  // namespace galleryd::image_version
