#include <array>

#include "controller/core/time.h"
#include "tests/fuzz/target.h"

// Instants, deadlines and durations. A deadline is never earlier than any instant that its text could mean.
namespace galleryd::fuzz {
namespace {

constexpr TimePoint first{std::chrono::sys_days{std::chrono::year{1} / 1 / 1}};
constexpr TimePoint behind{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}};

void check_instant(std::string_view bytes) {
    const auto time = parse_rfc3339(bytes);
    const auto deadline = parse_deadline(bytes);
    if (time) {
        require(deadline == time, "a deadline with an offset is that instant");
        require(bytes.size() >= 20, "a date alone is no instant");
    }
    if (deadline && !time) {  // in which zone it was meant nobody knows: the last one counts
        std::string text(bytes);
        if (text.size() == 10) text += "T23:59:59.999999";
        for (const char* offset : {"+14:00", "Z", "-08:00", "-12:00"}) {
            const auto meant = parse_rfc3339(text + offset);
            require(meant && *meant <= *deadline, "a deadline is the latest instant that it could mean");
        }
    }
    for (const auto& found : {time, deadline}) {
        if (!found || *found < first || *found >= behind) continue;
        require(parse_rfc3339(format_rfc3339(*found)) == found, "an instant that is printed reads back");
        const auto seconds = std::chrono::floor<std::chrono::seconds>(*found);
        require(parse_http_date(format_http_date(*found)) == TimePoint(seconds), "so does its HTTP date");
        require(!format_relative(*found, TimePoint{}).empty(), "an instant can be told");
    }
}

void check_duration(std::string_view bytes) {
    const auto duration = parse_duration(bytes);
    if (!duration) return;
    require(duration->count() >= 0 && *duration <= std::chrono::days{36525}, "a duration is within a hundred years");
    require(parse_duration(format_duration(*duration)) == duration, "a duration that is printed reads back");
}

void run(std::string_view bytes) {
    check_instant(bytes);
    check_duration(bytes);
    if (const auto date = parse_http_date(bytes)) {
        require(*date >= first - std::chrono::days{366} && *date < behind, "an HTTP date has four digits of year");
        if (*date >= first) require(parse_http_date(format_http_date(*date)) == date, "an HTTP date reads back");
    }
}

const Registered registered({.name = "time", .run = run, .mutations = 10000});

}  // namespace
}  // namespace galleryd::fuzz
