#include <doctest/doctest.h>

#include "controller/core/error_catalogue.h"
#include "controller/core/steps.h"
#include "reconcilers/lifecycle/cost.h"
#include "reconcilers/lifecycle/plan_digest.h"
#include "reconcilers/lifecycle/record_update.h"

using namespace galleryd;

namespace {

const TimePoint now = *parse_rfc3339("2026-03-01T00:00:00Z");

std::vector<TargetRegion> regions(std::initializer_list<std::pair<const char*, int>> list) {
    std::vector<TargetRegion> all;
    for (const auto& [name, replicas] : list) {
        all.push_back(
            {.name = name, .replicas = replicas, .exclude_from_latest = std::nullopt, .encryption = std::nullopt});
    }
    return all;
}

Change change_of(const std::string& address, Step step, bool destructive = false) {
    Change change;
    change.address = address;
    change.kind = "ImageVersion";
    change.step = std::move(step);
    change.destructive = destructive;
    return change;
}

}  // namespace

TEST_CASE("a 127 GB disk that holds 10 GB, three regions, two replicas: six snapshots of 10 GB and two first copies") {
    const Prices prices{
        .snapshot_gb_month = {{"Standard_LRS", 0.05}}, .egress_gb = 0.02, .currency = "USD", .date = "2026-11-01"};
    ObservedVersion observed;
    observed.os_disk_gb = 127;
    const ImageSize size = image_size(10.0, &observed);
    CHECK(size.gb == 10.0);
    CHECK_FALSE(size.upper_bound);
    const auto after = regions({{"canadacentral", 2}, {"canadaeast", 2}, {"eastus", 2}});
    CHECK(monthly_cost(size, after, prices) == doctest::Approx(6 * 10 * 0.05));
    CHECK(first_copy_cost(size, {}, after, "canadacentral", prices) == doctest::Approx(2 * 10 * 0.02));
    CHECK(first_copy_cost(size, regions({{"canadaeast", 1}}), after, "canadacentral", prices) ==
          doctest::Approx(10 * 0.02));
    const ImageSize bound = image_size(std::nullopt, &observed);
    CHECK(bound.gb == 127.0);
    CHECK(bound.upper_bound);
    CHECK_FALSE(image_size(std::nullopt, nullptr).known);
}

TEST_CASE("changes are applied parents first, additions before removals, deletions last and children first") {
    Plan plan;
    plan.scope = "images/golden";
    plan.changes = {change_of("gallery", DeleteGallery{}, true),
                    change_of("definition", DeleteDefinition{}, true),
                    change_of("gone", DeleteVersion{}, true),
                    change_of("shrunk", UpdateVersion{}, true),
                    change_of("changed", UpdateVersion{}),
                    change_of("made", CreateVersion{}),
                    change_of("definition made", CreateDefinition{}),
                    change_of("role", AssignRole{}),
                    change_of("store", EnsureStorage{}),
                    change_of("gallery made", CreateGallery{}),
                    change_of("group", EnsureResourceGroup{})};
    finish_plan(plan);
    std::string order;
    for (const Change& change : plan.changes) order += change.address + ", ";
    CHECK(order ==
          "group, gallery made, store, role, definition made, made, changed, shrunk, gone, definition, gallery, ");
}

TEST_CASE("digests move with steps and observed state, and not with the time of day") {
    const auto plan_at = [](const char* mark, std::vector<std::string> observed, const char* cause) {
        Plan plan;
        plan.scope = "images/golden/u";
        Change change = change_of("images/golden/u/1.2.0", UpdateVersion{});
        change.fields.push_back({.path = "/tags/galleryd-delete-after",
                                 .op = FieldOp::add,
                                 .before = "",
                                 .after = mark,
                                 .effect = {},
                                 .detail = {},
                                 .cause = cause});
        plan.changes.push_back(std::move(change));
        finish_plan(plan, std::move(observed));
        return plan;
    };
    const Plan first = plan_at("2026-03-08T00:00:00Z", {"a", "b"}, "rule");
    const Plan later = plan_at("2026-03-09T00:00:00Z", {"b", "a"}, "rule");
    CHECK(first.id == later.id);
    CHECK(first.id.starts_with("sha256:"));
    CHECK(first.id != plan_at("2026-03-08T00:00:00Z", {"a", "c"}, "rule").id);
    CHECK(first.deletions_digest.empty());
}

TEST_CASE("a deletions digest names exactly one set") {
    const std::vector<DeletionItem> items{{"a/1.0.0", now, "standard/olderThan", "delete version"},
                                          {"a/1.1.0", now, "standard/olderThan", "delete version"}};
    const std::string digest = deletions_digest(items);
    CHECK(deletions_digest({items[1], items[0]}) == digest);
    CHECK(deletions_digest({items[0]}) != digest);
    std::vector<DeletionItem> republished = items;
    republished[0].published = now + std::chrono::seconds(1);
    CHECK(deletions_digest(republished) != digest);
    CHECK(deletions_digest({}).empty());
}

TEST_CASE("a region is retried after 15 minutes, doubling to six hours") {
    CHECK(region_retry_pause(1) == std::chrono::minutes(15));
    CHECK(region_retry_pause(2) == std::chrono::minutes(30));
    CHECK(region_retry_pause(5) == std::chrono::hours(4));
    CHECK(region_retry_pause(6) == std::chrono::hours(6));
    CHECK(region_retry_pause(1000) == std::chrono::hours(6));
}

TEST_CASE("accepted writes are remembered for repair and for who excluded a version") {
    ResourceRecord record;
    Change retry = change_of("a", UpdateVersion{});
    retry.fields.push_back({.path = "/targetRegions/eastus/replication",
                            .op = FieldOp::replace,
                            .before = "Failed",
                            .after = "retry 1",
                            .effect = {},
                            .detail = {},
                            .cause = "replication_failed"});
    note_accepted(record, retry, now);
    note_accepted(record, retry, now);
    CHECK(record.region_retries.at("eastus") == 2);
    CHECK(record.region_retry_after.at("eastus") == now + std::chrono::minutes(30));
    Change readd = change_of("a", UpdateVersion{}, true);
    readd.rule = "spec.regionRetry";
    readd.fields.push_back({.path = "/targetRegions/eastus",
                            .op = FieldOp::remove,
                            .before = "x1",
                            .after = "",
                            .effect = {},
                            .detail = {},
                            .cause = "replication_failed"});
    note_accepted(record, readd, now);
    CHECK(record.region_readds.at("eastus") == 1);
    CHECK_FALSE(record.region_retries.contains("eastus"));
    Change left_out = readd;
    left_out.rule = "spec.targetRegions";
    note_accepted(record, left_out, now);
    CHECK_FALSE(record.region_readds.contains("eastus"));
    Change deprecated = change_of("a", UpdateVersion{});
    deprecated.fields.push_back({.path = "/excludeFromLatest",
                                 .op = FieldOp::replace,
                                 .before = "false",
                                 .after = "true",
                                 .effect = {},
                                 .detail = {},
                                 .cause = "policy standard/deprecate.beyondNewest"});
    note_accepted(record, deprecated, now);
    CHECK(record.excluded_by_us);
    deprecated.fields[0].cause = "spec";
    note_accepted(record, deprecated, now);
    CHECK_FALSE(record.excluded_by_us);
}

TEST_CASE("every planning code has an explanation, and they are sorted") {
    std::string_view last;
    for (const CatalogueEntry& entry : planning_errors()) {
        CAPTURE(entry.code);
        CHECK(entry.code > last);
        CHECK_FALSE(entry.title.empty());
        CHECK_FALSE(entry.cause.empty());
        CHECK_FALSE(entry.remedy.empty());
        last = entry.code;
    }
    for (const char* code : {"GD2001", "GD2002", "GD2003", "GD2004", "GD2005", "GD2101", "GD2102", "GD2103", "GD2104",
                             "GD2105", "GD2106", "GD2110", "GD2302"}) {
        CAPTURE(code);
        CHECK(find_error(code) != nullptr);
    }
}

TEST_CASE("the tags that we wrote are remembered one by one, and forgotten when we take them away") {
    ResourceRecord record;
    UpdateVersion first;
    first.write.tags = {{"team", "base"}, {"Stage", "prod"}, {"galleryd-owner", "x/ImageVersion/n/v"}};
    note_accepted(record, change_of("a", first), TimePoint{});
    CHECK(record.applied_tags == Tags{{"team", "base"}, {"Stage", "prod"}});
    UpdateVersion mark;
    mark.write.tags = {{"galleryd-delete-after", "2026-12-01T00:00:00Z"}};
    note_accepted(record, change_of("a", mark), TimePoint{});
    CHECK(record.applied_tags.size() == 2);
    UpdateVersion second;
    second.write.tags = {{"team", "other"}};
    second.write.tags_removed = {"stage"};
    note_accepted(record, change_of("a", second), TimePoint{});
    CHECK(record.applied_tags == Tags{{"team", "other"}});
    note_accepted(record, change_of("a", CreateVersion{}), TimePoint{});
    CHECK(record.applied_tags.empty());
}

TEST_CASE("a write of which nobody knows whether it happened adds to memory and takes nothing away") {
    ResourceRecord record;
    record.applied_tags = {{"team", "base"}};
    record.excluded_by_us = true;
    UpdateVersion step;
    step.write.tags = {{"stage", "prod"}};
    step.write.tags_removed = {"team"};
    Change change = change_of("a", step);
    change.fields.push_back({.path = "/excludeFromLatest",
                             .op = FieldOp::replace,
                             .before = "true",
                             .after = "false",
                             .effect = {},
                             .detail = {},
                             .cause = "spec"});
    note_possible(record, change);
    CHECK(record.applied_tags == Tags{{"team", "base"}, {"stage", "prod"}});
    CHECK(record.excluded_by_us);
    note_accepted(record, change, TimePoint{});
    CHECK(record.applied_tags == Tags{{"stage", "prod"}});
    CHECK_FALSE(record.excluded_by_us);
}

TEST_CASE("what others made under a name of ours carries no tag of ours, whatever we once wrote") {
    ResourceRecord record;
    record.applied_tags = {{"team", "base"}};
    Change adopt = change_of("a", UpdateVersion{});
    adopt.action = Action::adopt;
    note_accepted(record, adopt, TimePoint{});
    CHECK(record.applied_tags.empty());
}

TEST_CASE("a deletion that did not happen is forgotten when the version is at rest long after it") {
    ResourceRecord record;
    record.deleted_at = now;
    ObservedVersion version;
    version.state = ProvisioningState::succeeded;
    version.read_at = now + std::chrono::minutes{10};  // GETs may flap this long
    CHECK_FALSE(note_healed(record, version));
    CHECK(record.deleted_at.has_value());
    version.read_at = now + std::chrono::minutes{16};
    CHECK(note_healed(record, version));
    CHECK_FALSE(record.deleted_at.has_value());
}

TEST_CASE("what was gone and is there again has been restored: its tombstone goes, and when it was gone stays known") {
    ResourceRecord record;
    record.deleted_at = record.gone_at = now;
    record.tombstone = true;
    ObservedVersion version;
    version.state = ProvisioningState::succeeded;
    version.read_at = now + std::chrono::minutes{10};
    CHECK_FALSE(note_healed(record, version));
    CHECK(record.tombstone);
    version.read_at = now + std::chrono::minutes{16};
    CHECK(note_healed(record, version));
    CHECK_FALSE(record.tombstone);
    CHECK(record.gone_at == now);
    ResourceRecord never_gone;  // nobody knows whether that deletion arrived: it did not
    never_gone.deleted_at = now;
    never_gone.tombstone = true;
    CHECK(note_healed(never_gone, version));
    CHECK(never_gone.tombstone);
    Change create = change_of("a", CreateVersion{});
    note_accepted(record, create, now);
    CHECK_FALSE(record.gone_at.has_value());  // a new life
}

TEST_CASE("a deletion is forgotten as well when a gallery or a definition is seen at rest long after it") {
    ResourceRecord record;
    record.deleted_at = now;
    ObservedDefinition definition;
    definition.read_at = now + std::chrono::minutes{16};
    definition.state = ProvisioningState::deleting;
    CHECK_FALSE(note_sighted(record, definition));
    definition.state = ProvisioningState::succeeded;
    record.operation_in_flight = true;
    CHECK_FALSE(note_sighted(record, definition));
    record.operation_in_flight = false;
    CHECK(note_sighted(record, definition));
    CHECK_FALSE(record.deleted_at.has_value());
    CHECK_FALSE(note_sighted(record, definition));
}

TEST_CASE("a person confirms what takes away and the raised flag before it, not the flag put back") {
    Change raise = change_of("a", UpdateVersion{});
    raise.fields.push_back({.path = "/safety/allowDeletionOfReplicatedLocations",
                            .op = FieldOp::replace,
                            .before = "false",
                            .after = "true",
                            .effect = {},
                            .detail = {},
                            .cause = "region_removal"});
    CHECK(takes_away(raise));
    Change put_back = raise;
    put_back.fields.front().after = "false";
    CHECK_FALSE(takes_away(put_back));
    Change by_document = raise;
    by_document.fields.front().cause = "spec";
    CHECK_FALSE(takes_away(by_document));
    CHECK(takes_away(change_of("a", UpdateVersion{}, true)));
}
