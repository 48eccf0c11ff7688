#include "controller/program/command_retention.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "controller/program/retention_output.h"

using namespace galleryd;

namespace {

TimePoint date(const std::string& text) { return *parse_rfc3339(text); }

VersionForecast version(const std::string& number, bool candidate) {
    VersionForecast made;
    made.verdict.address = "images/golden/ubuntu/" + number;
    made.verdict.version = number;
    made.verdict.state = "Active";
    made.verdict.rule = candidate ? "standard/olderThan" : "standard/keepNewest";
    made.verdict.text = candidate ? "it is older than 90d" : "it is among the newest 3 usable versions";
    made.verdict.candidate = candidate;
    made.in_azure = true;
    return made;
}

BlockReason reason(int point, const std::string& name, const std::string& condition) {
    return {.interlock_point = point,
            .reason = name,
            .condition = condition,
            .message = "because of " + name,
            .way_out = "do something about " + name};
}

RetentionPreview preview() {
    RetentionPreview made;
    made.now = date("2026-11-21T00:00:00Z");
    made.at = date("2027-06-01T23:59:59Z");
    Forecast forecast;
    forecast.now = made.now;
    forecast.plan.scope = "images/golden/ubuntu";
    forecast.plan.observed_at = made.now;
    forecast.plan.latest = "1.4.0";
    forecast.versions.push_back(version("1.4.0", false));
    VersionForecast waits = version("1.3.0", true);
    waits.named = waits.marked = date("2027-02-01T00:00:01Z");
    waits.due = date("2027-02-08T00:00:02Z");
    waits.people = waits.verdict.blocked_by = {reason(10, "approval_required", "ApprovalRequired")};
    forecast.versions.push_back(waits);
    VersionForecast used = version("1.2.0", true);
    used.named = made.now;
    used.verdict.blocked_by = {reason(7, "in_use", "InUse"), reason(10, "approval_required", "ApprovalRequired")};
    forecast.versions.push_back(used);
    VersionForecast gone = version("1.1.0", true);
    gone.in_azure = false;
    gone.named = gone.marked = made.now;
    gone.due = gone.deleted = date("2026-11-28T00:00:02Z");
    forecast.versions.push_back(gone);
    made.forecasts.push_back(std::move(forecast));
    return made;
}

}  // namespace

TEST_CASE("a day alone means its end in UTC, an instant what it says") {
    CHECK(parse_preview_date("2027-06-01").value() == date("2027-06-01T23:59:59Z"));
    CHECK(parse_preview_date("2027-06-01T06:00:00+02:00").value() == date("2027-06-01T04:00:00Z"));
    for (const char* text : {"", "tomorrow", "2027-6-1", "2027-13-01", "2027-02-29", "2027-06-01T06:00:00", "+90d",
                             "2027-06-01 06:00", "20270601"}) {
        CAPTURE(text);
        const auto parsed = parse_preview_date(text);
        REQUIRE_FALSE(parsed.has_value());
        CHECK(parsed.error().code == "GD5030");
    }
}

TEST_CASE("a preview looks ahead only, and not for ever") {
    const TimePoint now = date("2026-11-21T12:00:00Z");
    CHECK(check_preview_date(now, now, "now").has_value());
    CHECK(check_preview_date(date("2126-11-20T00:00:00Z"), now, "far").has_value());
    for (const char* text : {"2026-11-21T11:59:59Z", "2020-01-01T00:00:00Z", "2127-01-01T00:00:00Z"}) {
        const Status checked = check_preview_date(date(text), now, text);
        REQUIRE_FALSE(checked.has_value());
        CHECK(checked.error().code == "GD5030");
        CHECK(checked.error().message.find(text) != std::string::npos);
    }
}

TEST_CASE("garbage dates end the command before anything is opened") {
    RetentionOptions options;
    options.at = "next tuesday";
    options.common.sources = {"dir:/nonexistent"};
    std::ostringstream out, err;
    CHECK(run_retention_preview(options, out, err) == exit_usage);
    CHECK(out.str().empty());
    CHECK(err.str().find("next tuesday") != std::string::npos);
    CHECK(err.str().find("GD5030") != std::string::npos);
}

TEST_CASE("one word says what stands on the date") {
    const RetentionPreview made = preview();
    const auto& versions = made.forecasts.front().versions;
    CHECK(fate_of(versions[0], made.at) == "keep");
    CHECK(fate_of(versions[1], made.at) == "waits");
    CHECK(fate_of(versions[2], made.at) == "blocked");
    CHECK(fate_of(versions[3], made.at) == "gone");
    VersionForecast one = version("1.0.0", true);
    CHECK(fate_of(one, made.at) == "report");
    one.verdict.delete_after = made.at + std::chrono::hours{1};
    CHECK(fate_of(one, made.at) == "marked");
    one.verdict.blocked_by = {reason(10, "window", "BrakeEngaged")};
    CHECK(fate_of(one, made.at) == "marked");
    one.verdict.blocked_by = {reason(1, "observing", "Held")};  // spec.mode, not a flag
    CHECK(fate_of(one, made.at) == "blocked");
    one.verdict.blocked_by.clear();
    one.deleted = made.at;
    CHECK(fate_of(one, made.at) == "delete");
    one.in_azure = false;
    one.deleted.reset();
    CHECK(fate_of(one, made.at) == "absent");
}

TEST_CASE("the text names for every version the rule, the dates and who is in the way") {
    std::ostringstream out;
    print_retention_text(out, preview());
    const std::string text = out.str();
    CAPTURE(text);
    CHECK(text.starts_with(
        "retention on 2027-06-01T23:59:59Z (in 192d); observed 2026-11-21T00:00:00Z; dates are UTC\n"));
    CHECK(text.find("images/golden/ubuntu   latest 1.4.0\n") != std::string::npos);
    CHECK(text.find("standard/keepNewest") != std::string::npos);
    CHECK(text.find("2027-02-01 00:00  2027-02-01 00:00  2027-02-08 00:00  approval_required") != std::string::npos);
    CHECK(text.find("in_use, approval_required") != std::string::npos);
    CHECK(text.find("now               now               2026-11-28 00:00") != std::string::npos);
    CHECK(text.find("    1.3.0, 1.2.0  approval_required: because of approval_required. do something") !=
          std::string::npos);
    CHECK(text.find("Assumed until then: ") != std::string::npos);
    CHECK(text.ends_with("4 versions: 1 keep, 1 blocked, 1 waits, 1 gone.\n"));
}

TEST_CASE("the JSON carries every date and every reason with its way out") {
    const auto json = retention_to_json(preview());
    CHECK(json.at("kind") == "RetentionPreview");
    CHECK(json.at("format_version") == "1.0");
    CHECK(json.at("at") == "2027-06-01T23:59:59Z");
    CHECK(json.at("observed").at("complete") == true);
    const auto& waits = json.at("versions").at(1);
    CHECK(waits.at("fate") == "waits");
    CHECK(waits.at("rule") == "standard/olderThan");
    CHECK(waits.at("marked_at") == "2027-02-01T00:00:01Z");
    CHECK(waits.at("due_at") == "2027-02-08T00:00:02Z");
    CHECK(waits.at("deleted_at").is_null());
    CHECK(waits.at("needs").at(0).at("reason") == "approval_required");
    CHECK(waits.at("needs").at(0).at("way_out") == "do something about approval_required");
    CHECK(json.at("versions").at(3).at("state") == "Deleted");
    CHECK(json.at("summary").at("gone") == 1);
    CHECK(json.at("summary").at("delete") == 0);
    RetentionPreview unread = preview();
    unread.documents_whole = false;
    CHECK(retention_to_json(unread).at("observed").at("complete") == false);
}
