#include "reconcilers/lifecycle/estate.h"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>

#include "reconcilers/lifecycle/quiet_scopes.h"
#include "tests/support/manual_clock.h"
#include "tests/support/run_task.h"

using namespace galleryd;

namespace {

const ResourceId golden = gallery_id("S1", "rg", "golden");
const ResourceId ubuntu = definition_id(golden, "ubuntu");
const ResourceId ubuntu_pro = definition_id(golden,
                                            "ubuntu-pro");  // '-' sorts before '/': between ubuntu and its versions

ObservedVersion version(const ResourceId& definition, const std::string& number, int replicas = 1) {
    ObservedVersion row;
    row.id = version_id(definition, number);
    row.name = number;
    row.number = parse_image_version_number(number);
    row.state = ProvisioningState::succeeded;
    row.target_regions.resize(1);
    row.target_regions.front().name = "eastus";
    row.target_regions.front().replicas = replicas;
    row.published = *parse_rfc3339("2026-01-01T00:00:00Z");
    return row;
}

// Answers with what stands in it, and counts.
struct FakeInventory : Inventory {
    std::vector<ObservedGallery> galleries;
    std::vector<ObservedDefinition> definitions;
    std::vector<ObservedVersion> versions;
    std::vector<std::string> unreadable;
    std::vector<ResourceChange> changes;
    std::optional<Error> look_fails_after_rows;
    bool truncated = false;
    int looks = 0, change_looks = 0, reads = 0;
    TimePoint now{};
    std::optional<TimePoint> asked_since, server_date;

    Task<LookSummary> look(LookRequest request, InventorySink& sink) override {
        ++looks;
        for (const auto& row : galleries) sink.on_gallery(row);
        for (const auto& row : definitions) sink.on_definition(row);
        for (const auto& row : versions) sink.on_version(row);
        if (look_fails_after_rows) co_return std::unexpected(*look_fails_after_rows);
        LookSummary summary;
        summary.requests = 2;
        summary.started = now;
        summary.server_date = server_date;
        for (const std::string& subscription : request.subscriptions) {
            const bool is_hidden = std::ranges::find(unreadable, fold_case(subscription)) != unreadable.end();
            (is_hidden ? summary.unreadable : summary.readable).push_back(fold_case(subscription));
        }
        co_return summary;
    }
    Task<ChangeList> changes_since(TimePoint since, std::vector<std::string>) override {
        ++change_looks;
        asked_since = since;
        ChangeList list;
        list.changes = changes;
        list.truncated = truncated;
        list.requests = 1;
        list.started = now;
        list.server_date = server_date;
        co_return list;
    }
    Task<RowSummary> read(std::vector<ResourceId> ids, InventorySink& sink) override {
        ++reads;
        for (const auto& row : versions) {
            if (std::ranges::find(ids, row.id) != ids.end()) sink.on_version(row);
        }
        co_return RowSummary{.missing = {}, .rows = ids.size(), .requests = 1};
    }
    Task<FactList> facts(std::vector<ResourceId>) override { co_return FactList{}; }
    Task<FactList> in_transition(std::vector<std::string>) override { co_return FactList{}; }
};

struct Bench {
    boost::asio::io_context context;
    ManualClock clock{context};
    FakeInventory azure;
    Estate estate{azure, clock};

    Bench() {
        ObservedGallery gallery;
        gallery.id = golden;
        gallery.name = "golden";
        gallery.state = ProvisioningState::succeeded;
        azure.galleries = {gallery};
        for (const ResourceId& id : {ubuntu, ubuntu_pro}) {
            ObservedDefinition definition;
            definition.id = id;
            definition.name = id.name();
            definition.state = ProvisioningState::succeeded;
            azure.definitions.push_back(definition);
        }
        azure.versions = {version(ubuntu, "1.0.0"), version(ubuntu, "1.0.1"), version(ubuntu_pro, "2.0.0")};
        azure.now = clock.now();
    }
    Result<EstateUpdate> refresh(bool full = false) {
        azure.now = clock.now();
        return run_task(context, clock, estate.refresh({"S1"}, full, 1));
    }
    std::size_t versions_of(const ResourceId& definition) { return estate.definition(definition)->versions.size(); }
};

}  // namespace

TEST_CASE(
    "estate: before the first look nothing is known, and nothing is "
    "called empty") {
    Bench bench;
    CHECK_FALSE(bench.estate.covers("s1"));
    CHECK_FALSE(bench.estate.gallery(golden).has_value());
    CHECK_FALSE(bench.estate.definition(ubuntu).has_value());
}

TEST_CASE(
    "estate: a full look gives every definition its own versions, "
    "whatever its neighbours are called") {
    Bench bench;
    const auto update = bench.refresh();
    REQUIRE(update.has_value());
    CHECK(update->was_full);
    CHECK(update->rows == 6);
    CHECK(update->touched == std::set<std::string>{golden.key(), ubuntu.key(), ubuntu_pro.key()});
    CHECK(bench.versions_of(ubuntu) == 2);
    CHECK(bench.versions_of(ubuntu_pro) == 1);
    CHECK(bench.estate.gallery(golden)->definition_names == std::vector<std::string>{"ubuntu", "ubuntu-pro"});
    CHECK(bench.estate.definition(definition_id(golden, "none"))->definition.has_value() == false);
    CHECK(bench.estate.definition(definition_id(golden, "none"))->gallery_exists);
}

TEST_CASE(
    "estate: a second full look touches what changed, what came and what "
    "went, and nothing else") {
    Bench bench;
    REQUIRE(bench.refresh().has_value());
    CHECK(bench.refresh(true)->touched.empty());
    bench.azure.versions = {version(ubuntu, "1.0.0", 2), version(ubuntu, "1.0.1"), version(ubuntu_pro, "2.0.0")};
    CHECK(bench.refresh(true)->touched == std::set<std::string>{ubuntu.key()});
    bench.azure.versions.pop_back();
    CHECK(bench.refresh(true)->touched == std::set<std::string>{ubuntu_pro.key()});
    CHECK(bench.versions_of(ubuntu_pro) == 0);
}

TEST_CASE("estate: a look that breaks off keeps what came and lets nothing go") {
    Bench bench;
    REQUIRE(bench.refresh().has_value());
    bench.azure.versions = {version(ubuntu, "1.0.0", 3)};
    bench.azure.look_fails_after_rows = Error{.kind = ErrorKind::transient, .reason = "Cut", .message = "cut"};
    CHECK_FALSE(bench.refresh(true).has_value());
    CHECK(bench.versions_of(ubuntu) == 2);
    CHECK(bench.estate.definition(ubuntu)->versions.front().target_regions.front().replicas == 3);
    CHECK(bench.versions_of(ubuntu_pro) == 1);
}

TEST_CASE("estate: rows grow stale, and then they answer nothing") {
    Bench bench;
    REQUIRE(bench.refresh().has_value());
    CHECK(bench.estate.covers("S1"));
    bench.clock.advance(Estate::stale_after);
    CHECK_FALSE(bench.estate.covers("S1"));
    CHECK_FALSE(bench.estate.definition(ubuntu).has_value());
}

TEST_CASE("estate: an unreadable subscription is not an empty one") {
    Bench bench;
    bench.azure.unreadable = {"s1"};
    bench.azure.versions.clear();
    REQUIRE(bench.refresh().has_value());
    CHECK(bench.estate.unreadable() == std::set<std::string>{"s1"});
    CHECK_FALSE(bench.estate.definition(ubuntu).has_value());
    REQUIRE(bench.refresh().has_value());
    CHECK(bench.azure.looks == 1);  // and it is not asked for again and again as if it were new
}

TEST_CASE(
    "Z8: estate: in between only changes are asked for, from ten minutes "
    "before the last time") {
    Bench bench;
    REQUIRE(bench.refresh().has_value());
    const TimePoint first = bench.clock.now();
    bench.clock.advance(std::chrono::minutes{1});
    auto update = bench.refresh();
    REQUIRE(update.has_value());
    CHECK(update->requests == 1);
    CHECK(update->touched.empty());
    CHECK(bench.azure.asked_since == first - Estate::overlap);
    bench.azure.versions.front() = version(ubuntu, "1.0.0", 5);
    bench.azure.changes = {{.id = version_id(ubuntu, "1.0.0"),
                            .kind = ResourceKind::version,
                            .type = ChangeType::updated,
                            .at = bench.clock.now(),
                            .changed_by = ""}};
    update = bench.refresh();
    CHECK(update->touched == std::set<std::string>{ubuntu.key()});
    CHECK(update->requests == 2);
    CHECK(bench.estate.definition(ubuntu)->versions.front().target_regions.front().replicas == 5);
    update = bench.refresh();  // the same record, within the overlap
    CHECK(update->touched.empty());
    CHECK(update->requests == 1);
    bench.azure.changes.push_back({.id = version_id(ubuntu_pro, "2.0.0"),
                                   .kind = ResourceKind::version,
                                   .type = ChangeType::removed,
                                   .at = bench.clock.now(),
                                   .changed_by = ""});
    CHECK(bench.refresh()->touched == std::set<std::string>{ubuntu_pro.key()});
    CHECK(bench.versions_of(ubuntu_pro) == 0);
    bench.azure.truncated = true;
    CHECK(bench.refresh()->was_full);
    CHECK(bench.azure.looks == 2);
}

TEST_CASE("Z8: estate: a removal whose record comes after that of the later creation takes nothing away") {
    Bench bench;
    REQUIRE(bench.refresh().has_value());
    const ResourceId made_again = version_id(ubuntu_pro, "2.0.0");
    const auto record = [&](ChangeType type, std::chrono::minutes at) {
        return ResourceChange{.id = made_again,
                              .kind = ResourceKind::version,
                              .type = type,
                              .at = bench.clock.now() + at,
                              .changed_by = ""};
    };
    const ResourceChange removed = record(ChangeType::removed, std::chrono::minutes{0});
    bench.azure.changes = {record(ChangeType::created, std::chrono::minutes{1})};
    bench.clock.advance(std::chrono::minutes{2});
    REQUIRE(bench.refresh().has_value());
    bench.azure.changes.insert(bench.azure.changes.begin(), removed);
    bench.azure.versions.back() = version(ubuntu_pro, "2.0.0", 4);
    CHECK(bench.refresh()->touched == std::set<std::string>{ubuntu_pro.key()});
    REQUIRE(bench.versions_of(ubuntu_pro) == 1);
    CHECK(bench.estate.definition(ubuntu_pro)->versions.front().target_regions.front().replicas == 4);
    CHECK(bench.refresh()->touched.empty());
}

TEST_CASE("Z8: estate: changes are asked for by Azure's clock, whatever ours says") {
    Bench bench;
    const TimePoint azure_says = bench.clock.now() - std::chrono::hours{2};  // ours is ahead
    bench.azure.server_date = azure_says;
    REQUIRE(bench.refresh().has_value());
    REQUIRE(bench.refresh().has_value());
    CHECK(bench.azure.asked_since == azure_says - Estate::overlap);
    bench.azure.server_date = azure_says + std::chrono::minutes{1};
    REQUIRE(bench.refresh().has_value());
    REQUIRE(bench.refresh().has_value());
    CHECK(bench.azure.asked_since == azure_says + std::chrono::minutes{1} - Estate::overlap);
}

namespace {

Plan clean_plan() {
    Plan plan;
    plan.scope = "images/golden/ubuntu";
    plan.id = "sha256:1";
    plan.observed_digest = "sha256:o";
    return plan;
}

Plan plan_with_conflict() {
    Plan plan = clean_plan();
    plan.conflicts.push_back(Conflict{.address = "a",
                                      .kind = "ImageVersion",
                                      .arm_id = ResourceId("/x"),
                                      .object = std::nullopt,
                                      .manifest = {},
                                      .code = "GD2101",
                                      .reason = "ImmutableFieldChanged",
                                      .path = "/source",
                                      .before = "b",
                                      .after = "c",
                                      .message = "",
                                      .ways_out = {}});
    return plan;
}

constexpr std::chrono::nanoseconds start{0};

}  // namespace

TEST_CASE(
    "quiet scopes: a clean hint of a scope never looked at suffices in a "
    "large estate, not in a small one") {
    QuietScopes quiet;
    CHECK(quiet.trust("s", clean_plan(), {}, true, start) == Trust::nothing);
    CHECK(quiet.trust("s", clean_plan(), {}, false, start) == Trust::hint);
}

TEST_CASE("quiet scopes: each of many is looked at once a day, a few at a time") {
    QuietScopes quiet;
    constexpr std::size_t scopes = 1100;
    const auto audits = [&] {  // scopes that come and ask
        int looks = 0;
        for (int i = 0; i < 40; ++i)
            looks += quiet.trust("s" + std::to_string(i), clean_plan(), {}, false, start) == Trust::nothing;
        return looks;
    };
    quiet.refill(scopes, start);
    CHECK(audits() == 0);  // not because the process has just begun
    int looks = 0, most = 0;
    for (int minute = 1; minute <= 24 * 60; ++minute) {
        quiet.refill(scopes, start + std::chrono::minutes{minute});
        const int now = audits();
        looks += now;
        most = std::max(most, now);
    }
    CHECK(looks >= 1099);
    CHECK(looks <= 1100);
    CHECK(most == 1);
    quiet.refill(scopes, start + std::chrono::hours{72});  // a machine that slept
    CHECK(audits() == 8);
}

TEST_CASE(
    "quiet scopes: what is to be done, is not whole or is still "
    "replicating is looked at") {
    QuietScopes quiet;
    Plan change = clean_plan();
    change.changes.emplace_back();
    CHECK(quiet.trust("s", change, {}, false, start) == Trust::nothing);
    Plan waiting = clean_plan();
    waiting.waiting.emplace_back("a");
    CHECK(quiet.trust("s", waiting, {}, false, start) == Trust::nothing);
    Plan partial = clean_plan();
    partial.complete = false;
    CHECK(quiet.trust("s", partial, {}, false, start) == Trust::nothing);
    CHECK(quiet.trust("s", clean_plan(), {.blind = false, .fresh_versions = true}, false, start) == Trust::nothing);
    CHECK(quiet.trust("s", clean_plan(), {.blind = true, .fresh_versions = false}, false, start) == Trust::nothing);
}

TEST_CASE(
    "quiet scopes: a difference that a look found to be for people is "
    "tolerated until anything moves") {
    QuietScopes quiet;
    const Plan hint = plan_with_conflict();
    CHECK(quiet.trust("s", hint, {}, false, start) == Trust::nothing);
    quiet.note_look("s", &hint, hint, start);
    CHECK(quiet.trust("s", hint, {}, false, start) == Trust::last_look);
    SUBCASE("another difference") {
        Plan other = hint;
        other.conflicts.front().before = "z";
        CHECK(quiet.trust("s", other, {}, false, start) == Trust::nothing);
    }
    SUBCASE("its rows moved") {
        quiet.touch("s");
        CHECK(quiet.trust("s", hint, {}, false, start) == Trust::nothing);
    }
    SUBCASE("it was clean in between") {
        CHECK(quiet.trust("s", clean_plan(), {}, false, start) == Trust::hint);
        CHECK(quiet.trust("s", hint, {}, false, start) == Trust::nothing);
    }
    SUBCASE("its documents were edited") {
        quiet.doubt("s");
        CHECK(quiet.trust("s", hint, {}, false, start) == Trust::nothing);
    }
    SUBCASE("the look was not settled") {
        Plan waiting = hint;
        waiting.waiting.emplace_back("a");
        quiet.note_look("s", &hint, waiting, start);
        CHECK(quiet.trust("s", hint, {}, false, start) == Trust::nothing);
    }
    SUBCASE("the scope was forgotten") {
        quiet.forget("s");
        CHECK(quiet.trust("s", hint, {}, false, start) == Trust::nothing);
    }
}

TEST_CASE("quiet scopes: what Resource Graph cannot show is read each hour") {
    QuietScopes quiet;
    const Plan hint = clean_plan();
    quiet.note_look("s", &hint, hint, start);
    const HintFacts blind{.blind = true, .fresh_versions = false};
    CHECK(quiet.trust("s", hint, blind, false, std::chrono::minutes{59}) == Trust::last_look);
    CHECK(quiet.trust("s", hint, blind, false, std::chrono::hours{1}) == Trust::nothing);
}

TEST_CASE(
    "quiet scopes: a version whose replication nobody saw may still be "
    "replicating for two days") {
    const TimePoint now = *parse_rfc3339("2026-11-21T00:00:00Z");
    DefinitionView view;
    view.versions = {version(ubuntu, "1.0.0")};
    CHECK_FALSE(facts_of(view, now).fresh_versions);
    view.versions.front().published = now - std::chrono::hours{47};
    CHECK(facts_of(view, now).fresh_versions);
    view.versions.front().replication_known = true;
    CHECK_FALSE(facts_of(view, now).fresh_versions);
    view.versions.front().replication_known = false;
    view.versions.front().published.reset();
    CHECK(facts_of(view, now).fresh_versions);
}
