#include <algorithm>
#include <array>
#include <cstdint>

#include "controller/adapters/clock/zone_files.h"

// The POSIX rule in a zone file's footer (POSIX.1-2017 §8.3, extended by RFC 8536 §3.3.1): it governs every instant
// after the file's last transition, for most zones everything from 2007 on.
namespace galleryd {
namespace {

using std::chrono::seconds;

class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}
    bool at_end() const { return text_.empty(); }
    char next() const { return text_.empty() ? '\0' : text_.front(); }
    bool take(char wanted) {
        if (next() != wanted) return false;
        text_.remove_prefix(1);
        return true;
    }

    // "EST" or "<+03>": at least three characters.
    bool name() {
        const bool quoted = take('<');
        std::size_t length = 0;
        while (length < text_.size() && is_name(text_[length], quoted)) ++length;
        text_.remove_prefix(length);
        return length >= 3 && (!quoted || take('>'));
    }

    std::optional<int> number(int highest) {
        int value = 0;
        std::size_t digits = 0;
        while (digits < text_.size() && digits < 4 && text_[digits] >= '0' && text_[digits] <= '9')
            value = value * 10 + (text_[digits++] - '0');
        if (digits == 0 || value > highest) return std::nullopt;
        text_.remove_prefix(digits);
        return value;
    }

    // "5", "-3:30", "+26:00:00"
    std::optional<seconds> time(int hours_max) {
        const bool negative = take('-');
        if (!negative) take('+');
        const auto hours = number(hours_max);
        if (!hours) return std::nullopt;
        seconds total = std::chrono::hours(*hours);
        for (const int unit : {60, 1}) {
            if (!take(':')) break;
            const auto part = number(59);
            if (!part) return std::nullopt;
            total += seconds(*part * unit);
        }
        return negative ? -total : total;
    }

  private:
    static bool is_name(char c, bool quoted) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        return letter || (quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'));
    }
    std::string_view text_;
};

// A day of the year and a local time on it.
struct Turn {
    enum class Form { month_week, julian, zero_based } form = Form::month_week;
    int month = 1, week = 1, day = 0;
    seconds time = std::chrono::hours(2);
};

std::optional<Turn> read_turn(Reader& reader) {
    if (!reader.take(',')) return std::nullopt;
    Turn turn;
    if (reader.take('M')) {
        const auto month = reader.number(12);
        if (!month || *month < 1 || !reader.take('.')) return std::nullopt;
        const auto week = reader.number(5);
        if (!week || *week < 1 || !reader.take('.')) return std::nullopt;
        const auto day = reader.number(6);
        if (!day) return std::nullopt;
        turn.month = *month;
        turn.week = *week;
        turn.day = *day;
    } else {
        const bool julian = reader.take('J');
        turn.form = julian ? Turn::Form::julian : Turn::Form::zero_based;
        const auto day = reader.number(365);
        if (!day || (julian && *day < 1)) return std::nullopt;
        turn.day = *day;
    }
    if (!reader.take('/')) return turn;
    const auto time = reader.time(167);
    if (!time) return std::nullopt;
    turn.time = *time;
    return turn;
}

// In local time of the year, before the offset is taken off.
std::chrono::sys_seconds instant_of(const Turn& turn, std::chrono::year year) {
    using namespace std::chrono;
    if (turn.form == Turn::Form::month_week) {
        const auto of_year = year / month(static_cast<unsigned>(turn.month));
        const weekday day(static_cast<unsigned>(turn.day));
        if (turn.week == 5) return sys_days(of_year / day[last]) + turn.time;
        return sys_days(of_year / day[static_cast<unsigned>(turn.week)]) + turn.time;
    }
    const sys_days first(year / 1 / 1);
    if (turn.form == Turn::Form::zero_based) return first + days(turn.day) + turn.time;
    const bool after_february = turn.day >= 60;  // J60 is 1 March in every year
    return first + days(turn.day - 1 + (year.is_leap() && after_february ? 1 : 0)) + turn.time;
}

}  // namespace

std::optional<seconds> offset_from_rule(std::string_view rule, TimePoint at) {
    Reader reader(rule);
    if (!reader.name()) return std::nullopt;
    const auto west = reader.time(24);
    if (!west) return std::nullopt;
    const seconds standard = -*west;  // POSIX counts westwards
    if (reader.at_end()) return standard;
    if (!reader.name()) return std::nullopt;
    seconds summer = standard + std::chrono::hours(1);
    if (reader.next() != ',') {
        const auto other = reader.time(24);
        if (!other) return std::nullopt;
        summer = -*other;
    }
    const auto start = read_turn(reader);
    if (!start) return std::nullopt;
    const auto end = read_turn(reader);
    if (!end || !reader.at_end()) return std::nullopt;
    const auto now = std::chrono::floor<seconds>(at);
    const auto this_year = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(now + standard)).year();
    // The latest turn that has passed decides; those of the years beside it count too, for the southern half and for
    // times past 24:00.
    std::optional<std::pair<std::chrono::sys_seconds, seconds>> latest;
    for (const auto year : {this_year - std::chrono::years(1), this_year, this_year + std::chrono::years(1)}) {
        const std::array turns{std::pair{instant_of(*end, year) - summer, standard},
                               std::pair{instant_of(*start, year) - standard, summer}};
        for (const auto& turn : turns) {
            if (turn.first <= now && (!latest || turn.first >= latest->first)) latest = turn;
        }
    }
    return latest ? latest->second : standard;
}

}  // namespace galleryd
