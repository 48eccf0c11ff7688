#include "reconcilers/lifecycle/ownership.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "controller/core/tags.h"

namespace galleryd {
namespace {

bool has_rows(const Plan& plan) { return !plan.changes.empty() || !plan.blocked.empty() || !plan.conflicts.empty(); }

bool is_observing(const Subject& subject, const Policy& policy) {
    return policy.observe || subject.mode != Mode::manage;
}

// "/description, /tags/environment": what a plan would write, at most five names.
std::string differences_of(const Plan& compared) {
    std::set<std::string> names;
    for (const Change& change : compared.changes) {
        for (const FieldChange& field : change.fields) names.insert(field.path);
        if (change.fields.empty())
            names.insert(change.reason == "provisioning_failed" ? "provisioningState (Failed)" : change.kind);
    }
    for (const Blocked& blocked : compared.blocked) {
        const bool named =
            std::ranges::any_of(blocked.evidence, [](const auto& entry) { return entry.first.starts_with('/'); });
        if (!named)
            names.insert(blocked.evidence.contains("step") ? "/targetRegions (" + blocked.evidence.at("step") + ")"
                                                           : blocked.kind);
        for (const auto& [path, values] : blocked.evidence) {
            if (path.starts_with('/')) names.insert(path);
        }
    }
    for (const Conflict& conflict : compared.conflicts) names.insert(conflict.path);
    constexpr std::size_t names_max = 5;
    std::string text;
    std::size_t count = 0;
    for (const std::string& name : names) {
        if (++count > names_max) return text + " and " + std::to_string(names.size() - names_max) + " more";
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

Conflict owned_by_another(const Subject& subject, const std::string& tag, const Policy& policy) {
    Conflict conflict = conflict_of(subject, "GD2201", "NotOwned", "/azureName");
    conflict.before = tag;
    conflict.after = owner_tag_value(policy.instance, subject.meta->key);
    const auto owner = parse_owner_tag(tag);
    if (!owner) {
        conflict.message = "the tag galleryd-owner on the resource cannot be read as an owner (\"" + tag + "\")";
    } else if (owner->instance != policy.instance) {
        conflict.message = "the resource belongs to the galleryd instance \"" + owner->instance + "\" (" + owner->kind +
                           " " + owner->namespace_name + "/" + owner->name + ")";
    } else {
        conflict.message = "the resource belongs to another document: " + owner->kind + " " + owner->namespace_name +
                           "/" + owner->name;
    }
    conflict.ways_out = {"remove this document, or choose another spec.azureName",
                         "release it there (remove that document with deletionPolicy: Orphan, then its tag "
                         "galleryd-owner), and set spec.adoption: Adopt here"};
    return conflict;
}

}  // namespace

Ownership check_ownership(Plan& plan, const Subject& subject, const ObservedTags& tags, Adoption adoption,
                          const Policy& policy) {
    const auto tag = find_tag_any_case(tags, owner_tag);
    if (tag == tags.end()) {
        if (adoption != Adoption::never) return Ownership::adoptable;
        return Ownership::unowned;
    }
    if (tag->second == owner_tag_value(policy.instance, subject.meta->key)) return Ownership::ours;
    plan.conflicts.push_back(owned_by_another(subject, tag->second.value_or(""), policy));
    return Ownership::refused;
}

Conflict not_owned(const Subject& subject, const Policy& policy) {
    Conflict conflict = conflict_of(subject, "GD2200", "NotOwned", "/adoption");
    const ResourceRecord* record = policy.find_record(subject.id);
    const bool tag_was_removed = record != nullptr && record->written_by_us;
    conflict.before = "no owner tag";
    conflict.after = owner_tag_value(policy.instance, subject.meta->key);
    conflict.message = tag_was_removed
                           ? "the resource exists, and the owner tag that galleryd wrote on it was removed by "
                             "somebody; untagged resources are not touched"
                           : "the resource is already there and was not made by galleryd; spec.adoption is Never";
    conflict.ways_out = {"set spec.adoption: Adopt to take it over as it is",
                         "choose another spec.azureName, or remove the document"};
    return conflict;
}

void settle_unowned(Plan& plan, Plan compared, const Subject& subject, Conflict conflict, const Policy& policy) {
    const ResourceRecord* record = policy.find_record(subject.id);
    const bool tag_was_removed = record != nullptr && record->written_by_us;
    if (!is_observing(subject, policy) && (has_rows(compared) || tag_was_removed)) {
        if (has_rows(compared)) conflict.message += "; it differs from the manifest in " + differences_of(compared);
        plan.conflicts.push_back(std::move(conflict));
        return;
    }
    const bool matches = !has_rows(compared) && compared.waiting.empty();
    std::ranges::move(compared.blocked, std::back_inserter(plan.blocked));
    std::ranges::move(compared.conflicts, std::back_inserter(plan.conflicts));
    std::ranges::move(compared.waiting, std::back_inserter(plan.waiting));
    std::ranges::move(compared.later, std::back_inserter(plan.later));
    std::ranges::move(compared.notices, std::back_inserter(plan.notices));
    plan.unchanged += compared.unchanged;
    plan.notices.push_back(subject.address + (matches ? ": matches the manifest but is not ours" : ": it is not ours") +
                           "; set spec.adoption: Adopt to manage it");
}

bool is_tagged_for(const ObservedTags& tags, const ObjectKey& key, const Policy& policy) {
    const auto tag = find_tag_any_case(tags, owner_tag);
    return tag != tags.end() && tag->second == owner_tag_value(policy.instance, key);
}

Tags tags_of_ours(const Subject& subject, const Tags& declared, const Policy& policy) {
    Tags tags = declared;
    tags[owner_tag] = owner_tag_value(policy.instance, subject.meta->key);
    return tags;
}

std::vector<FieldChange> compare_tags(Tags& ours, const ObservedTags& observed) {
    std::vector<FieldChange> fields;
    Tags spelled;
    for (const auto& [name, value] : ours) {
        const auto there = find_tag_any_case(observed, name);
        spelled[there == observed.end() ? name : there->first] = value;
        if (there != observed.end() && there->second == value) continue;
        FieldChange field;
        field.path = "/tags/" + name;
        field.op = there == observed.end() ? FieldOp::add : FieldOp::replace;
        field.before = there == observed.end() ? "" : there->second.value_or("null");
        field.after = value;
        field.cause = name == owner_tag ? "ownership" : "spec";
        fields.push_back(std::move(field));
    }
    ours = std::move(spelled);
    return fields;
}

std::vector<std::string> take_away_tags(std::vector<FieldChange>& fields, const ResourceRecord* record,
                                        const Tags& wanted, const ObservedTags& observed) {
    if (record == nullptr) return {};
    std::vector<std::string> names = tags_to_take_away(record->applied_tags, wanted, observed);
    for (const std::string& name : names) {
        fields.push_back({.path = "/tags/" + name,
                          .op = FieldOp::remove,
                          .before = observed.at(name).value_or(""),
                          .after = {},
                          .effect = {},
                          .detail = {},
                          .cause = "spec"});
    }
    return names;
}

bool may_create(Plan& plan, const Subject& subject, Adoption adoption) {
    if (adoption != Adoption::adopt) return true;
    BlockReason reason;
    reason.reason = "nothing_to_adopt";
    reason.condition = "NotFoundInAzure";
    reason.message =
        "spec.adoption is Adopt, which takes over what is there and never creates; Azure has no such resource";
    reason.way_out =
        "set spec.adoption: AdoptOrCreate to have it made, or correct spec.azureName (galleryd explain GD2202)";
    plan.blocked.push_back(blocked_of(subject, Action::create, std::move(reason)));
    return false;
}

}  // namespace galleryd
