#include <algorithm>
#include <charconv>

#include "reconcilers/lifecycle/interlock.h"

namespace galleryd {
namespace {

constexpr int minutes_a_day = 24 * 60;

// "UTC", "Etc/UTC", "Z", "GMT"; "Etc/GMT+5" is UTC-5 (POSIX signs); "+05:30" and "-08:00" are what they say.
std::optional<Duration> fixed_offset(const std::string& zone) {
    const std::string name = fold_case(zone);
    for (const char* utc : {"utc", "etc/utc", "gmt", "etc/gmt", "z", "zulu"}) {
        if (name == utc) return Duration{0};
    }
    const auto number = [](std::string_view digits) -> std::optional<int> {
        int value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || value < 0)
            return std::nullopt;
        return value;
    };
    if (name.starts_with("etc/gmt") && name.size() > 8 && (name[7] == '+' || name[7] == '-')) {
        const auto hours = number(std::string_view(name).substr(8));
        if (!hours || *hours > 14) return std::nullopt;
        return std::chrono::hours(name[7] == '+' ? -*hours : *hours);
    }
    if (name.size() == 6 && (name[0] == '+' || name[0] == '-') && name[3] == ':') {
        const auto hours = number(std::string_view(name).substr(1, 2));
        const auto minutes = number(std::string_view(name).substr(4, 2));
        if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
        const Duration offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
        return name[0] == '-' ? -offset : offset;
    }
    return std::nullopt;
}

}  // namespace

std::optional<Duration> window_offset(const DeletionWindow& window, TimePoint now, const Policy& policy) {
    const std::optional<Duration> offset = fixed_offset(window.time_zone);
    return offset || !policy.zone_offset ? offset : policy.zone_offset(window.time_zone, now);
}

bool is_in_window(const DeletionWindow& window, TimePoint now, const Policy& policy) {
    const std::optional<Duration> offset = window_offset(window, now, policy);
    if (!offset) return false;
    const TimePoint local = now + *offset;
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const int minute = static_cast<int>(std::chrono::duration_cast<std::chrono::minutes>(local - day).count());
    const auto is_open_on = [&](std::chrono::sys_days that_day) {
        const int weekday = static_cast<int>(std::chrono::weekday(that_day).c_encoding());
        return window.days.empty() || std::ranges::find(window.days, weekday) != window.days.end();
    };
    const int from = std::clamp(window.from_minute, 0, minutes_a_day);
    const int to = std::clamp(window.to_minute, 0, minutes_a_day);
    if (from <= to) return minute >= from && minute < to && is_open_on(day);
    // Spans midnight: the part after midnight belongs to the day on which the window opened.
    if (minute >= from) return is_open_on(day);
    return minute < to && is_open_on(day - std::chrono::days(1));
}

}  // namespace galleryd
