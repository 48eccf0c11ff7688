#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "controller/core/result.h"

// How long Azure takes for one request, by what is asked: for measurements that must not depend on chance. All zero
// (the default): as fast as this machine answers. Simulated time; sign-in is not delayed.
namespace galleryd::simulator {

struct ServiceTimes {
    std::chrono::milliseconds get{0}, list{0}, put{0}, graph{0};
    bool operator==(const ServiceTimes&) const = default;
};

// "get=60ms,put=150ms,list=400ms,graph=300ms" in any order, what is not named takes no time; `ms` and `s` (whole
// numbers) are known. `invalid` with reason ServiceTimesInvalid.
Result<ServiceTimes> parse_service_times(std::string_view text);

// `put` is every request that may change something, `graph` one page of Resource Graph.
std::chrono::milliseconds service_time(const ServiceTimes& times, std::string_view method, bool is_list, bool is_graph);

}  // namespace galleryd::simulator
