#include <algorithm>

#include "controller/program/engine.h"
#include "reconcilers/lifecycle/interlock.h"
#include "reconcilers/lifecycle/record_update.h"

// When a resource is gone, and when the document that wanted it removed may be forgotten.
namespace galleryd {
namespace {

// An orphan is forgotten whether its resource is there or not.
bool is_about_resource(const RemovedDocument& removed) { return removed.deletion_policy != DeletionPolicy::orphan; }

bool shows(const DefinitionView& view, const ResourceId& id) {
    if (!view.definition) return false;  // nor any of its versions
    return id == view.definition->id ||
           std::ranges::any_of(view.versions, [&](const ObservedVersion& version) { return version.id == id; });
}

}  // namespace

// What a look by reads found is there: reads that missed it before say nothing any more, and a deletion that did not
// happen is forgotten.
Status Engine::note_sightings(const Look& seen) {
    const auto note = [this](const auto& found, auto note_what) -> Status {
        executor_.note_seen(found.id);
        ResourceRecord record = memory_.get(found.id.key());
        return note_what(record, found) ? memory_.put(found.id.key(), record) : Status{};
    };
    if (seen.gallery) {
        if (const Status noted = note(*seen.gallery, note_sighted); !noted) return noted;
    }
    if (!seen.definition_view) return {};
    if (seen.definition_view->definition) {
        if (const Status noted = note(*seen.definition_view->definition, note_sighted); !noted) return noted;
    }
    for (const ObservedVersion& version : seen.definition_view->versions) {
        if (const Status noted = note(version, note_healed); !noted) return noted;
    }
    return {};
}

// Nobody reads an assignment by itself: the list that shows it ends its row of misses.
void Engine::note_assignments(const std::optional<std::vector<ObservedRoleAssignment>>& seen) {
    if (!seen) return;
    for (const ObservedRoleAssignment& assignment : *seen) executor_.note_seen(assignment.id);
}

// A removed document has nothing left to say once its resource is gone, or when it was orphaned.
Status Engine::purge_removed(const Scope& scope, const Plan& plan, const Look& seen) {
    if (!plan.complete || scope.removed.empty()) return {};
    std::set<ObjectKey> done;
    for (const RemovedDocument& removed : scope.removed) {
        // Reads count from the beginning, also while the removal itself has to settle.
        const bool may_go = !is_about_resource(removed) || is_gone(removed, plan, seen);
        if (may_go && removed.snapshots_missing >= removed_snapshots_min) done.insert(removed.key);
    }
    if (const Status forgotten = declared_.forget_removed(done); !forgotten) return forgotten;
    if (!done.empty()) drop_what_is_not_declared();
    return {};
}

// One read that does not find it proves nothing (Z5), and what a hint does not show proves less: a forgotten intent
// would leave the resource behind for good.
bool Engine::is_gone(const RemovedDocument& removed, const Plan& plan, const Look& seen) {
    if (!seen.was_read()) return false;
    const auto names_it = [&](const auto& entry) { return entry.arm_id == removed.id; };
    const bool is_planned = std::ranges::any_of(plan.changes, names_it) ||
                            std::ranges::any_of(plan.blocked, names_it) ||
                            std::ranges::any_of(plan.conflicts, names_it);
    const ResourceRecord record = memory_.get(removed.id.key());
    const bool is_missing = !is_planned && seen.lacks(removed.id);
    if (!is_missing) removed_absences_.note_seen(removed.id.key());
    if (is_planned || record.operation_in_flight || !plan.waiting.empty()) return false;
    if (record.deleted_at && record.failures == 0) return true;  // Azure said that it deleted it
    return is_missing && removed_absences_.note_missing(removed.id.key(), clock_.monotonic());
}

// By a complete look of reads; what a hint does not show may still be there.
bool Engine::Look::lacks(const ResourceId& id) const {
    if (!was_read() || !plan.complete) return false;
    if (gallery_id) return id == *gallery_id && !gallery;
    return definition_view && !shows(*definition_view, id);
}

// Only reads tell whether what the hint does not show is gone. Once enough of them agreed, the next one is that which
// forgets the document.
bool Engine::needs_reads_of_removed(const Scope& scope, const Look& hint) const {
    return std::ranges::any_of(scope.removed, [&](const RemovedDocument& removed) {
        if (!is_about_resource(removed)) return false;
        if (removed.snapshots_missing < removed_snapshots_min && removed_absences_.agrees(removed.id.key()))
            return false;
        if (hint.definition_view) return !shows(*hint.definition_view, removed.id);
        const auto view = estate_->gallery(scope.gallery_id);
        return !view || !view->gallery;
    });
}

// Reads that do not find what a removed document is about have to agree: the next one comes soon.
bool Engine::waits_for_agreement(const std::string& scope) const {
    const Scope* declared = declared_.find_scope(scope);
    return declared != nullptr && std::ranges::any_of(declared->removed, [this](const RemovedDocument& removed) {
               const std::string& key = removed.id.key();
               return removed_absences_.is_open(key) &&
                      (removed.snapshots_missing >= removed_snapshots_min || !removed_absences_.agrees(key));
           });
}

// A document that came back, or is settled, begins anew the next time.
void Engine::keep_removed_absences() {
    if (removed_absences_.size() == 0) return;
    std::set<std::string> removed;
    for (const auto& [name, scope] : scopes()) {
        for (const RemovedDocument& document : scope.removed) removed.insert(document.id.key());
    }
    removed_absences_.keep_only(removed);
}

}  // namespace galleryd
