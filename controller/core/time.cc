#include "controller/core/time.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace galleryd {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Reads exactly `count` decimal digits.
std::optional<int> take_number(std::string_view& text, std::size_t count) {
    if (text.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return value;
}

bool take(std::string_view& text, char wanted) {
    if (text.empty() || text.front() != wanted) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
    const auto y = take_number(text, 4);
    if (!y || *y == 0 || !take(text, '-')) return std::nullopt;
    const auto m = take_number(text, 2);
    if (!m || !take(text, '-')) return std::nullopt;
    const auto d = take_number(text, 2);
    if (!d) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{*y}, std::chrono::month{static_cast<unsigned>(*m)},
                                           std::chrono::day{static_cast<unsigned>(*d)}};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days{date};
}

std::optional<microseconds> take_clock(std::string_view& text) {
    const auto h = take_number(text, 2);
    if (!h || *h > 23 || !take(text, ':')) return std::nullopt;
    const auto m = take_number(text, 2);
    if (!m || *m > 59 || !take(text, ':')) return std::nullopt;
    const auto s = take_number(text, 2);
    if (!s || *s > 59) return std::nullopt;
    microseconds total = hours{*h} + minutes{*m} + seconds{*s};
    if (take(text, '.')) {
        std::size_t digits = 0;
        long long fraction = 0;
        while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
            if (++digits > 9) return std::nullopt;
            if (digits <= 6) fraction = fraction * 10 + (text.front() - '0');
            text.remove_prefix(1);
        }
        if (digits == 0) return std::nullopt;
        for (std::size_t i = digits; i < 6; ++i) fraction *= 10;
        total += microseconds{fraction};
    }
    return total;
}

std::optional<minutes> take_offset(std::string_view& text) {
    if (take(text, 'Z') || take(text, 'z')) return minutes{0};
    const bool negative = !text.empty() && text.front() == '-';
    if (!take(text, '+') && !take(text, '-')) return std::nullopt;
    const auto h = take_number(text, 2);
    if (!h || *h > 23 || !take(text, ':')) return std::nullopt;
    const auto m = take_number(text, 2);
    if (!m || *m > 59) return std::nullopt;
    const minutes offset = hours{*h} + minutes{*m};
    return negative ? -offset : offset;
}

constexpr std::array<const char*, 7> day_names{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// By hand: each fingerprint of a resource holds two times, and printf is most of its cost.
void write_digits(std::string& text, std::size_t at, std::size_t count, int value) {
    for (std::size_t i = count; i > 0; --i, value /= 10) text[at + i - 1] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::optional<TimePoint> parse_rfc3339(std::string_view text) {
    const auto date = take_date(text);
    if (!date || (!take(text, 'T') && !take(text, 't') && !take(text, ' '))) return std::nullopt;
    const auto clock = take_clock(text);
    if (!clock) return std::nullopt;
    const auto offset = take_offset(text);
    if (!offset || !text.empty()) return std::nullopt;
    return TimePoint{*date} + *clock - *offset;
}

std::optional<TimePoint> parse_deadline(std::string_view text) {
    if (const auto exact = parse_rfc3339(text)) return exact;
    const auto date = take_date(text);
    if (!date) return std::nullopt;
    if (text.empty()) return TimePoint{*date} + days{1} + hours{12} - microseconds{1};  // end of that day in UTC-12
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
    const auto clock = take_clock(text);
    if (!clock || !text.empty()) return std::nullopt;
    return TimePoint{*date} + *clock + hours{12};
}

std::string format_rfc3339(TimePoint time) {
    const auto day = std::chrono::floor<days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    const int year = std::min(9999, std::max(1, static_cast<int>(date.year())));
    std::string result = "0000-00-00T00:00:00";
    write_digits(result, 0, 4, year);
    write_digits(result, 5, 2, static_cast<int>(static_cast<unsigned>(date.month())));
    write_digits(result, 8, 2, static_cast<int>(static_cast<unsigned>(date.day())));
    write_digits(result, 11, 2, static_cast<int>(clock.hours().count()));
    write_digits(result, 14, 2, static_cast<int>(clock.minutes().count()));
    write_digits(result, 17, 2, static_cast<int>(clock.seconds().count()));
    if (const auto fraction = clock.subseconds().count(); fraction != 0) {
        result += ".000000";
        write_digits(result, 20, 6, static_cast<int>(fraction));
        while (result.back() == '0') result.pop_back();
    }
    result += 'Z';
    return result;
}

std::optional<TimePoint> parse_http_date(std::string_view text) {
    if (text.size() != 29) return std::nullopt;
    text.remove_prefix(5);
    const auto d = take_number(text, 2);
    if (!d || !take(text, ' ')) return std::nullopt;
    unsigned month = 0;
    for (unsigned i = 0; i < month_names.size(); ++i) {
        if (text.starts_with(month_names[i])) month = i + 1;
    }
    if (month == 0) return std::nullopt;
    text.remove_prefix(3);
    if (!take(text, ' ')) return std::nullopt;
    const auto y = take_number(text, 4);
    if (!y || !take(text, ' ')) return std::nullopt;
    const auto clock = take_clock(text);
    if (!clock || text != " GMT") return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{*y}, std::chrono::month{month},
                                           std::chrono::day{static_cast<unsigned>(*d)}};
    if (!date.ok()) return std::nullopt;
    return TimePoint{std::chrono::sys_days{date}} + *clock;
}

std::string format_http_date(TimePoint time) {
    const auto day = std::chrono::floor<days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<seconds>(time - day)};
    const unsigned weekday = std::chrono::weekday{day}.c_encoding();
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT", day_names[weekday],
                  static_cast<unsigned>(date.day()), month_names[static_cast<unsigned>(date.month()) - 1],
                  static_cast<int>(date.year()), static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    return text.data();
}

std::optional<seconds> parse_duration(std::string_view text) {
    constexpr seconds longest = days{36525};
    if (text.empty()) return std::nullopt;
    seconds total{0};
    while (!text.empty()) {
        std::size_t digits = 0;
        long long value = 0;
        while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
            value = value * 10 + (text[digits] - '0');
            if (value > longest.count() || ++digits > 18) return std::nullopt;
        }
        if (digits == 0 || digits == text.size()) return std::nullopt;
        seconds unit{0};
        switch (text[digits]) {
            case 's': unit = seconds{1}; break;
            case 'm': unit = minutes{1}; break;
            case 'h': unit = hours{1}; break;
            case 'd': unit = days{1}; break;
            case 'w': unit = days{7}; break;
            default: return std::nullopt;
        }
        if (value > longest / unit) return std::nullopt;
        total += unit * value;
        if (total > longest) return std::nullopt;
        text.remove_prefix(digits + 1);
    }
    return total;
}

std::string format_duration(seconds duration) {
    if (duration.count() == 0) return "0s";
    std::string text = duration.count() < 0 ? "-" : "";
    long long left = std::llabs(duration.count());
    constexpr std::array<std::pair<long long, char>, 4> units{{{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}};
    for (const auto& [size, unit] : units) {
        if (left >= size) {
            text += std::to_string(left / size) + unit;
            left %= size;
        }
    }
    return text;
}

std::string format_relative(TimePoint time, TimePoint now) {
    const seconds difference = std::chrono::duration_cast<seconds>(time - now);
    const long long size = std::llabs(difference.count());
    if (size < 1) return "now";
    std::string amount;
    if (size < 120) {
        amount = std::to_string(size) + "s";
    } else if (size < 7200) {
        amount = std::to_string(size / 60) + "m";
    } else if (size < 172800) {
        amount = std::to_string(size / 3600) + "h";
    } else {
        amount = std::to_string(size / 86400) + "d";
    }
    return difference.count() > 0 ? "in " + amount : amount + " ago";
}

}  // namespace galleryd
