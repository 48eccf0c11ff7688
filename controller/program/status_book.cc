#include "controller/program/status_book.h"

#include <algorithm>

namespace galleryd {

bool StatusBook::put(const std::string& scope, std::vector<ObjectStatus> statuses, TimePoint now) {
    const std::vector<ObjectStatus> before = of(scope);
    for (ObjectStatus& status : statuses) {
        const auto known = std::ranges::find(before, status.key, &ObjectStatus::key);
        carry_transitions(status, known == before.end() ? nullptr : &*known, now);
    }
    if (!statuses.empty()) return parts_.insert_or_assign(scope, statuses);
    parts_.erase(scope);
    return !before.empty();
}

std::vector<ObjectStatus> StatusBook::of(const std::string& scope) const {
    return parts_.get(scope).value_or(std::vector<ObjectStatus>{});
}

void StatusBook::keep_only(const std::string& scope, const std::set<ObjectKey>& keys) {
    std::vector<ObjectStatus> statuses = of(scope);
    if (std::erase_if(statuses, [&](const ObjectStatus& status) { return !keys.contains(status.key); }) == 0) return;
    if (statuses.empty()) parts_.erase(scope);
    else parts_.insert_or_assign(scope, statuses);
}

std::vector<ObjectStatus> StatusBook::all() const {
    std::vector<ObjectStatus> statuses;
    for (const auto& [scope, part] : parts_) statuses.insert(statuses.end(), part.begin(), part.end());
    std::ranges::sort(statuses, {}, &ObjectStatus::key);
    const auto twice = std::ranges::unique(statuses, {}, &ObjectStatus::key);  // a gallery that two namespaces name
    statuses.erase(twice.begin(), twice.end());
    return statuses;
}

std::optional<ObjectStatus> StatusBook::find(const ObjectKey& key) const {
    for (const auto& [scope, part] : parts_) {
        const auto found = std::ranges::find(part, key, &ObjectStatus::key);
        if (found != part.end()) return *found;
    }
    return std::nullopt;
}

}  // namespace galleryd
