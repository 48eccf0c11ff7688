#include "controller/program/api.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "reconcilers/lifecycle/subject.h"

namespace galleryd {
namespace {

using Json = nlohmann::json;

Json optional_time(const std::optional<TimePoint>& time) { return time ? Json(format_rfc3339(*time)) : Json(nullptr); }

Json condition_json(const Condition& condition) {
    return {{"type", condition.type},
            {"status", to_string(condition.status)},
            {"reason", condition.reason},
            {"message", condition.message},
            {"lastTransitionTime", format_rfc3339(condition.last_transition)}};
}

Json verdict_json(const VersionVerdict& verdict) {
    Json json{{"version", verdict.version},     {"address", verdict.address},
              {"tier", verdict.tier},           {"state", verdict.state},
              {"candidate", verdict.candidate}, {"rule", verdict.rule},
              {"text", verdict.text},           {"deleteAfter", optional_time(verdict.delete_after)}};
    json["rank"] = verdict.rank ? Json(*verdict.rank) : Json(nullptr);
    json["blockedBy"] = Json::array();
    for (const BlockReason& reason : verdict.blocked_by) {
        json["blockedBy"].push_back({{"point", reason.interlock_point},
                                     {"reason", reason.reason},
                                     {"message", reason.message},
                                     {"wayOut", reason.way_out}});
    }
    return json;
}

Json status_json(const ObjectStatus& status) {
    Json json{{"kind", to_string(status.key.kind)},
              {"namespace", status.key.namespace_name},
              {"name", status.key.name},
              {"address", status.address},
              {"armId", status.arm_id.text()},
              {"manifest", {{"file", status.manifest.file}, {"line", status.manifest.line}}},
              {"observedGeneration", status.observed_generation},
              {"status", to_string(status.kstatus())},
              {"summary", status.summary}};
    if (!status.last_handled_reconcile_at.empty()) json["lastHandledReconcileAt"] = status.last_handled_reconcile_at;
    json["conditions"] = Json::array();
    for (const Condition& condition : status.conditions) json["conditions"].push_back(condition_json(condition));
    if (status.key.kind != Kind::image_version) return json;
    json["provisioningState"] = status.provisioning_state;
    json["publishedDate"] = optional_time(status.published);
    json["endOfLifeDate"] = optional_time(status.end_of_life);
    json["regions"] = Json::array();
    for (const RegionStatus& region : status.regions) {
        json["regions"].push_back({{"name", region.name},
                                   {"wanted", region.wanted},
                                   {"observed", region.observed},
                                   {"state", to_string(region.state)},
                                   {"progress", region.progress},
                                   {"detail", region.detail}});
    }
    if (status.verdict) json["lifecycle"] = verdict_json(*status.verdict);
    return json;
}

// Its document is gone, and it may still be in Azure.
Json removed_json(const RemovedDocument& removed, const ResourceRecord& record) {
    const bool is_kept = removed.deletion_policy == DeletionPolicy::orphan;
    const std::string message =
        "its document is gone since " + format_rfc3339(removed.first_missing) +
        (is_kept                         ? "; deletionPolicy is Orphan, so it stays in Azure"
         : record.deleted_at.has_value() ? "; its deletion was sent to Azure"
                                         : "; it is deleted when nothing stands against that (galleryd plan)");
    ObjectStatus status;
    status.key = removed.key;
    status.address = removed_address(removed);
    status.arm_id = removed.id;
    status.conditions.push_back({.type = "Ready",
                                 .status = ConditionStatus::false_,
                                 .reason = is_kept ? "Orphaned" : "DeletionScheduled",
                                 .message = message,
                                 .last_transition = removed.first_missing});
    Json json = status_json(status);
    json["removed"] = true;
    return json;
}

Json objects_json(const Engine& engine, std::optional<Kind> kind) {
    Json items = Json::array();
    for (const ObjectStatus& status : engine.statuses().all()) {
        if (!kind || status.key.kind == *kind) items.push_back(status_json(status));
    }
    for (const AcceptedSnapshot& source : engine.sources()) {
        for (const RemovedDocument& removed : source.removed) {
            if (kind && removed.key.kind != *kind) continue;
            items.push_back(removed_json(removed, engine.record_of(removed.id)));
        }
    }
    return {{"items", std::move(items)}};
}

Json sources_json(const Engine& engine) {
    Json items = Json::array();
    for (const AcceptedSnapshot& source : engine.sources()) {
        Json problems = Json::array();
        for (const std::string& problem : source.source_problems) problems.push_back(problem);
        for (const std::string& problem : source.double_claims) problems.push_back(problem);
        for (const auto& [key, problem] : source.problems) problems.push_back(to_string(key) + ": " + problem);
        for (const auto& [key, note] : source.notes) problems.push_back(to_string(key) + ": " + note);
        const bool ready = source.readable && problems.empty() && !source.frozen;
        items.push_back({{"name", source.source},
                         {"revision", source.revision},
                         {"readable", source.readable},
                         {"valid", source.valid},
                         {"invalid", source.invalid},
                         {"frozen", source.frozen.value_or("")},
                         {"unreadableReason", source.unreadable_reason},
                         {"heldBack", source.held_back.size()},
                         {"removed", source.removed.size()},
                         {"problems", std::move(problems)},
                         {"ready", ready}});
    }
    return {{"items", std::move(items)}};
}

Json plan_counts(const Plan& plan) {
    Json changes = Json::array();
    for (const Change& change : plan.changes) {
        changes.push_back({{"address", change.address},
                           {"kind", change.kind},
                           {"action", to_string(change.action)},
                           {"reason", change.reason},
                           {"why", change.why}});
    }
    Json blocked = Json::array();
    for (const Blocked& item : plan.blocked) {
        Json reasons = Json::array();
        for (const BlockReason& reason : item.reasons)
            reasons.push_back({{"point", reason.interlock_point},
                               {"reason", reason.reason},
                               {"message", reason.message},
                               {"wayOut", reason.way_out}});
        blocked.push_back({{"address", item.address},
                           {"action", to_string(item.action)},
                           {"rule", item.rule},
                           {"reasons", std::move(reasons)}});
    }
    Json conflicts = Json::array();
    for (const Conflict& conflict : plan.conflicts) {
        conflicts.push_back({{"address", conflict.address},
                             {"code", conflict.code},
                             {"path", conflict.path},
                             {"message", conflict.message},
                             {"waysOut", conflict.ways_out}});
    }
    return {{"scope", plan.scope},
            {"id", plan.id},
            {"deletionsDigest", plan.deletions_digest},
            {"observedAt", format_rfc3339(plan.observed_at)},
            {"converged", plan.converged()},
            {"changes", std::move(changes)},
            {"blocked", std::move(blocked)},
            {"conflicts", std::move(conflicts)},
            {"waiting", plan.waiting},
            {"notices", plan.notices}};
}

Json plans_json(const Engine& engine) {
    Json items = Json::array();
    for (const auto& [name, plan] : engine.plans()) items.push_back(plan_counts(plan));
    return {{"items", std::move(items)}};
}

Json retention_json(const Engine& engine) {
    Json items = Json::array();
    for (const auto& [name, plan] : engine.plans()) {
        for (const VersionVerdict& verdict : plan.verdicts) items.push_back(verdict_json(verdict));
    }
    return {{"items", std::move(items)}};
}

Json overview_json(const Engine& engine) {
    std::map<std::string, int> counts{
        {"current", 0}, {"in_progress", 0}, {"failed", 0}, {"terminating", 0}, {"unknown", 0}};
    for (const ObjectStatus& status : engine.statuses().all()) ++counts[std::string(to_string(status.kstatus()))];
    std::size_t changes = 0, waiting = 0, blocked = 0, conflicts = 0;
    for (const auto& [name, plan] : engine.plans()) {
        changes += plan.changes.size();
        waiting += plan.waiting.size();
        blocked += plan.blocked.size();
        conflicts += plan.conflicts.size();
    }
    return {{"objects", counts},
            {"scopes", engine.scopes().size()},
            {"changes", changes},
            {"waiting", waiting},
            {"blocked", blocked},
            {"conflicts", conflicts},
            {"lookedEverywhere", engine.looked_everywhere()}};
}

std::int64_t number_after(std::string_view query, std::string_view name, std::int64_t otherwise) {
    const std::size_t at = query.find(name);
    if (at == std::string_view::npos) return otherwise;
    const std::string_view text = query.substr(at + name.size());
    std::int64_t value = otherwise;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} ? value : otherwise;
}

Json event_json(const EventRecord& event) {
    return {{"sequence", event.sequence},
            {"at", format_rfc3339(event.at)},
            {"firstAt", format_rfc3339(event.first_at)},
            {"count", event.count},
            {"type", event.warning ? "Warning" : "Normal"},
            {"reason", event.reason},
            {"object", event.object},
            {"action", event.action},
            {"message", event.message},
            {"correlationId", event.correlation_id},
            {"planId", event.plan_id},
            {"revision", event.revision}};
}

http::ServerResponse json_answer(int status, const Json& body) {
    http::ServerResponse response;
    response.status = status;
    response.headers = {{"Content-Type", "application/json; charset=utf-8"},
                        {"Cache-Control", "no-store"},
                        {"X-Content-Type-Options", "nosniff"}};
    response.body = body.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    return response;
}

}  // namespace

std::optional<http::ServerResponse> Api::handle(const http::ServerRequest& request) {
    if (!request.target.starts_with("/api/")) return std::nullopt;
    if (request.method != "GET" && request.method != "HEAD") {
        http::ServerResponse refused = json_answer(405, {{"error", "only GET is answered here"}});
        refused.headers.set("Allow", "GET, HEAD");
        return refused;
    }
    const std::size_t mark = request.target.find('?');
    const std::string path = request.target.substr(0, mark);
    const std::string query = mark == std::string::npos ? "" : "&" + request.target.substr(mark + 1);
    Json body;
    if (path == "/api/v1/overview") body = overview_json(engine_);
    else if (path == "/api/v1/objects") body = objects_json(engine_, std::nullopt);
    else if (path == "/api/v1/galleries") body = objects_json(engine_, Kind::gallery);
    else if (path == "/api/v1/definitions") body = objects_json(engine_, Kind::image_definition);
    else if (path == "/api/v1/versions") body = objects_json(engine_, Kind::image_version);
    else if (path == "/api/v1/policies") body = objects_json(engine_, Kind::lifecycle_policy);
    else if (path == "/api/v1/sources") body = sources_json(engine_);
    else if (path == "/api/v1/plan") body = plans_json(engine_);
    else if (path == "/api/v1/retention") body = retention_json(engine_);
    else if (path == "/api/v1/events") {
        const int limit = static_cast<int>(std::clamp<std::int64_t>(number_after(query, "&limit=", 200), 1, 1000));
        const auto events = journal_.events(number_after(query, "&after=", 0), limit);
        if (!events) return json_answer(500, {{"error", events.error().message}});
        body["items"] = Json::array();
        for (const EventRecord& event : *events) body["items"].push_back(event_json(event));
    } else {
        return json_answer(404, {{"error", path + " is not part of the API"}, {"see", "/api/v1/overview"}});
    }
    body["observed_at"] = engine_.last_look() ? Json(format_rfc3339(*engine_.last_look())) : Json(nullptr);
    body["now"] = format_rfc3339(clock_.now());
    return json_answer(200, body);
}

}  // namespace galleryd
