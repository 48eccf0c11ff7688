#pragma once
#include <optional>
#include <string>

#include "controller/core/policy.h"

// ResourceRecord as the JSON text that the journal keeps. `operation_in_flight` is not part of it: the operations table
// knows.
namespace galleryd::journal {

std::string print_resource_record(const ResourceRecord& record);
std::optional<ResourceRecord> parse_resource_record(const std::string& text);  // nullopt: not such a text

}  // namespace galleryd::journal
