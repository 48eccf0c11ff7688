#include <algorithm>

#include "controller/core/version_name.h"
#include "reconcilers/image_version/update.h"
#include "reconcilers/lifecycle/absence.h"
#include "reconcilers/lifecycle/subject.h"

namespace galleryd::image_version {
namespace {

// A name that is soft-deleted comes back as the old image when it is put again (azure-facts §5), with api-version
// 2024-03-03 for seven days. What we deleted ourselves lately in such a gallery is therefore not made again before.
constexpr std::chrono::days soft_delete_retention{7};

bool may_be_soft_deleted(const Facts& facts, const VersionFacts& version) {
    if (version.record == nullptr || !version.record->deleted_at) return false;
    const bool is_on = facts.input.gallery != nullptr && facts.input.gallery->soft_delete_enabled.value_or(false);
    return is_on && facts.now - *version.record->deleted_at < soft_delete_retention;
}

std::string missing_parent(const DefinitionView& view) {
    if (!view.gallery_exists && !view.definition) return "it waits for its gallery";
    if (!view.definition) return "it waits for its definition";
    if (view.definition->state != ProvisioningState::succeeded) {
        return "it waits for its definition, which is " + std::string(to_string(view.definition->state));
    }
    return {};
}

void refuse(const Facts& facts, const VersionFacts& version, Plan& plan, std::string code, std::string reason,
            std::string path, std::string message, std::vector<std::string> ways_out) {
    Conflict conflict = conflict_about(facts, version, std::move(code), std::move(reason), std::move(path));
    conflict.message = std::move(message);
    conflict.ways_out = std::move(ways_out);
    plan.conflicts.push_back(std::move(conflict));
}

std::string print(const ImageSource& source) { return !source.id.empty() ? source.id.text() : source.vhd_uri; }

VersionWrite creation_write(const VersionPlan& input) {
    const ImageVersion& desired = *input.version.desired;
    VersionWrite write;
    write.location = desired.location;
    write.source = desired.source;
    write.target_regions.reserve(input.wanted.regions.size());
    for (const auto& [name, entry] : input.wanted.regions) write.target_regions.push_back(entry.region);
    write.replica_count = input.wanted.replica_count;
    write.storage_account_type = desired.storage_account_type;
    write.replication_mode = desired.replication_mode;
    write.exclude_from_latest = input.wanted.exclude_from_latest;
    write.end_of_life = input.wanted.end_of_life;
    write.block_deletion_before_end_of_life = input.wanted.block_deletion;
    write.allow_deletion_of_replicated_locations = input.wanted.allow_region_deletion;
    write.tags = input.wanted.tags;
    return write;
}

std::vector<FieldChange> creation_fields(const VersionPlan& input, const VersionWrite& write) {
    std::vector<FieldChange> fields;
    fields.reserve(3 + input.wanted.regions.size());
    const auto added = [&](std::string path, std::string after, std::string cause, LatestEffect effect) {
        fields.push_back({.path = std::move(path),
                          .op = FieldOp::add,
                          .before = {},
                          .after = std::move(after),
                          .effect = std::move(effect.effect),
                          .detail = std::move(effect.detail),
                          .cause = std::move(cause)});
    };
    added("/source", print(*write.source), "spec", {});
    const LatestByRegion after = input.latest.after(input.version, latest_entry_after(*input.version.number, write));
    for (const auto& [name, entry] : input.wanted.regions) {
        added("/targetRegions/" + name, image_version::print(entry.region), entry.cause,
              latest_effect(input.latest.now(), after, {name}));
    }
    if (write.exclude_from_latest) added("/excludeFromLatest", "true", input.wanted.exclude_cause, {});
    if (write.end_of_life)
        added("/endOfLifeDate", format_rfc3339(*write.end_of_life), input.wanted.end_of_life_cause, {});
    return fields;
}

}  // namespace

std::vector<TargetRegion> plan_missing_version(const Facts& facts, const VersionPlan& input, Plan& plan) {
    const VersionFacts& version = input.version;
    const ImageVersion& desired = *version.desired;
    if (version.record != nullptr && version.record->tombstone) return {};  // the verdict says so
    if (version.in_transition) {
        add_waiting(plan, version, "");
        return {};
    }
    if (desired.governance.adoption == Adoption::adopt) {
        refuse(
            facts, version, plan, "GD2003", "NotFoundInAzure", "/adoption",
            "spec.adoption is Adopt, which never creates, and Azure has no such version",
            {"set spec.adoption: AdoptOrCreate to have it made", "correct the version number, or remove the document"});
        return {};
    }
    if (desired.source.type == SourceType::none) {
        refuse(facts, version, plan, "GD2004", "InvalidSpec", "/source",
               "the version has to be made and its document names no source",
               {"name exactly one source", "remove the document"});
        return {};
    }
    if (may_be_soft_deleted(facts, version)) {
        refuse(facts, version, plan, "GD2005", "InvalidSpec", "/version",
               "a version of this number was deleted less than seven days ago in a gallery with soft delete; making it "
               "again would bring the old image back",
               {"publish under a new version number",
                "galleryd restore " + name_for_people(version.id) + " to have the old image back",
                "purge the soft-deleted version in Azure, or wait until it is gone"});
        return {};
    }
    if (const std::string missing = missing_parent(*facts.input.view); !missing.empty()) {
        add_waiting(plan, version, missing);
        const DefinitionView& view = *facts.input.view;
        const bool gallery_comes = view.gallery_exists || may_create(facts.input.gallery, facts.policy);
        const bool definition_comes = view.definition ? is_in_transition(view.definition->state)
                                                      : may_create(facts.input.definition, facts.policy);
        if (gallery_comes && definition_comes && facts.policy.may_write(desired.governance.mode)) {
            const char* after = view.gallery_exists ? "its definition" : "its gallery and its definition";
            plan.later.push_back({version.address, "ImageVersion", desired.meta.where, after});
        }
        return {};
    }
    for (const std::string& notice : input.wanted.notices) plan.notices.push_back(notice);
    VersionWrite write = creation_write(input);
    Change change = change_about(facts, version, Action::create, CreateVersion{});
    change.reason = "not_found";
    change.why = "it is declared and Azure does not have it";
    if (version.record != nullptr && needs_agreement(*version.record)) {
        change.why = "it is declared, and Azure answers 404 where it stood before";
        plan.notices.push_back(version.address + ": " + absence_text());
    }
    if (input.standing.tier != nullptr && !desired.target_regions)
        change.rule = facts.rule("tier " + input.standing.tier->name);
    change.fields = creation_fields(input, write);
    const bool moves =
        std::ranges::any_of(change.fields, [](const FieldChange& field) { return !field.effect.empty(); });
    if (moves) change.risk = Risk::latest_moves;
    if (desired.hold_latest_until_replicated && !desired.exclude_from_latest)
        change.follow_up = "then, when every region is Completed, let it become latest";
    std::vector<TargetRegion> regions = write.target_regions;
    change.step = CreateVersion{std::move(write)};
    propose(facts, version, plan, std::move(change));
    return regions;
}

}  // namespace galleryd::image_version
