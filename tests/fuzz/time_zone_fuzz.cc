#include <array>

#include "controller/adapters/clock/zone_files.h"
#include "reconcilers/lifecycle/interlock.h"
#include "tests/fuzz/target.h"

// Zone files, their rules, and names of zones in deletion windows: what cannot be read is unknown, and a window in an
// unknown zone never opens.
namespace galleryd::fuzz {
namespace {

constexpr std::array<int, 5> years{1970, 1999, 2026, 2037, 9999};

std::optional<Duration> offset_in(std::string_view zone_file, TimePoint at) {
    const auto offset = offset_from_tzif(zone_file, at);
    require(!offset || std::chrono::abs(*offset) <= std::chrono::hours(26), "no zone is more than a day away");
    return offset;
}

void check_window(const std::string& zone, TimePoint now) {
    const DeletionWindow window{.days = {}, .from_minute = 0, .to_minute = 24 * 60, .time_zone = zone};
    Policy policy;
    const auto offset = window_offset(window, now, policy);
    require(offset.has_value() == is_in_window(window, now, policy), "an open window needs a zone that is known");
    require(!offset || std::chrono::abs(*offset) <= std::chrono::hours(15), "an offset is one of this planet");
    DeletionWindow night = window;
    night.from_minute = 22 * 60;
    night.to_minute = 4 * 60;
    DeletionWindow day = window;
    day.from_minute = night.to_minute;
    day.to_minute = night.from_minute;
    if (offset)
        require(is_in_window(night, now, policy) != is_in_window(day, now, policy), "it is either day or night");
}

void run(std::string_view bytes) {
    Choices choices(bytes);
    const auto year = std::chrono::year{years[choices.below(years.size())]};
    const TimePoint now = std::chrono::sys_days{year / 1 / 1} + std::chrono::hours{37 * choices.byte()};
    const std::string_view text = choices.rest();
    (void)offset_in(text, now);
    if (const auto offset = offset_from_rule(text, now))
        require(std::chrono::abs(*offset) <= std::chrono::hours(26), "no rule leads more than a day away");
    check_window(std::string(text), now);
}

const Registered registered({.name = "time_zone", .run = run, .mutations = 5000});

}  // namespace
}  // namespace galleryd::fuzz
