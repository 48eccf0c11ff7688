#include "controller/core/policy.h"

namespace galleryd {

const ResourceRecord* Policy::find_record(const ResourceId& id) const {
    const auto found = records.find(id.key());
    return found == records.end() ? nullptr : &found->second;
}

VersionUsage Policy::usage_of(const ResourceId& id) const {
    const auto found = usage.find(id.key());
    return found == usage.end() ? VersionUsage{} : found->second;
}

std::string owner_tag_value(const std::string& instance, const ObjectKey& key) {
    return instance + "/" + std::string(to_string(key.kind)) + "/" + key.namespace_name + "/" + key.name;
}

std::optional<Owner> parse_owner_tag(const std::optional<std::string>& value) {
    if (!value) return std::nullopt;
    std::vector<std::string> parts(1);
    for (const char c : *value) {
        if (c == '/') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    if (parts.size() != 4) return std::nullopt;
    for (const std::string& part : parts) {
        if (part.empty()) return std::nullopt;
    }
    return Owner{parts[0], parts[1], parts[2], parts[3]};
}

}  // namespace galleryd
