#include "tests/simulation/guard_facts.h"

#include <nlohmann/json.hpp>

namespace galleryd {

using Json = nlohmann::json;

std::string path_of(const http::Request& request) { return request.target.substr(0, request.target.find('?')); }

bool is_write(const http::Request& request) {
    return request.method != "GET" && request.method != "HEAD" && !request.target.contains("Microsoft.ResourceGraph");
}

std::string tag(const Json& resource, const std::string& name) {
    if (!resource.contains("tags") || !resource["tags"].is_object()) return "";
    for (const auto& [key, value] : resource["tags"].items()) {
        if (fold_case(key) == name) return value.is_string() ? value.get<std::string>() : "null";
    }
    return "";
}

bool has_tag(const Json& resource, const std::string& name) {
    if (!resource.contains("tags") || !resource["tags"].is_object()) return false;
    for (const auto& [key, value] : resource["tags"].items()) {
        if (fold_case(key) == name) return true;
    }
    return false;
}

std::string text_in(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string state_of(const Json& resource) { return resource.at("properties").value("provisioningState", ""); }

bool is_usable(const Json& version) {
    return (state_of(version) == "Succeeded" || state_of(version) == "Updating") &&
           !version.at("properties").at("publishingProfile").value("excludeFromLatest", false);
}

std::string short_region(std::string name) {
    name = fold_case(name);
    std::erase(name, ' ');
    return name;
}

std::map<std::string, int> replicas_of(const Json& version) {
    const Json& profile = version.at("properties").at("publishingProfile");
    const int otherwise = profile.value("replicaCount", 1);
    std::map<std::string, int> replicas;
    for (const Json& region : profile.at("targetRegions"))
        replicas[short_region(region.at("name").get<std::string>())] = region.value("regionalReplicaCount", otherwise);
    return replicas;
}

std::string object_name(const std::string& owner_tag) {
    const auto slash = owner_tag.find('/');
    return slash == std::string::npos ? "" : owner_tag.substr(slash + 1);
}

}  // namespace galleryd
