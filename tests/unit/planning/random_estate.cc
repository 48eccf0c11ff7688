#include "tests/unit/planning/random_estate.h"

#include <random>

namespace galleryd::test {
namespace {

const char* const names[] = {"canadacentral", "canadaeast", "eastus", "westeurope"};
const ResourceId gallery = gallery_id("00000000-0000-0000-0000-000000000001", "rg", "golden");
const ResourceId definition_resource = definition_id(gallery, "ubuntu");

}  // namespace

RandomEstate::RandomEstate(unsigned seed)
    : RandomEstate([random = std::mt19937(seed)]() mutable { return static_cast<unsigned>(random()); }) {}

RandomEstate::RandomEstate(std::function<unsigned()> draw)
    : now(*parse_rfc3339("2026-03-01T12:00:00Z")), draw_(std::move(draw)) {
    definition.meta.key = {Kind::image_definition, "images", "ubuntu"};
    definition.id = definition_resource;
    definition.gallery_id = gallery;
    definition.location = "canadacentral";
    policy.instance = "test";
    definition.governance.mode = chance(95) ? Mode::manage : chance(50) ? Mode::observe : Mode::suspend;
    if (chance(3)) definition.meta.hold = "audit";
    draw_lifecycle();
    draw_policy();
    view.gallery_exists = true;
    view.complete = chance(97);
    view.at = now;
    view.definition.emplace();
    view.definition->id = definition_resource;
    view.definition->location = "canadacentral";
    view.definition->state = ProvisioningState::succeeded;
    view.definition->tags[owner_tag] =
        chance(95) ? owner_tag_value("test", definition.meta.key) : "prod/ImageDefinition/images/ubuntu";
    const int versions = pick(1, 8);
    for (int minor = 1; minor <= versions; ++minor) view.versions.push_back(draw_version(minor));
    if (chance(30)) {
        ImageVersion fresh;
        fresh.number = *parse_image_version_number("1." + std::to_string(versions + 1) + ".0");
        fresh.meta.key = {Kind::image_version, "images", "v" + std::to_string(versions + 1)};
        fresh.definition_id = definition_resource;
        fresh.id = version_id(definition_resource, to_string(fresh.number));
        fresh.location = "canadacentral";
        fresh.source = {.type = SourceType::managed_image,
                        .id = ResourceId("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/images/p"),
                        .vhd_uri = {},
                        .storage_account = {},
                        .os_host_caching = {},
                        .data_disks = {}};
        declared.push_back(std::make_unique<ImageVersion>(std::move(fresh)));
    }
}

bool RandomEstate::chance(int percent) { return pick(1, 100) <= percent; }
int RandomEstate::pick(int from, int to) {
    return from + static_cast<int>(draw_() % static_cast<unsigned>(to - from + 1));
}

std::vector<TargetRegion> RandomEstate::draw_regions() {
    std::vector<TargetRegion> regions;
    for (const char* name : names) {
        if (regions.empty() || chance(40)) {
            regions.push_back({.name = name,
                               .replicas = pick(1, 3),
                               .storage_account_type = "Standard_LRS",
                               .exclude_from_latest = std::nullopt,
                               .encryption = std::nullopt});
        }
    }
    return regions;
}

void RandomEstate::draw_tags(ObservedVersion& version) {
    if (chance(70)) {
        version.tags[delete_after_tag] = chance(90) ? format_rfc3339(now + std::chrono::hours(pick(-100, 20))) : "soon";
        version.tags[delete_rule_tag] = chance(90) ? "standard/olderThan" : "standard/pastEndOfLife";
    }
    if (chance(3)) version.tags["Galleryd-HOLD"] = "";
    if (chance(3)) version.tags["Keep"] = "TRUE";
    if (chance(2)) version.tags["odd"] = std::nullopt;
}

void RandomEstate::draw_owner(ObservedVersion& version) {
    const std::string name = "v" + std::to_string(version.number->minor_number);
    const ObjectKey key{Kind::image_version, "images", name};
    if (chance(50)) return;  // published by others
    version.tags[owner_tag] = chance(90)   ? owner_tag_value("test", key)
                              : chance(50) ? "prod/ImageVersion/images/" + name
                                           : "garbage";
    ResourceRecord& record = policy.records[version.id.key()];
    record.written_by_us = chance(95);
    record.document = chance(95) ? to_string(key) : "ImageVersion/images/another";
    record.operation_in_flight = chance(3);
    if (chance(3)) record.removal_failed_at = now - std::chrono::minutes(pick(1, 120));
    if (chance(10)) policy.records.erase(version.id.key());
    if (chance(50)) {
        RemovedDocument removed{.key = key,
                                .id = version.id,
                                .deletion_policy = chance(80) ? DeletionPolicy::remove : DeletionPolicy::orphan,
                                .mode = chance(90) ? Mode::manage : Mode::observe,
                                .first_missing = now - std::chrono::minutes(pick(1, 60)),
                                .snapshots_missing = pick(1, 4),
                                .hold = std::nullopt};
        if (chance(5)) removed.hold = "forensics";
        policy.removed.push_back(std::move(removed));
        return;
    }
    ImageVersion desired;
    desired.meta.key = key;
    desired.meta.digest = "d";
    desired.definition_id = definition_resource;
    desired.id = version.id;
    desired.number = *version.number;
    desired.location = "canadacentral";
    desired.source = version.source;
    if (chance(60)) desired.target_regions = draw_regions();
    desired.exclude_from_latest = chance(10);
    desired.hold_latest_until_replicated = chance(20);
    desired.region_retry = chance(30) ? RegionRetry::remove_and_add : RegionRetry::none;
    desired.governance.mode = chance(92) ? Mode::manage : chance(50) ? Mode::observe : Mode::suspend;
    desired.governance.adoption = chance(50) ? Adoption::never : Adoption::adopt;
    if (chance(4)) desired.meta.hold = "audit";
    declared.push_back(std::make_unique<ImageVersion>(std::move(desired)));
}

ObservedVersion RandomEstate::draw_version(int minor) {
    ObservedVersion version;
    version.number = *parse_image_version_number("1." + std::to_string(minor) + ".0");
    version.name = to_string(*version.number);
    version.id = version_id(definition_resource, version.name);
    version.location = "canadacentral";
    version.state = chance(85)   ? ProvisioningState::succeeded
                    : chance(60) ? ProvisioningState::failed
                    : chance(60) ? ProvisioningState::updating
                                 : ProvisioningState::unknown;
    if (chance(96)) version.published = now - std::chrono::days(pick(1, 200));
    if (chance(15)) version.end_of_life = now + std::chrono::days(pick(-60, 60));
    version.end_of_life_unparsable = !version.end_of_life && chance(2);
    version.block_deletion_before_end_of_life = chance(5);
    version.allow_deletion_of_replicated_locations = chance(20);
    version.exclude_from_latest = chance(25);
    version.target_regions = draw_regions();
    version.replication_known = chance(92);
    for (const TargetRegion& region : version.target_regions) {
        if (version.replication_known)
            version.replication[region.name] = {chance(85)   ? ReplicationState::completed
                                                : chance(50) ? ReplicationState::failed
                                                             : ReplicationState::replicating,
                                                100, ""};
    }
    version.os_disk_gb = version.state == ProvisioningState::failed && chance(50) ? 0 : 30;
    version.source.type = SourceType::managed_image;
    version.source.id =
        ResourceId("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/images/p" + std::to_string(minor));
    version.read_at = now;
    version.server_date = now;
    draw_tags(version);
    draw_owner(version);
    if (chance(90)) policy.usage[version.id.key()] = {chance(92) ? UsageState::not_in_use : UsageState::in_use, ""};
    if (chance(2)) policy.locked.insert(version.id.key());
    return version;
}

void RandomEstate::draw_policy() {
    policy.allow_deletes = chance(93);
    policy.prune = chance(90);
    policy.observe = chance(3);
    policy.leader = chance(97);
    policy.journal_writable = chance(97);
    if (chance(97)) policy.clock_skew = std::chrono::minutes(chance(95) ? 0 : pick(4, 6));
    policy.source.complete = chance(97);
    policy.source.empty = chance(2);
    if (chance(3)) policy.source.frozen = "shrank";
    policy.deletes_last_hour = chance(90) ? 0 : pick(15, 20);
}

void RandomEstate::draw_lifecycle() {
    has_lifecycle = chance(90);
    lifecycle.meta.key = {Kind::lifecycle_policy, "images", "standard"};
    lifecycle.governs = chance(75) ? Governs::all : Governs::declared;
    if (chance(40)) {
        lifecycle.tiers.push_back({.name = "current", .newest = 1, .target_regions = draw_regions()});
        lifecycle.tiers.push_back({.name = "archive", .newest = std::nullopt, .target_regions = draw_regions()});
    }
    if (chance(30)) lifecycle.deprecate_beyond_newest = pick(1, 3);
    if (!chance(90)) return;
    Retention retention;
    retention.action = chance(90) ? RetentionAction::remove : RetentionAction::report;
    retention.keep_newest = pick(1, 3);
    retention.older_than = std::chrono::days(pick(1, 60));
    retention.minimum_age = std::chrono::days(pick(0, 10));
    retention.protect_tags = {{"keep", "true"}};
    retention.approval_required = chance(20);
    retention.deletes_per_pass_max = pick(1, 5);
    retention.percent_per_pass_max = pick(10, 100);
    if (chance(10))
        retention.window = DeletionWindow{.days = {}, .from_minute = 0, .to_minute = 60, .time_zone = "UTC"};
    lifecycle.retention = retention;
}

DefinitionScopeInput RandomEstate::input() const {
    DefinitionScopeInput input;
    input.definition = &definition;
    input.policy = has_lifecycle ? &lifecycle : nullptr;
    for (const auto& version : declared) input.versions.push_back(version.get());
    input.view = &view;
    return input;
}

Plan RandomEstate::plan() const {
    Plan plan;
    plan_image_versions(input(), policy, now, plan);
    return plan;
}

}  // namespace galleryd::test
