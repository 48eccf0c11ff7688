#include "reconcilers/image_version/plan.h"

#include <algorithm>
#include <set>

#include "reconcilers/image_version/update.h"
#include "reconcilers/lifecycle/cost.h"
#include "reconcilers/lifecycle/plan_digest.h"

namespace galleryd {
namespace image_version {
namespace {

class Planner {
  public:
    Planner(const Facts& facts, Plan& plan)
        : facts_(facts), plan_(plan), standings_(rank_versions(facts)), latest_(facts) {
        for (std::size_t i = 0; i < facts_.versions.size(); ++i)
            wanted_.push_back(wanted_version(facts_, facts_.versions[i], standings_[i]));
        note_settled();
    }

    void run() {
        report_latest();
        fates_ = plan_deletions(facts_, standings_, latest_, plan_);
        count_region_removals();
        for (std::size_t i = 0; i < facts_.versions.size(); ++i) plan_version(i);
        if (sizes_unknown_ > 0 && !facts_.policy.prices.snapshot_gb_month.empty()) {
            plan_.notices.push_back(facts_.scope + ": the size of " + std::to_string(sizes_unknown_) +
                                    " versions is not known (occupiedGB); they are not in the cost");
        }
    }

  private:
    // A tier takes nothing from an older version while a newer one of its group is still on its way.
    void note_settled() {
        std::map<std::string, bool> groups;
        for (std::size_t i = 0; i < facts_.versions.size(); ++i) {
            const auto [group, added] = groups.emplace(standings_[i].group, true);
            newer_settled_.push_back(group->second);
            if (standings_[i].usable && !is_settled(i)) group->second = false;
        }
    }

    bool is_settled(std::size_t i) const {
        const VersionFacts& version = facts_.versions[i];
        const ObservedVersion& observed = *version.observed;
        if (version.in_transition || observed.state != ProvisioningState::succeeded || !observed.replication_known)
            return false;
        if (version.governed) return is_fully_replicated(wanted_[i], observed).value_or(false);
        return std::ranges::all_of(observed.target_regions, [&](const TargetRegion& region) {
            const auto replication = observed.replication.find(region.name);
            return replication != observed.replication.end() &&
                   replication->second.state == ReplicationState::completed;
        });
    }

    void report_latest() {
        for (const auto& [region, number] : latest_.now()) plan_.latest_per_region[region] = to_string(number);
        const auto home = plan_.latest_per_region.find(facts_.home_region);
        if (home != plan_.latest_per_region.end()) plan_.latest = home->second;
    }

    bool is_managed(const VersionFacts& version) const {
        return version.governed || (version.ownership == Ownership::ours && version.desired != nullptr);
    }

    void count_region_removals() {
        std::vector<DeletionItem> items;
        for (std::size_t i = 0; i < facts_.versions.size(); ++i) {
            const VersionFacts& version = facts_.versions[i];
            if (version.observed == nullptr || fates_[i].deleted_now || !is_managed(version) ||
                version.mode != Mode::manage)
                continue;
            const ImmutableFindings immutable = find_immutable_differences(facts_, version, wanted_[i]);
            const RegionContext context{facts_, version, standings_[i], wanted_[i], immutable, newer_settled_[i], {}};
            if (!would_start_removal(context)) continue;
            ++brake_.versions;
            items.push_back({version.address, version.observed->published,
                             wanted_[i].regions_from_tier ? standings_[i].tier->name : "spec",
                             std::string(to_string(Destruction::remove_region))});
        }
        brake_.digest = deletions_digest(items);
        const bool waits = brake_.versions > std::max(brakes_of(facts_).deletes_per_pass_max, 0);
        if (waits && plan_.deletions_digest.empty()) plan_.deletions_digest = brake_.digest;
    }

    void plan_version(std::size_t i) {
        const VersionFacts& version = facts_.versions[i];
        const std::size_t rows =
            plan_.changes.size() + plan_.blocked.size() + plan_.conflicts.size() + plan_.waiting.size();
        report_verdict(i);
        report_regions(i);
        std::vector<TargetRegion> before;
        if (version.observed != nullptr) before = version.observed->target_regions;
        std::vector<TargetRegion> after = before;
        const std::size_t changes = plan_.changes.size();
        if (fates_[i].deleted_now) {
            after.clear();
        } else if (version.mode != Mode::suspend) {
            const VersionPlan input{version, standings_[i], wanted_[i], fates_[i], latest_, newer_settled_[i], brake_};
            if (version.observed == nullptr) {
                after = plan_missing_version(facts_, input, plan_);
            } else {
                after = plan_existing_version(facts_, input, plan_);
            }
        }
        count_cost(i, before, after, plan_.changes.size() > changes ? &plan_.changes.back() : deletion_of(version));
        const bool has_rows =
            plan_.changes.size() + plan_.blocked.size() + plan_.conflicts.size() + plan_.waiting.size() != rows;
        if (!has_rows && !fates_[i].deleted_now && fates_[i].blocked_by.empty() && version.observed != nullptr)
            ++plan_.unchanged;
    }

    Change* deletion_of(const VersionFacts& version) {
        const auto found =
            std::ranges::find_if(plan_.changes, [&](const Change& change) { return change.arm_id == version.id; });
        return found == plan_.changes.end() ? nullptr : &*found;
    }

    void count_cost(std::size_t i, const std::vector<TargetRegion>& before, const std::vector<TargetRegion>& after,
                    Change* change) {
        const VersionFacts& version = facts_.versions[i];
        if (before.empty() && after.empty()) return;
        const ImageSize size =
            image_size(version.desired != nullptr ? version.desired->occupied_gb : std::nullopt, version.observed);
        if (!size.known) {
            ++sizes_unknown_;
            return;
        }
        const std::string source = version.observed != nullptr ? version.observed->location : version.desired->location;
        add_cost(plan_, change, size, before, after, source, facts_.policy.prices);
    }

    void report_verdict(std::size_t i) {
        const VersionFacts& version = facts_.versions[i];
        VersionVerdict verdict;
        verdict.address = version.address;
        verdict.version = version.name();
        verdict.arm_id = version.id;
        verdict.rank = standings_[i].rank;
        verdict.tier = standings_[i].tier != nullptr ? standings_[i].tier->name : "";
        verdict.state = lifecycle_state(version, standings_[i]);
        verdict.candidate = fates_[i].judgement.candidate;
        verdict.rule = fates_[i].judgement.rule;
        verdict.text = fates_[i].judgement.text;
        verdict.delete_after = fates_[i].delete_after;
        verdict.blocked_by = fates_[i].blocked_by;
        plan_.verdicts.push_back(std::move(verdict));
    }

    void report_regions(std::size_t i) {
        const VersionFacts& version = facts_.versions[i];
        std::map<std::string, RegionStatus> regions;
        const bool tombstone = version.observed == nullptr && version.record != nullptr && version.record->tombstone;
        if (!tombstone && (is_managed(version) || version.observed == nullptr)) {
            for (const auto& [name, entry] : wanted_[i].regions) regions[name].wanted = entry.region.replicas;
        }
        if (version.observed != nullptr) {
            for (const TargetRegion& region : version.observed->target_regions) {
                RegionStatus& status = regions[region.name];
                status.observed = region.replicas;
                status.present = true;
                if (!is_managed(version)) status.wanted = region.replicas;
            }
            for (const auto& [name, replication] : version.observed->replication) {
                const auto found = regions.find(name);
                if (found == regions.end()) continue;
                found->second.state = replication.state;
                found->second.progress = replication.progress;
                found->second.detail = replication.detail;
            }
        }
        std::vector<RegionStatus>& list = plan_.regions[version.address];
        list.clear();
        for (auto& [name, status] : regions) {
            status.name = name;
            list.push_back(std::move(status));
        }
    }

    const Facts& facts_;
    Plan& plan_;
    std::vector<Standing> standings_;
    Latest latest_;
    std::vector<Wanted> wanted_;
    std::vector<bool> newer_settled_;
    std::vector<Fate> fates_;
    RegionBrake brake_;
    int sizes_unknown_ = 0;
};

}  // namespace
}  // namespace image_version

void plan_image_versions(const DefinitionScopeInput& input, const Policy& policy, TimePoint now, Plan& plan) {
    plan.complete = plan.complete && input.view->complete;
    plan.observed_at = input.view->at;
    const image_version::Facts facts = image_version::gather_facts(input, policy, now, plan.scope);
    if (plan.scope.empty()) plan.scope = facts.scope;
    if (!input.view->complete) {
        plan.notices.push_back(facts.scope +
                               ": the look at Azure was not complete, so nothing is planned for the versions");
        return;
    }
    image_version::Planner(facts, plan).run();
}

}  // namespace galleryd
