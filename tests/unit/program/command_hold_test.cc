#include "controller/program/command_hold.h"

#include <doctest/doctest.h>

#include <sstream>

#include "controller/core/policy.h"

using namespace galleryd;

namespace {

ObservedVersion version_with(ObservedTags tags) {
    ObservedVersion version;
    version.id = ResourceId(
        "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/galleries/golden/images/ubuntu/versions/1.0.0");
    version.name = "1.0.0";
    version.location = "eastus";
    version.state = ProvisioningState::succeeded;
    version.tags = std::move(tags);
    version.exclude_from_latest = true;
    version.end_of_life = parse_rfc3339("2030-01-01T00:00:00Z");
    version.block_deletion_before_end_of_life = true;
    TargetRegion east, west;
    east.name = "eastus";
    east.replicas = 3;
    west.name = "westus";
    west.storage_account_type = "Standard_ZRS";
    version.target_regions = {east, west};
    return version;
}

std::optional<TimePoint> at(const char* text) { return parse_rfc3339(text); }

int hold(HoldOptions options, std::string& err, bool release = false) {
    std::ostringstream out, errors;
    const int code = release ? run_release(options, out, errors) : run_hold(options, out, errors);
    err = errors.str();
    CHECK(out.str().empty());
    return code;
}

}  // namespace

TEST_CASE("a hold is written with its end in front, so that people see it first") {
    const ObservedVersion version = version_with({{"team", "web"}});
    const auto value = value_after(version, {.reason = "incident 4711", .until_text = "2026-12-24", .asked_by = "x"},
                                   at("2026-01-01T00:00:00Z"));
    REQUIRE(value.has_value());
    CHECK(*value == "until 2026-12-24; incident 4711");
    const auto nameless =
        value_after(version, {.reason = "", .until_text = "", .asked_by = "held by ana"}, at("2026-01-01T00:00:00Z"));
    REQUIRE(nameless.has_value());
    CHECK(*nameless == "held by ana");
}

TEST_CASE("a hold is only ever made longer, and keeps its reason") {
    const auto now = at("2026-03-01T00:00:00Z");
    const auto after = [&](const char* there, const char* reason, const char* until) {
        const auto value = value_after(version_with({{"Galleryd-HOLD", there}}),
                                       {.reason = reason, .until_text = until, .asked_by = "held by ana"}, now);
        REQUIRE(value.has_value());
        return value->value_or("stays");
    };
    CHECK(after("audit", "incident", "") == "stays");
    CHECK(after("audit", "", "2027-01-01") == "stays");
    CHECK(after("until the audit is over", "", "2027-01-01") == "stays");
    CHECK(after("until 2026-04-01; audit", "incident", "2026-04-01") == "stays");
    CHECK(after("until 2026-04-01; audit", "incident", "2026-03-31T00:00:00Z") == "stays");
    CHECK(after("until 2026-04-01; audit", "", "2026-05-01") == "until 2026-05-01; audit");
    CHECK(after("until 2026-04-01; audit", "audit", "") == "audit");
    CHECK(after("until 2026-04-01; audit", "incident", "") == "audit; incident");
    CHECK(after("until 2026-04-01", "incident", "2026-05-01") == "until 2026-05-01; incident");
    CHECK(after("until 2026-02-01; audit", "", "2026-03-02") == "until 2026-03-02; held by ana");  // that one is over
    const auto unknown = value_after(version_with({{hold_tag, "until 2026-02-01; audit"}}),
                                     {.reason = "", .until_text = "2026-01-15", .asked_by = "x"}, std::nullopt);
    REQUIRE(unknown.has_value());
    CHECK_FALSE(unknown->has_value());  // without a clock nothing is over
}

TEST_CASE("two reasons that do not fit into one tag are refused") {
    const auto value =
        value_after(version_with({{hold_tag, "until 2026-04-01; " + std::string(200, 'a')}}),
                    {.reason = std::string(100, 'b'), .until_text = "", .asked_by = "x"}, at("2026-03-01T00:00:00Z"));
    REQUIRE_FALSE(value.has_value());
    CHECK(value.error().code == "GD5034");
}

TEST_CASE("a hold ends on a date that is ahead, or it is refused") {
    const TimePoint now = *parse_rfc3339("2026-03-01T00:00:00Z");
    for (const char* good : {"", "2026-03-01", "2026-02-28", "2026-03-01T00:00:01Z", "2027-01-01T00:00:00+02:00"})
        CHECK(check_hold_end(good, now).has_value());  // 28 February ends at noon of 1 March where it ends last
    for (const char* bad : {"2026-02-27", "2026-03-01T00:00:00Z", "tomorrow", "2026-02-30", "14d"}) {
        CAPTURE(bad);
        const Status checked = check_hold_end(bad, now);
        REQUIRE_FALSE(checked.has_value());
        CHECK(checked.error().code == "GD5036");
    }
}

TEST_CASE("a release names the tag in the spelling that it has") {
    CHECK(hold_spelling(version_with({{"team", "web"}, {"Galleryd-HOLD", "audit"}})) == "Galleryd-HOLD");
    CHECK(hold_spelling(version_with({{"team", "web"}})) == hold_tag);
}

TEST_CASE("a tag without a value holds as well") {
    CHECK_FALSE(hold_on(version_with({{"galleryd-held", "x"}})).has_value());
    CHECK(hold_on(version_with({{hold_tag, std::nullopt}})) == "");
    CHECK(hold_on(version_with({{"GALLERYD-hold", "audit"}})) == "audit");
}

TEST_CASE("a reason fits into a tag: 256 characters, in one line") {
    CHECK(check_hold_value("", "").has_value());
    CHECK(check_hold_value("until 2026-12-24; audit", "").error().code == "GD5036");  // it would end
    CHECK(check_hold_value("until 2026-12-24; audit", "2026-12-24").has_value());
    CHECK(check_hold_value("until 2026-03-01; until 2026-12-24; x", "2026-12-24").error().code == "GD5036");
    CHECK(check_hold_value(std::string(256, 'a'), "").has_value());
    std::string umlauts;
    for (int i = 0; i < 256; ++i) umlauts += "ü";
    CHECK(check_hold_value(umlauts, "").has_value());
    for (const std::string& reason : {std::string(257, 'a'), umlauts + "a", std::string("two\nlines"),
                                      std::string("\x1b[31mred"), std::string("bell\a")}) {
        const Status checked = check_hold_value(reason, "");
        REQUIRE_FALSE(checked.has_value());
        CHECK(checked.error().code == "GD5034");
    }
}

TEST_CASE("what cannot be held is refused before anything is opened") {
    HoldOptions options;
    options.common.azure = "https://never.asked.example";
    options.common.state_dir = "/nonexistent/never/made";
    std::string err;
    options.version = "golden/ubuntu";
    CHECK(hold(options, err) == exit_usage);
    CHECK(err.find("GD5022") != std::string::npos);
    options.version = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    CHECK(hold(options, err, true) == exit_usage);
    CHECK(err.find("GD5032") != std::string::npos);
    CHECK(err.find("galleryd approve sha256:1111") != std::string::npos);
    options.version = "golden/ubuntu/1.0.0";
    options.common.observe = true;
    CHECK(hold(options, err) == exit_usage);
    CHECK(err.find("GD5031") != std::string::npos);
    options.common.observe = false;
    options.until = "2020-02-30";
    CHECK(hold(options, err) == exit_usage);
    CHECK(err.find("GD5036") != std::string::npos);
    options.until.clear();
    options.timeout = "soon";
    CHECK(hold(options, err, true) == exit_usage);
    CHECK(err.find("GD5003") != std::string::npos);
}
