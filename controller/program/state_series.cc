#include "controller/program/state_series.h"

#include <algorithm>
#include <array>
#include <optional>

namespace galleryd {
namespace {

constexpr char separator = '\x1f';
constexpr std::array<KStatus, 5> kstatuses{KStatus::current, KStatus::in_progress, KStatus::failed,
                                           KStatus::terminating, KStatus::unknown};
constexpr std::array<std::string_view, 5> region_states{"completed", "replicating", "failed", "unknown", "missing"};
double unix_seconds(TimePoint time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

std::string state_label(ProvisioningState state) {
    return state == ProvisioningState::unknown ? "unknown" : fold_case(to_string(state));
}

std::string_view replication_label(const RegionStatus& region) {
    if (region.wanted > 0 && !region.present) return "missing";
    switch (region.state) {
        case ReplicationState::completed: return "completed";
        case ReplicationState::replicating: return "replicating";
        case ReplicationState::failed: return "failed";
        case ReplicationState::unknown: break;
    }
    return "unknown";
}

// The gallery's own scope, then those of its definitions. ("images/golden.2" stands between the two in the map.)
template <class Visit>
void visit_gallery(const std::map<std::string, Scope>& scopes, const std::string& gallery, Visit visit) {
    if (const auto own = scopes.find(gallery); own != scopes.end()) visit(own->first, own->second);
    const std::string prefix = gallery + "/";
    for (auto at = scopes.lower_bound(prefix); at != scopes.end() && at->first.starts_with(prefix); ++at)
        visit(at->first, at->second);
}

// Objects of each kind by what kstatus calls them.
class ObjectCounts {
  public:
    void count(const ObjectStatus& status) {
        OfKind& mine = kinds_[status.key.kind];
        const auto at = std::ranges::find(kstatuses, status.kstatus());
        ++mine.by_status[static_cast<std::size_t>(at - kstatuses.begin())];
        const Condition* ready = status.find("Ready");
        mine.suspended += ready != nullptr && ready->reason == "Suspended" ? 1 : 0;
    }
    void write(std::string_view gallery, SampleList& samples) const {
        for (const auto& [kind, counts] : kinds_) {
            const std::string_view name = to_string(kind);
            for (std::size_t i = 0; i < kstatuses.size(); ++i)
                samples.set("galleryd_resources",
                            {{"gallery", gallery}, {"kind", name}, {"status", to_string(kstatuses[i])}},
                            counts.by_status[i]);
            samples.set("galleryd_resource_suspended", {{"gallery", gallery}, {"kind", name}}, counts.suspended);
        }
    }

  private:
    struct OfKind {
        std::array<int, kstatuses.size()> by_status{};
        int suspended = 0;
    };
    std::map<Kind, OfKind> kinds_;
};

void count_objects(const Engine& engine, const std::string& gallery, SampleList& samples) {
    ObjectCounts counts;
    visit_gallery(engine.scopes(), gallery, [&](const std::string& name, const Scope&) {
        for (const ObjectStatus& status : engine.statuses().of(name)) counts.count(status);
    });
    counts.write(gallery, samples);
}

// Too many deletions at once: somebody is paged for it. A window that is shut and an operation under way are none.
bool stops_masses(const BlockReason& reason) {
    return reason.reason == "brake" || reason.reason == "source_frozen" || reason.reason == "source_empty";
}

class PlanFigures {
  public:
    void count_changes(const Plan& plan) {
        ++plans_;
        for (const Change& change : plan.changes) {
            std::string_view action = to_string(change.action);
            if (action != "create" && action != "delete" && action != "adopt") action = "update";
            actions_[action] += 1;
        }
        actions_["blocked"] += static_cast<int>(plan.blocked.size());
    }
    void count_retention(const Plan& plan, std::string_view gallery, std::string_view definition, SampleList& samples) {
        has_definitions_ = true;
        double pending = 0;
        std::map<std::string_view, double> blocked;
        for (const VersionVerdict& verdict : plan.verdicts) {
            brake_ = brake_ || std::ranges::any_of(verdict.blocked_by, stops_masses);
            if (!verdict.delete_after) continue;
            ++pending;
            if (!verdict.blocked_by.empty()) blocked[verdict.blocked_by.front().reason] += 1;
            const double at = unix_seconds(*verdict.delete_after);
            next_deletion_ = std::min(next_deletion_.value_or(at), at);
        }
        samples.set_unless_nought("galleryd_retention_deletions_pending",
                                  {{"definition", definition}, {"gallery", gallery}}, pending);
        for (const auto& [reason, count] : blocked)
            samples.set("galleryd_retention_deletions_blocked",
                        {{"definition", definition}, {"gallery", gallery}, {"reason", reason}}, count);
    }
    void count_regions(const Plan& plan) {
        for (const auto& [address, regions] : plan.regions) {
            for (const RegionStatus& region : regions) {
                OfRegion& mine = regions_[region.name];
                const auto at = std::ranges::find(region_states, replication_label(region));
                ++mine.by_state[static_cast<std::size_t>(at - region_states.begin())];
                mine.desired += region.wanted;
                mine.observed += region.state == ReplicationState::completed ? region.observed : 0;
            }
        }
    }
    void write(std::string_view gallery, SampleList& samples) const {
        if (plans_ == 0) return;
        for (const auto& [action, count] : actions_)
            samples.set("galleryd_plan_changes", {{"action", action}, {"gallery", gallery}}, count);
        if (!has_definitions_) return;
        samples.set("galleryd_retention_brake_engaged", {{"gallery", gallery}}, brake_ ? 1 : 0);
        if (next_deletion_)
            samples.set("galleryd_retention_next_deletion_timestamp_seconds", {{"gallery", gallery}}, *next_deletion_);
        for (const auto& [region, counts] : regions_) {
            for (std::size_t i = 0; i < region_states.size(); ++i)
                samples.set("galleryd_replication_versions",
                            {{"gallery", gallery}, {"region", region}, {"state", region_states[i]}},
                            counts.by_state[i]);
            samples.set("galleryd_replicas_desired", {{"gallery", gallery}, {"region", region}}, counts.desired);
            samples.set("galleryd_replicas_observed", {{"gallery", gallery}, {"region", region}}, counts.observed);
        }
    }

  private:
    struct OfRegion {
        std::array<int, region_states.size()> by_state{};
        double desired = 0, observed = 0;
    };
    int plans_ = 0;
    bool has_definitions_ = false, brake_ = false;
    std::map<std::string_view, int> actions_{{"create", 0}, {"update", 0}, {"delete", 0}, {"adopt", 0}, {"blocked", 0}};
    std::map<std::string, OfRegion> regions_;  // own texts: a plan is taken out for one visit
    std::optional<double> next_deletion_;
};

void write_latest(const Plan& plan, std::string_view gallery, std::string_view definition, SampleList& samples) {
    if (plan.latest)
        samples.set("galleryd_definition_latest_info",
                    {{"definition", definition}, {"gallery", gallery}, {"version", *plan.latest}}, 1);
    double divergent = 0, unservable = 0;
    for (const auto& [region, latest] : plan.latest_per_region) {
        if (latest.empty()) ++unservable;
        else if (plan.latest && latest != *plan.latest) ++divergent;
    }
    samples.set_unless_nought("galleryd_definition_latest_divergent_regions",
                              {{"definition", definition}, {"gallery", gallery}}, divergent);
    samples.set_unless_nought("galleryd_definition_unservable_regions",
                              {{"definition", definition}, {"gallery", gallery}}, unservable);
}

void write_plans(const Engine& engine, const std::string& gallery, SampleList& samples) {
    PlanFigures figures;
    visit_gallery(engine.scopes(), gallery, [&](const std::string& name, const Scope& scope) {
        const auto plan = engine.plans().get(name);
        if (!plan) return;
        figures.count_changes(*plan);
        if (scope.kind != ScopeKind::definition) return;
        const std::string definition = scope.definition_id.name();
        figures.count_retention(*plan, gallery, definition, samples);
        figures.count_regions(*plan);
        write_latest(*plan, gallery, definition, samples);
    });
    figures.write(gallery, samples);
}

void write_versions_of(const std::vector<VersionGlance>& versions, const Plan* plan, std::string_view gallery,
                       std::string_view definition, TimePoint now, SampleList& samples) {
    std::map<std::string, int> states;
    states.emplace("succeeded", 0);
    int past = 0, excluded = 0;
    for (const VersionGlance& version : versions) {
        states[state_label(version.state)] += 1;
        past += version.end_of_life && *version.end_of_life <= now ? 1 : 0;
        excluded += version.excluded ? 1 : 0;
        if (plan == nullptr || plan->latest != version.name) continue;
        if (version.published)
            samples.set("galleryd_definition_latest_published_timestamp_seconds",
                        {{"definition", definition}, {"gallery", gallery}}, unix_seconds(*version.published));
        if (version.end_of_life)
            samples.set("galleryd_definition_latest_eol_timestamp_seconds",
                        {{"definition", definition}, {"gallery", gallery}}, unix_seconds(*version.end_of_life));
    }
    for (const auto& [state, count] : states) {
        if (count > 0 || state == "succeeded")
            samples.set("galleryd_image_versions", {{"definition", definition}, {"gallery", gallery}, {"state", state}},
                        count);
    }
    samples.set_unless_nought("galleryd_image_versions_past_eol", {{"definition", definition}, {"gallery", gallery}},
                              past);
    samples.set_unless_nought("galleryd_image_versions_excluded", {{"definition", definition}, {"gallery", gallery}},
                              excluded);
}

void write_versions(const Engine& engine, const std::string& gallery, TimePoint now, SampleList& samples) {
    visit_gallery(engine.scopes(), gallery, [&](const std::string& name, const Scope& scope) {
        const auto versions = engine.live_versions().get(name);
        if (!versions) return;
        const std::string definition = scope.definition_id.name();
        const auto plan = engine.plans().get(name);
        write_versions_of(*versions, plan ? &*plan : nullptr, gallery, definition, now, samples);
        if (!scope.definition) return;
        const auto objects = engine.declared().objects_of(scope);
        const ImageDefinition* declared = find_object(objects->definitions, scope.definition);
        if (declared != nullptr && declared->max_age_days)
            samples.set("galleryd_definition_max_age_seconds", {{"definition", definition}, {"gallery", gallery}},
                        *declared->max_age_days * 86400.0);
    });
}

}  // namespace

void SampleList::set(std::string_view gauge,
                     std::initializer_list<std::pair<std::string_view, std::string_view>> labels, double value) {
    std::size_t size = 0;
    for (const auto& [name, text] : labels) size += name.size() + text.size() + 2;
    std::string packed;
    packed.reserve(size);
    for (const auto& [name, text] : labels) {
        packed += name;
        packed += separator;
        for (const char c : text) packed += c == separator ? ' ' : c;
        packed += separator;
    }
    samples_.push_back({.gauge = gauge, .labels = std::move(packed), .value = value});
}

std::vector<GaugeSample> SampleList::sorted() && {
    std::ranges::sort(samples_, [](const GaugeSample& a, const GaugeSample& b) {
        return a.gauge != b.gauge ? a.gauge < b.gauge : a.labels < b.labels;
    });
    return std::move(samples_);
}

std::string gallery_label(std::string_view scope) {
    const std::size_t first = scope.find('/');
    const std::size_t second = first == std::string_view::npos ? first : scope.find('/', first + 1);
    return std::string(scope.substr(0, second));
}

std::vector<GaugeSample> gallery_samples(const Engine& engine, const std::string& gallery, TimePoint now) {
    SampleList samples;
    count_objects(engine, gallery, samples);
    write_plans(engine, gallery, samples);
    write_versions(engine, gallery, now, samples);
    return std::move(samples).sorted();
}

std::vector<GaugeSample> policy_samples(const Engine& engine) {
    std::map<std::string, ObjectCounts> by_namespace;
    for (const ObjectStatus& status : engine.statuses().of(StatusBook::policies))
        by_namespace[status.key.namespace_name].count(status);
    SampleList samples;
    for (const auto& [name, counts] : by_namespace) counts.write(name, samples);
    return std::move(samples).sorted();
}

std::vector<GaugeSample> source_samples(const Engine& engine) {
    SampleList samples;
    for (const AcceptedSnapshot& source : engine.sources()) {
        const bool is_good = source.readable && source.source_problems.empty() && source.problems.empty() &&
                             source.double_claims.empty();
        samples.set("galleryd_source_ready", {{"source", source.source}}, is_good && !source.frozen ? 1 : 0);
        samples.set("galleryd_source_manifests", {{"result", "valid"}, {"source", source.source}},
                    static_cast<double>(source.valid));
        samples.set("galleryd_source_manifests", {{"result", "invalid"}, {"source", source.source}},
                    static_cast<double>(source.invalid));
    }
    return std::move(samples).sorted();
}

std::vector<GaugeSample> usage_samples(const Engine& engine) {
    SampleList samples;
    if (const auto& answer = engine.usage().answer()) {
        samples.set("galleryd_usage_look_timestamp_seconds", {}, unix_seconds(answer->at));
        samples.set("galleryd_usage_subscriptions", {{"state", "readable"}},
                    static_cast<double>(answer->readable.size()));
        samples.set("galleryd_usage_subscriptions", {{"state", "missing"}},
                    static_cast<double>(engine.usage().missing().size()));
    }
    return std::move(samples).sorted();
}

}  // namespace galleryd
