#include "controller/core/status.h"

namespace galleryd {

std::string_view to_string(ConditionStatus status) {
    switch (status) {
        case ConditionStatus::false_: return "False";
        case ConditionStatus::true_: return "True";
        case ConditionStatus::unknown: return "Unknown";
    }
    return "Unknown";
}

std::string_view to_string(KStatus status) {
    switch (status) {
        case KStatus::current: return "current";
        case KStatus::in_progress: return "in_progress";
        case KStatus::failed: return "failed";
        case KStatus::terminating: return "terminating";
        case KStatus::unknown: return "unknown";
    }
    return "unknown";
}

const Condition* ObjectStatus::find(std::string_view type) const {
    for (const Condition& condition : conditions) {
        if (condition.type == type) return &condition;
    }
    return nullptr;
}

KStatus ObjectStatus::kstatus() const {
    const auto is_true = [&](std::string_view type) {
        const Condition* condition = find(type);
        return condition != nullptr && condition->status == ConditionStatus::true_;
    };
    if (is_true("Stalled")) return KStatus::failed;
    if (is_true("Reconciling")) return KStatus::in_progress;
    if (is_true("Ready")) return KStatus::current;
    const Condition* ready = find("Ready");
    return ready == nullptr || ready->status == ConditionStatus::unknown ? KStatus::unknown : KStatus::in_progress;
}

void carry_transitions(ObjectStatus& status, const ObjectStatus* before, TimePoint now) {
    for (Condition& condition : status.conditions) {
        const Condition* old = before == nullptr ? nullptr : before->find(condition.type);
        condition.last_transition = old != nullptr && old->status == condition.status ? old->last_transition : now;
    }
}

}  // namespace galleryd
