#include "controller/program/plan_json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "controller/core/digest.h"
#include "controller/program/plan_json_step.h"
#include "controller/program/plan_text.h"

namespace galleryd {
namespace {

using Json = nlohmann::ordered_json;

double cents(double amount) { return std::round(amount * 100.0) / 100.0; }

Json manifest_json(const SourceLocation& where) {
    if (where.file.empty()) return nullptr;
    Json json{{"file", where.file}, {"line", where.line}};
    if (where.column > 0) json["column"] = where.column;
    return json;
}

// Counts in evidence are numbers for machines ("3" -> 3).
Json evidence_value(const std::string& text) {
    const bool number =
        !text.empty() && text.size() <= 9 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    return number ? Json(std::stoll(text)) : Json(text);
}

std::string_view op_name(FieldOp op) {
    switch (op) {
        case FieldOp::add: return "add";
        case FieldOp::remove: return "remove";
        case FieldOp::replace: return "replace";
    }
    return "replace";
}

Json fields_json(const std::vector<FieldChange>& fields) {
    Json all = Json::array();
    for (const FieldChange& field : fields) {
        Json row{{"path", field.path}, {"op", op_name(field.op)}};
        if (field.op != FieldOp::add) row["before"] = field.before;
        if (field.op != FieldOp::remove) row["after"] = field.after;
        row["owner"] = field.cause == "azure" ? "azure" : "galleryd";
        row["cause"] = field.cause;
        if (!field.effect.empty()) row["effect"] = field.effect;
        if (!field.detail.empty()) row["detail"] = field.detail;
        all.push_back(std::move(row));
    }
    return all;
}

Json verdict_json(const VersionVerdict& verdict) {
    Json row{{"address", verdict.address},
             {"version", verdict.version},
             {"rank", verdict.rank ? Json(*verdict.rank) : Json(nullptr)},
             {"tier", verdict.tier},
             {"state", verdict.state},
             {"verdict", verdict.candidate ? "delete" : "keep"},
             {"rule", verdict.rule},
             {"text", verdict.text}};
    if (verdict.delete_after) row["delete_after"] = format_rfc3339(*verdict.delete_after);
    if (!verdict.blocked_by.empty()) row["blocked_by"] = reasons_to_json(verdict.blocked_by);
    return row;
}

Json scope_json(const Plan& plan) {
    Json latest = Json::object();
    for (const auto& [region, version] : plan.latest_per_region) latest[region] = version;
    Json later = Json::array();
    for (const LaterCreation& creation : plan.later) {
        later.push_back({{"address", creation.address},
                         {"kind", creation.kind},
                         {"manifest", manifest_json(creation.manifest)},
                         {"after", creation.after}});
    }
    return {{"scope", plan.scope},
            {"id", plan.id},
            {"observed_at", format_rfc3339(plan.observed_at)},
            {"observed_digest", plan.observed_digest},
            {"deletions_digest", plan.deletions_digest},
            {"complete", plan.complete},
            {"waiting", plan.waiting},
            {"later", std::move(later)},
            {"notices", plan.notices},
            {"latest", plan.latest ? Json(*plan.latest) : Json(nullptr)},
            {"latest_per_region", std::move(latest)}};
}

std::string digest_of(const std::vector<Plan>& plans, std::string Plan::*member, const char* what) {
    std::vector<std::string> lines;
    for (const Plan& plan : plans) lines.push_back(plan.scope + " " + plan.*member + "\n");
    std::ranges::sort(lines);
    std::string text = std::string(what) + "\n";
    for (const std::string& line : lines) text += line;
    return sha256_label(text);
}

Json observed_json(const std::vector<Plan>& plans) {
    const bool complete = std::ranges::all_of(plans, &Plan::complete);
    return {{"at", format_rfc3339(oldest_look(plans))},
            {"digest", digest_of(plans, &Plan::observed_digest, "observed")},
            {"complete", complete}};
}

Json summary_json(const PlanCounts& counts) {
    return {{"create", counts.create},
            {"create_later", counts.later},
            {"update", counts.update},
            {"delete", counts.remove},
            {"adopt", counts.adopt},
            {"mark", counts.mark},
            {"unmark", counts.unmark},
            {"share", counts.share},
            {"assign", counts.assign},
            {"unassign", counts.unassign},
            {"blocked", counts.blocked},
            {"conflict", counts.conflict},
            {"waiting", counts.waiting},
            {"noop", counts.unchanged},
            {"regions_added", counts.regions_added},
            {"regions_removed", counts.regions_removed},
            {"arm_writes", counts.arm_writes}};
}

Json cost_json(const std::vector<Plan>& plans, const PlanHeader& header) {
    Cost total;
    for (const Plan& plan : plans) {
        total.before += plan.cost.before;
        total.after += plan.cost.after;
        total.one_time += plan.cost.one_time;
        total.upper_bound = total.upper_bound || plan.cost.upper_bound;
    }
    return {{"before", cents(total.before)},
            {"after", cents(total.after)},
            {"one_time", cents(total.one_time)},
            {"currency", header.currency},
            {"basis", total.upper_bound ? "list_price_upper_bound" : "list_price"},
            {"price_date", header.price_date}};
}

Json estimate_json(const Estimate& estimate) {
    return {{"ready_seconds_p90", estimate.ready_seconds ? Json(*estimate.ready_seconds) : Json(nullptr)},
            {"arm_writes", estimate.arm_writes},
            {"monthly_cost_delta", cents(estimate.monthly_cost_delta)},
            {"one_time_cost", cents(estimate.one_time_cost)}};
}

Json change_row(const Change& change, const std::string& currency) {
    Json row = change_to_json(change);
    row["estimate"]["currency"] = currency;
    return row;
}

}  // namespace

Json reasons_to_json(const std::vector<BlockReason>& reasons) {
    Json all = Json::array();
    for (const BlockReason& reason : reasons) {
        Json row{{"reason", reason.reason},
                 {"condition", reason.condition},
                 {"message", reason.message},
                 {"way_out", reason.way_out}};
        if (reason.interlock_point > 0) row["interlock_point"] = reason.interlock_point;
        all.push_back(std::move(row));
    }
    return all;
}

Json change_to_json(const Change& change) {
    Json row{{"address", change.address},
             {"kind", change.kind},
             {"arm_id", change.arm_id.text()},
             {"manifest", manifest_json(change.manifest)},
             {"object", change.object ? Json(to_string(*change.object)) : Json(nullptr)},
             {"actions", Json::array({to_string(change.action)})},
             {"reason", change.reason},
             {"rule", change.rule},
             {"why", change.why},
             {"risk", to_string(change.risk)},
             {"reversible", change.reversible},
             {"destructive", change.destructive}};
    const StepJson step = step_to_json(change);
    row["before"] = step.before;
    row["after"] = step.after;
    row["after_unknown"] = step.after_unknown;
    row["fields"] = fields_json(change.fields);
    row["estimate"] = estimate_json(change.estimate);
    if (!change.follow_up.empty()) row["follow_up"] = change.follow_up;
    return row;
}

Json blocked_to_json(const Blocked& blocked) {
    Json evidence = Json::object();
    for (const auto& [name, text] : blocked.evidence) evidence[name] = evidence_value(text);
    return {{"address", blocked.address},
            {"kind", blocked.kind},
            {"arm_id", blocked.arm_id.text()},
            {"manifest", manifest_json(blocked.manifest)},
            {"actions", Json::array({to_string(blocked.action)})},
            {"rule", blocked.rule},
            {"reason", blocked.reasons.empty() ? "" : blocked.reasons.front().reason},
            {"reasons", reasons_to_json(blocked.reasons)},
            {"evidence", std::move(evidence)}};
}

Json conflict_to_json(const Conflict& conflict) {
    return {{"address", conflict.address},
            {"kind", conflict.kind},
            {"arm_id", conflict.arm_id.text()},
            {"manifest", manifest_json(conflict.manifest)},
            {"code", conflict.code},
            {"reason", conflict.reason},
            {"path", conflict.path},
            {"before", conflict.before},
            {"after", conflict.after},
            {"message", conflict.message},
            {"ways_out", conflict.ways_out}};
}

std::string plans_id(const std::vector<Plan>& plans) { return digest_of(plans, &Plan::id, "plans"); }

Json plan_to_json(const std::vector<Plan>& plans, const PlanHeader& header) {
    Json changes = Json::array(), blocked = Json::array(), conflicts = Json::array(), drift = Json::array();
    Json scopes = Json::array(), versions = Json::array();
    for (const Plan& plan : plans) {
        for (const Change& change : plan.changes) {
            Json row = change_row(change, header.currency);
            if (change.reason == "drift") drift.push_back(row);
            changes.push_back(std::move(row));
        }
        for (const Blocked& row : plan.blocked) blocked.push_back(blocked_to_json(row));
        for (const Conflict& row : plan.conflicts) conflicts.push_back(conflict_to_json(row));
        for (const VersionVerdict& row : plan.verdicts) versions.push_back(verdict_json(row));
        scopes.push_back(scope_json(plan));
    }
    return {
        {"format_version", plan_format_version},
        {"kind", "Plan"},
        {"galleryd_version", GALLERYD_VERSION},
        {"id", plans_id(plans)},
        {"source",
         {{"kind", header.source_kind}, {"revision", header.revision}, {"path", header.path}, {"dirty", header.dirty}}},
        {"observed", observed_json(plans)},
        {"mode", header.observe ? "observe" : "apply"},
        {"changes", std::move(changes)},
        {"blocked", std::move(blocked)},
        {"conflicts", std::move(conflicts)},
        {"drift", std::move(drift)},
        {"summary", summary_json(count(plans))},
        {"cost", cost_json(plans, header)},
        {"versions", std::move(versions)},
        {"scopes", std::move(scopes)}};
}

}  // namespace galleryd
