#include "reconcilers/image_version/regions.h"

#include <algorithm>

#include "reconcilers/image_version/destruction.h"

namespace galleryd::image_version {
namespace {

struct Difference {
    std::vector<const WantedRegion*> added;
    std::vector<std::pair<const TargetRegion*, const WantedRegion*>> raised, lowered,
        flagged;  // flagged: excludeFromLatest of a region
    std::vector<const TargetRegion*> extra;
};

bool is_frozen(const RegionContext& context, const std::string& region) {
    return context.immutable.all_regions_frozen || context.immutable.frozen_regions.contains(region);
}

Difference compare(const RegionContext& context) {
    Difference difference;
    if (context.immutable.all_regions_frozen) return difference;
    const ObservedVersion& observed = *context.version.observed;
    for (const TargetRegion& there : observed.target_regions) {
        if (is_frozen(context, there.name)) continue;
        const auto found = context.wanted.regions.find(there.name);
        if (found == context.wanted.regions.end()) {
            if (there.name != observed.location) difference.extra.push_back(&there);
            continue;
        }
        const TargetRegion& wanted = found->second.region;
        if (wanted.replicas > there.replicas) difference.raised.emplace_back(&there, &found->second);
        if (wanted.replicas < there.replicas) difference.lowered.emplace_back(&there, &found->second);
        if (wanted.exclude_from_latest && *wanted.exclude_from_latest != there.exclude_from_latest.value_or(false)) {
            difference.flagged.emplace_back(&there, &found->second);
        }
    }
    for (const auto& [name, wanted] : context.wanted.regions) {
        const bool is_there =
            std::ranges::find(observed.target_regions, name, &TargetRegion::name) != observed.target_regions.end();
        if (!is_there) difference.added.push_back(&wanted);
    }
    return difference;
}

std::string removal_rule(const RegionContext& context) {
    if (context.wanted.regions_from_tier) return context.facts.rule("tier " + context.standing.tier->name);
    return "spec.targetRegions";
}

std::string names_of(const std::vector<const TargetRegion*>& regions) {
    std::string names;
    for (const TargetRegion* region : regions) names += (names.empty() ? "" : ", ") + region->name;
    return names;
}

// Point 9 for a region: a Completed copy must stay somewhere that is wanted.
std::string last_copy(const RegionContext& context) {
    const ObservedVersion& observed = *context.version.observed;
    const bool remains = std::ranges::any_of(context.wanted.regions, [&](const auto& entry) {
        const auto replication = observed.replication.find(entry.first);
        return replication != observed.replication.end() && replication->second.state == ReplicationState::completed;
    });
    return remains ? "" : "no wanted region is known to hold a completed copy, so this could be the last one";
}

// The flag is up and not because the document wants it: we raised it, under the brake, and the removal is under way.
// Asking the brake again at every step would need a new approval each time that one of many versions is finished.
bool is_under_way(const RegionContext& context) {
    return context.version.observed->allow_deletion_of_replicated_locations && !context.wanted.allow_region_deletion &&
           context.version.record != nullptr;
}

InterlockQuestion region_question(const RegionContext& context, Destruction destruction, bool with_brake) {
    InterlockQuestion question = question_about(context.facts, context.version, destruction);
    question.positive_reason = removal_rule(context);
    question.keep_rule.clear();
    question.keep_text = last_copy(context);
    question.brakes = {
        .deletions = with_brake ? context.brake.versions : 0,
        .per_pass_max = with_brake ? brakes_of(context.facts).deletes_per_pass_max : 0,
        .percent_max = std::nullopt,  // a tier moves two versions for each new one, whatever their number
        .versions_total = 0,
        .hourly_left = 1,
        .window = std::nullopt,
        .approval_required = false,
        .approved = is_approved_digest(context.facts, &context.version, context.brake.digest),
        .digest = context.brake.digest};
    return question;
}

class Steps {
  public:
    explicit Steps(const RegionContext& context) : context_(context), difference_(compare(context)) {
        steps_.regions = context.version.observed->target_regions;
        steps_.allow_region_deletion = context.wanted.allow_region_deletion;
    }

    RegionSteps take() {
        add();
        raise();
        set_flags();
        if (!difference_.extra.empty()) remove();
        if (!difference_.lowered.empty()) lower();
        compare_flag();
        std::ranges::sort(steps_.regions, {}, &TargetRegion::name);
        return std::move(steps_);
    }

  private:
    TargetRegion& written(const std::string& name) {
        return *std::ranges::find(steps_.regions, name, &TargetRegion::name);
    }

    void add() {
        for (const WantedRegion* wanted : difference_.added) {
            const ResourceRecord* record = context_.version.record;
            const bool comes_back = record != nullptr && record->region_readds.contains(
                                                             wanted->region.name);  // we took it away to repair it
            steps_.regions.push_back(wanted->region);
            steps_.fields.push_back({.path = "/targetRegions/" + wanted->region.name,
                                     .op = FieldOp::add,
                                     .before = "",
                                     .after = print(wanted->region),
                                     .effect = {},
                                     .detail = {},
                                     .cause = comes_back ? "replication_failed" : wanted->cause});
        }
    }

    void change_replicas(const TargetRegion& there, const WantedRegion& wanted) {
        written(there.name).replicas = wanted.region.replicas;
        steps_.fields.push_back({.path = "/targetRegions/" + there.name + "/replicas",
                                 .op = FieldOp::replace,
                                 .before = std::to_string(there.replicas),
                                 .after = std::to_string(wanted.region.replicas),
                                 .effect = {},
                                 .detail = {},
                                 .cause = wanted.cause});
    }

    void raise() {
        for (const auto& [there, wanted] : difference_.raised) change_replicas(*there, *wanted);
    }

    void set_flags() {
        for (const auto& [there, wanted] : difference_.flagged) {
            written(there->name).exclude_from_latest = wanted->region.exclude_from_latest;
            const bool before = there->exclude_from_latest.value_or(false);
            steps_.fields.push_back({.path = "/targetRegions/" + there->name + "/excludeFromLatest",
                                     .op = FieldOp::replace,
                                     .before = before ? "true" : "false",
                                     .after = before ? "false" : "true",
                                     .effect = {},
                                     .detail = {},
                                     .cause = wanted->cause});
        }
    }

    void block(std::vector<BlockReason> reasons, const std::string& what) {
        Blocked blocked =
            blocked_about(context_.facts, context_.version, Action::update, removal_rule(context_), std::move(reasons));
        blocked.evidence["step"] = what;
        steps_.blocked.push_back(std::move(blocked));
    }

    // Is everything that is to stay there and usable, so that something may be taken away?
    bool is_time_to_break(const std::string& what) {
        if (!difference_.added.empty() || !difference_.raised.empty()) {
            follow_up("then " + what);
            return false;
        }
        const auto replicated = is_fully_replicated(context_.wanted, *context_.version.observed);
        if (!replicated.value_or(false)) {
            steps_.waiting.push_back(replicated ? what + " waits until every wanted region is Completed"
                                                : what + " waits for the replication status");
            return false;
        }
        if (context_.wanted.regions_from_tier && !context_.newer_ones_settled) {
            steps_.waiting.push_back(what + " waits until the newer versions are replicated");
            return false;
        }
        return true;
    }

    void follow_up(const std::string& text) { steps_.follow_up += (steps_.follow_up.empty() ? "" : "; ") + text; }

    void lower() {
        std::string what = "lower replicas in ";
        for (const auto& [there, wanted] : difference_.lowered)
            what += (what.ends_with("in ") ? "" : ", ") + there->name;
        auto reasons = interlock(region_question(context_, Destruction::lower_replicas, false));
        if (!reasons.empty()) return block(std::move(reasons), what);
        if (steps_.raises_flag) return follow_up("then " + what);  // the PUT that raises the flag takes nothing away
        if (!is_time_to_break(what)) return;
        for (const auto& [there, wanted] : difference_.lowered) change_replicas(*there, *wanted);
        steps_.destructive = true;
        steps_.rule = removal_rule(context_);
    }

    void remove() {
        const std::string names = names_of(difference_.extra);
        const std::string what = "remove " + names;
        const InterlockQuestion question =
            region_question(context_, Destruction::remove_region, !is_under_way(context_));
        auto reasons = interlock(question);
        if (!reasons.empty()) {
            block(std::move(reasons), what);
            if (steps_.blocked.back().reasons.front().reason == "brake")
                steps_.blocked.back().evidence["digest"] = context_.brake.digest;
            return;
        }
        if (!is_time_to_break(what)) return;
        steps_.rule = removal_rule(context_);
        steps_.asks_usage = !question.usage_ignored;
        steps_.allow_region_deletion = true;
        const bool flag_goes_back = !context_.wanted.allow_region_deletion;
        if (!context_.version.observed->allow_deletion_of_replicated_locations) {
            steps_.raises_flag = true;
            return follow_up("then " + what + (flag_goes_back ? ", then put the flag back" : ""));
        }
        for (const TargetRegion* extra : difference_.extra) {
            std::erase_if(steps_.regions, [&](const TargetRegion& region) { return region.name == extra->name; });
            steps_.fields.push_back(
                {.path = "/targetRegions/" + extra->name,
                 .op = FieldOp::remove,
                 .before = print(*extra),
                 .after = "",
                 .effect = {},
                 .detail = {},
                 .cause = context_.wanted.regions_from_tier ? "policy " + removal_rule(context_) : "spec"});
        }
        steps_.destructive = true;
        steps_.removes_region = true;
        if (flag_goes_back) follow_up("then put the flag back");
    }

    void compare_flag() {
        const bool there = context_.version.observed->allow_deletion_of_replicated_locations;
        if (there == steps_.allow_region_deletion) return;
        steps_.fields.push_back(
            {.path = "/safety/allowDeletionOfReplicatedLocations",
             .op = FieldOp::replace,
             .before = there ? "true" : "false",
             .after = there ? "false" : "true",
             .effect = {},
             .detail = {},
             .cause = steps_.allow_region_deletion && !steps_.raises_flag ? "spec" : "region_removal"});
    }

    const RegionContext& context_;
    Difference difference_;
    RegionSteps steps_;
};

}  // namespace

bool would_start_removal(const RegionContext& context) {
    if (compare(context).extra.empty() || is_under_way(context)) return false;
    InterlockQuestion question = region_question(context, Destruction::remove_region, false);
    return interlock(question).empty();
}

RegionSteps plan_region_steps(const RegionContext& context) { return Steps(context).take(); }

}  // namespace galleryd::image_version
