#include "controller/program/retention_output.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ostream>

#include "controller/program/plan_json.h"
#include "controller/program/plan_text.h"
#include "controller/program/plan_text_rows.h"

namespace galleryd {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array fates{"keep", "report", "blocked", "marked", "waits", "delete", "gone", "absent"};

const std::vector<std::string>& assumptions() {
    static const std::vector<std::string> all{
        "the documents stay as they are, and what they declare is carried out",
        "nobody publishes, tags, holds, locks or deletes a version besides",
        "versions stay in use, or out of use, as they are now",
        "nobody approves anything, and the daemon runs with the flags of this command (of --observe: without)"};
    return all;
}

// What the version waits for on the date; of one that waits for nothing yet, who has to be asked when its time comes.
const std::vector<BlockReason>& waits_for(const VersionForecast& version) {
    return version.verdict.blocked_by.empty() ? version.people : version.verdict.blocked_by;
}

std::string words_of(const std::vector<BlockReason>& reasons) {
    std::string text;
    for (const BlockReason& reason : reasons) text += (text.empty() ? "" : ", ") + reason.reason;
    return text.empty() ? "-" : text;
}

// `now` is when each definition was looked at.
TimePoint date_of(const Forecast& forecast, const RetentionPreview& preview) {
    return std::max(preview.at, forecast.now);
}

std::map<std::string, int> counts_of(const RetentionPreview& preview) {
    std::map<std::string, int> counts;
    for (const char* fate : fates) counts[fate] = 0;
    for (const Forecast& forecast : preview.forecasts) {
        for (const VersionForecast& version : forecast.versions) ++counts[fate_of(version, date_of(forecast, preview))];
    }
    return counts;
}

Json date_json(const std::optional<TimePoint>& date) { return date ? Json(format_rfc3339(*date)) : Json(nullptr); }

Json version_json(const VersionForecast& version, TimePoint at) {
    const VersionVerdict& verdict = version.verdict;
    return {{"address", verdict.address},
            {"version", verdict.version},
            {"arm_id", verdict.arm_id.text()},
            {"rank", verdict.rank ? Json(*verdict.rank) : Json(nullptr)},
            {"tier", verdict.tier},
            {"state", fate_of(version, at) == "gone" ? "Deleted" : verdict.state},
            {"fate", fate_of(version, at)},
            {"rule", verdict.rule},
            {"text", verdict.text},
            {"named_at", date_json(version.named)},
            {"marked_at", date_json(version.marked)},
            {"delete_after", date_json(verdict.delete_after)},
            {"due_at", date_json(version.due)},
            {"deleted_at", date_json(version.deleted)},
            {"named_by", version.named_by},
            {"blocked_by", reasons_to_json(verdict.blocked_by)},
            {"needs", reasons_to_json(version.people)}};
}

Json scope_json(const Forecast& forecast) {
    return {{"scope", forecast.plan.scope},
            {"observed_at", format_rfc3339(forecast.plan.observed_at)},
            {"complete", forecast.plan.complete},
            {"latest", forecast.plan.latest ? Json(*forecast.plan.latest) : Json(nullptr)},
            {"precision_seconds", forecast.precision.count()},
            {"notices", forecast.plan.notices}};
}

std::vector<Plan> plans_of(const RetentionPreview& preview) {
    std::vector<Plan> plans;
    for (const Forecast& forecast : preview.forecasts) plans.push_back(forecast.plan);
    return plans;
}

// "2027-06-01 03:12"; people read seconds in JSON.
std::string short_date(const std::optional<TimePoint>& date, TimePoint now) {
    if (!date) return "-";
    if (*date <= now) return "now";
    std::string text = format_rfc3339(std::chrono::floor<std::chrono::minutes>(*date)).substr(0, 16);
    text[10] = ' ';
    return text;
}

using Row = std::vector<std::string>;

struct Line {
    Row cells;
    std::string why;
    std::vector<std::string> details;
};

Line line_of(const VersionForecast& version, const Forecast& forecast, const RetentionPreview& preview) {
    const TimePoint now = forecast.now;
    const VersionVerdict& verdict = version.verdict;
    const std::string fate = fate_of(version, date_of(forecast, preview));
    Line line;
    line.cells = {verdict.version,
                  verdict.rank && version.in_azure ? std::to_string(*verdict.rank) : "-",
                  verdict.tier.empty() || !version.in_azure ? "-" : verdict.tier,
                  fate == "gone" ? "Deleted" : verdict.state,
                  fate,
                  verdict.rule.empty() ? "-" : verdict.rule,
                  short_date(version.named, now),
                  short_date(version.marked, now),
                  short_date(version.deleted ? version.deleted : version.due, now),
                  words_of(waits_for(version))};
    line.why = printable(verdict.text);
    if (!verdict.candidate && version.named) line.why += "; from then on by " + version.named_by;
    for (const BlockReason& reason : waits_for(version))
        line.details.push_back(reason.reason + ": " + printable(reason.message) + ". " + printable(reason.way_out));
    return line;
}

void print_lines(std::ostream& out, const std::vector<Line>& lines) {
    const Row head{"VERSION", "RANK", "TIER", "STATE", "FATE", "RULE", "NAMED", "MARKED", "DELETED", "WAITS FOR"};
    std::vector<std::size_t> widths;
    for (const std::string& cell : head) widths.push_back(cell.size());
    for (const Line& line : lines) {
        for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], line.cells[i].size());
    }
    const auto print = [&](const Row& cells, const std::string& why) {
        std::string text = "  ";
        for (std::size_t i = 0; i < cells.size(); ++i)
            text += cells[i] + std::string(widths[i] - cells[i].size() + 2, ' ');
        text += why;
        text.erase(text.find_last_not_of(' ') + 1);
        out << text << "\n";
    };
    print(head, "WHY");
    for (const Line& line : lines) print(line.cells, line.why);
}

// Alike ones once: a flag that is missing is missing for all.
void print_details(std::ostream& out, const std::vector<Line>& lines) {
    std::vector<std::pair<std::string, std::vector<std::string>>> texts;
    for (const Line& line : lines) {
        for (const std::string& detail : line.details) {
            const auto known = std::ranges::find(texts, detail, &decltype(texts)::value_type::first);
            if (known == texts.end()) texts.push_back({detail, {line.cells.front()}});
            else known->second.push_back(line.cells.front());
        }
    }
    for (const auto& [text, names] : texts) out << "    " << some_of(names) << "  " << text << "\n";
}

void print_scope(std::ostream& out, const Forecast& forecast, const RetentionPreview& preview) {
    if (forecast.versions.empty()) return;
    std::vector<Line> lines;
    for (const VersionForecast& version : forecast.versions) lines.push_back(line_of(version, forecast, preview));
    out << "\n" << forecast.plan.scope << (forecast.plan.latest ? "   latest " + *forecast.plan.latest : "") << "\n";
    print_lines(out, lines);
    print_details(out, lines);
    if (forecast.precision.count() > 0)
        out << "    there are very many versions: dates may be late by up to " << format_duration(forecast.precision)
            << "\n";
}

}  // namespace

std::string fate_of(const VersionForecast& version, TimePoint at) {
    const VersionVerdict& verdict = version.verdict;
    if (!version.in_azure) return version.deleted && *version.deleted <= at ? "gone" : "absent";
    if (!verdict.candidate) return "keep";
    if (version.deleted && *version.deleted <= at) return "delete";
    const bool by_people = std::ranges::all_of(verdict.blocked_by, is_for_people);
    const bool is_due = version.due && *version.due <= at;
    if (is_due && !verdict.blocked_by.empty() && by_people) return "waits";
    const bool only_shut = std::ranges::all_of(verdict.blocked_by, [](const BlockReason& reason) {
        return is_for_people(reason) || reason.reason == "window" || reason.reason == "brake_hourly";
    });
    if (!only_shut) return "blocked";
    return verdict.delete_after || !verdict.blocked_by.empty() ? "marked" : "report";
}

nlohmann::ordered_json retention_to_json(const RetentionPreview& preview) {
    Json versions = Json::array(), scopes = Json::array(), unseen = Json::array();
    for (const Forecast& forecast : preview.forecasts) {
        for (const VersionForecast& version : forecast.versions)
            versions.push_back(version_json(version, date_of(forecast, preview)));
        scopes.push_back(scope_json(forecast));
    }
    for (const auto& [scope, why] : preview.unseen) unseen.push_back({{"scope", scope}, {"message", why}});
    Json summary = Json::object();
    const auto counts = counts_of(preview);
    for (const char* fate : fates) summary[fate] = counts.at(fate);
    return {{"format_version", plan_format_version},
            {"kind", "RetentionPreview"},
            {"galleryd_version", GALLERYD_VERSION},
            {"at", format_rfc3339(preview.at)},
            {"now", format_rfc3339(preview.now)},
            {"source", {{"kind", preview.header.source_kind}, {"revision", preview.header.revision}}},
            {"observed",
             {{"at", format_rfc3339(oldest_look(plans_of(preview)))},
              {"complete", preview.unseen.empty() && preview.documents_whole}}},
            {"assumptions", assumptions()},
            {"versions", std::move(versions)},
            {"scopes", std::move(scopes)},
            {"unseen", std::move(unseen)},
            {"summary", std::move(summary)}};
}

void print_retention_text(std::ostream& out, const RetentionPreview& preview) {
    const TimePoint looked = oldest_look(plans_of(preview));
    out << "retention on " << format_rfc3339(std::chrono::floor<std::chrono::seconds>(preview.at))
        << (preview.at > preview.now ? " (" + format_relative(preview.at, preview.now) + ")" : ", that is now")
        << "; observed " << (looked == TimePoint{} ? "nothing" : format_rfc3339(looked)) << "; dates are UTC\n";
    std::size_t versions = 0;
    for (const Forecast& forecast : preview.forecasts) {
        print_scope(out, forecast, preview);
        versions += forecast.versions.size();
    }
    if (preview.at > preview.now) {
        out << "\nAssumed until then: ";
        for (const std::string& text : assumptions()) out << text << (&text == &assumptions().back() ? "." : "; ");
        out << "\n";
    }
    out << (preview.at > preview.now ? "" : "\n") << plural(versions, "version") << ":";
    const auto counts = counts_of(preview);
    bool is_first = true;
    for (const char* fate : fates) {
        if (counts.at(fate) == 0) continue;
        out << (is_first ? " " : ", ") << counts.at(fate) << " " << fate;
        is_first = false;
    }
    out << ".\n";
    for (const auto& [scope, why] : preview.unseen) out << "! " << scope << " could not be looked at: " << why << "\n";
}

}  // namespace galleryd
