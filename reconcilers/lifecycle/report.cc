#include "reconcilers/lifecycle/report.h"

#include <algorithm>
#include <array>

namespace galleryd {
namespace {

constexpr std::array<std::string_view, 20> ready_reasons{"Reconciled",
                                                         "ReplicationInProgress",
                                                         "ReplicationFailed",
                                                         "ReplicaShortfall",
                                                         "NotFoundInAzure",
                                                         "ForeignWrite",
                                                         "DependencyNotReady",
                                                         "Suspended",
                                                         "Observing",
                                                         "Throttled",
                                                         "AuthenticationFailed",
                                                         "AuthorizationFailed",
                                                         "QuotaExceeded",
                                                         "PolicyDenied",
                                                         "ResourceLocked",
                                                         "ImmutableFieldChanged",
                                                         "InvalidSpec",
                                                         "SourceImageMissing",
                                                         "AzureError",
                                                         "NotOwned"};

std::string ready_reason(const Error& error) {
    if (std::ranges::find(ready_reasons, error.reason) != ready_reasons.end()) return error.reason;
    return error.kind == ErrorKind::throttled ? "Throttled" : "AzureError";
}

// The code leads to the remedy: people meet this text where the log is far away.
std::string explained(const Error& error) {
    if (error.code.empty()) return error.message;
    const bool ends = error.message.ends_with('.') || error.message.ends_with('!') || error.message.ends_with('?');
    return error.message + (ends ? "" : ".") + " galleryd explain " + error.code;
}

// The findings about one object, gathered from plan and report by its address.
struct Findings {
    std::vector<const Conflict*> conflicts;
    std::vector<const Change*> changes;
    std::vector<const Blocked*> blocked;
    const ChangeOutcome* failed = nullptr;
    bool waiting = false;
};

Findings findings_for(const ReportInput& input, const std::string& address, const ObjectKey& key) {
    Findings found;
    if (input.plan == nullptr) return found;
    const auto is_about = [&](const std::string& other, const std::optional<ObjectKey>& object) {
        return object ? *object == key : other == address;
    };
    for (const Conflict& conflict : input.plan->conflicts) {
        if (is_about(conflict.address, conflict.object)) found.conflicts.push_back(&conflict);
    }
    for (const Change& change : input.plan->changes) {
        if (is_about(change.address, change.object)) found.changes.push_back(&change);
    }
    for (const Blocked& blocked : input.plan->blocked) {
        if (blocked.address == address) found.blocked.push_back(&blocked);
    }
    found.waiting = std::ranges::find(input.plan->waiting, address) != input.plan->waiting.end();
    if (input.applied == nullptr) return found;
    for (const ChangeOutcome& outcome : input.applied->outcomes) {
        if (outcome.address == address && outcome.error && outcome.error->kind != ErrorKind::conflict)
            found.failed = &outcome;
    }
    return found;
}

class ConditionSet {
  public:
    void set(std::string type, ConditionStatus status, std::string reason, std::string message) {
        conditions_.push_back(Condition{std::move(type), status, std::move(reason), std::move(message), {}});
    }
    void ready(bool yes, const std::string& reason, const std::string& message) {
        set("Ready", yes ? ConditionStatus::true_ : ConditionStatus::false_, reason, message);
    }
    void stalled(const std::string& reason, const std::string& message) {
        ready(false, reason, message);
        set("Stalled", ConditionStatus::true_, reason, message);
    }
    void reconciling(const std::string& reason, const std::string& message) {
        ready(false, reason, message);
        set("Reconciling", ConditionStatus::true_, reason, message);
    }
    std::vector<Condition> take() {
        std::ranges::sort(conditions_, {}, &Condition::type);
        return std::move(conditions_);
    }

  private:
    std::vector<Condition> conditions_;
};

// What a waiting object hangs on, when Azure does not have it.
std::string missing_parent(const ReportInput& input, Kind kind) {
    const DefinitionView* view = input.definition_view;
    if (view == nullptr) return {};
    if (!view->gallery_exists && !view->definition)
        return "Waits for its gallery, which is not there or is being changed.";
    if (kind != Kind::image_version) return {};
    if (!view->definition) return "Waits for its definition, which Azure does not have.";
    if (view->definition->state == ProvisioningState::succeeded) return {};
    return "Waits for its definition, which is " + std::string(to_string(view->definition->state)) + ".";
}

std::string first_failed_region(const std::vector<RegionStatus>& regions) {
    for (const RegionStatus& region : regions) {
        if (region.state == ReplicationState::failed)
            return region.name + ": replication failed (" + region.detail + ")";
    }
    return {};
}

void set_ready(ConditionSet& conditions, const ReportInput& input, const Metadata& meta, Mode mode,
               const Findings& found, const ObjectStatus& status) {
    const std::vector<RegionStatus>& regions = status.regions;
    if (const auto problem = input.document_problems.find(meta.key); problem != input.document_problems.end()) {
        return conditions.stalled("InvalidSpec",
                                  "The document is not valid and stands on its last good content: " + problem->second);
    }
    if (mode == Mode::suspend)
        return conditions.ready(false, "Suspended", "spec.mode is Suspend: nothing is compared or written.");
    if (input.look_error) {
        const Error& error = *input.look_error;
        if (error.kind == ErrorKind::denied || error.kind == ErrorKind::invalid)
            return conditions.stalled(ready_reason(error), explained(error));
        return conditions.reconciling(ready_reason(error), explained(error));
    }
    if (!found.conflicts.empty()) {
        const Conflict& conflict = *found.conflicts.front();
        return conditions.stalled(conflict.reason, text_of(conflict) + " galleryd explain " + conflict.code);
    }
    if (found.failed != nullptr) {
        const Error& error = *found.failed->error;
        const bool hopeless = error.kind == ErrorKind::denied || error.kind == ErrorKind::invalid;
        return hopeless ? conditions.stalled(ready_reason(error), explained(error))
                        : conditions.reconciling(ready_reason(error), explained(error));
    }
    if (const auto overdue = input.overdue.find(status.address); overdue != input.overdue.end())
        return conditions.reconciling("ReplicationInProgress", overdue->second);
    if (const std::string failed = first_failed_region(regions); !failed.empty())
        return conditions.reconciling("ReplicationFailed", failed);
    const std::string parent = missing_parent(input, meta.key.kind);
    const bool is_absent = status.provisioning_state.empty();
    if (found.waiting && is_absent && !parent.empty()) return conditions.reconciling("DependencyNotReady", parent);
    if (found.waiting)
        return conditions.reconciling(regions.empty() ? "DependencyNotReady" : "ReplicationInProgress",
                                      regions.empty()
                                          ? "Waits for what it depends on, or for an operation in Azure."
                                          : "Azure is still working on it; regions are listed in status.regions.");
    if (!found.changes.empty()) {
        return conditions.reconciling(
            regions.empty() ? "DependencyNotReady" : "ReplicationInProgress",
            std::string(to_string(found.changes.front()->action)) + " is under way or due: " +
                (found.changes.front()->why.empty() ? found.changes.front()->reason : found.changes.front()->why));
    }
    for (const Blocked* blocked : found.blocked) {
        if (blocked->action == Action::remove) continue;  // a deletion that waits does not make the object unready
        const BlockReason& reason = blocked->reasons.front();
        if (reason.reason == "observing") return conditions.ready(false, "Observing", reason.message);
        return conditions.ready(false, "DependencyNotReady",
                                reason.message + (reason.way_out.empty() ? "" : " " + reason.way_out));
    }
    const auto note = input.document_notes.find(meta.key);
    conditions.ready(true, "Reconciled",
                     note == input.document_notes.end()
                         ? "Azure matches the manifest."
                         : "Azure matches the last good content, which stays in force: " + note->second);
}

void set_lifecycle(ConditionSet& conditions, const VersionVerdict& verdict, const ObjectStatus& status, TimePoint now) {
    if (verdict.delete_after)
        conditions.set("DeletionScheduled", ConditionStatus::true_, "Marked",
                       "Marked by " + verdict.rule + ", not before " + format_rfc3339(*verdict.delete_after) + ".");
    if (verdict.candidate && !verdict.blocked_by.empty()) {
        const BlockReason& first = verdict.blocked_by.front();
        conditions.set("DeletionBlocked", ConditionStatus::true_, first.condition,
                       first.message + (first.way_out.empty() ? "" : " " + first.way_out));
    }
    if (status.end_of_life && *status.end_of_life <= now) {
        conditions.set("Expired", ConditionStatus::true_, "PastEndOfLife",
                       "Past its end-of-life date; Azure does not stop its use by itself.");
    }
}

std::string region_summary(const std::vector<RegionStatus>& regions) {
    const auto done = std::ranges::count_if(regions, [](const RegionStatus& r) {
        return r.wanted > 0 && r.state == ReplicationState::completed && r.observed >= r.wanted;
    });
    const auto wanted = std::ranges::count_if(regions, [](const RegionStatus& r) { return r.wanted > 0; });
    return std::to_string(done) + "/" + std::to_string(wanted);
}

std::string progress_summary(const std::vector<RegionStatus>& regions) {
    int sum = 0, count = 0;
    for (const RegionStatus& region : regions) {
        if (region.wanted == 0) continue;
        ++count;
        sum += region.state == ReplicationState::completed ? 100 : region.progress;
    }
    return count == 0 ? "" : std::to_string(sum / count) + "%";
}

void describe_version(ObjectStatus& status, ConditionSet& conditions, const ReportInput& input,
                      const ImageVersion& version) {
    const Plan& plan = *input.plan;
    if (const auto regions = plan.regions.find(status.address); regions != plan.regions.end())
        status.regions = regions->second;
    for (const VersionVerdict& verdict : plan.verdicts) {
        if (verdict.arm_id == version.id) status.verdict = verdict;
    }
    if (input.definition_view != nullptr) {
        for (const ObservedVersion& observed : input.definition_view->versions) {
            if (!(observed.id == version.id)) continue;
            status.provisioning_state = to_string(observed.state);
            status.published = observed.published;
            status.end_of_life = observed.end_of_life;
        }
    }
    const bool available = std::ranges::any_of(
        status.regions, [](const RegionStatus& r) { return r.state == ReplicationState::completed && r.wanted > 0; });
    conditions.set("Available", available ? ConditionStatus::true_ : ConditionStatus::false_,
                   available ? "Replicated" : "NotReplicated",
                   available ? "Deployable in at least one wanted region." : "Deployable in no wanted region yet.");
    status.summary["version"] = to_string(version.number);
    status.summary["regions"] = region_summary(status.regions);
    status.summary["progress"] = progress_summary(status.regions);
    if (status.end_of_life) status.summary["endOfLife"] = format_rfc3339(*status.end_of_life).substr(0, 10);
    if (status.verdict) {
        set_lifecycle(conditions, *status.verdict, status, input.now);
        status.summary["lifecycle"] = status.verdict->state;
        if (status.verdict->delete_after) status.summary["deleteAfter"] = format_rfc3339(*status.verdict->delete_after);
    }
    if (plan.latest && *plan.latest == to_string(version.number)) status.summary["latest"] = "yes";
}

template <class Object>
ObjectStatus report_object(const ReportInput& input, const Object& object) {
    ObjectStatus status;
    status.key = object.meta.key;
    status.address = address_of(*input.scope, object.meta.key, *input.objects);
    status.arm_id = object.id;
    status.manifest = object.meta.where;
    status.observed_generation = object.meta.generation;
    status.last_handled_reconcile_at = object.meta.reconcile_requested_at.value_or("");
    ConditionSet conditions;
    if constexpr (std::is_same_v<Object, ImageVersion>) {
        if (input.plan != nullptr) describe_version(status, conditions, input, object);
    }
    const Findings found = findings_for(input, status.address, object.meta.key);
    set_ready(conditions, input, object.meta, object.governance.mode, found, status);
    if (input.plan != nullptr) {
        const bool drifted =
            std::ranges::any_of(found.changes, [](const Change* change) { return change->reason == "drift"; });
        const bool differs = !found.changes.empty() || !found.conflicts.empty();
        conditions.set("InSync", differs ? ConditionStatus::false_ : ConditionStatus::true_,
                       drifted   ? "DriftDetected"
                       : differs ? "ChangesPending"
                                 : "InSync",
                       drifted   ? "Azure was changed by somebody else; the plan puts it back."
                       : differs ? "Azure differs from the manifest."
                                 : "No difference.");
    }
    if constexpr (std::is_same_v<Object, ImageDefinition>) {
        if (input.plan != nullptr && input.definition_view != nullptr) {
            status.summary["latest"] = input.plan->latest.value_or("");
            status.summary["versions"] = std::to_string(input.definition_view->versions.size());
        }
    }
    status.conditions = conditions.take();
    return status;
}

}  // namespace

std::string text_of(const Conflict& conflict) {
    if (conflict.ways_out.empty()) return conflict.message;
    return conflict.message + " Either " + conflict.ways_out.front() +
           (conflict.ways_out.size() > 1 ? ", or " + conflict.ways_out[1] : "") + ".";
}

std::string address_of(const Scope& scope, const ObjectKey& key, const DesiredObjects& objects) {
    if (key.kind != Kind::image_version) return scope.name;
    const auto version = objects.versions.find(key);
    return scope.name + "/" + (version == objects.versions.end() ? key.name : to_string(version->second.number));
}

std::vector<ObjectStatus> report_scope(const ReportInput& input) {
    std::vector<ObjectStatus> all;
    const Scope& scope = *input.scope;
    if (scope.kind == ScopeKind::gallery) {
        if (scope.gallery) all.push_back(report_object(input, input.objects->galleries.at(*scope.gallery)));
        return all;
    }
    if (scope.definition) all.push_back(report_object(input, input.objects->definitions.at(*scope.definition)));
    for (const ObjectKey& key : scope.versions) all.push_back(report_object(input, input.objects->versions.at(key)));
    return all;
}

}  // namespace galleryd
