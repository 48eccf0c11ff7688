#include "tests/unit/planning/forecast_estate.h"

using namespace galleryd;
using namespace galleryd::test;

TEST_CASE("a forecast sees a hold end, and what follows from that") {
    Estate estate;
    estate.view.versions.front().tags[hold_tag] = "until 2026-05-01T00:00:00Z; incident 4711";
    const VersionForecast held = of(estate.forecast("2026-05-01T00:00:00Z"), "1.1.0");  // that instant is held still
    CHECK_FALSE(held.verdict.candidate);
    CHECK(held.verdict.rule == "hold");
    CHECK(held.verdict.text == "held: tag galleryd-hold: until 2026-05-01T00:00:00Z; incident 4711");
    CHECK(text_of(held.marked) == "2026-05-01T00:00:01Z");
    CHECK(text_of(held.deleted) == "2026-05-08T00:00:02Z");
    const VersionForecast later = of(estate.forecast("2026-05-02T00:00:00Z"), "1.1.0");
    CHECK(later.verdict.candidate);
    CHECK(later.verdict.rule == "standard/olderThan");
    CHECK(later.verdict.text == "it is older than 100d; its hold ended with 2026-05-01T00:00:00Z");
    estate.view.versions.front().tags[hold_tag] = "until the audit is over";
    CHECK(text_of(of(estate.forecast("2026-09-01T00:00:00Z"), "1.1.0").named) == "never");
}

TEST_CASE("a forecast of a restored version begins with a new mark") {
    Estate estate;
    estate.now = date("2026-05-02T00:00:00Z");
    ObservedVersion& restored = estate.view.versions.front();
    restored.tags[delete_after_tag] = "2026-04-18T00:00:01Z";
    restored.tags[delete_rule_tag] = "standard/olderThan";
    estate.policy.records[restored.id.key()].gone_at = date("2026-04-30T00:00:00Z");
    const VersionForecast told = of(estate.forecast("2026-05-03T00:00:00Z"), "1.1.0");
    CHECK(text_of(told.marked) == "2026-05-02T00:00:00Z");
    CHECK(text_of(told.verdict.delete_after) == "2026-05-09T00:00:00Z");
    CHECK(text_of(told.deleted) == "2026-05-09T00:00:01Z");
}
