#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "controller/core/fingerprint.h"
#include "reconcilers/lifecycle/plan_digest.h"
#include "tests/unit/planning/random_estate.h"

// Random estates against a naive reading of behaviour §6, written without the planner's own functions: what it plans to
// take away must be allowed by this reading too. GALLERYD_PLANNING_SEEDS sets how many are drawn.

using namespace galleryd;
using namespace galleryd::test;

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

void check_deletions(const RandomEstate& estate, const Plan& plan) {
    std::set<std::string> gone;
    for (const Change& change : plan.changes) {
        if (std::holds_alternative<DeleteVersion>(change.step)) gone.insert(change.arm_id.key());
    }
    if (gone.empty()) return;
    int usable_left = 0, usable_before = 0;
    for (const ObservedVersion& version : estate.view.versions) {
        if (!is_certainly_usable(estate, version)) continue;
        ++usable_before;
        if (!gone.contains(version.id.key())) ++usable_left;
    }
    const int keep = estate.has_lifecycle && estate.lifecycle.retention ? estate.lifecycle.retention->keep_newest : 1;
    CHECK(usable_left >= std::min(keep, usable_before));
    for (auto version = estate.view.versions.rbegin(); version != estate.view.versions.rend(); ++version) {
        if (!is_certainly_usable(estate, *version)) continue;
        CHECK_FALSE(gone.contains(version->id.key()));  // the newest usable one
        break;
    }
    CHECK(static_cast<int>(gone.size()) <= 20 - estate.policy.deletes_last_hour);
    const Retention defaults;
    const Retention& brakes =
        estate.has_lifecycle && estate.lifecycle.retention ? *estate.lifecycle.retention : defaults;
    const int percent = std::max(1, brakes.percent_per_pass_max * static_cast<int>(estate.view.versions.size()) / 100);
    CHECK(static_cast<int>(gone.size()) <=
          std::min(brakes.deletes_per_pass_max, percent));  // nobody approved anything here
    CHECK_FALSE(brakes.window.has_value());                 // noon is outside the only one drawn
}

void check_update(const RandomEstate& estate, const Change& change, const ObservedVersion& version) {
    const VersionWrite& write = std::get<UpdateVersion>(change.step).write;
    CHECK(version.state != ProvisioningState::updating);
    CHECK(version.state != ProvisioningState::unknown);
    CHECK_FALSE(write.source.has_value());
    CHECK(write.location == version.location);
    CHECK(std::ranges::find(write.target_regions, version.location, &TargetRegion::name) != write.target_regions.end());
    int taken = 0;
    for (const TargetRegion& region : version.target_regions) {
        const auto there = std::ranges::find(write.target_regions, region.name, &TargetRegion::name);
        const bool is_gone = there == write.target_regions.end();
        if (is_gone) CHECK(version.allow_deletion_of_replicated_locations);
        if (!is_gone) CHECK(there->storage_account_type == region.storage_account_type);
        if (is_gone || there->replicas < region.replicas) ++taken;
    }
    CHECK(change.destructive == (taken > 0));
    if (taken > 0) CHECK(refusal(estate, version) == "");
    if (write.allow_deletion_of_replicated_locations && !version.allow_deletion_of_replicated_locations)
        CHECK(refusal(estate, version) == "");
    if (version.block_deletion_before_end_of_life.value_or(false)) CHECK(write.block_deletion_before_end_of_life);
    const auto tag = version.tags.find(owner_tag);
    if (tag != version.tags.end())
        CHECK(tag->second == "test/ImageVersion/images/v" + std::to_string(version.number->minor_number));
    if (find_removed(estate, version.id) != nullptr)
        CHECK(find_declared(estate, version.id) != nullptr);  // nothing is written to it
}

void check_plan(const RandomEstate& estate, const Plan& plan, int& deletions, int& removals) {
    if (!estate.view.complete || estate.policy.observe || !estate.policy.leader) CHECK(plan.changes.empty());
    std::set<std::string> changed;
    for (const Change& change : plan.changes) {
        CAPTURE(change.address);
        CHECK(changed.insert(change.arm_id.key()).second);
        const ObservedVersion* version = find_observed(estate, change.arm_id);
        if (std::holds_alternative<DeleteVersion>(change.step)) {
            ++deletions;
            REQUIRE(version != nullptr);
            CHECK(change.destructive);
            CHECK(refusal_of_deletion(estate, change, *version) == "");
            CHECK(change.seen.etag == fingerprint(*version));
        } else if (std::holds_alternative<UpdateVersion>(change.step)) {
            REQUIRE(version != nullptr);
            if (change.destructive) ++removals;
            check_update(estate, change, *version);
        } else {
            CHECK(version == nullptr);
        }
    }
    check_deletions(estate, plan);
    if (estate.view.complete) CHECK(plan.verdicts.size() >= estate.view.versions.size());
    for (const VersionVerdict& verdict : plan.verdicts) CHECK_FALSE(verdict.rule.empty());
    for (const Blocked& blocked : plan.blocked) CHECK_FALSE(blocked.reasons.empty());
}

}  // namespace

TEST_CASE("no random estate makes the planner take away what a naive reading of the interlock refuses") {
    const char* wanted = std::getenv("GALLERYD_PLANNING_SEEDS");
    const unsigned seeds = wanted != nullptr ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : 4000;
    int deletions = 0, removals = 0;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        const RandomEstate estate(seed);
        Plan plan = estate.plan();
        check_plan(estate, plan, deletions, removals);
        Plan again = estate.plan();
        finish_plan(plan);
        finish_plan(again);
        CHECK(plan.id == again.id);
    }
    // The test is worth something only when it gets past the guards often enough.
    CHECK(deletions > static_cast<int>(seeds) / 50);
    CHECK(removals > static_cast<int>(seeds) / 50);
}
