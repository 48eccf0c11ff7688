#pragma once
#include <chrono>
#include <string>

#include "controller/core/plan.h"
#include "controller/program/plan_header.h"

// The plan of the experience document (§1.4.1), built by hand.
namespace galleryd::sample {

inline const TimePoint observed_at = *parse_rfc3339("2026-11-21T04:10:12Z");

inline TargetRegion region(const std::string& name, int replicas) {
    TargetRegion region;
    region.name = name;
    region.replicas = replicas;
    return region;
}

inline ResourceId version(const std::string& definition, const std::string& number) {
    return version_id(definition_id(gallery_id("s", "rg", "golden"), definition), number);
}

inline Change creation() {
    Change change;
    change.address = "corp/golden/ubuntu-2404/1.8.0";
    change.kind = "ImageVersion";
    change.arm_id = version("ubuntu-2404", "1.8.0");
    change.manifest = {"versions.yaml", 41, 1};
    change.action = Action::create;
    change.reason = "not_found";
    VersionWrite write;
    write.location = "westeurope";
    write.source = ImageSource{};
    write.source->type = SourceType::managed_image;
    write.source->id = ResourceId("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/images/packer-1182");
    write.target_regions = {region("westeurope", 3), region("northeurope", 3), region("eastus", 3),
                            region("eastus2", 3), region("southeastasia", 2)};
    write.exclude_from_latest = true;
    change.fields = {{.path = "/excludeFromLatest",
                      .op = FieldOp::add,
                      .before = "",
                      .after = "true",
                      .effect = "",
                      .detail = "",
                      .cause = "hold_latest"}};
    change.step = CreateVersion{write};
    change.estimate.ready_seconds = 3300;
    return change;
}

inline Change update() {
    Change change;
    change.address = "corp/golden/ubuntu-2404/1.7.2";
    change.kind = "ImageVersion";
    change.arm_id = version("ubuntu-2404", "1.7.2");
    change.manifest = {"versions.yaml", 27, 1};
    change.action = Action::update;
    change.reason = "manifest_changed";
    change.risk = Risk::capacity_removed;
    change.fields = {
        {.path = "/targetRegions/southeastasia",
         .op = FieldOp::add,
         .before = "",
         .after = "x2 Standard_ZRS",
         .effect = "",
         .detail = "",
         .cause = "spec"},
        {.path = "/targetRegions/eastus/replicas",
         .op = FieldOp::replace,
         .before = "2",
         .after = "3",
         .effect = "",
         .detail = "",
         .cause = "spec"},
        {.path = "/targetRegions/brazilsouth",
         .op = FieldOp::remove,
         .before = "x2",
         .after = "",
         .effect = "latest_falls_back",
         .detail = "1.6.9",
         .cause = "spec"},
    };
    change.step = UpdateVersion{};
    change.estimate.monthly_cost_delta = 12.4;
    return change;
}

inline Change deletion() {
    Change change;
    change.address = "corp/golden/ubuntu-2404/1.2.0";
    change.kind = "ImageVersion";
    change.arm_id = version("ubuntu-2404", "1.2.0");
    change.action = Action::remove;
    change.reason = "retention";
    change.rule = "standard/pastEndOfLife";
    change.why = "past end of life for 41 d";
    change.risk = Risk::data_deleted;
    change.destructive = true;
    change.step = DeleteVersion{};
    return change;
}

inline Blocked in_use() {
    Blocked blocked;
    blocked.address = "corp/golden/ubuntu-2404/1.3.0";
    blocked.kind = "ImageVersion";
    blocked.action = Action::remove;
    blocked.rule = "standard/olderThan";
    blocked.reasons = {{.interlock_point = 7,
                        .reason = "in_use",
                        .condition = "InUse",
                        .message = "3 scale sets in 2 subscriptions (7 of 9 subscriptions readable)",
                        .way_out = "move its users to a newer version"}};
    blocked.evidence = {{"scale_sets", "3"}, {"subscriptions_readable", "7"}, {"subscriptions_total", "9"}};
    return blocked;
}

inline Conflict storage_type() {
    Conflict conflict;
    conflict.address = "corp/golden/win-2022/2.1.0";
    conflict.kind = "ImageVersion";
    conflict.manifest = {"win.yaml", 12, 5};
    conflict.code = "GD2103";
    conflict.reason = "ImmutableFieldChanged";
    conflict.path = "/targetRegions/westeurope/storageAccountType";
    conflict.before = "Standard_LRS";
    conflict.after = "Standard_ZRS";
    conflict.message = "storageAccountType Standard_LRS -> Standard_ZRS cannot change after creation";
    conflict.ways_out = {"publish a new version", "set it back"};
    return conflict;
}

inline VersionVerdict verdict(const std::string& number, std::optional<int> rank, const std::string& state) {
    VersionVerdict verdict;
    verdict.address = "corp/golden/ubuntu-2404/" + number;
    verdict.version = number;
    verdict.rank = rank;
    verdict.state = state;
    verdict.rule = "standard/keepNewest";
    verdict.text = "among the newest 5";
    return verdict;
}

inline Plan ubuntu() {
    Plan plan;
    plan.scope = "corp/golden/ubuntu-2404";
    plan.observed_at = observed_at;
    plan.observed_digest = "sha256:aaaa";
    plan.id = "sha256:1111";
    plan.changes = {creation(), update(), deletion()};
    plan.blocked = {in_use()};
    plan.verdicts = {verdict("1.7.2", 1, "Active"), verdict("1.2.0", 9, "Retired")};
    plan.verdicts[1].candidate = true;
    plan.verdicts[1].rule = "standard/pastEndOfLife";
    plan.verdicts[1].text = "past end of life for 41 d";
    plan.verdicts[1].tier = "archive";
    plan.regions["corp/golden/ubuntu-2404/1.7.2"] = {{"eastus", 2, 2, ReplicationState::completed, true, 100, ""},
                                                     {"brazilsouth", 2, 2, ReplicationState::completed, true, 100, ""}};
    plan.cost = {412.10, 463.55, 0, true};
    plan.unchanged = 34;
    return plan;
}

inline Plan windows() {
    Plan plan;
    plan.scope = "corp/golden/win-2022";
    plan.observed_at = observed_at + std::chrono::seconds{3};
    plan.observed_digest = "sha256:bbbb";
    plan.id = "sha256:2222";
    plan.conflicts = {storage_type()};
    return plan;
}

inline PlanHeader header() {
    PlanHeader header;
    header.source = "./manifests (git main@9f3c1ab, clean)";
    header.source_kind = "git";
    header.revision = "main@sha1:9f3c1ab";
    header.path = "./manifests";
    header.sources = {"dir:./manifests"};
    header.price_date = "2026-11-01";
    header.next = "galleryd plan ./manifests --out p.json && galleryd apply p.json";
    return header;
}

}  // namespace galleryd::sample
