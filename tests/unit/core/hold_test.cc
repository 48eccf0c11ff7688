#include "controller/core/hold.h"

#include <doctest/doctest.h>

using namespace galleryd;

namespace {

TimePoint at(const char* text) { return *parse_rfc3339(text); }

}  // namespace

TEST_CASE("a hold says why, and perhaps until when") {
    struct Row {
        const char* value;
        const char* reason;
        const char* until;  // "" = without end
    };
    for (const Row& row : {
             Row{"", "", ""},
             Row{"incident 4711", "incident 4711", ""},
             Row{"until 2026-12-24; incident 4711", "incident 4711", "2026-12-25T11:59:59.999999Z"},
             Row{"until 2026-12-24", "", "2026-12-25T11:59:59.999999Z"},
             Row{"  Until  2026-12-24T18:00:00Z ;  audit; ask ana ", "audit; ask ana", "2026-12-24T18:00:00Z"},
             Row{"until 2026-12-24T18:00:00+02:00;", "", "2026-12-24T16:00:00Z"},
             // No end that can be read is no end.
             Row{"until the audit is over", "until the audit is over", ""},
             Row{"until 2026-12-24 the audit runs", "until 2026-12-24 the audit runs", ""},
             Row{"until 2026-02-30; audit", "until 2026-02-30; audit", ""},
             Row{"until2026-12-24; audit", "until2026-12-24; audit", ""},
             Row{"not until 2026-12-24; audit", "not until 2026-12-24; audit", ""},
             Row{"until", "until", ""},
             Row{"until ;", "until ;", ""},
         }) {
        CAPTURE(row.value);
        const HoldText hold = parse_hold(row.value);
        CHECK(hold.reason == row.reason);
        CHECK(hold.until.has_value() == (*row.until != '\0'));
        if (hold.until) CHECK(format_rfc3339(*hold.until) == row.until);
    }
}

TEST_CASE("what is written as a hold is read back") {
    for (const char* until : {"", "2026-12-24", "2026-12-24T18:00:00Z"}) {
        for (const char* reason : {"", "incident 4711", "a; b"}) {
            const HoldText hold = parse_hold(hold_value(until, reason));
            CHECK(hold.reason == reason);
            CHECK(hold.until_text == until);
            CHECK(hold.until == parse_deadline(until));
        }
    }
}

TEST_CASE("a hold is over once its end has passed for certain, and never without an end") {
    const std::string value = "until 2026-12-24T18:00:00Z; audit";
    CHECK_FALSE(is_hold_over(value, at("2026-12-24T17:59:59Z")));
    CHECK_FALSE(is_hold_over(value, at("2026-12-24T18:00:00Z")));  // the instant itself is held
    CHECK(is_hold_over(value, at("2026-12-24T18:00:01Z")));
    CHECK_FALSE(is_hold_over(value, std::nullopt));
    CHECK_FALSE(is_hold_over(std::nullopt, at("2999-01-01T00:00:00Z")));
    CHECK_FALSE(is_hold_over("", at("2999-01-01T00:00:00Z")));
    CHECK_FALSE(is_hold_over("until it rains", at("2999-01-01T00:00:00Z")));
}

TEST_CASE("what has passed is certain only with two clocks that agree") {
    Policy policy;
    const TimePoint now = at("2026-12-24T18:00:00Z");
    CHECK_FALSE(certain_time(policy, now).has_value());
    policy.clock_skew = std::chrono::minutes{5};
    CHECK_FALSE(certain_time(policy, now).has_value());
    policy.clock_skew = Duration{-1};
    CHECK_FALSE(certain_time(policy, now).has_value());
    policy.clock_skew = std::chrono::minutes{2};
    CHECK(certain_time(policy, now) == at("2026-12-24T17:58:00Z"));
}
