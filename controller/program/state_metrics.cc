#include "controller/program/state_metrics.h"

#include <algorithm>

namespace galleryd {
namespace {

double unix_seconds(TimePoint time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

// "images/golden" of "images/golden/ubuntu-2404/1.8.0".
std::string gallery_label(const std::string& scope) {
    const std::size_t first = scope.find('/');
    const std::size_t second = first == std::string::npos ? first : scope.find('/', first + 1);
    return scope.substr(0, second);
}

std::string state_label(ProvisioningState state) {
    return state == ProvisioningState::unknown ? "unknown" : fold_case(to_string(state));
}

std::string replication_label(const RegionStatus& region) {
    if (region.wanted > 0 && !region.present) return "missing";
    return fold_case(to_string(region.state));
}

}  // namespace

void StateMetrics::collect_objects(const Engine& engine, Series& series) const {
    for (const auto& [key, status] : engine.statuses()) {
        const std::string gallery = status.address.empty() ? key.namespace_name : gallery_label(status.address);
        const std::string kind(to_string(key.kind));
        for (const KStatus each :
             {KStatus::current, KStatus::in_progress, KStatus::failed, KStatus::terminating, KStatus::unknown}) {
            series["galleryd_resources"]
                  [{{"kind", kind}, {"gallery", gallery}, {"status", std::string(to_string(each))}}] +=
                status.kstatus() == each ? 1 : 0;
        }
        const Condition* ready = status.find("Ready");
        series["galleryd_resource_suspended"][{{"kind", kind}, {"gallery", gallery}}] +=
            ready != nullptr && ready->reason == "Suspended" ? 1 : 0;
    }
}

void StateMetrics::collect_plans(const Engine& engine, Series& series) const {
    for (const auto& [name, plan] : engine.plans()) {
        const std::string gallery = gallery_label(name);
        auto& changes = series["galleryd_plan_changes"];
        for (const char* action : {"create", "update", "delete", "adopt", "blocked"})
            changes[{{"gallery", gallery}, {"action", action}}] += 0;
        for (const Change& change : plan.changes) {
            std::string action(to_string(change.action));
            if (action != "create" && action != "delete" && action != "adopt") action = "update";
            changes[{{"gallery", gallery}, {"action", action}}] += 1;
        }
        changes[{{"gallery", gallery}, {"action", "blocked"}}] += static_cast<double>(plan.blocked.size());
        const auto scope = engine.scopes().find(name);
        if (scope == engine.scopes().end() || scope->second.kind != ScopeKind::definition) continue;
        const std::string definition = scope->second.definition_id.name();
        double pending = 0;
        std::map<std::string, double> blocked;
        for (const VersionVerdict& verdict : plan.verdicts) {
            if (!verdict.delete_after) continue;
            ++pending;
            if (!verdict.blocked_by.empty()) blocked[verdict.blocked_by.front().reason] += 1;
            auto& next = series["galleryd_retention_next_deletion_timestamp_seconds"][{{"gallery", gallery}}];
            const double at = unix_seconds(*verdict.delete_after);
            next = next == 0 ? at : std::min(next, at);
        }
        series["galleryd_retention_deletions_pending"][{{"gallery", gallery}, {"definition", definition}}] = pending;
        for (const auto& [reason, count] : blocked)
            series["galleryd_retention_deletions_blocked"]
                  [{{"gallery", gallery}, {"definition", definition}, {"reason", reason}}] = count;
        const bool brake = std::ranges::any_of(plan.verdicts, [](const VersionVerdict& v) {
            return std::ranges::any_of(v.blocked_by,
                                       [](const BlockReason& r) { return r.condition == "BrakeEngaged"; });
        });
        auto& engaged = series["galleryd_retention_brake_engaged"][{{"gallery", gallery}}];
        engaged = std::max(engaged, brake ? 1.0 : 0.0);
        if (plan.latest)
            series["galleryd_definition_latest_info"]
                  [{{"gallery", gallery}, {"definition", definition}, {"version", *plan.latest}}] = 1;
        double divergent = 0, unservable = 0;
        for (const auto& [region, latest] : plan.latest_per_region) {
            if (latest.empty()) ++unservable;
            else if (plan.latest && latest != *plan.latest) ++divergent;
        }
        series["galleryd_definition_latest_divergent_regions"][{{"gallery", gallery}, {"definition", definition}}] =
            divergent;
        series["galleryd_definition_unservable_regions"][{{"gallery", gallery}, {"definition", definition}}] =
            unservable;
        for (const auto& [address, regions] : plan.regions) {
            for (const RegionStatus& region : regions) {
                auto& replication = series["galleryd_replication_versions"];
                for (const char* state : {"completed", "replicating", "failed", "unknown", "missing"})
                    replication[{{"gallery", gallery}, {"region", region.name}, {"state", state}}] += 0;
                replication[{{"gallery", gallery}, {"region", region.name}, {"state", replication_label(region)}}] += 1;
                series["galleryd_replicas_desired"][{{"gallery", gallery}, {"region", region.name}}] += region.wanted;
                series["galleryd_replicas_observed"][{{"gallery", gallery}, {"region", region.name}}] +=
                    region.state == ReplicationState::completed ? region.observed : 0;
            }
        }
    }
}

void StateMetrics::collect_versions(const Engine& engine, TimePoint now, Series& series) const {
    for (const auto& [name, versions] : engine.live_versions()) {
        const auto scope = engine.scopes().find(name);
        if (scope == engine.scopes().end()) continue;
        const MetricLabels where{{"gallery", gallery_label(name)}, {"definition", scope->second.definition_id.name()}};
        const auto with_state = [&](const std::string& state) {
            MetricLabels labels = where;
            labels["state"] = state;
            return labels;
        };
        for (const char* state : {"creating", "updating", "succeeded", "failed", "deleting", "migrating"})
            series["galleryd_image_versions"][with_state(state)] += 0;
        auto& past = series["galleryd_image_versions_past_eol"][where];
        auto& excluded = series["galleryd_image_versions_excluded"][where];
        for (const VersionGlance& version : versions) {
            series["galleryd_image_versions"][with_state(state_label(version.state))] += 1;
            past += version.end_of_life && *version.end_of_life <= now ? 1 : 0;
            excluded += version.excluded ? 1 : 0;
            const auto plan = engine.plans().find(name);
            if (plan == engine.plans().end() || plan->second.latest != version.name) continue;
            if (version.published)
                series["galleryd_definition_latest_published_timestamp_seconds"][where] =
                    unix_seconds(*version.published);
            if (version.end_of_life)
                series["galleryd_definition_latest_eol_timestamp_seconds"][where] = unix_seconds(*version.end_of_life);
        }
        if (!scope->second.definition) continue;
        const auto definition = engine.objects().definitions.find(*scope->second.definition);
        if (definition != engine.objects().definitions.end() && definition->second.max_age_days) {
            series["galleryd_definition_max_age_seconds"][where] = *definition->second.max_age_days * 86400.0;
        }
    }
}

void StateMetrics::collect_sources(const Engine& engine, Series& series) const {
    for (const AcceptedSnapshot& source : engine.sources()) {
        series["galleryd_source_ready"][{{"source", source.source}}] =
            source.readable && source.source_problems.empty() && source.problems.empty() && !source.frozen ? 1 : 0;
        series["galleryd_source_manifests"][{{"source", source.source}, {"result", "valid"}}] =
            static_cast<double>(source.valid);
        series["galleryd_source_manifests"][{{"source", source.source}, {"result", "invalid"}}] =
            static_cast<double>(source.invalid);
    }
}

// Only where a plan depended on it: what was never asked has no age.
void StateMetrics::collect_usage(const Engine& engine, Series& series) const {
    const auto& answer = engine.usage().answer();
    if (!answer) return;
    series["galleryd_usage_look_timestamp_seconds"][{}] = unix_seconds(answer->at);
    series["galleryd_usage_subscriptions"][{{"state", "readable"}}] = static_cast<double>(answer->readable.size());
    series["galleryd_usage_subscriptions"][{{"state", "missing"}}] =
        static_cast<double>(engine.usage().missing().size());
}

void StateMetrics::publish(const Engine& engine, TimePoint now) {
    Series series;
    collect_objects(engine, series);
    collect_plans(engine, series);
    collect_versions(engine, now, series);
    collect_sources(engine, series);
    collect_usage(engine, series);
    for (const auto& [gauge, values] : published_) {
        const auto still = series.find(gauge);
        for (const auto& [labels, value] : values) {
            if (still == series.end() || !still->second.contains(labels)) metrics_.forget(gauge, labels);
        }
    }
    for (const auto& [gauge, values] : series) {
        const auto before = published_.find(gauge);
        for (const auto& [labels, value] : values) {
            const auto old = before == published_.end() ? std::map<MetricLabels, double>::const_iterator{}
                                                        : before->second.find(labels);
            if (before == published_.end() || old == before->second.end() || old->second != value)
                metrics_.set(gauge, labels, value);
        }
    }
    published_ = std::move(series);
}

}  // namespace galleryd
