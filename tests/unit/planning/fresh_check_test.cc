#include <doctest/doctest.h>

#include "controller/core/fingerprint.h"
#include "reconcilers/lifecycle/interlock.h"

using namespace galleryd;

namespace {

const TimePoint now = *parse_rfc3339("2026-03-01T00:00:00Z");

ObservedVersion sample() {
    ObservedVersion version;
    version.id = ResourceId(
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/golden/images/u/versions/1.2.0");
    version.name = "1.2.0";
    version.location = "canadacentral";
    version.state = ProvisioningState::succeeded;
    version.number = parse_image_version_number("1.2.0");
    version.published = *parse_rfc3339("2025-01-01T00:00:00Z");
    version.source.type = SourceType::managed_image;
    version.source.id = ResourceId("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/packer-1");
    version.target_regions = {TargetRegion{
        .name = "canadacentral", .replicas = 2, .exclude_from_latest = std::nullopt, .encryption = std::nullopt}};
    version.read_at = now - std::chrono::seconds(5);
    version.server_date = now - std::chrono::seconds(6);
    return version;
}

std::string refusal(const ObservedVersion& seen, const ObservedVersion& fresh, TimePoint at = now) {
    const Status status = check_fresh(fingerprint_of(seen), fresh, at);
    return status ? "" : status.error().reason;
}

}  // namespace

TEST_CASE("an unchanged version that was read just now may be deleted") { CHECK(refusal(sample(), sample()).empty()); }

TEST_CASE("a look of 31 seconds ago, or from the future, is too old") {
    CHECK(refusal(sample(), sample(), now + std::chrono::seconds(25)).empty());
    CHECK(refusal(sample(), sample(), now + std::chrono::seconds(26)) == "LookTooOld");
    CHECK(refusal(sample(), sample(), now - std::chrono::seconds(6)) == "LookTooOld");
}

TEST_CASE("whatever changed since the plan stops the deletion") {
    ObservedVersion fresh = sample();
    SUBCASE("published again under the same name") { fresh.published = *parse_rfc3339("2026-02-01T00:00:00Z"); }
    SUBCASE("published date no longer readable") { fresh.published.reset(); }
    SUBCASE("another source") {
        fresh.source.id = ResourceId("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/packer-2");
    }
    SUBCASE("an operation in flight") { fresh.state = ProvisioningState::updating; }
    SUBCASE("an unknown state") { fresh.state = ProvisioningState::unknown; }
    SUBCASE("another state") { fresh.state = ProvisioningState::failed; }
    SUBCASE("a tag") { fresh.tags["keep"] = "true"; }
    SUBCASE("a tag without value") { fresh.tags["keep"] = std::nullopt; }
    SUBCASE("a region") {
        fresh.target_regions.push_back(
            {.name = "eastus", .replicas = 1, .exclude_from_latest = std::nullopt, .encryption = std::nullopt});
    }
    SUBCASE("replicas") { fresh.target_regions[0].replicas = 3; }
    SUBCASE("end of life") { fresh.end_of_life = *parse_rfc3339("2020-01-01T00:00:00Z"); }
    SUBCASE("let into latest or out of it") { fresh.exclude_from_latest = true; }
    CHECK(refusal(sample(), fresh) == "ChangedSincePlan");
}

TEST_CASE("a hold, a guard and unknown clocks are refused even when the plan saw them") {
    ObservedVersion version = sample();
    SUBCASE("a hold in any spelling") {
        version.tags["GallerYD-Hold"] = "";
        CHECK(refusal(version, version) == "Held");
    }
    SUBCASE("Azure's guard without a date") {
        version.block_deletion_before_end_of_life = true;
        CHECK(refusal(version, version) == "BeforeEndOfLife");
    }
    SUBCASE("Azure's guard with a date that passed") {
        version.block_deletion_before_end_of_life = true;
        version.end_of_life = now - std::chrono::days(1);
        CHECK(refusal(version, version).empty());
    }
    SUBCASE("an answer without a Date") {
        version.server_date.reset();
        CHECK(refusal(version, version) == "ClockUnknown");
    }
    SUBCASE("clocks five minutes apart") {
        version.server_date = version.read_at - std::chrono::minutes(5);
        CHECK(refusal(version, version) == "ClockSkew");
    }
    SUBCASE("a grace that has not ended by Azure's clock") {
        version.tags[delete_after_tag] = format_rfc3339(now);
        CHECK(refusal(version, version) == "ChangedSincePlan");
    }
    SUBCASE("a grace that has") {
        version.tags[delete_after_tag] = format_rfc3339(now - std::chrono::hours(1));
        CHECK(refusal(version, version).empty());
    }
    SUBCASE("an end of life in the future") {
        version.end_of_life = now + std::chrono::seconds(1);
        CHECK(refusal(version, version) == "ChangedSincePlan");
    }
}

TEST_CASE("a plan that saw nothing allows nothing") {
    CHECK_FALSE(check_fresh(Fingerprint{}, sample(), now).has_value());
    Fingerprint without_digest = fingerprint_of(sample());
    without_digest.etag.clear();
    CHECK_FALSE(check_fresh(without_digest, sample(), now).has_value());
}

TEST_CASE("a fingerprint moves with what people write and not with what Azure does by itself") {
    const std::string before = fingerprint(sample());
    ObservedVersion other = sample();
    other.read_at += std::chrono::hours(1);
    other.server_date.reset();
    other.raw = "{}";
    other.replication_known = true;
    other.replication["canadacentral"] = {ReplicationState::replicating, 40, ""};
    other.os_disk_gb = 30;
    other.id = ResourceId(
        "/subscriptions/s/resourceGroups/G/providers/microsoft.compute/galleries/golden/images/u/versions/1.2.0");
    other.block_deletion_before_end_of_life = false;
    other.target_regions[0].exclude_from_latest = false;
    CHECK(fingerprint(other) == before);
    other.tags["a"] = "b";
    CHECK(fingerprint(other) != before);
    // Lengths are part of it: two tags cannot pretend to be one.
    ObservedVersion one = sample(), two = sample();
    one.tags = {{"a", "b;1:c"}};
    two.tags = {{"a", "b"}, {"c", ""}};
    CHECK(fingerprint(one) != fingerprint(two));
}
