#include "controller/simulator/graph_value.h"

#include <cctype>
#include <cstdio>

#include "controller/core/resource_id.h"

namespace galleryd::simulator::kql {
namespace {

int rank(const Value& value) {
    if (value.kind() != Value::Kind::json) return 4;
    const Json& json = value.json();
    if (json.is_null()) return 0;
    if (json.is_boolean()) return 1;
    if (json.is_number()) return 2;
    return json.is_string() ? 3 : 5;
}

bool is_word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// Whole terms only: 'images' is in '/images/x', not in 'myimages'.
bool has_term(std::string_view text, std::string_view term) {
    if (term.empty()) return true;
    for (std::size_t at = text.find(term); at != std::string_view::npos; at = text.find(term, at + 1)) {
        const bool starts = at == 0 || !is_word_character(text[at - 1]) || !is_word_character(term.front());
        const std::size_t end = at + term.size();
        const bool ends = end == text.size() || !is_word_character(text[end]) || !is_word_character(term.back());
        if (starts && ends) return true;
    }
    return false;
}

std::string text_in_case(const Value& value, bool with_case) {
    return with_case ? value.text() : fold_case(value.text());
}

bool search(std::string_view name, const Value& left, const Value& right) {
    const bool with_case = name.ends_with("_cs");
    if (with_case) name.remove_suffix(3);
    const std::string text = text_in_case(left, with_case);
    const std::string part = text_in_case(right, with_case);
    if (name == "has") return has_term(text, part);
    if (name == "contains") return text.contains(part);
    return name == "startswith" ? text.starts_with(part) : text.ends_with(part);
}

// Numbers, times, texts that are numbers on neither side; nullopt: not comparable.
std::optional<std::strong_ordering> ranked(const Value& left, const Value& right) {
    const bool both_times = left.kind() != Value::Kind::json && left.kind() == right.kind();
    if (both_times) return left.duration() <=> right.duration();
    if (rank(left) != 2 || rank(right) != 2) return std::nullopt;
    const double a = left.json().get<double>();
    const double b = right.json().get<double>();
    return a < b ? std::strong_ordering::less : a > b ? std::strong_ordering::greater : std::strong_ordering::equal;
}

bool equal(const Value& left, const Value& right, bool with_case) {
    if (left.is_text() && right.is_text()) {
        const auto& a = left.json().get_ref<const std::string&>();
        const auto& b = right.json().get_ref<const std::string&>();
        return with_case ? a == b : a.size() == b.size() && fold_case(a) == fold_case(b);
    }
    if (rank(left) == 2 || left.kind() != Value::Kind::json) {
        const auto order = ranked(left, right);
        return order && *order == std::strong_ordering::equal;
    }
    return rank(left) == rank(right) && left.json() == right.json();
}

}  // namespace

std::string format_datetime(TimePoint time) {
    std::string text = format_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
    text.pop_back();
    const auto part = time - std::chrono::floor<std::chrono::seconds>(time);
    char digits[16];
    std::snprintf(digits, sizeof digits, ".%07lldZ", static_cast<long long>(part.count()) * 10);
    return text + digits;
}

std::string Value::text() const {
    if (kind_ == Kind::datetime) return format_datetime(point());
    if (kind_ == Kind::timespan) return std::to_string(time_.count() / 1'000'000) + "s";
    const Json& value = json();
    if (value.is_null()) return {};
    if (value.is_string()) return value.get<std::string>();
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json Value::printed() const {
    if (kind_ == Kind::json) return json();
    return text();
}

std::strong_ordering order_of(const Value& a, const Value& b) {
    if (const auto by_rank = rank(a) <=> rank(b); by_rank != 0) return by_rank;
    if (const auto ordered = ranked(a, b)) return *ordered;
    if (rank(a) == 3) return a.json().get_ref<const std::string&>() <=> b.json().get_ref<const std::string&>();
    return a.text() <=> b.text();
}

bool compare(std::string_view name, const Value& left, const Value& right) {
    if (name == "==") return equal(left, right, true);
    if (name == "!=") return !equal(left, right, true);
    if (name == "=~") return equal(left, right, false);
    if (name == "!~") return !equal(left, right, false);
    if (name.starts_with('!')) return !search(name.substr(1), left, right);
    if (name.front() >= 'a') return search(name, left, right);
    const auto order = ranked(left, right);
    if (!order) return false;
    if (name == "<") return *order < 0;
    if (name == "<=") return *order <= 0;
    if (name == ">") return *order > 0;
    return *order >= 0;
}

Value add(const Value& left, const Value& right, bool subtract) {
    const bool times = left.kind() != Value::Kind::json && right.kind() != Value::Kind::json;
    if (times) {
        const Duration result = subtract ? left.duration() - right.duration() : left.duration() + right.duration();
        const bool is_point = (left.kind() == Value::Kind::datetime) != (right.kind() == Value::Kind::datetime);
        return is_point ? Value::time(TimePoint(result)) : Value::length(result);
    }
    if (rank(left) != 2 || rank(right) != 2) return {};
    if (left.json().is_number_integer() && right.json().is_number_integer()) {
        const auto a = left.json().get<std::int64_t>();
        const auto b = right.json().get<std::int64_t>();
        return Value::of(subtract ? a - b : a + b);
    }
    const double a = left.json().get<double>();
    const double b = right.json().get<double>();
    return Value::of(subtract ? a - b : a + b);
}

std::optional<TimePoint> parse_time(const Value& value) {
    if (value.kind() == Value::Kind::datetime) return value.point();
    if (!value.is_text()) return std::nullopt;
    std::string text = value.json().get<std::string>();
    if (text.size() == 10) text += "T00:00:00Z";
    return parse_rfc3339(text);
}

}  // namespace galleryd::simulator::kql
