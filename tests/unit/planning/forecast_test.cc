#include "reconcilers/image_definition/forecast.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/planning/forecast_estate.h"
#include "tests/unit/planning/random_estate.h"

using namespace galleryd;
using namespace galleryd::test;

TEST_CASE("a forecast names, marks and deletes to the second, with grace between") {
    const Estate estate;
    const Forecast forecast = estate.forecast("2026-04-15T00:00:00Z");
    const VersionForecast& oldest = of(forecast, "1.1.0");  // published 2026-01-01, older than 100 d after 2026-04-11
    CHECK(text_of(oldest.named) == "2026-04-11T00:00:01Z");
    CHECK(text_of(oldest.marked) == "2026-04-11T00:00:01Z");
    CHECK(text_of(oldest.verdict.delete_after) == "2026-04-18T00:00:01Z");
    CHECK(text_of(oldest.deleted) == "2026-04-18T00:00:02Z");
    CHECK(oldest.named_by == "standard/olderThan");
    CHECK(oldest.verdict.candidate);
    CHECK(oldest.in_azure);
    CHECK(oldest.people.empty());
    const VersionForecast& second = of(forecast, "1.2.0");
    CHECK_FALSE(second.verdict.candidate);  // not on that date …
    CHECK(second.verdict.rule == "standard/retention");
    CHECK(text_of(second.named) == "2026-05-12T00:00:01Z");  // … but its date is told
    const VersionForecast& newest = of(forecast, "1.4.0");
    CHECK(newest.verdict.rule == "newestUsable");
    CHECK(text_of(newest.named) == "never");
    CHECK(forecast.precision.count() == 0);
}

TEST_CASE("what is deleted on the way is gone on the date and keeps the rule that decided") {
    const Estate estate;
    const Forecast forecast = estate.forecast("2026-06-01T00:00:00Z");
    const VersionForecast& oldest = of(forecast, "1.1.0");
    CHECK_FALSE(oldest.in_azure);
    CHECK(oldest.verdict.rule == "standard/olderThan");
    CHECK(text_of(oldest.deleted) == "2026-04-18T00:00:02Z");
    CHECK(forecast.plan.verdicts.size() == 2);  // 1.2.0 has gone as well
    CHECK(forecast.versions.size() == 4);
    CHECK(forecast.versions.front().verdict.version == "1.4.0");
}

TEST_CASE("an approval is never assumed: the version is due, and who has to be asked is told") {
    Estate estate;
    estate.lifecycle.retention->approval_required = true;
    const Forecast forecast = estate.forecast("2027-01-01T00:00:00Z");
    const VersionForecast& oldest = of(forecast, "1.1.0");
    CHECK(oldest.in_azure);
    CHECK(text_of(oldest.due) == "2026-04-18T00:00:02Z");
    CHECK(text_of(oldest.deleted) == "never");
    REQUIRE(oldest.people.size() == 1);
    CHECK(oldest.people.front().reason == "approval_required");
    CHECK(waits_for(oldest.verdict.blocked_by, "approval_required"));
    // Also while it waits for its grace, when nothing is blocked yet.
    const VersionForecast early = of(estate.forecast("2026-04-12T00:00:00Z"), "1.1.0");
    CHECK(early.verdict.blocked_by.empty());
    CHECK(waits_for(early.people, "approval_required"));
}

TEST_CASE("an approval of today that has ended by then approves nothing") {
    Estate estate;
    estate.lifecycle.retention->approval_required = true;
    for (ObservedVersion& version : estate.view.versions) {
        if (version.name != "1.1.0") continue;
        version.tags[delete_after_tag] = "2026-04-01T00:00:00Z";
        version.tags[delete_rule_tag] = "standard/olderThan";
        version.published = date("2025-01-01T00:00:00Z");
    }
    const std::string digest = estate.forecast("2026-04-02T00:00:00Z").plan.deletions_digest;
    REQUIRE(digest.starts_with("sha256:"));
    estate.policy.approvals = {digest};
    estate.approvals_until[digest] = estate.now + std::chrono::hours{1};
    CHECK(text_of(of(estate.forecast("2026-04-02T00:00:00Z"), "1.1.0").deleted) == "2026-04-02T00:00:00Z");
    for (ObservedVersion& version : estate.view.versions) {
        if (version.name == "1.1.0") version.tags[delete_after_tag] = "2026-04-02T02:00:00Z";
    }
    const VersionForecast later = of(estate.forecast("2026-04-02T12:00:00Z"), "1.1.0");
    CHECK(text_of(later.deleted) == "never");
    CHECK(waits_for(later.verdict.blocked_by, "approval_required"));
}

TEST_CASE("without --allow-deletes a mark is made and the flag is what it waits for") {
    Estate estate;
    estate.policy.allow_deletes = false;
    const VersionForecast oldest = of(estate.forecast("2026-06-01T00:00:00Z"), "1.1.0");
    CHECK(text_of(oldest.marked) == "2026-04-11T00:00:01Z");
    CHECK(text_of(oldest.due) == "2026-04-18T00:00:02Z");
    CHECK(text_of(oldest.deleted) == "never");
    CHECK(waits_for(oldest.people, "deletes_not_allowed"));
}

TEST_CASE("use that is seen, or not known, stops the mark, and the forecast says that it asks") {
    Estate estate;
    estate.policy.usage[version_id(definition_resource, "1.1.0").key()] = {UsageState::in_use, "1 virtual machine"};
    estate.policy.usage.erase(version_id(definition_resource, "1.2.0").key());
    const Forecast forecast = estate.forecast("2027-01-01T00:00:00Z");
    const VersionForecast& used = of(forecast, "1.1.0");
    CHECK(text_of(used.named) == "2026-04-11T00:00:01Z");
    CHECK(text_of(used.marked) == "never");
    CHECK(text_of(used.due) == "never");
    CHECK(waits_for(used.verdict.blocked_by, "in_use"));
    CHECK(waits_for(of(forecast, "1.2.0").verdict.blocked_by, "usage_unknown"));
    CHECK(text_of(of(forecast, "1.3.0").deleted) != "never");
    CHECK(forecast.asks_usage.has_value());
}

TEST_CASE("a first look that shows nobody is taken for two from its time on") {
    Estate estate;
    VersionUsage& usage = estate.policy.usage[version_id(definition_resource, "1.1.0").key()];
    usage = {UsageState::unknown, "a second look decides"};
    CHECK(text_of(of(estate.forecast("2027-01-01T00:00:00Z"), "1.1.0").marked) == "never");
    usage.settles_at = estate.now + std::chrono::minutes{15};
    CHECK(text_of(of(estate.forecast("2027-01-01T00:00:00Z"), "1.1.0").deleted) == "2026-04-18T00:00:02Z");
    CHECK(of(estate.forecast("2026-04-02T00:00:00Z"), "1.1.0").verdict.blocked_by.empty());
}

TEST_CASE("a window moves the deletion to its next opening, in its own time zone") {
    Estate estate;
    estate.lifecycle.retention->window = DeletionWindow{
        .days = {1}, .from_minute = 60, .to_minute = 300, .time_zone = "Etc/GMT+5"};  // Mondays 01:00 to 05:00, UTC-5
    const VersionForecast oldest = of(estate.forecast("2026-04-19T00:00:00Z"), "1.1.0");
    CHECK(text_of(oldest.deleted) == "2026-04-20T06:00:00Z");
    CHECK(text_of(oldest.due) == "2026-04-20T06:00:00Z");
    CHECK(waits_for(oldest.verdict.blocked_by, "window"));
    estate.lifecycle.retention->window->time_zone = "Mars/Olympus";
    const VersionForecast never = of(estate.forecast("2027-04-19T00:00:00Z"), "1.1.0");
    CHECK(text_of(never.deleted) == "never");
    CHECK(waits_for(never.verdict.blocked_by, "window"));
}

TEST_CASE("a version that is declared and not made yet pushes an older one out") {
    Estate estate;
    estate.lifecycle.retention->keep_newest = 4;
    CHECK(text_of(of(estate.forecast("2027-01-01T00:00:00Z"), "1.1.0").named) == "never");
    estate.declare("1.5.0");
    const Forecast today = estate.forecast("2026-04-02T00:00:00Z");
    CHECK(of(today, "1.5.0").verdict.rule == "notInAzure");
    CHECK_FALSE(of(today, "1.5.0").in_azure);
    const Forecast then = estate.forecast("2027-01-01T00:00:00Z");
    CHECK(of(then, "1.5.0").in_azure);
    CHECK(of(then, "1.5.0").verdict.rule == "newestUsable");
    CHECK(then.plan.latest == "1.5.0");
    CHECK(text_of(of(then, "1.1.0").deleted) == "2026-04-18T00:00:02Z");
    CHECK(text_of(of(then, "1.2.0").named) == "never");
}

TEST_CASE("a definition that is to be adopted governs its versions once it is") {
    Estate estate;
    estate.view.definition->tags.clear();
    CHECK(text_of(of(estate.forecast("2027-01-01T00:00:00Z"), "1.1.0").named) == "never");
    estate.definition.governance.adoption = Adoption::adopt;
    CHECK(text_of(of(estate.forecast("2027-01-01T00:00:00Z"), "1.1.0").deleted) == "2026-04-18T00:00:02Z");
    CHECK(of(estate.forecast("2026-04-02T00:00:00Z"), "1.1.0").verdict.rule == "notOurs");
}

TEST_CASE("a policy that only reports marks and deletes nothing, whatever the date") {
    Estate estate;
    estate.lifecycle.retention->action = RetentionAction::report;
    const VersionForecast oldest = of(estate.forecast("2030-01-01T00:00:00Z"), "1.1.0");
    CHECK(oldest.verdict.candidate);
    CHECK(text_of(oldest.named) == "2026-04-11T00:00:01Z");
    CHECK(text_of(oldest.marked) == "never");
    CHECK(text_of(oldest.due) == "never");
    CHECK(oldest.verdict.blocked_by.empty());
}

TEST_CASE("the hourly brake spreads deletions over hours") {
    Estate estate;
    estate.policy.deletes_per_hour_max = 1;
    for (ObservedVersion& version : estate.view.versions) version.published = date("2026-01-01T00:00:00Z");
    const Forecast forecast = estate.forecast("2026-05-01T00:00:00Z");
    CHECK(text_of(of(forecast, "1.1.0").deleted) == "2026-04-18T00:00:02Z");
    CHECK(text_of(of(forecast, "1.2.0").deleted) == "2026-04-18T01:00:02Z");
    CHECK(text_of(of(forecast, "1.3.0").deleted) == "2026-04-18T02:00:02Z");
    CHECK(text_of(of(forecast, "1.4.0").deleted) == "never");
}

TEST_CASE("hundreds of versions cost a bounded number of plans, and the dates say how exact they are") {
    Estate estate;
    estate.lifecycle.retention->action = RetentionAction::report;
    for (int i = 0; i < 300; ++i) {
        ObservedVersion& version = estate.publish(1);
        version.name = "0." + std::to_string(i) + ".0";
        version.number = parse_image_version_number(version.name);
        version.id = version_id(definition_resource, version.name);
        version.published = date("2026-01-01T00:00:00Z") + std::chrono::hours{i};
    }
    const Forecast forecast = estate.forecast("2026-04-20T00:00:00Z");
    CHECK(forecast.plans_made < 1000);
    CHECK(forecast.precision.count() > 0);
    CHECK(forecast.precision < std::chrono::hours{3});
    for (const VersionForecast& version : forecast.versions) {
        if (version.verdict.version == "1.4.0" || !version.verdict.version.starts_with("0.")) continue;
        CAPTURE(version.verdict.version);
        REQUIRE(version.named.has_value());
        const int hour = static_cast<int>(parse_image_version_number(version.verdict.version)->minor_number);
        const TimePoint exact = date("2026-04-11T00:00:01Z") + std::chrono::hours{hour};
        CHECK(*version.named >= exact);
        CHECK(*version.named <= exact + forecast.precision);
    }
}

TEST_CASE("on the date now a forecast is the plan of now, for any estate") {
    for (unsigned seed = 1; seed <= 300; ++seed) {
        CAPTURE(seed);
        const test::RandomEstate estate(seed);
        const Plan plan = plan_definition_scope(estate.input(), estate.policy, estate.now);
        ForecastInput input;
        input.scope = estate.input();
        input.policy = estate.policy;
        input.now = estate.now;
        input.at = estate.now;
        const Forecast forecast = forecast_retention(std::move(input));
        CHECK(forecast.plan.id == plan.id);
        REQUIRE(forecast.versions.size() >= plan.verdicts.size());
        for (const VersionVerdict& verdict : plan.verdicts) {
            const VersionForecast& told = of(forecast, verdict.version);
            CHECK(told.verdict.rule == verdict.rule);
            CHECK(told.verdict.text == verdict.text);
            CHECK(told.verdict.delete_after == verdict.delete_after);
            CHECK(told.verdict.blocked_by.size() == verdict.blocked_by.size());
        }
    }
}

TEST_CASE("a forecast never deletes what a keep rule, a hold or use protects, on any later date") {
    int deleted = 0, waiting = 0;
    for (unsigned seed = 1; seed <= 300; ++seed) {
        CAPTURE(seed);
        const test::RandomEstate estate(seed);
        ForecastInput input;
        input.scope = estate.input();
        input.policy = estate.policy;
        input.now = estate.now;
        input.at = estate.now + std::chrono::days{90};
        const Forecast forecast = forecast_retention(std::move(input));
        for (const VersionForecast& version : forecast.versions) {
            if (version.due && !version.deleted) ++waiting;
            if (!version.deleted) continue;
            ++deleted;
            CAPTURE(version.verdict.version);
            const auto& held = estate.view.versions;
            const auto found = std::ranges::find(held, version.verdict.arm_id, &ObservedVersion::id);
            if (found == held.end()) continue;
            CHECK(found->published.has_value());
            CHECK_FALSE(found->tags.contains("Galleryd-HOLD"));
            CHECK_FALSE(found->tags.contains("odd"));
            CHECK_FALSE(estate.policy.locked.contains(found->id.key()));
            CHECK(estate.policy.usage_of(found->id).state == UsageState::not_in_use);
            CHECK(estate.policy.allow_deletes);
            CHECK_FALSE(estate.policy.observe);
            CHECK(version.due.has_value());
        }
    }
    CHECK(deleted > 50);
    CHECK(waiting > 20);
}

// A moment that is missing would let the plan on the date see what the walk passed over.
TEST_CASE("the dates of a forecast do not depend on the date that is asked about") {
    int compared = 0;
    for (unsigned seed = 1; seed <= 150; ++seed) {
        CAPTURE(seed);
        const test::RandomEstate estate(seed);
        const auto forecast_to = [&](Duration ahead) {
            ForecastInput input;
            input.scope = estate.input();
            input.policy = estate.policy;
            input.now = estate.now;
            input.at = estate.now + ahead;
            return forecast_retention(std::move(input));
        };
        const Forecast far = forecast_to(std::chrono::days{200});
        for (const int hours : {3, 31, 170, 333, 1000, 2222}) {
            CAPTURE(hours);
            const Forecast near = forecast_to(std::chrono::hours{hours} + std::chrono::minutes{7});
            for (const VersionForecast& version : far.versions) {
                const VersionForecast& other = of(near, version.verdict.version);
                CAPTURE(version.verdict.version);
                CHECK(text_of(other.named) == text_of(version.named));
                CHECK(text_of(other.marked) == text_of(version.marked));
                CHECK(text_of(other.due) == text_of(version.due));
                CHECK(text_of(other.deleted) == text_of(version.deleted));
                compared += version.named.has_value();
            }
        }
    }
    CHECK(compared > 500);
}
