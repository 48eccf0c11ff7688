#pragma once
#include <string>
#include <vector>

#include "controller/core/resource_id.h"
#include "controller/core/time.h"

// The texts that are sent to Resource Graph; internal to this folder. All project `id`, because only then does a long
// result come in pages instead of cut off (azure-facts §8, azure-docs#50606).
namespace galleryd::azure {

std::string all_rows_query();
std::string subscriptions_query();
std::string changes_query(TimePoint since);
std::string rows_query(const std::vector<ResourceId>& ids);
std::string in_transition_query();
std::string literal_of(std::string_view text);  // a literal of the query language

}  // namespace galleryd::azure
