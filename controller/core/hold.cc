#include "controller/core/hold.h"

#include "controller/core/resource_id.h"

namespace galleryd {
namespace {

constexpr std::string_view word = "until";
constexpr std::chrono::minutes skew_max{5};  // clock_skew_max of the interlock

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

HoldText parse_hold(std::string_view value) {
    const std::string_view text = trimmed(value);
    HoldText unread{.reason = std::string(text), .until = std::nullopt, .until_text = {}};
    if (text.size() <= word.size() || fold_case(text.substr(0, word.size())) != word || text[word.size()] != ' ')
        return unread;
    const std::string_view rest = text.substr(word.size() + 1);
    const std::size_t end = rest.find(';');
    const std::string_view date = trimmed(rest.substr(0, end));
    const auto until = parse_deadline(date);
    if (!until) return unread;
    return {.reason = std::string(end == std::string_view::npos ? std::string_view() : trimmed(rest.substr(end + 1))),
            .until = until,
            .until_text = std::string(date)};
}

std::string hold_value(std::string_view until_text, std::string_view reason) {
    if (until_text.empty()) return std::string(reason);
    return std::string(word) + " " + std::string(until_text) + (reason.empty() ? "" : "; " + std::string(reason));
}

std::optional<TimePoint> certain_time(const Policy& policy, TimePoint now) {
    const auto& skew = policy.clock_skew;
    if (!skew || *skew < Duration{0} || *skew >= skew_max) return std::nullopt;
    return now - *skew;
}

bool is_hold_over(const std::optional<std::string>& value, const std::optional<TimePoint>& certain) {
    if (!value || !certain) return false;
    const auto until = parse_hold(*value).until;
    return until && *until < *certain;
}

}  // namespace galleryd
