#include "reconcilers/image_definition/forecast_moments.h"

#include <algorithm>

#include "controller/core/hold.h"
#include "controller/core/tags.h"
#include "reconcilers/lifecycle/interlock.h"
#include "reconcilers/lifecycle/record_update.h"

namespace galleryd {
namespace {

class Moments {
  public:
    explicit Moments(TimePoint after) : after_(after) {}
    void add(TimePoint threshold) {
        const TimePoint moment = std::chrono::ceil<std::chrono::seconds>(threshold) + std::chrono::seconds{1};
        if (moment > after_) all_.insert(moment);
    }
    void add(const std::optional<TimePoint>& from, const std::optional<std::chrono::seconds>& then) {
        if (from && then) add(*from + *then);
    }
    void add_hold(const std::optional<std::string>& value, Duration skew) {
        const auto until = value ? parse_hold(*value).until : std::nullopt;
        if (until) add(*until + skew);
    }
    std::set<TimePoint> take() { return std::move(all_); }

  private:
    TimePoint after_;
    std::set<TimePoint> all_;
};

void add_version(Moments& moments, const LifecyclePolicy* policy, const ObservedVersion& version, Duration skew) {
    if (version.end_of_life) moments.add(*version.end_of_life + skew);
    const auto mark = find_tag_any_case(version.tags, delete_after_tag);
    const auto date = mark == version.tags.end() || !mark->second ? std::nullopt : parse_rfc3339(*mark->second);
    if (date) moments.add(*date + skew);
    const auto hold = find_tag_any_case(version.tags, hold_tag);
    if (hold != version.tags.end()) moments.add_hold(hold->second, skew);
    if (policy == nullptr) return;
    moments.add(version.published, policy->deprecate_older_than);
    if (!policy->retention) return;
    moments.add(version.published, policy->retention->older_than);
    moments.add(version.published, policy->retention->minimum_age);
    moments.add(version.end_of_life, policy->retention->past_end_of_life);
    if (version.state == ProvisioningState::failed) moments.add(version.published, policy->retention->failed_after);
}

}  // namespace

std::set<TimePoint> moments_of(const DefinitionScopeInput& scope, const Policy& policy, TimePoint after) {
    Moments moments(after);
    const Duration skew = std::clamp<Duration>(policy.clock_skew.value_or(Duration{0}), Duration{0}, clock_skew_max);
    for (const ObservedVersion& version : scope.view->versions) {
        add_version(moments, scope.policy, version, skew);
        const ResourceRecord* record = policy.find_record(version.id);
        if (record == nullptr) continue;
        moments.add(record->last_failure_at, refused_removal_pause);
        moments.add(record->removal_failed_at, refused_removal_pause);
        if (record->gone_at && record->deleted_at) moments.add(*record->deleted_at + deletion_settles);
        if (scope.policy != nullptr && scope.policy->retention)
            moments.add(record->last_failure_at, scope.policy->retention->failed_after);
    }
    for (const ImageVersion* version : scope.versions) {
        if (version->end_of_life) moments.add(*version->end_of_life + skew);
        moments.add_hold(version->meta.hold, skew);
    }
    if (scope.definition != nullptr) moments.add_hold(scope.definition->meta.hold, skew);
    if (scope.gallery != nullptr) moments.add_hold(scope.gallery->meta.hold, skew);
    for (const RemovedDocument& removed : policy.removed) {
        moments.add(removed.first_missing + removed_age_min);
        moments.add_hold(removed.hold, skew);
    }
    for (const auto& [key, usage] : policy.usage) {
        if (usage.settles_at) moments.add(*usage.settles_at);
    }
    return moments.take();
}

std::optional<TimePoint> next_opening(const DeletionWindow& window, TimePoint after, const Policy& policy) {
    TimePoint minute = std::chrono::floor<std::chrono::minutes>(after) + std::chrono::minutes{1};
    for (const TimePoint last = minute + std::chrono::days{8}; minute <= last; minute += std::chrono::minutes{1}) {
        if (is_in_window(window, minute, policy)) return minute;
    }
    return std::nullopt;
}

}  // namespace galleryd
