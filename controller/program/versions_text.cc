#include <algorithm>
#include <ostream>

#include "controller/program/plan_text.h"

namespace galleryd {
namespace {

struct Line {
    std::string version, rank, tier, state, decision, rule, why;
};

std::string decision_of(const VersionVerdict& verdict) {
    if (verdict.state == "Deleted") return "deleted";
    if (!verdict.candidate) return "keep";
    if (verdict.delete_after) return "delete after " + format_rfc3339(*verdict.delete_after);
    return "delete";
}

Line line_of(const VersionVerdict& verdict) {
    Line line{verdict.version,
              verdict.rank ? std::to_string(*verdict.rank) : "-",
              verdict.tier.empty() ? "-" : verdict.tier,
              verdict.state,
              decision_of(verdict),
              verdict.rule.empty() ? "-" : verdict.rule,
              printable(verdict.text)};
    if (!verdict.blocked_by.empty()) {
        line.decision += ", blocked";
        for (const BlockReason& reason : verdict.blocked_by)
            line.why += (line.why.empty() ? "" : "; ") + printable(reason.message);
    }
    return line;
}

void print_table(std::ostream& out, std::vector<Line> lines) {
    lines.insert(lines.begin(), {"VERSION", "RANK", "TIER", "STATE", "VERDICT", "RULE", "WHY"});
    constexpr std::string Line::*columns[] = {&Line::version, &Line::rank,     &Line::tier,
                                              &Line::state,   &Line::decision, &Line::rule};
    for (const Line& line : lines) {
        std::string text = "  ";
        for (const auto column : columns) {
            std::size_t width = 0;
            for (const Line& other : lines) width = std::max(width, (other.*column).size());
            text += line.*column + std::string(width - (line.*column).size() + 2, ' ');
        }
        text += line.why;
        text.erase(text.find_last_not_of(' ') + 1);
        out << text << "\n";
    }
}

}  // namespace

void print_versions_text(std::ostream& out, const std::vector<Plan>& plans, const TextOptions& options) {
    for (const Plan& plan : plans) {
        if (plan.verdicts.empty()) continue;
        std::vector<Line> lines;
        for (const VersionVerdict& verdict : plan.verdicts) {
            if (!options.summary_only || verdict.candidate) lines.push_back(line_of(verdict));
        }
        if (lines.empty()) continue;
        out << plan.scope << (plan.latest ? "   latest " + *plan.latest : "") << "\n";
        print_table(out, std::move(lines));
    }
}

}  // namespace galleryd
