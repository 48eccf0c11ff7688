#include "tests/unit/planning/naive_reading.h"

#include <algorithm>
#include <set>

#include "controller/core/fingerprint.h"

namespace galleryd::test {
namespace {

const ObservedVersion* find_observed(const RandomEstate& estate, const ResourceId& id) {
    for (const ObservedVersion& version : estate.view.versions) {
        if (version.id == id) return &version;
    }
    return nullptr;
}

const ImageVersion* find_declared(const RandomEstate& estate, const ResourceId& id) {
    for (const auto& version : estate.declared) {
        if (version->id == id) return version.get();
    }
    return nullptr;
}

const RemovedDocument* find_removed(const RandomEstate& estate, const ResourceId& id) {
    for (const RemovedDocument& removed : estate.policy.removed) {
        if (removed.id == id) return &removed;
    }
    return nullptr;
}

bool is_certainly_usable(const RandomEstate& estate, const ObservedVersion& version) {
    const ImageVersion* declared = find_declared(estate, version.id);
    const bool excluded = version.exclude_from_latest && (declared == nullptr || declared->exclude_from_latest);
    return version.state == ProvisioningState::succeeded && !excluded &&
           !(declared != nullptr && declared->exclude_from_latest);
}

// What must hold of everything that takes something away; returns the first thing that does not.
std::string refusal(const RandomEstate& estate, const ObservedVersion& version) {
    const Policy& policy = estate.policy;
    if (!policy.allow_deletes || policy.observe || !policy.leader || !policy.journal_writable)
        return "the daemon may not";
    if (!policy.source.complete || policy.source.empty || policy.source.frozen) return "the source is not whole";
    if (!estate.view.complete) return "the view is not complete";
    if (estate.definition.governance.mode != Mode::manage) return "the definition is not managed";
    const ImageVersion* declared = find_declared(estate, version.id);
    if (declared != nullptr && declared->governance.mode != Mode::manage) return "the version is not managed";
    if (version.state != ProvisioningState::succeeded && version.state != ProvisioningState::failed) return "its state";
    if (!version.published) return "no published date";
    if (policy.locked.contains(version.id.key())) return "locked";
    if (version.tags.contains("Galleryd-HOLD") || estate.definition.meta.hold ||
        (declared != nullptr && declared->meta.hold))
        return "held";
    if (version.tags.contains("odd")) return "a tag without value";
    if (estate.has_lifecycle && estate.lifecycle.retention && version.tags.contains("Keep")) return "protected";
    const auto record = policy.records.find(version.id.key());
    if (record != policy.records.end() && record->second.operation_in_flight) return "an operation in flight";
    const auto tag = version.tags.find(owner_tag);
    if (tag == version.tags.end()) {
        const bool governed = estate.has_lifecycle && estate.lifecycle.governs == Governs::all && declared == nullptr &&
                              estate.view.definition->tags.at(owner_tag) == "test/ImageDefinition/images/ubuntu";
        return governed ? "" : "not ours and not governed";
    }
    const std::string name = "v" + std::to_string(version.number->minor_number);
    if (tag->second != "test/ImageVersion/images/" + name) return "the tag names somebody else";
    if (record == policy.records.end() || !record->second.written_by_us) return "no record";
    return record->second.document == "ImageVersion/images/" + name ? "" : "the record names another document";
}

std::string refusal_of_deletion(const RandomEstate& estate, const Change& change, const ObservedVersion& version) {
    if (std::string reason = refusal(estate, version); !reason.empty()) return reason;
    const Policy& policy = estate.policy;
    if (!policy.clock_skew || *policy.clock_skew >= std::chrono::minutes(5)) return "clocks";
    const auto usage = policy.usage.find(version.id.key());
    if (usage == policy.usage.end() || usage->second.state != UsageState::not_in_use) return "use";
    if (version.end_of_life_unparsable) return "end of life unknown";
    if (version.end_of_life && *version.end_of_life >= estate.now) return "end of life in the future";
    if (version.block_deletion_before_end_of_life.value_or(false) && !version.end_of_life) return "guarded";
    if (change.reason == "retention") {
        if (!estate.has_lifecycle || !estate.lifecycle.retention ||
            estate.lifecycle.retention->action != RetentionAction::remove)
            return "no retention";
        if (find_removed(estate, version.id) != nullptr) return "a removed document is no retention";
        const auto date = version.tags.find(delete_after_tag);
        const auto mark = date == version.tags.end() ? std::nullopt : parse_rfc3339(date->second.value_or(""));
        if (!mark || *mark >= estate.now) return "not marked, or in its grace";
        if (estate.now - *version.published <= *estate.lifecycle.retention->older_than) return "not old enough";
        if (estate.now - *version.published < estate.lifecycle.retention->minimum_age) return "too young";
        if (estate.lifecycle.retention->approval_required) return "not approved";
        return "";
    }
    const RemovedDocument* removed = find_removed(estate, version.id);
    if (removed == nullptr || removed->deletion_policy != DeletionPolicy::remove || removed->mode != Mode::manage ||
        removed->hold)
        return "no removed document";
    if (!policy.prune || removed->snapshots_missing < 2 ||
        estate.now - removed->first_missing < std::chrono::minutes(15))
        return "removal not settled";
    return find_declared(estate, version.id) == nullptr ? "" : "it is declared";
}

class Reader {
  public:
    explicit Reader(const RandomEstate& estate) : estate_(estate) {}

    Reading read(const Plan& plan) {
        if (!estate_.view.complete || estate_.policy.observe || !estate_.policy.leader)
            expect(plan.changes.empty(), "nothing is planned by who may not");
        std::set<std::string> changed;
        for (const Change& change : plan.changes) {
            expect(changed.insert(change.arm_id.key()).second, change.address + ": one change for each resource");
            read_change(change);
        }
        read_deletions(plan);
        if (estate_.view.complete)
            expect(plan.verdicts.size() >= estate_.view.versions.size(), "every version has a verdict");
        for (const VersionVerdict& verdict : plan.verdicts) expect(!verdict.rule.empty(), "a verdict has a rule");
        for (const Blocked& blocked : plan.blocked) expect(!blocked.reasons.empty(), "what is blocked has a reason");
        return std::move(reading_);
    }

  private:
    void expect(bool holds, std::string what) {
        if (!holds) reading_.complaints.push_back(std::move(what));
    }
    void expect_allowed(const std::string& refused, const Change& change) {
        expect(refused.empty(), change.address + ": is changed although refused: " + refused);
    }

    void read_change(const Change& change) {
        const ObservedVersion* version = find_observed(estate_, change.arm_id);
        if (std::holds_alternative<DeleteVersion>(change.step)) {
            ++reading_.deletions;
            if (version == nullptr) return expect(false, change.address + ": what is deleted was seen");
            expect(change.destructive, change.address + ": a deletion is destructive");
            expect_allowed(refusal_of_deletion(estate_, change, *version), change);
            expect(change.seen.etag == fingerprint(*version), change.address + ": what is deleted is what was seen");
        } else if (std::holds_alternative<UpdateVersion>(change.step)) {
            if (version == nullptr) return expect(false, change.address + ": what is updated was seen");
            if (change.destructive) ++reading_.removals;
            read_update(change, *version);
        } else {
            expect(version == nullptr, change.address + ": what is created was not there");
        }
    }

    void read_update(const Change& change, const ObservedVersion& version) {
        const VersionWrite& write = std::get<UpdateVersion>(change.step).write;
        const auto is_home = [&](const TargetRegion& region) { return region.name == version.location; };
        expect(version.state != ProvisioningState::updating && version.state != ProvisioningState::unknown,
               change.address + ": nothing is written in the middle of something");
        expect(!write.source, change.address + ": a source never changes");
        expect(write.location == version.location, change.address + ": a version stays where it is");
        expect(std::ranges::any_of(write.target_regions, is_home), change.address + ": the home region stays");
        const int taken = count_taken(change, version, write);
        expect(change.destructive == (taken > 0), change.address + ": what takes away is destructive");
        if (taken > 0) expect_allowed(refusal(estate_, version), change);
        if (write.allow_deletion_of_replicated_locations && !version.allow_deletion_of_replicated_locations)
            expect_allowed(refusal(estate_, version), change);
        if (version.block_deletion_before_end_of_life.value_or(false))
            expect(write.block_deletion_before_end_of_life, change.address + ": a guard stays");
        const auto tag = version.tags.find(owner_tag);
        if (tag != version.tags.end())
            expect(tag->second == "test/ImageVersion/images/v" + std::to_string(version.number->minor_number),
                   change.address + ": it is ours");
        if (find_removed(estate_, version.id) != nullptr)
            expect(find_declared(estate_, version.id) != nullptr, change.address + ": nothing is written to what goes");
    }

    // Regions that go or lose replicas.
    int count_taken(const Change& change, const ObservedVersion& version, const VersionWrite& write) {
        int taken = 0;
        for (const TargetRegion& region : version.target_regions) {
            const auto there = std::ranges::find(write.target_regions, region.name, &TargetRegion::name);
            const bool is_gone = there == write.target_regions.end();
            if (is_gone) {
                expect(version.allow_deletion_of_replicated_locations,
                       change.address + ": a region goes only where Azure was told that it may");
            } else {
                expect(there->storage_account_type == region.storage_account_type, change.address + ": storage stays");
            }
            if (is_gone || there->replicas < region.replicas) ++taken;
        }
        return taken;
    }

    void read_deletions(const Plan& plan) {
        std::set<std::string> gone;
        for (const Change& change : plan.changes) {
            if (std::holds_alternative<DeleteVersion>(change.step)) gone.insert(change.arm_id.key());
        }
        if (gone.empty()) return;
        int usable_left = 0, usable_before = 0;
        for (const ObservedVersion& version : estate_.view.versions) {
            if (!is_certainly_usable(estate_, version)) continue;
            ++usable_before;
            if (!gone.contains(version.id.key())) ++usable_left;
        }
        const bool has_retention = estate_.has_lifecycle && estate_.lifecycle.retention;
        const int keep = has_retention ? estate_.lifecycle.retention->keep_newest : 1;
        expect(usable_left >= std::min(keep, usable_before), "so many usable versions stay as are to be kept");
        for (auto version = estate_.view.versions.rbegin(); version != estate_.view.versions.rend(); ++version) {
            if (!is_certainly_usable(estate_, *version)) continue;
            expect(!gone.contains(version->id.key()), "the newest usable version stays");
            break;
        }
        const Retention defaults;
        const Retention& brakes = has_retention ? *estate_.lifecycle.retention : defaults;
        const int count = static_cast<int>(gone.size());
        const int percent =
            std::max(1, brakes.percent_per_pass_max * static_cast<int>(estate_.view.versions.size()) / 100);
        expect(count <= 20 - estate_.policy.deletes_last_hour, "no more deletions than an hour may have");
        expect(count <= std::min(brakes.deletes_per_pass_max, percent), "no more than a pass may have unapproved");
        expect(!brakes.window.has_value(), "noon is outside the only window that is drawn");
    }

    const RandomEstate& estate_;
    Reading reading_;
};

}  // namespace

Reading read_naively(const RandomEstate& estate, const Plan& plan) { return Reader(estate).read(plan); }

}  // namespace galleryd::test
