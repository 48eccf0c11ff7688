#include "reconcilers/lifecycle/subject.h"

#include <algorithm>
#include <utility>

namespace galleryd {

std::string gallery_address(const Gallery& gallery) {
    return gallery.meta.key.namespace_name + "/" + gallery.id.name();
}

std::string definition_address(const ImageDefinition& definition) {
    return definition.meta.key.namespace_name + "/" + definition.gallery_id.name() + "/" + definition.id.name();
}

std::string removed_address(const RemovedDocument& removed) {
    const auto parent = removed.id.parent();
    const std::string above = parent ? parent->name() + "/" : "";
    return removed.key.namespace_name + "/" + above + removed.id.name();
}

SourceLocation line_of(const Metadata& meta, std::string_view field) {
    SourceLocation where = meta.where;
    if (const auto line = meta.field_lines.line_of(field)) {
        where.line = *line;
        where.column = 0;
    }
    return where;
}

Change change_of(const Subject& subject, Action action, Step step) {
    Change change;
    change.address = subject.address;
    change.kind = subject.kind;
    change.arm_id = subject.id;
    change.action = action;
    if (subject.meta != nullptr) {
        change.object = subject.meta->key;
        change.manifest = subject.meta->where;
    }
    change.step = std::move(step);
    return change;
}

Blocked blocked_of(const Subject& subject, Action action, BlockReason reason) {
    Blocked blocked;
    blocked.address = subject.address;
    blocked.kind = subject.kind;
    blocked.arm_id = subject.id;
    blocked.action = action;
    if (subject.meta != nullptr) blocked.manifest = subject.meta->where;
    blocked.reasons.push_back(std::move(reason));
    return blocked;
}

Conflict conflict_of(const Subject& subject, std::string code, std::string reason, std::string path) {
    Conflict conflict;
    conflict.address = subject.address;
    conflict.kind = subject.kind;
    conflict.arm_id = subject.id;
    if (subject.meta != nullptr) {
        conflict.object = subject.meta->key;
        const std::size_t slash = path.find('/', 1);
        conflict.manifest = line_of(
            *subject.meta,
            std::string_view(path).substr(path.empty() ? 0 : 1, slash == std::string::npos ? slash : slash - 1));
    }
    conflict.code = std::move(code);
    conflict.reason = std::move(reason);
    conflict.path = std::move(path);
    return conflict;
}

void propose(Plan& plan, const Subject& subject, const Policy& policy, Change change) {
    if (policy.may_write(subject.mode)) {
        plan.changes.push_back(std::move(change));
        return;
    }
    BlockReason reason;
    if (policy.observe || subject.mode != Mode::manage) {
        reason.reason = "observing";
        reason.condition = "Observing";
        reason.message = policy.observe ? "this daemon runs with --observe and writes nothing to Azure"
                                        : "spec.mode is Observe: differences are reported, nothing is written";
        reason.way_out = policy.observe ? "start galleryd without --observe" : "set spec.mode: Manage";
    } else {
        reason.reason = "not_leader";
        reason.condition = "NotLeader";
        reason.message = "another replica holds the lease; only the leader writes";
        reason.way_out = "none needed: the leader does it";
    }
    Blocked blocked = blocked_of(subject, change.action, std::move(reason));
    blocked.kind = change.kind;
    blocked.arm_id = change.arm_id;
    blocked.address = change.address;
    blocked.manifest = change.manifest;
    blocked.rule = change.rule;
    for (const FieldChange& field : change.fields) blocked.evidence[field.path] = field.before + " -> " + field.after;
    plan.blocked.push_back(std::move(blocked));
}

std::string update_reason(const Subject& subject, const Policy& policy) {
    const ResourceRecord* record = policy.find_record(subject.id);
    const bool declaration_is_old = record != nullptr && subject.meta != nullptr && !subject.meta->digest.empty() &&
                                    record->last_applied_digest == subject.meta->digest;
    return declaration_is_old ? "drift" : "manifest_changed";
}

bool is_busy(ProvisioningState state, const ResourceId& id, const Policy& policy) {
    const ResourceRecord* record = policy.find_record(id);
    return is_in_transition(state) || (record != nullptr && record->operation_in_flight);
}

bool is_resting(const ResourceId& id, const Policy& policy, TimePoint now) {
    const ResourceRecord* record = policy.find_record(id);
    if (record == nullptr || !record->last_failure_at || record->failures <= 0) return false;
    const auto rest =
        std::min<Duration>(std::chrono::hours{1}, std::chrono::minutes{1} * (1 << std::min(record->failures, 7)) / 2);
    return now < *record->last_failure_at + rest;
}

}  // namespace galleryd
