#include "controller/program/plan_counts.h"

#include <algorithm>
#include <set>

namespace galleryd {
namespace {

constexpr std::string_view region_prefix = "/targetRegions/";

// A region as a whole, not one of its fields: "/targetRegions/eastus".
bool is_region(const std::string& path) {
    return path.starts_with(region_prefix) && path.find('/', region_prefix.size()) == std::string::npos;
}

void add_regions(PlanCounts& counts, const Change& change) {
    if (const auto* create = std::get_if<CreateVersion>(&change.step)) {
        counts.regions_added += static_cast<int>(create->write.target_regions.size());
        return;
    }
    for (const FieldChange& field : change.fields) {
        if (!is_region(field.path)) continue;
        if (field.op == FieldOp::add) ++counts.regions_added;
        if (field.op == FieldOp::remove) ++counts.regions_removed;
    }
}

}  // namespace

PlanCounts count(const std::vector<Plan>& plans) {
    PlanCounts counts;
    for (const Plan& plan : plans) {
        for (const Change& change : plan.changes) {
            switch (change.action) {
                case Action::create: ++counts.create; break;
                case Action::update: ++counts.update; break;
                case Action::remove: ++counts.remove; break;
                case Action::adopt: ++counts.adopt; break;
                case Action::mark: ++counts.mark; break;
                case Action::unmark: ++counts.unmark; break;
                case Action::share: ++counts.share; break;
                case Action::assign: ++counts.assign; break;
                case Action::unassign: ++counts.unassign; break;
            }
            counts.arm_writes += change.estimate.arm_writes;
            add_regions(counts, change);
        }
        counts.blocked += static_cast<int>(plan.blocked.size());
        counts.conflict += static_cast<int>(plan.conflicts.size());
        counts.waiting += static_cast<int>(plan.waiting.size());
        counts.later += static_cast<int>(plan.later.size());
        counts.unchanged += plan.unchanged;
    }
    return counts;
}

TimePoint oldest_look(const std::vector<Plan>& plans) {
    TimePoint oldest{};
    for (const Plan& plan : plans) {
        if (plan.observed_at == TimePoint{}) continue;
        if (oldest == TimePoint{} || plan.observed_at < oldest) oldest = plan.observed_at;
    }
    return oldest;
}

std::string printable(const std::string& text, std::size_t limit) {
    std::string clean;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        clean += byte < 0x20 || byte == 0x7f ? ' ' : c;
    }
    // U+0080 to U+009F are control characters too; in UTF-8 they are C2 80 to C2 9F.
    for (std::size_t i = 0; i + 1 < clean.size(); ++i) {
        const auto second = static_cast<unsigned char>(clean[i + 1]);
        if (static_cast<unsigned char>(clean[i]) == 0xc2 && second < 0xa0) clean.replace(i, 2, " ");
    }
    if (limit == 0 || clean.size() <= limit) return clean;
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(clean[end]) & 0xc0) == 0x80) --end;  // never half a character
    return clean.substr(0, end) + "…";
}

}  // namespace galleryd
