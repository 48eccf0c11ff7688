#include "controller/program/doctor/print.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/program/plan_text.h"

namespace galleryd::doctor {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t verdict_width = 9, check_width = 16;

std::string padded(std::string_view text, std::size_t width) {
    std::string made(text);
    made.resize(std::max(width, made.size() + 1), ' ');
    return made;
}

}  // namespace

void print_line(std::ostream& out, const Finding& finding) {
    out << padded(to_string(finding.verdict), verdict_width) << padded(finding.check, check_width);
    if (!finding.about.empty()) out << printable(finding.about) << ": ";
    out << printable(finding.measured);
    if (!finding.code.empty()) out << " (" << finding.code << ")";
    out << "\n";
    for (const std::string& command : finding.fix)
        out << padded("", verdict_width - 1) << "fix: " << printable(command) << "\n";
}

void print_counts(std::ostream& out, const std::vector<Finding>& findings) {
    const Counts counts = count(findings);
    out << "\n"
        << counts.ok << " ok, " << counts.warning << (counts.warning == 1 ? " warning, " : " warnings, ")
        << counts.failed << " failed, " << counts.skipped << " skipped.\n";
    const auto worst = std::ranges::find(findings, Verdict::failed, &Finding::verdict);
    if (worst != findings.end() && !worst->code.empty()) out << "Next: galleryd explain " << worst->code << "\n";
}

void print_json(std::ostream& out, const std::vector<Finding>& findings, const std::string& azure) {
    Json checks = Json::array();
    for (const Finding& finding : findings)
        checks.push_back({{"check", finding.check},
                          {"about", finding.about},
                          {"verdict", to_string(finding.verdict)},
                          {"measured", finding.measured},
                          {"fix", finding.fix},
                          {"code", finding.code}});
    const Counts counts = count(findings);
    const Json document{
        {"format_version", "1.0"},
        {"kind", "Checkup"},
        {"galleryd_version", GALLERYD_VERSION},
        {"azure", azure},
        {"checks", std::move(checks)},
        {"summary",
         {{"ok", counts.ok}, {"warning", counts.warning}, {"failed", counts.failed}, {"skipped", counts.skipped}}}};
    out << document.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace galleryd::doctor
