#pragma once
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "controller/adapters/http/transport.h"
#include "controller/core/desired.h"

// What the guard reads off a request or off Azure's JSON by itself.
namespace galleryd {

std::string path_of(const http::Request& request);
bool is_write(const http::Request& request);
std::string tag(const nlohmann::json& resource, const std::string& name);  // "" = none; "null" without a value
bool has_tag(const nlohmann::json& resource, const std::string& name);     // also one without a value
std::string text_in(const nlohmann::json& object, const char* name);       // "" = absent, null or no text
std::string state_of(const nlohmann::json& resource);
// A version that is being updated serves on; one that is being made does not yet.
bool is_usable(const nlohmann::json& version);
std::string short_region(std::string name);                             // "Canada East" -> "canadaeast"
std::map<std::string, int> replicas_of(const nlohmann::json& version);  // by short region
std::string object_name(const std::string& owner_tag);  // "INSTANCE/KIND/NAMESPACE/NAME" -> "KIND/NAMESPACE/NAME"

template <class Object>
const Object* declared_as(const std::map<ObjectKey, Object>& objects, const ResourceId& id) {
    for (const auto& [key, object] : objects) {
        if (object.id == id) return &object;
    }
    return nullptr;
}

}  // namespace galleryd
