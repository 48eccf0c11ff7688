#include "controller/program/plan_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <ostream>
#include <set>

#include "controller/program/plan_text_rows.h"

namespace galleryd {
namespace {

std::string money(double amount) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.2f", std::abs(amount) < 0.005 ? 0.0 : amount);
    return text.data();
}

std::string gallery_of(const std::string& scope) {
    const std::size_t first = scope.find('/');
    const std::size_t second = first == std::string::npos ? first : scope.find('/', first + 1);
    return scope.substr(0, second);
}

std::set<std::string> galleries_of(const std::vector<Plan>& plans) {
    std::set<std::string> names;
    for (const Plan& plan : plans) {
        if (!plan.scope.empty()) names.insert(gallery_of(plan.scope));
    }
    return names;
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

void print_header(std::ostream& out, const std::vector<Plan>& plans, const PlanHeader& header) {
    const std::string source = header.source.empty() ? joined(header.sources) : header.source;
    const auto galleries = galleries_of(plans);
    out << "source  " << (source.empty() ? header.path : source);
    if (galleries.size() == 1) out << "      gallery  " << *galleries.begin();
    if (galleries.size() > 1) out << "      galleries  " << galleries.size();
    std::set<std::string> regions;
    std::size_t versions = 0;
    for (const Plan& plan : plans) {
        versions += plan.verdicts.size();
        for (const auto& [address, rows] : plan.regions) {
            for (const RegionStatus& row : rows) regions.insert(row.name);
        }
    }
    const TimePoint looked = oldest_look(plans);
    out << "\nobserved " << (looked == TimePoint{} ? "nothing" : format_rfc3339(looked)) << ", "
        << plural(regions.size(), "region") << ", " << plural(versions, "version") << "\n";
}

void print_counts(std::ostream& out, const PlanCounts& counts) {
    const std::string later =
        counts.later == 0 ? "" : " (" + std::to_string(counts.later) + " of them after their parents)";
    std::string text = "Plan: " + std::to_string(counts.create + counts.later) + " create" + later + ", " +
                       std::to_string(counts.update) + " update, " + std::to_string(counts.remove) + " delete";
    const auto add = [&text](int number, const char* word) {
        if (number > 0) text += ", " + std::to_string(number) + " " + word;
    };
    add(counts.adopt, "adopt");
    add(counts.mark, "mark");
    add(counts.unmark, "unmark");
    add(counts.share, "share");
    add(counts.assign, "assign");
    add(counts.unassign, "unassign");
    add(counts.blocked, "blocked");
    add(counts.conflict, "conflict");
    add(counts.waiting - counts.later, "waiting");
    out << text << ".";
    if (counts.regions_added > 0 || counts.regions_removed > 0) {
        out << "  Regions";
        if (counts.regions_added > 0) out << " +" << counts.regions_added;
        if (counts.regions_removed > 0) out << " -" << counts.regions_removed;
        out << ".";
    }
    out << "\n";
}

void print_cost(std::ostream& out, const std::vector<Plan>& plans, const PlanHeader& header, const PlanCounts& counts) {
    Cost total;
    for (const Plan& plan : plans) {
        total.before += plan.cost.before;
        total.after += plan.cost.after;
        total.one_time += plan.cost.one_time;
        total.upper_bound = total.upper_bound || plan.cost.upper_bound;
    }
    const bool known = total.before > 0 || total.after > 0;
    if (known) {
        const double delta = total.after - total.before;
        out << "Cost: " << money(total.before) << " -> " << money(total.after) << " " << header.currency << "/month ("
            << (delta < -0.005 ? "" : "+") << money(delta) << "; list price"
            << (total.upper_bound ? ", upper bound" : "") << (counts.later > 0 ? ", without what comes later" : "")
            << ").";
        if (total.one_time >= 0.005)
            out << "  First copies: " << money(total.one_time) << " " << header.currency << " once.";
        out << "  ";
    }
    out << "Azure writes: about " << counts.arm_writes + counts.later << ".\n";
}

// What waits for a person is said before the general hint; never more than one line.
// The approval that a plan without changes waits for, as a command; "" when there is none.
std::string approval_line(const std::vector<Plan>& plans) {
    for (const Plan& plan : plans) {
        if (plan.deletions_digest.empty() || !plan.changes.empty()) continue;
        const bool waits = std::ranges::any_of(plan.blocked, [](const Blocked& blocked) {
            return blocked.reasons.size() == 1 &&
                   (blocked.reasons.front().reason == "approval_required" || blocked.reasons.front().reason == "brake");
        });
        if (waits) return "galleryd approve " + plan.deletions_digest;
    }
    return "";
}

std::string next_line(const std::vector<Plan>& plans, const PlanHeader& header) {
    const std::string approval = approval_line(plans);
    return approval.empty() ? header.next : approval;
}

bool is_unseen(const Plan& plan) {
    return !plan.complete && plan.notices.size() == 1 && plan.notices.front().starts_with(unseen_notice);
}

// A cause that many scopes share is told once.
void print_unseen(std::ostream& out, const std::vector<Plan>& plans) {
    std::map<std::string, std::vector<std::string>> scopes;  // by notice
    for (const Plan& plan : plans) {
        if (is_unseen(plan)) scopes[plan.notices.front()].push_back(plan.scope);
    }
    for (const auto& [notice, names] : scopes)
        out << "  ! " << some_of(names) << " " << printable(notice) << "; nothing is planned there\n";
}

void print_notices(std::ostream& out, const std::vector<Plan>& plans) {
    for (const Plan& plan : plans) {
        if (is_unseen(plan)) continue;
        for (const std::string& notice : plan.notices) {
            const bool has_row = std::ranges::any_of(plan.later, [&](const LaterCreation& creation) {
                return notice.starts_with(creation.address + ": it waits for its ");
            });
            if (!has_row) out << "note: " << printable(notice) << "\n";
        }
    }
}

void print_waiting(std::ostream& out, const std::vector<Plan>& plans, const Rows& rows) {
    for (const Plan& plan : plans) {
        for (const std::string& address : plan.waiting) {
            const bool has_row = std::ranges::find(plan.later, address, &LaterCreation::address) != plan.later.end();
            if (!has_row) rows.waiting(out, plan, address);
        }
    }
}

// Nothing planned, under way, or unread. What is blocked or in conflict is named below the sentence, never dropped.
bool nothing_changes(const std::vector<Plan>& plans) {
    return std::ranges::all_of(
        plans, [](const Plan& plan) { return plan.complete && plan.changes.empty() && plan.waiting.empty(); });
}

void print_exceptions(std::ostream& out, const std::vector<Plan>& plans, const Rows& rows) {
    const PlanCounts counts = count(plans);
    if (counts.blocked == 0 && counts.conflict == 0) return;
    out << "except where a person has to decide: " << counts.blocked << " blocked, " << counts.conflict
        << " in conflict\n\n";
    for (const Plan& plan : plans) {
        for (const Blocked& blocked : plan.blocked) rows.blocked(out, blocked);
        for (const Conflict& conflict : plan.conflicts) rows.conflict(out, conflict);
    }
}

}  // namespace

std::string some_of(const std::vector<std::string>& names) {
    constexpr std::size_t named_max = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), named_max); ++i) text += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > named_max) text += " and " + std::to_string(names.size() - named_max) + " more";
    return text;
}

std::string plural(std::size_t number, const std::string& word) {
    return std::to_string(number) + " " + word + (number == 1 ? "" : "s");
}

void print_plan_text(std::ostream& out, const std::vector<Plan>& plans, const PlanHeader& header,
                     const TextOptions& options) {
    const auto galleries = galleries_of(plans);
    const Rows rows(options, galleries.size() == 1 ? *galleries.begin() + "/" : "");
    if (nothing_changes(plans)) {
        out << "No changes. Azure matches the manifests.\nobserved " << format_rfc3339(oldest_look(plans)) << "\n";
        print_notices(out, plans);
        print_exceptions(out, plans, rows);
        const std::string approval = approval_line(plans);
        if (!approval.empty()) out << "Next: " << approval << "\n";
        return;
    }
    print_header(out, plans, header);
    out << "\n";
    print_unseen(out, plans);
    for (const Plan& plan : plans) {
        if (!plan.complete && !is_unseen(plan))
            out << "  ! " << plan.scope << ": the look at Azure was not complete; nothing is planned from it\n";
        for (const Change& change : plan.changes) rows.change(out, change);
        for (const LaterCreation& creation : plan.later) rows.later(out, plan, creation);
        for (const Blocked& blocked : plan.blocked) rows.blocked(out, blocked);
        for (const Conflict& conflict : plan.conflicts) rows.conflict(out, conflict);
    }
    print_waiting(out, plans, rows);
    out << "\n";
    print_notices(out, plans);
    const PlanCounts counts = count(plans);
    const std::string next = next_line(plans, header);
    print_counts(out, counts);
    print_cost(out, plans, header, counts);
    if (!next.empty()) out << "Next: " << next << "\n";
}

}  // namespace galleryd
