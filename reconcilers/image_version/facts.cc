#include "reconcilers/image_version/facts.h"

#include <algorithm>
#include <map>

#include "controller/core/hold.h"
#include "controller/core/tags.h"
#include "controller/core/version_name.h"

namespace galleryd::image_version {
namespace {

Mode strictest(Mode a, Mode b) { return std::max(a, b); }  // manage < observe < suspend

std::string scope_name(const DefinitionScopeInput& input) {
    std::string space = "default";
    ResourceId id;
    if (input.definition != nullptr) {
        space = input.definition->meta.key.namespace_name;
        id = input.definition->id;
    } else if (!input.versions.empty()) {
        space = input.versions.front()->meta.key.namespace_name;
        id = input.versions.front()->definition_id;
    } else if (input.view->definition) {
        id = input.view->definition->id;
    }
    const auto gallery = id.parent();
    return space + "/" + (gallery ? gallery->name() : "") + "/" + id.name();
}

void claim(VersionFacts& version, const Policy& policy) {
    const auto tag = find_tag_any_case(version.observed->tags, owner_tag);
    if (tag == version.observed->tags.end()) {
        version.ownership = Ownership::untagged;
        return;
    }
    version.owner = tag->second.value_or("");
    const auto owner = parse_owner_tag(tag->second);
    if (!owner || policy.instance.empty()) {
        version.ownership = Ownership::unreadable;
    } else if (owner->instance != policy.instance) {
        version.ownership = Ownership::foreign;
    } else if (version.desired != nullptr) {
        const bool same = version.owner == owner_tag_value(policy.instance, version.desired->meta.key);
        version.ownership = same ? Ownership::ours : Ownership::foreign;
    } else if (version.removed != nullptr && version.owner == owner_tag_value(policy.instance, version.removed->key)) {
        version.ownership = Ownership::removed;
    } else {
        version.ownership = Ownership::orphaned;
    }
}

bool is_definition_ours(const DefinitionScopeInput& input, const Policy& policy) {
    if (input.definition == nullptr || !input.view->definition || policy.instance.empty()) return false;
    const auto tag = find_tag_any_case(input.view->definition->tags, owner_tag);
    return tag != input.view->definition->tags.end() &&
           tag->second == owner_tag_value(policy.instance, input.definition->meta.key);
}

// With governs: All the policy also speaks for versions that a pipeline published, in a definition that is ours
// (behaviour §6, 2). A version that carries an owner tag of anybody is never governed without its document: it was
// somebody's, and is left alone.
bool is_governed(const Facts& facts, const VersionFacts& version) {
    if (facts.input.policy == nullptr) return false;
    if (version.desired != nullptr)
        return version.ownership == Ownership::ours || version.ownership == Ownership::absent;
    return facts.input.policy->governs == Governs::all && facts.definition_is_ours &&
           version.ownership == Ownership::untagged && version.number.has_value();
}

void set_modes(const Facts& facts, VersionFacts& version) {
    const ImageDefinition* definition = facts.input.definition;
    const Mode above = strictest(definition != nullptr ? definition->governance.mode : Mode::manage,
                                 facts.input.gallery != nullptr ? facts.input.gallery->governance.mode : Mode::manage);
    if (version.desired != nullptr) {
        version.mode = version.desired->governance.mode;
    } else if (version.removed != nullptr) {
        version.mode = version.removed->mode;
    } else {
        version.mode = definition != nullptr ? definition->governance.mode : Mode::suspend;
    }
    version.strict_mode = strictest(version.mode, above);
}

}  // namespace

SourceLocation VersionFacts::manifest(const DefinitionScopeInput& input) const {
    if (desired != nullptr) return desired->meta.where;
    return input.policy != nullptr ? input.policy->meta.where : SourceLocation{};
}

const Retention* Facts::retention() const {
    return input.policy != nullptr && input.policy->retention ? &*input.policy->retention : nullptr;
}

std::string Facts::rule(std::string_view name) const {
    return (input.policy != nullptr ? input.policy->meta.key.name + "/" : "") + std::string(name);
}

Facts gather_facts(const DefinitionScopeInput& input, const Policy& policy, TimePoint now, const std::string& scope) {
    Facts facts{.input = input,
                .policy = policy,
                .now = now,
                .scope = scope.empty() ? scope_name(input) : scope,
                .home_region = {},
                .definition_is_ours = is_definition_ours(input, policy),
                .versions = {}};
    if (input.definition != nullptr) facts.home_region = input.definition->location;
    if (facts.home_region.empty() && input.view->definition) facts.home_region = input.view->definition->location;

    std::map<std::string, VersionFacts> rows;  // by id, so that spelling does not tell versions apart
    for (const ObservedVersion& observed : input.view->versions) {
        VersionFacts& row = rows[observed.id.key()];
        row.id = observed.id;
        row.observed = &observed;
        row.number = observed.number;
    }
    for (const ImageVersion* desired : input.versions) {
        VersionFacts& row = rows[desired->id.key()];
        if (row.observed == nullptr) row.id = desired->id;
        row.desired = desired;
        row.number = desired->number;
    }
    for (const RemovedDocument& removed : policy.removed) {
        const auto row = rows.find(removed.id.key());
        if (removed.key.kind != Kind::image_version || row == rows.end() || row->second.desired != nullptr) continue;
        // Two sources may have let go of it one after the other: the later removal counts.
        if (row->second.removed != nullptr && row->second.removed->first_missing >= removed.first_missing) continue;
        row->second.removed = &removed;
    }
    for (auto& [key, row] : rows) {
        row.record = policy.find_record(row.id);
        row.address = facts.scope + "/" + row.name();
        if (row.observed != nullptr) claim(row, policy);
        set_modes(facts, row);
        row.governed = is_governed(facts, row);
        row.in_transition = (row.observed != nullptr && is_in_transition(row.observed->state)) ||
                            (row.record != nullptr && row.record->operation_in_flight);
        facts.versions.push_back(std::move(row));
    }
    std::ranges::sort(facts.versions, [](const VersionFacts& a, const VersionFacts& b) {
        if (a.number && b.number) return *a.number > *b.number;
        if (a.number.has_value() != b.number.has_value()) return a.number.has_value();
        return a.address < b.address;
    });
    return facts;
}

namespace {

void add_annotation(std::vector<Hold>& holds, const Facts& facts, const std::optional<std::string>& value,
                    const std::string& of, const SourceLocation* where) {
    if (!value || is_hold_over(value, certain_time(facts.policy, facts.now))) return;
    const std::string place = where == nullptr || where->file.empty()
                                  ? "the document" + of
                                  : where->file + (where->line > 0 ? ":" + std::to_string(where->line) : "");
    holds.push_back({"hold", "annotation galleryd.io/hold" + of + (value->empty() ? "" : ": " + *value),
                     where == nullptr ? "put the document back without the annotation galleryd.io/hold, then remove it "
                                        "again"
                                      : "take the annotation galleryd.io/hold out of " + place});
}

void add_protected_tags(std::vector<Hold>& holds, const Facts& facts, const ObservedTags& tags) {
    if (facts.retention() == nullptr) return;
    for (const auto& [name, value] : facts.retention()->protect_tags) {
        const auto tag = find_tag_any_case(tags, name);
        // Compared without case: "True" protects where "true" is asked for. A protection is never missed over
        // spelling.
        if (tag == tags.end() || (tag->second && fold_case(*tag->second) != fold_case(value))) continue;
        holds.push_back({facts.rule("protectTags"), "tag " + name + "=" + tag->second.value_or("null"),
                         "take the tag " + tag->first + " off in Azure, or change retention.protectTags of " +
                             facts.input.policy->meta.key.name});
    }
}

}  // namespace

std::vector<Hold> holds_of(const Facts& facts, const VersionFacts& version) {
    std::vector<Hold> holds;
    const auto of_document = [&](const Metadata& meta, const std::string& of) {
        add_annotation(holds, facts, meta.hold, of, &meta.where);
    };
    if (version.desired != nullptr) of_document(version.desired->meta, "");
    if (version.removed != nullptr)
        add_annotation(holds, facts, version.removed->hold, " of the removed document", nullptr);
    if (facts.input.definition != nullptr) of_document(facts.input.definition->meta, " of the definition");
    if (facts.input.gallery != nullptr) of_document(facts.input.gallery->meta, " of the gallery");
    if (version.observed == nullptr) return holds;
    const ObservedTags& tags = version.observed->tags;
    const auto tag = find_tag_any_case(tags, hold_tag);
    if (tag != tags.end() && !is_hold_over(tag->second, certain_time(facts.policy, facts.now))) {
        holds.push_back({"hold", "tag galleryd-hold" + (tag->second.value_or("").empty() ? "" : ": " + *tag->second),
                         "galleryd release " + name_for_people(version.id)});
    }
    add_protected_tags(holds, facts, tags);
    for (const auto& [name, value] : tags) {
        if (value || fold_case(name) == hold_tag) continue;
        holds.push_back({"unknownTag", "tag " + name + " has no readable value",
                         "give the tag " + name + " a value in Azure, or take it off"});
    }
    return holds;
}

std::optional<TimePoint> held_until(const Facts& facts, const VersionFacts& version) {
    std::optional<TimePoint> latest;
    const auto add = [&](const std::optional<std::string>& value) {
        const auto until = value ? parse_hold(*value).until : std::nullopt;
        if (until) latest = std::max(latest.value_or(*until), *until);
    };
    if (version.desired != nullptr) add(version.desired->meta.hold);
    if (version.removed != nullptr) add(version.removed->hold);
    if (facts.input.definition != nullptr) add(facts.input.definition->meta.hold);
    if (facts.input.gallery != nullptr) add(facts.input.gallery->meta.hold);
    if (version.observed == nullptr) return latest;
    const auto tag = find_tag_any_case(version.observed->tags, hold_tag);
    if (tag != version.observed->tags.end()) add(tag->second);
    return latest;
}

std::string ended_hold_text(const Facts& facts, const VersionFacts& version) {
    if (version.observed == nullptr) return {};
    const auto tag = find_tag_any_case(version.observed->tags, hold_tag);
    if (tag == version.observed->tags.end() || !is_hold_over(tag->second, certain_time(facts.policy, facts.now)))
        return {};
    return "; its hold ended with " + parse_hold(*tag->second).until_text;
}

}  // namespace galleryd::image_version
