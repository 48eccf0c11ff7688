#include "controller/core/archive.h"

#include <doctest/doctest.h>

#include <string>

#include "controller/core/fingerprint.h"
#include "controller/core/plan.h"
#include "controller/core/status.h"

namespace galleryd {

struct AnythingForArchive {
    template <class T>
    operator T() const;  // never called
};

namespace {

// How many members an aggregate with that base has besides it: as many as its braces take.
template <std::size_t>
using AnythingAt = AnythingForArchive;
template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
    return requires { T{ObservedBase{}, AnythingAt<I>{}...}; };
}
template <class T, std::size_t N = 40>
constexpr std::size_t own_members() {
    if constexpr (takes<T>(std::make_index_sequence<N>{})) return N;
    else return own_members<T, N - 1>();
}
template <class T>
std::size_t archived_members() {
    std::size_t count = 0;
    T value;
    archive::each_member(value, [&count](auto&... members) { count = sizeof...(members); });
    return count;
}

ObservedVersion version() {
    ObservedVersion version;
    version.id = ResourceId(
        "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Compute/galleries/g/images/i/"
        "versions/1.2.3");
    version.name = "1.2.3";
    version.location = "eastus";
    version.tags = {{"a", "b"}, {"null", std::nullopt}};
    version.state = ProvisioningState::failed;
    version.raw = std::string("{\"x\":\0}", 7);
    version.read_at = TimePoint{} + std::chrono::seconds{1'790'000'000};
    version.server_date = TimePoint{} - std::chrono::seconds{5};
    version.number = ImageVersionNumber{1, 2, 2147483647};
    TargetRegion home, region;
    home.name = "eastus";
    region.name = "westeurope";
    region.replicas = 3;
    region.exclude_from_latest = false;
    region.encryption.emplace().data_disk_encryption_set_ids = {{0, "x"}};
    version.target_regions = {home, region};
    version.replica_count = -1;
    version.published = TimePoint{} + std::chrono::milliseconds{1};
    version.source.type = SourceType::os_disk;
    version.source.data_disks.emplace_back().lun = 63;
    version.block_deletion_before_end_of_life = true;
    version.os_disk_gb = 127;
    version.replication_known = true;
    version.replication = {{"eastus", {ReplicationState::replicating, 40, "detail"}}};
    return version;
}

TEST_CASE("archive: what Azure shows is packed whole, its base's members and its own") {
    CHECK(archived_members<ObservedGallery>() == own_members<ObservedGallery>());
    CHECK(archived_members<ObservedDefinition>() == own_members<ObservedDefinition>());
    CHECK(archived_members<ObservedVersion>() == own_members<ObservedVersion>());

    const ObservedVersion before = version();
    const auto after = unpack<ObservedVersion>(pack(before));
    REQUIRE(after.has_value());
    CHECK(fingerprint(*after) == fingerprint(before));
    CHECK(pack(*after) == pack(before));
    CHECK(after->id.text() == before.id.text());
    CHECK(after->tags == before.tags);
    CHECK(after->raw == before.raw);
    CHECK(after->server_date == before.server_date);
    CHECK(after->number == before.number);
    CHECK(after->target_regions == before.target_regions);
    CHECK(after->replica_count == -1);
    CHECK(after->source == before.source);
    CHECK(after->replication.at("eastus").progress == 40);
}

TEST_CASE("archive: plans with their steps, and statuses, come back as they were") {
    Plan plan;
    plan.scope = "images/golden";
    Change change;
    change.arm_id = ResourceId("/subscriptions/s/resourceGroups/r");
    UpdateVersion update;
    update.write.replica_count = 7;
    change.step = update;
    change.estimate.monthly_cost_delta = -12.5;
    plan.changes = {change};
    plan.changes.push_back(change);
    plan.changes.back().step = DeleteVersion{};
    plan.latest = "1.0.0";
    plan.regions["a"].emplace_back().wanted = 2;
    const auto after = unpack<Plan>(pack(plan));
    REQUIRE(after.has_value());
    REQUIRE(after->changes.size() == 2);
    const auto* step = std::get_if<UpdateVersion>(&after->changes[0].step);
    REQUIRE(step != nullptr);
    CHECK(step->write.replica_count == 7);
    CHECK(std::holds_alternative<DeleteVersion>(after->changes[1].step));
    CHECK(after->changes[0].estimate.monthly_cost_delta == -12.5);
    CHECK(pack(*after) == pack(plan));

    ObjectStatus status;
    status.conditions = {Condition{"Ready", ConditionStatus::false_, "X", "y", TimePoint{} + std::chrono::hours{1}}};
    status.verdict.emplace().rank = 3;
    const auto told = unpack<ObjectStatus>(pack(status));
    REQUIRE(told.has_value());
    CHECK(told->conditions.front().last_transition == status.conditions.front().last_transition);
    CHECK(told->verdict->rank == 3);
}

TEST_CASE("archive: bytes that are cut off, too long or impossible are refused at every place") {
    const std::string whole = pack(version());
    for (std::size_t size = 0; size < whole.size(); ++size) CHECK(!unpack<ObservedVersion>(whole.substr(0, size)));
    CHECK(!unpack<ObservedVersion>(whole + '\0'));
    CHECK(!unpack<std::vector<std::string>>(std::string("\xff\xff\xff\xff\x0f", 5)));  // four thousand million of them
    CHECK(!unpack<std::string>(std::string(11, '\xff')));
    CHECK(!unpack<Step>(std::string(1, '\x7f')));        // no such alternative
    for (std::size_t at = 0; at < whole.size(); ++at) {  // any byte wrong: something else or nothing, never a crash
        std::string wrong = whole;
        wrong[at] = static_cast<char>(wrong[at] ^ 0x5a);
        const auto read = unpack<ObservedVersion>(wrong);
        CHECK((!read || pack(*read).size() > 0));
    }
}

TEST_CASE("archive: numbers of every size and sign come back") {
    for (const std::int64_t number :
         {std::int64_t{0}, std::int64_t{-1}, std::int64_t{63}, std::int64_t{64}, std::int64_t{-65},
          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()})
        CHECK(unpack<std::int64_t>(pack(number)) == number);
    CHECK(unpack<std::uint64_t>(pack(~std::uint64_t{0})) == ~std::uint64_t{0});
    CHECK(unpack<double>(pack(-0.1)) == -0.1);
    CHECK(unpack<std::optional<int>>(pack(std::optional<int>{})) == std::optional<std::optional<int>>(std::in_place));
}

}  // namespace
}  // namespace galleryd
