#include "controller/adapters/documents/canonical.h"

#include "controller/core/digest.h"

namespace galleryd::documents {
namespace {

using Json = JsonText;

void put(Json& target, const char* field, const std::string& text) {
    if (!text.empty()) target[field] = text;
}
template <class T>
void put(Json& target, const char* field, const std::optional<T>& value) {
    if (value) target[field] = *value;
}
void put(Json& target, const char* field, const std::optional<TimePoint>& time) {
    if (time) target[field] = format_rfc3339(*time);
}
void put(Json& target, const char* field, const std::optional<std::chrono::seconds>& duration) {
    if (duration) target[field] = format_duration(*duration);
}
void put(Json& target, const char* field, const std::vector<std::string>& texts) {
    if (!texts.empty()) target[field] = texts;
}

Json document(const Metadata& meta, Json spec) {
    Json metadata{{"name", meta.key.name}, {"namespace", meta.key.namespace_name}};
    put(metadata["annotations"], "galleryd.io/hold", meta.hold);
    put(metadata["annotations"], "galleryd.io/deletion-approved", meta.deletion_approved);
    put(metadata["annotations"], "galleryd.io/reconcile-requested-at", meta.reconcile_requested_at);
    if (metadata["annotations"].is_null()) metadata.erase("annotations");
    return Json{{"apiVersion", "galleryd.io/v1alpha1"},
                {"kind", to_string(meta.key.kind)},
                {"metadata", std::move(metadata)},
                {"spec", std::move(spec)}};
}

void put_governance(Json& spec, const Governance& governance) {
    spec["mode"] = to_string(governance.mode);
    spec["adoption"] = to_string(governance.adoption);
    spec["deletionPolicy"] = to_string(governance.deletion_policy);
    if (!governance.tags.empty()) spec["tags"] = governance.tags;
}

void put_access(Json& spec, const std::vector<RoleAccess>& access) {
    for (const RoleAccess& entry : access) {
        spec["access"].push_back(
            Json{{"role", entry.role}, {"principalId", entry.principal_id}, {"principalType", entry.principal_type}});
    }
}

Json sharing_json(const Sharing& sharing) {
    Json target{{"permissions", to_string(sharing.permissions)}};
    put(target, "subscriptionIds", sharing.subscription_ids);
    put(target, "tenantIds", sharing.tenant_ids);
    if (const auto& community = sharing.community) {
        target["community"] = Json{{"publicNamePrefix", community->public_name_prefix},
                                   {"publisherUri", community->publisher_uri},
                                   {"publisherContact", community->publisher_contact},
                                   {"eula", community->eula}};
    }
    return target;
}

void put_range(Json& spec, const char* field, const std::optional<RecommendedRange>& range) {
    if (!range) return;
    Json target = Json::object();
    put(target, "min", range->min);
    put(target, "max", range->max);
    spec["recommended"][field] = std::move(target);
}

Json encryption_json(const DiskEncryption& encryption) {
    Json target = Json::object();
    Json os = Json::object();
    put(os, "diskEncryptionSetId", encryption.os_disk_encryption_set_id);
    if (!encryption.cvm_encryption_type.empty()) {
        os["confidentialVM"]["encryptionType"] = encryption.cvm_encryption_type;
        put(os["confidentialVM"], "diskEncryptionSetId", encryption.cvm_disk_encryption_set_id);
    }
    if (!os.empty()) target["osDisk"] = std::move(os);
    for (const auto& [lun, set] : encryption.data_disk_encryption_set_ids)
        target["dataDisks"].push_back(Json{{"lun", lun}, {"diskEncryptionSetId", set}});
    return target;
}

Json regions_json(const std::vector<TargetRegion>& regions) {
    Json list = Json::array();
    for (const TargetRegion& region : regions) {
        Json item{
            {"name", region.name}, {"replicas", region.replicas}, {"storageAccountType", region.storage_account_type}};
        put(item, "excludeFromLatest", region.exclude_from_latest);
        if (region.encryption) item["encryption"] = encryption_json(*region.encryption);
        list.push_back(std::move(item));
    }
    return list;
}

Json disk_json(const ResourceId& id, const std::string& vhd_uri, const ResourceId& storage_account,
               const std::string& caching) {
    Json disk = Json::object();
    if (!vhd_uri.empty()) {
        disk["vhd"] = Json{{"uri", vhd_uri}, {"storageAccount", storage_account.text()}};
    } else if (!id.empty()) {
        disk[fold_case(id.type()).ends_with("/snapshots") ? "snapshot" : "disk"] = id.text();
    }
    put(disk, "hostCaching", caching);
    return disk;
}

Json source_json(const ImageSource& source) {
    switch (source.type) {
        case SourceType::managed_image: return {{"managedImage", source.id.text()}};
        case SourceType::virtual_machine: return {{"virtualMachine", source.id.text()}};
        case SourceType::gallery_image_version: return {{"galleryImageVersion", source.id.text()}};
        case SourceType::community_gallery_image: return {{"communityGalleryImage", source.id.text()}};
        case SourceType::os_disk: break;
        case SourceType::none: return Json::object();
    }
    Json target{{"osDisk", disk_json(source.id, source.vhd_uri, source.storage_account, source.os_host_caching)}};
    for (const DataDiskSource& disk : source.data_disks) {
        Json item{{"lun", disk.lun}};
        item.update(disk_json(disk.source, disk.vhd_uri, disk.storage_account, disk.host_caching));
        target["dataDisks"].push_back(std::move(item));
    }
    return target;
}

std::string clock_text(int minutes) {
    const auto two = [](int number) { return (number < 10 ? "0" : "") + std::to_string(number); };
    return two(minutes / 60) + ":" + two(minutes % 60);
}

Json retention_json(const Retention& retention) {
    Json target{{"action", retention.action == RetentionAction::remove ? "Delete" : "Report"},
                {"keepNewest", retention.keep_newest}};
    put(target, "olderThan", retention.older_than);
    put(target, "pastEndOfLife", retention.past_end_of_life);
    put(target, "failedAfter", retention.failed_after);
    target["minimumAge"] = format_duration(retention.minimum_age);
    target["inUse"] = retention.in_use == InUseRule::ignore ? "Ignore" : "Protect";
    if (!retention.protect_tags.empty()) target["protectTags"] = retention.protect_tags;
    target["grace"] = format_duration(retention.grace);
    if (const auto& window = retention.window) {
        static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        Json item = Json::object();
        for (const int day : window->days) item["days"].push_back(days.at(static_cast<std::size_t>(day)));
        item["from"] = clock_text(window->from_minute);
        item["to"] = clock_text(window->to_minute);
        item["timeZone"] = window->time_zone;
        target["window"] = std::move(item);
    }
    target["maxDeletesPerPass"] = retention.deletes_per_pass_max;
    target["maxPercentPerPass"] = retention.percent_per_pass_max;
    target["approval"] = retention.approval_required ? "Required" : "NotRequired";
    return target;
}

}  // namespace

Json canonical(const Gallery& gallery) {
    Json spec{{"subscriptionId", gallery.subscription_id},
              {"resourceGroup", gallery.resource_group},
              {"ensureResourceGroup", gallery.ensure_resource_group},
              {"location", gallery.location},
              {"azureName", gallery.azure_name}};
    if (!gallery.credential.empty()) spec["credential"]["name"] = gallery.credential;
    put_governance(spec, gallery.governance);
    put(spec, "description", gallery.description);
    put(spec, "allowedRegions", gallery.allowed_regions);
    put(spec, "lifecyclePolicy", gallery.lifecycle_policy);
    if (gallery.soft_delete_enabled) spec["softDelete"]["enabled"] = *gallery.soft_delete_enabled;
    if (gallery.sharing) spec["sharing"] = sharing_json(*gallery.sharing);
    put_access(spec, gallery.access);
    if (const auto& staging = gallery.staging_storage)
        spec["stagingStorage"] =
            Json{{"name", staging->name}, {"sku", staging->sku}, {"container", staging->container}};
    if (const auto& budget = gallery.budget)
        spec["budget"] = Json{{"monthly", budget->monthly}, {"currency", budget->currency}};
    return document(gallery.meta, std::move(spec));
}

Json canonical(const ImageDefinition& definition) {
    Json spec = Json::object();
    if (definition.gallery) {
        spec["gallery"] = definition.gallery->name;
    } else {
        spec["armId"] = definition.gallery_id.text();
    }
    spec["azureName"] = definition.azure_name;
    put(spec, "location", definition.location);
    put_governance(spec, definition.governance);
    spec["identifier"] =
        Json{{"publisher", definition.publisher}, {"offer", definition.offer}, {"sku", definition.sku}};
    spec["osType"] = definition.os_type;
    spec["osState"] = definition.os_state;
    spec["hyperVGeneration"] = definition.hyper_v_generation;
    spec["architecture"] = definition.architecture;
    put(spec, "description", definition.description);
    put(spec, "eula", definition.eula);
    put(spec, "privacyStatementUri", definition.privacy_statement_uri);
    put(spec, "releaseNoteUri", definition.release_note_uri);
    put(spec, "endOfLifeDate", definition.end_of_life);
    put_range(spec, "vCPUs", definition.recommended_vcpus);
    put_range(spec, "memoryGB", definition.recommended_memory_gb);
    put(spec, "disallowedDiskTypes", definition.disallowed_disk_types);
    if (const auto& plan = definition.purchase_plan)
        spec["purchasePlan"] = Json{{"name", plan->name}, {"publisher", plan->publisher}, {"product", plan->product}};
    for (const auto& [name, value] : definition.features)
        spec["features"].push_back(Json{{"name", name}, {"value", value}});
    put(spec, "maxAgeDays", definition.max_age_days);
    put_access(spec, definition.access);
    put(spec, "lifecyclePolicy", definition.lifecycle_policy);
    return document(definition.meta, std::move(spec));
}

Json canonical(const ImageVersion& version) {
    Json spec = Json::object();
    if (version.definition) {
        spec["imageDefinition"] = version.definition->name;
    } else {
        spec["armId"] = version.definition_id.text();
    }
    spec["version"] = to_string(version.number);
    put(spec, "location", version.location);
    put_governance(spec, version.governance);
    if (version.source.type != SourceType::none) spec["source"] = source_json(version.source);
    if (version.target_regions) spec["targetRegions"] = regions_json(*version.target_regions);
    spec["replicas"] = version.replicas_default;
    spec["storageAccountType"] = version.storage_account_type;
    spec["replicationMode"] = version.replication_mode;
    spec["excludeFromLatest"] = version.exclude_from_latest;
    spec["holdLatestUntilReplicated"] = version.hold_latest_until_replicated;
    put(spec, "endOfLifeDate", version.end_of_life);
    spec["safety"] = Json{{"blockDeletionBeforeEndOfLife", version.block_deletion_before_end_of_life},
                          {"allowDeletionOfReplicatedLocations", version.allow_deletion_of_replicated_locations}};
    spec["regionRetry"] = version.region_retry == RegionRetry::remove_and_add ? "RemoveAndAdd" : "None";
    put(spec, "occupiedGB", version.occupied_gb);
    return document(version.meta, std::move(spec));
}

Json canonical(const LifecyclePolicy& policy) {
    Json spec{{"governs", policy.governs == Governs::all ? "All" : "Declared"},
              {"per", policy.per == RankPer::major         ? "Major"
                      : policy.per == RankPer::major_minor ? "MajorMinor"
                                                           : "Definition"}};
    for (const Tier& tier : policy.tiers) {
        Json item{{"name", tier.name}};
        put(item, "newest", tier.newest);
        item["targetRegions"] = regions_json(tier.target_regions);
        spec["tiers"].push_back(std::move(item));
    }
    put(spec["deprecate"], "beyondNewest", policy.deprecate_beyond_newest);
    put(spec["deprecate"], "olderThan", policy.deprecate_older_than);
    if (spec["deprecate"].is_null()) spec.erase("deprecate");
    if (policy.end_of_life_after) put(spec["endOfLife"], "after", policy.end_of_life_after);
    if (policy.retention) spec["retention"] = retention_json(*policy.retention);
    return document(policy.meta, std::move(spec));
}

std::optional<Json> canonical(const DesiredObjects& objects, const ObjectKey& key) {
    const auto find = [&key](const auto& map) -> std::optional<Json> {
        const auto found = map.find(key);
        return found == map.end() ? std::nullopt : std::optional(canonical(found->second));
    };
    switch (key.kind) {
        case Kind::gallery: return find(objects.galleries);
        case Kind::image_definition: return find(objects.definitions);
        case Kind::image_version: return find(objects.versions);
        case Kind::lifecycle_policy: return find(objects.policies);
    }
    return std::nullopt;
}

std::string digest_of(const Json& document) { return sha256_label(document.dump()); }

}  // namespace galleryd::documents
