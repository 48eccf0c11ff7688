#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "controller/adapters/azure/json_read.h"
#include "controller/core/document.h"

// Pieces shared by the encoders; internal to this folder.
namespace galleryd::azure {

// The body to start from: the base's without what the resource envelope and the provider alone may set, or {} on
// creation.
Result<Json> writable_body(const ObservedBase* base);
Json& object_at(Json& parent, const char* key);  // made when absent or of another type
void set_or_erase(Json& object, const char* key, const std::string& value);
void merge_tags(Json& body, const Tags& ours, const std::vector<std::string>& removed);
std::string print(const Json& body);

}  // namespace galleryd::azure
