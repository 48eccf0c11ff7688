#include "controller/simulator/service_times.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace galleryd::simulator {
namespace {

constexpr int longest_ms = 600'000;  // ten minutes: no client waits longer

std::optional<std::chrono::milliseconds> parse_time(std::string_view text) {
    int number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    if (problem != std::errc{} || number < 0 || number > longest_ms || (unit != "ms" && unit != "s"))
        return std::nullopt;
    const std::chrono::milliseconds time{unit == "s" ? number * 1000LL : number};
    return time.count() > longest_ms ? std::nullopt : std::optional(time);
}

std::chrono::milliseconds* member_named(ServiceTimes& times, std::string_view name) {
    if (name == "get") return &times.get;
    if (name == "list") return &times.list;
    if (name == "put") return &times.put;
    return name == "graph" ? &times.graph : nullptr;
}

}  // namespace

Result<ServiceTimes> parse_service_times(std::string_view text) {
    ServiceTimes times;
    while (!text.empty()) {
        const std::string_view part = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        const std::size_t equals = std::min(part.find('='), part.size());
        std::chrono::milliseconds* const time = member_named(times, part.substr(0, equals));
        const auto value = parse_time(part.substr(std::min(equals + 1, part.size())));
        if (time == nullptr || !value) {
            return fail(
                ErrorKind::invalid, "ServiceTimesInvalid",
                "'" + std::string(part) +
                    "' is no service time: write get=60ms,put=150ms,list=400ms,graph=300ms, at most 10 minutes");
        }
        *time = *value;
    }
    return times;
}

std::chrono::milliseconds service_time(const ServiceTimes& times, std::string_view method, bool is_list,
                                       bool is_graph) {
    if (is_graph) return times.graph;
    if (method != "GET" && method != "HEAD") return times.put;
    return is_list ? times.list : times.get;
}

}  // namespace galleryd::simulator
