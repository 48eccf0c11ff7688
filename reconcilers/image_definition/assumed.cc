#include "reconcilers/image_definition/assumed.h"

#include <algorithm>

#include "controller/core/fingerprint.h"
#include "controller/core/steps.h"
#include "controller/core/tags.h"
#include "reconcilers/lifecycle/record_update.h"

namespace galleryd {
namespace {

void write_tags(ObservedTags& tags, const Tags& written, const std::vector<std::string>& removed) {
    for (const std::string& name : removed) {
        if (const auto tag = find_tag_any_case(tags, name); tag != tags.end()) tags.erase(tag);
    }
    for (const auto& [name, value] : written) {
        const auto tag = find_tag_any_case(tags, name);
        tags[tag == tags.end() ? name : tag->first] = value;
    }
}

void complete_copies(ObservedVersion& version) {
    version.replication.clear();
    for (const TargetRegion& region : version.target_regions)
        version.replication[region.name] = {.state = ReplicationState::completed, .progress = 100, .detail = {}};
    version.replication_known = true;
    version.state = ProvisioningState::succeeded;
}

void write_version(ObservedVersion& version, const VersionWrite& write) {
    version.location = write.location;
    version.target_regions = write.target_regions;
    std::ranges::sort(version.target_regions, {}, &TargetRegion::name);
    version.replica_count = write.replica_count;
    version.storage_account_type = write.storage_account_type;
    version.replication_mode = write.replication_mode;
    version.exclude_from_latest = write.exclude_from_latest;
    if (write.end_of_life) version.end_of_life_unparsable = false;
    version.end_of_life = write.end_of_life;
    version.block_deletion_before_end_of_life = write.block_deletion_before_end_of_life;
    version.allow_deletion_of_replicated_locations = write.allow_deletion_of_replicated_locations;
    write_tags(version.tags, write.tags, write.tags_removed);
}

void write_definition(ObservedDefinition& definition, const DefinitionWrite& write) {
    definition.location = write.location;
    definition.publisher = write.publisher;
    definition.offer = write.offer;
    definition.sku = write.sku;
    definition.os_type = write.os_type;
    definition.os_state = write.os_state;
    definition.hyper_v_generation = write.hyper_v_generation;
    definition.architecture = write.architecture;
    definition.description = write.description;
    definition.eula = write.eula;
    definition.privacy_statement_uri = write.privacy_statement_uri;
    definition.release_note_uri = write.release_note_uri;
    definition.end_of_life = write.end_of_life;
    definition.recommended_vcpus = write.recommended_vcpus;
    definition.recommended_memory_gb = write.recommended_memory_gb;
    definition.disallowed_disk_types = write.disallowed_disk_types;
    definition.purchase_plan = write.purchase_plan;
    definition.features = write.features;
    definition.state = ProvisioningState::succeeded;
    write_tags(definition.tags, write.tags, write.tags_removed);
}

class Assumption {
  public:
    Assumption(TimePoint at, DefinitionView& view, Records& records) : at_(at), view_(view), records_(records) {}

    bool carry_out(const Change& change) {
        if (const auto* create = std::get_if<CreateDefinition>(&change.step))
            return create_definition(change, create->write);
        if (const auto* update = std::get_if<UpdateDefinition>(&change.step)) {
            if (!view_.definition) return false;
            const std::string before = fingerprint(*view_.definition);
            write_definition(*view_.definition, update->write);
            note(change);
            return fingerprint(*view_.definition) != before;
        }
        if (const auto* create = std::get_if<CreateVersion>(&change.step)) return create_version(change, create->write);
        if (const auto* update = std::get_if<UpdateVersion>(&change.step)) return update_version(change, update->write);
        if (is<DeleteVersion>(change.step)) return delete_version(change);
        if (is<DeleteDefinition>(change.step) && view_.definition) {
            view_.definition.reset();
            return true;
        }
        return false;  // roles decide nothing of versions
    }

  private:
    std::vector<ObservedVersion>::iterator find(const ResourceId& id) {
        return std::ranges::find(view_.versions, id, &ObservedVersion::id);
    }

    // As the executor does when Azure has accepted it.
    void note(const Change& change) {
        ResourceRecord& record = records_[change.arm_id.key()];
        note_accepted(record, change, at_);
        record.failures = 0;
        record.last_failure.clear();
        record.last_failure_at.reset();
        if (!change.object) return;
        record.written_by_us = true;
        record.document = to_string(*change.object);
    }

    bool create_definition(const Change& change, const DefinitionWrite& write) {
        if (view_.definition) return false;
        ObservedDefinition& made = view_.definition.emplace();
        made.id = change.arm_id;
        made.name = change.arm_id.name();
        made.read_at = at_;
        write_definition(made, write);
        note(change);
        return true;
    }

    bool create_version(const Change& change, const VersionWrite& write) {
        if (find(change.arm_id) != view_.versions.end()) return false;
        ObservedVersion made;
        made.id = change.arm_id;
        made.name = change.arm_id.name();
        made.number = parse_image_version_number(made.name);
        made.read_at = at_;
        made.published = at_;
        made.source = write.source.value_or(ImageSource{});
        write_version(made, write);
        complete_copies(made);
        view_.versions.push_back(std::move(made));
        note(change);
        return true;
    }

    bool update_version(const Change& change, const VersionWrite& write) {
        const auto version = find(change.arm_id);
        if (version == view_.versions.end()) return false;
        const std::string before = fingerprint(*version);
        const auto copies = version->replication.size();
        write_version(*version, write);
        // A tag on a version that failed makes it no better.
        const bool is_mark = change.action == Action::mark || change.action == Action::unmark;
        if (!is_mark || version->state != ProvisioningState::failed) complete_copies(*version);
        note(change);
        return fingerprint(*version) != before || version->replication.size() != copies;
    }

    bool delete_version(const Change& change) {
        const auto version = find(change.arm_id);
        if (version == view_.versions.end()) return false;
        view_.versions.erase(version);
        ResourceRecord& record = records_[change.arm_id.key()];
        record.tombstone = record.tombstone || change.reason == "retention";
        record.deleted_at = at_;
        return true;
    }

    TimePoint at_;
    DefinitionView& view_;
    Records& records_;
};

}  // namespace

bool assume_done(const Plan& plan, TimePoint at, DefinitionView& view, Records& records) {
    Assumption assumption(at, view, records);
    bool changed = false;
    for (const Change& change : plan.changes) changed = assumption.carry_out(change) || changed;
    return changed;
}

bool assume_ended(DefinitionView& view, Records& records) {
    bool changed = std::erase_if(view.versions, [](const ObservedVersion& version) {
                       return version.state == ProvisioningState::deleting;
                   }) > 0;
    for (ObservedVersion& version : view.versions) {
        if (is_in_transition(version.state)) {
            complete_copies(version);
            changed = true;
        }
        for (auto& [name, copy] : version.replication) {
            if (copy.state != ReplicationState::replicating) continue;
            copy = {.state = ReplicationState::completed, .progress = 100, .detail = {}};
            changed = true;
        }
    }
    if (view.definition && is_in_transition(view.definition->state)) {
        view.definition->state = ProvisioningState::succeeded;
        changed = true;
    }
    for (auto& [key, record] : records) {
        changed = changed || record.operation_in_flight;
        record.operation_in_flight = false;
    }
    return changed;
}

}  // namespace galleryd
