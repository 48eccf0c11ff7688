#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/document.h"
#include "controller/core/plan.h"

// What people are told about one declared object: conditions that kstatus understands, with the closed list of reasons
// of the experience document. A text does not change while the problem is the same: no times, no counters, sorted
// names.
namespace galleryd {

enum class ConditionStatus : std::uint8_t { false_, true_, unknown };
std::string_view to_string(ConditionStatus status);  // "False", "True", "Unknown"

struct Condition {
    std::string type;  // Ready, Reconciling, Stalled, Available, InSync, Expired, DeletionScheduled, DeletionBlocked
    ConditionStatus status = ConditionStatus::unknown;
    std::string reason, message;
    TimePoint last_transition{};
};

enum class KStatus : std::uint8_t { current, in_progress, failed, terminating, unknown };
std::string_view to_string(KStatus status);  // "current", "in_progress", …

struct ObjectStatus {
    ObjectKey key;
    std::string address;  // "images/golden/ubuntu-2404/1.8.0"; "" for policies
    ResourceId arm_id;
    SourceLocation manifest;
    std::int64_t observed_generation = 0;
    std::string last_handled_reconcile_at;
    std::vector<Condition> conditions;           // sorted by type
    std::map<std::string, std::string> summary;  // strings for printer columns
    std::vector<RegionStatus> regions;           // versions
    std::optional<VersionVerdict> verdict;       // versions
    std::string provisioning_state;
    std::optional<TimePoint> published, end_of_life;
    const Condition* find(std::string_view type) const;
    KStatus kstatus() const;
};

// Keeps last_transition of conditions whose status did not change; the rest changed `now`.
void carry_transitions(ObjectStatus& status, const ObjectStatus* before, TimePoint now);

}  // namespace galleryd
