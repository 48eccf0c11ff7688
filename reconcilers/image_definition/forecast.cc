#include "reconcilers/image_definition/forecast.h"

#include <algorithm>
#include <array>

#include "controller/core/steps.h"
#include "reconcilers/image_definition/assumed.h"
#include "reconcilers/image_definition/forecast_moments.h"
#include "reconcilers/lifecycle/interlock.h"
#include "reconcilers/lifecycle/subject.h"

namespace galleryd {
namespace {

constexpr int plans_max = 10 * static_cast<int>(forecast_moments_max);
constexpr std::chrono::hours soon{1};
constexpr int rounds_max = 6;  // at one moment: definition, versions, latest, mark, and what follows from them

bool depends_on_usage(const Plan& plan) {
    return std::ranges::any_of(plan.changes, &Change::usage_asked) ||
           std::ranges::any_of(plan.blocked, [](const Blocked& blocked) {
               return std::ranges::find(blocked.reasons, 7, &BlockReason::interlock_point) != blocked.reasons.end();
           });
}

bool has_reason(const std::vector<BlockReason>& reasons, std::string_view reason) {
    return std::ranges::find(reasons, reason, &BlockReason::reason) != reasons.end();
}

// The digest of a later plan cannot be approved before that plan exists.
void unname_digests(std::vector<BlockReason>& reasons) {
    for (BlockReason& reason : reasons) {
        if (reason.way_out.starts_with("galleryd approve sha256:"))
            reason.way_out = std::string(approve_unnamed) + ", which plan prints then";
    }
}

class Walk {
  public:
    explicit Walk(ForecastInput input)
        : input_(std::move(input)), view_(*input_.scope.view), deletes_before_(input_.policy.deletes_last_hour) {
        input_.scope.view = &view_;
        input_.at = std::max(input_.at, input_.now);
        forecast_.now = input_.now;
    }

    Forecast take() {
        Plan today = plan_at(input_.now, true);
        if (input_.at == input_.now || !view_.complete) forecast_.plan = std::move(today);
        if (view_.complete) {
            const Plan settled = settle_at(input_.now);
            walk(settled);
        }
        collect();
        return std::move(forecast_);
    }

  private:
    Plan plan_at(TimePoint time, bool is_first) {
        refresh_policy(time);
        Plan plan = plan_definition_scope(input_.scope, input_.policy, time);
        ++forecast_.plans_made;
        if (!forecast_.asks_usage && depends_on_usage(plan)) forecast_.asks_usage = plan;
        note(plan, time, is_first);
        return plan;
    }

    // Until nothing more follows. What was planned last is what stands then.
    Plan settle_at(TimePoint time) {
        Plan plan = plan_at(time, false);
        for (int round = 0; round < rounds_max; ++round) {
            note_deletions(plan, time);
            if (!assume_done(plan, time, view_, input_.policy.records)) break;
            plan = plan_at(time, false);
        }
        return plan;
    }

    void walk(const Plan& settled) {
        std::set<TimePoint> ahead = moments_of(input_.scope, input_.policy, input_.now);
        if (input_.at > input_.now) ahead.insert(input_.at);
        ahead.insert(input_.now + soon);  // by then, what is on its way has arrived and looks have been repeated
        add_waits(ahead, settled, input_.now);
        TimePoint time = input_.now;
        while (!ahead.empty() && forecast_.plans_made < plans_max) {
            time = take_next(ahead);
            Plan plan = later_plan(time);
            ahead.merge(moments_of(input_.scope, input_.policy, time));
            add_waits(ahead, plan, time);
            if (time < input_.at) ahead.insert(input_.at);
            if (time == input_.at) forecast_.plan = std::move(plan);
        }
        if (time >= input_.at) return;
        const auto skipped = std::chrono::ceil<std::chrono::seconds>(input_.at - time);
        forecast_.precision = std::max(forecast_.precision, skipped);
        forecast_.plan = later_plan(input_.at);
    }

    // What was on its way now has arrived.
    Plan later_plan(TimePoint time) {
        if (!is_ended_) static_cast<void>(assume_ended(view_, input_.policy.records));
        is_ended_ = true;
        return settle_at(time);
    }

    // Where there are very many, those that lie close together are looked at once, at the last of them.
    TimePoint take_next(std::set<TimePoint>& ahead) {
        TimePoint time = *ahead.begin();
        const std::size_t together = ahead.size() / forecast_moments_max;
        if (together > 0) {
            const TimePoint first = time;
            time = *std::next(ahead.begin(), static_cast<std::ptrdiff_t>(together));
            // Close together: not what comes in an hour and what comes in a week.
            const auto close = std::max<Duration>(
                std::chrono::days{1}, (*ahead.rbegin() - first) * 2 / static_cast<int>(forecast_moments_max));
            time = std::min(time, *std::prev(ahead.upper_bound(first + close)));
            if (first <= input_.at) time = std::min(time, input_.at);
            const auto late = std::chrono::ceil<std::chrono::seconds>(time - first);
            forecast_.precision = std::max(forecast_.precision, late);
        }
        ahead.erase(ahead.begin(), ahead.upper_bound(time));
        return time;
    }

    void add_waits(std::set<TimePoint>& ahead, const Plan& plan, TimePoint time) const {
        const auto waits_for = [&](std::string_view reason) {
            return std::ranges::any_of(plan.blocked, [&](const Blocked& blocked) {
                const auto told = lives_.find(blocked.arm_id.key());
                return has_reason(blocked.reasons, reason) && (told == lives_.end() || !told->second.due);
            });
        };
        const LifecyclePolicy* lifecycle = input_.scope.policy;
        const bool has_window = lifecycle != nullptr && lifecycle->retention && lifecycle->retention->window;
        if (has_window && waits_for("window")) {
            if (const auto opening = next_opening(*lifecycle->retention->window, time, input_.policy))
                ahead.insert(*opening);
        }
        const bool hour_may_help = !deleted_at_.empty() || time < input_.now + std::chrono::hours{1};
        if (hour_may_help && waits_for("brake_hourly")) ahead.insert(time + std::chrono::hours{1});
    }

    void refresh_policy(TimePoint time) {
        Policy& policy = input_.policy;
        std::erase_if(policy.approvals, [&](const std::string& digest) {
            const auto until = input_.approvals_until.find(digest);
            return until != input_.approvals_until.end() && until->second <= time;
        });
        const auto hour_ago = time - std::chrono::hours{1};
        policy.deletes_last_hour =
            (hour_ago < input_.now ? deletes_before_ : 0) +
            static_cast<int>(std::ranges::count_if(deleted_at_, [&](TimePoint deleted) { return deleted > hour_ago; }));
        if (time == input_.now) return;
        for (auto& [key, usage] : policy.usage) {
            if (!usage.settles_at || *usage.settles_at > time) continue;
            usage = {.state = UsageState::not_in_use, .detail = "nobody uses it, as far as one look tells"};
        }
        for (RemovedDocument& removed : policy.removed) {
            if (time - removed.first_missing >= removed_age_min)
                removed.snapshots_missing = std::max(removed.snapshots_missing, removed_snapshots_min);
        }
        if (may_create(input_.scope.gallery, policy)) view_.gallery_exists = true;
    }

    void note(const Plan& plan, TimePoint time, bool is_first) {
        // On the date now, the first plan alone is told: it is the one that `plan` shows.
        const bool is_told = time <= input_.at && (is_first || input_.at > input_.now);
        for (const VersionVerdict& verdict : plan.verdicts) {
            VersionForecast& told = lives_[verdict.arm_id.key()];
            if (told.deleted) continue;  // of a declared one only its tombstone is left
            if (is_told) told.verdict = verdict;
            note_dates(told, verdict, time);
        }
        if (!is_told) return;
        for (auto& [key, told] : lives_) told.in_azure = false;
        for (const ObservedVersion& version : view_.versions) {
            if (const auto told = lives_.find(version.id.key()); told != lives_.end()) told->second.in_azure = true;
        }
    }

    void note_dates(VersionForecast& told, const VersionVerdict& verdict, TimePoint time) const {
        if (!verdict.candidate) {
            told.named.reset();
            told.marked.reset();
            told.due.reset();
            return;
        }
        if (!told.named) told.named = time;
        told.named_by = verdict.rule;
        if (!verdict.delete_after) told.marked.reset();
        else if (!told.marked) told.marked = time;
        const TimePoint certain = time - input_.policy.clock_skew.value_or(Duration{0});
        const bool is_through_grace =
            verdict.delete_after ? *verdict.delete_after < certain : verdict.rule == "removedDocument";
        const bool waits_for_people = std::ranges::all_of(verdict.blocked_by, is_for_people);
        if (!is_through_grace || !waits_for_people) {
            // The window shuts and opens; what people said is wanted is still wanted.
            const bool only_shut = is_through_grace && std::ranges::all_of(verdict.blocked_by, [](const auto& reason) {
                                       return is_for_people(reason) || reason.reason == "window";
                                   });
            if (!only_shut) told.due.reset();
            return;
        }
        if (told.due) return;
        told.due = time;
        told.people = verdict.blocked_by;
    }

    void note_deletions(const Plan& plan, TimePoint time) {
        for (const Change& change : plan.changes) {
            if (!is<DeleteVersion>(change.step)) continue;
            lives_[change.arm_id.key()].deleted = time;
            deleted_at_.push_back(time);
        }
    }

    void collect() {
        for (auto& [key, told] : lives_) {
            if (told.due && *told.due > input_.now) unname_digests(told.people);
            if (input_.at > input_.now) unname_digests(told.verdict.blocked_by);
            forecast_.versions.push_back(std::move(told));
        }
        std::ranges::sort(forecast_.versions, [](const VersionForecast& a, const VersionForecast& b) {
            const auto left = parse_image_version_number(a.verdict.version);
            const auto right = parse_image_version_number(b.verdict.version);
            if (left && right) return *left > *right;
            if (left.has_value() != right.has_value()) return left.has_value();
            return a.verdict.address < b.verdict.address;
        });
    }

    ForecastInput input_;
    DefinitionView view_;
    int deletes_before_;
    bool is_ended_ = false;
    std::vector<TimePoint> deleted_at_;
    std::map<std::string, VersionForecast> lives_;  // by version key

    Forecast forecast_;
};

}  // namespace

bool is_for_people(const BlockReason& reason) {
    constexpr std::array releases{"deletes_not_allowed", "observing", "prune_off", "approval_required", "brake"};
    return std::ranges::find(releases, reason.reason) != releases.end() &&
           reason.condition != "Held";  // "observing" of a document's mode is no release that waits
}

Forecast forecast_retention(ForecastInput input) { return Walk(std::move(input)).take(); }

}  // namespace galleryd
