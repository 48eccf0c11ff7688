#include "reconcilers/image_definition/definition.h"

#include <algorithm>
#include <utility>

#include "controller/core/fingerprint.h"
#include "reconcilers/image_definition/compare.h"
#include "reconcilers/lifecycle/absence.h"
#include "reconcilers/lifecycle/access.h"
#include "reconcilers/lifecycle/destruction.h"
#include "reconcilers/lifecycle/ownership.h"

namespace galleryd {
namespace {

std::vector<FieldChange> creation_fields(const DefinitionWrite& body) {
    std::vector<FieldChange> fields;
    const auto add = [&fields](const char* path, const std::string& value) {
        if (!value.empty()) {
            fields.push_back({.path = path,
                              .op = FieldOp::add,
                              .before = "",
                              .after = value,
                              .effect = "",
                              .detail = "",
                              .cause = "spec"});
        }
    };
    add("/identifier", body.publisher + "/" + body.offer + "/" + body.sku);
    add("/osType", body.os_type);
    add("/osState", body.os_state);
    add("/hyperVGeneration", body.hyper_v_generation);
    add("/architecture", body.architecture);
    add("/features", text_of(body.features));
    add("/description", body.description);
    add("/endOfLifeDate", body.end_of_life ? format_rfc3339(*body.end_of_life) : "");
    return fields;
}

// False: nothing is created, so nothing can hang on it either.
bool plan_creation(Plan& plan, const Subject& subject, const ImageDefinition& wanted, const Policy& policy) {
    if (!may_create(plan, subject, wanted.governance.adoption)) return false;
    const ResourceRecord* record = policy.find_record(subject.id);
    DefinitionWrite body = creation_body(wanted);
    body.tags = tags_of_ours(subject, wanted.governance.tags, policy);
    std::vector<FieldChange> fields = creation_fields(body);
    Change change = change_of(subject, Action::create, CreateDefinition{std::move(body)});
    change.reason = "not_found";
    change.why = record != nullptr && record->written_by_us ? "Azure no longer has the definition; somebody deleted it"
                                                            : "Azure has no such definition";
    if (record != nullptr && needs_agreement(*record)) {
        change.why = "Azure answers 404 where the definition stood before";
        plan.notices.push_back(subject.address + ": " + absence_text());
    }
    change.fields = std::move(fields);
    propose(plan, subject, policy, std::move(change));
    return true;
}

void plan_update(Plan& plan, const Subject& subject, const ImageDefinition& wanted, const ObservedDefinition& live,
                 Ownership ownership, const Policy& policy, TimePoint now) {
    const bool adopting = ownership == Ownership::adoptable;
    DefinitionWrite body = update_body(wanted, live);
    body.tags = ownership == Ownership::unowned ? wanted.governance.tags
                                                : tags_of_ours(subject, wanted.governance.tags, policy);
    std::vector<FieldChange> fields = mutable_changes(body, live);
    for (FieldChange& field : compare_tags(body.tags, live.tags)) fields.push_back(std::move(field));
    if (ownership == Ownership::ours)
        body.tags_removed = take_away_tags(fields, policy.find_record(subject.id), body.tags, live.tags);
    const bool failed = live.state == ProvisioningState::failed;
    if (fields.empty() && !failed) {
        ++plan.unchanged;
        return;
    }
    if (fields.empty() && is_resting(subject.id, policy, now)) {
        plan.waiting.push_back(subject.address);
        return;
    }
    Change change = change_of(subject, adopting ? Action::adopt : Action::update, UpdateDefinition{std::move(body)});
    change.reason = adopting ? "adopt" : fields.empty() ? "provisioning_failed" : update_reason(subject, policy);
    change.why = adopting ? "the definition is nobody's and spec.adoption is " +
                                std::string(to_string(wanted.governance.adoption))
                 : fields.empty()           ? "Azure says that the last write failed; the same body is sent again"
                 : change.reason == "drift" ? "Azure differs from what was applied last"
                                            : "the document asks for it";
    if (fields.size() == 1 && fields.front().path.starts_with('/')) {
        const std::string top = fields.front().path.substr(1, fields.front().path.find('/', 1) - 1);
        change.manifest = line_of(wanted.meta, top);
    }
    change.fields = std::move(fields);
    change.seen = fingerprint_of(live);
    propose(plan, subject, policy, std::move(change));
}

Subject subject_of(const ImageDefinition& definition) {
    return {definition_address(definition), "ImageDefinition", definition.id, &definition.meta,
            definition.governance.mode};
}

BlockReason versions_left(const std::vector<ObservedVersion>& versions) {
    std::vector<std::string> names;
    for (const ObservedVersion& version : versions) names.push_back(version.name);
    std::ranges::sort(names);
    std::string list;
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 5); ++i) list += (i > 0 ? ", " : "") + names[i];
    if (names.size() > 5) list += ", …";
    return {.interlock_point = 0,
            .reason = "has_versions",
            .condition = "HasVersions",
            .message = "the definition still has " + std::to_string(names.size()) +
                       (names.size() == 1 ? " image version: " : " image versions: ") + list,
            .way_out =
                "remove them first; galleryd never deletes a definition together with its versions (galleryd explain "
                "GD2221)"};
}

void remove_one(Plan& plan, const RemovedDocument& removed, const Gallery* gallery, const DefinitionView& view,
                const Policy& policy, TimePoint now) {
    const Subject subject{removed_address(removed), "ImageDefinition", removed.id, nullptr, removed.mode};
    if (!view.definition || removed.mode == Mode::suspend) return;
    if (removed.deletion_policy == DeletionPolicy::orphan) {
        plan.notices.push_back(subject.address +
                               ": the document is gone; the definition stays in Azure (deletionPolicy: Orphan) and "
                               "galleryd no longer looks after it");
        return;
    }
    if (is_busy(view.definition->state, removed.id, policy)) {
        plan.waiting.push_back(subject.address);
        return;
    }
    Change change = change_of(subject, Action::remove, DeleteDefinition{});
    change.reason = "removed";
    change.why = "the document is gone with deletionPolicy: Delete, and no version is left in the definition";
    change.risk = Risk::data_deleted;
    change.destructive = true;
    change.reversible = false;
    change.seen = fingerprint_of(*view.definition);
    DestructionFacts facts(&*view.definition);
    facts.above = gallery;
    facts.removed = &removed;
    if (!view.versions.empty()) {
        facts.children.push_back(versions_left(view.versions));
        facts.evidence["versions"] = std::to_string(view.versions.size());
    }
    propose_destruction(plan, subject, std::move(change), facts, policy, now);
}

}  // namespace

void plan_definition(Plan& plan, const ImageDefinition* definition, const Gallery* gallery, const DefinitionView& view,
                     const Policy& policy, TimePoint now) {
    if (definition == nullptr || definition->governance.mode == Mode::suspend) return;
    const Subject subject = subject_of(*definition);
    const AccessInput access{.declared = definition->access,
                             .observed = view.role_assignments,
                             .scope = view.definition ? &*view.definition : nullptr,
                             .above = gallery};
    const ResourceRecord* record = policy.find_record(definition->id);
    if (!view.gallery_exists || (record != nullptr && record->operation_in_flight)) {
        plan.waiting.push_back(subject.address);
        const bool is_made_later =
            !view.gallery_exists && !view.definition && may_create(gallery, policy) && may_create(definition, policy);
        if (is_made_later) plan.later.push_back({subject.address, subject.kind, definition->meta.where, "its gallery"});
        return;
    }
    if (!view.definition) {
        if (plan_creation(plan, subject, *definition, policy)) plan_access(plan, subject, access, policy, now);
        return;
    }
    const ObservedDefinition& live = *view.definition;
    const Ownership ownership = check_ownership(plan, subject, live.tags, definition->governance.adoption, policy);
    if (ownership == Ownership::refused) return;
    if (is_busy(live.state, definition->id, policy)) {
        plan.waiting.push_back(subject.address);
        return;
    }
    const auto plan_parts = [&](Plan& into) {
        std::vector<Conflict> conflicts = immutable_conflicts(subject, *definition, live);
        if (conflicts.empty()) {
            plan_update(into, subject, *definition, live, ownership, policy, now);
        } else {
            // The document may mean another image than the one that has its name: nothing of it is written until a
            // person has decided.
            std::ranges::move(conflicts, std::back_inserter(into.conflicts));
        }
        plan_access(into, subject, access, policy, now);
    };
    if (ownership != Ownership::unowned) return plan_parts(plan);
    Plan compared;
    plan_parts(compared);
    settle_unowned(plan, std::move(compared), subject, not_owned(subject, policy), policy);
}

void plan_definition_removal(Plan& plan, const Gallery* gallery, const DefinitionView& view, const Policy& policy,
                             TimePoint now) {
    for (const RemovedDocument& removed : policy.removed) {
        if (removed.key.kind == Kind::image_definition) remove_one(plan, removed, gallery, view, policy, now);
    }
}

}  // namespace galleryd
