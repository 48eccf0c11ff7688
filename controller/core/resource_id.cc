#include "controller/core/resource_id.h"

#include <vector>

namespace galleryd {
namespace {

std::vector<std::string_view> segments_of(std::string_view text) {
    std::vector<std::string_view> segments;
    std::size_t at = text.starts_with('/') ? 1 : 0;
    while (at <= text.size()) {
        const std::size_t slash = text.find('/', at);
        const std::size_t end = slash == std::string_view::npos ? text.size() : slash;
        segments.push_back(text.substr(at, end - at));
        if (slash == std::string_view::npos) break;
        at = end + 1;
    }
    return segments;
}

std::string segment_after(const std::string& text, std::string_view name) {
    const auto segments = segments_of(text);
    for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
        if (fold_case(segments[i]) == name) return std::string(segments[i + 1]);
    }
    return {};
}

}  // namespace

std::string fold_case(std::string_view text) {
    std::string folded(text);
    for (char& c : folded) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return folded;
}

ResourceId::ResourceId(std::string text) {
    if (text.empty()) return;
    text.shrink_to_fit();
    std::string key = fold_case(text);
    spelling_ = std::make_shared<const Spelling>(std::move(text), std::move(key));
}

const ResourceId::Spelling& ResourceId::spelling() const {
    static const Spelling empty;
    return spelling_ ? *spelling_ : empty;
}

std::string ResourceId::subscription() const { return segment_after(text(), "subscriptions"); }
std::string ResourceId::resource_group() const { return segment_after(text(), "resourcegroups"); }

std::string ResourceId::name() const {
    const std::size_t slash = text().rfind('/');
    return slash == std::string::npos ? text() : text().substr(slash + 1);
}

std::string ResourceId::type() const {
    const auto segments = segments_of(text());
    std::string type;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (fold_case(segments[i]) != "providers" || i + 1 >= segments.size()) continue;
        type = std::string(segments[i + 1]);  // the last provider wins: extension resources sit below another resource
        for (std::size_t j = i + 2; j < segments.size(); j += 2) type += "/" + std::string(segments[j]);
    }
    return type;
}

std::optional<ResourceId> ResourceId::parent() const {
    const auto segments = segments_of(text());
    if (segments.size() < 10)
        return std::nullopt;  // subscriptions/S/resourceGroups/G/providers/P/type/name is a root resource
    std::string parent;
    for (std::size_t i = 0; i + 2 < segments.size(); ++i) parent += "/" + std::string(segments[i]);
    return ResourceId(parent);
}

std::optional<ResourceId> parse_resource_id(std::string_view text) {
    if (text.size() > 2048 || !fold_case(text).starts_with("/subscriptions/")) return std::nullopt;
    const auto segments = segments_of(text);
    if (segments.size() % 2 != 0) return std::nullopt;
    for (const std::string_view segment : segments) {
        if (segment.empty() || segment == "." || segment == "..") return std::nullopt;
        for (const char c : segment) {
            if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '?' ||
                c == '#' || c == '%' || c == '\\') {
                return std::nullopt;
            }
        }
    }
    return ResourceId(std::string(text));
}

ResourceId resource_group_id(const std::string& subscription, const std::string& group) {
    return ResourceId("/subscriptions/" + subscription + "/resourceGroups/" + group);
}
ResourceId gallery_id(const std::string& subscription, const std::string& group, const std::string& gallery) {
    return ResourceId("/subscriptions/" + subscription + "/resourceGroups/" + group +
                      "/providers/Microsoft.Compute/galleries/" + gallery);
}
ResourceId definition_id(const ResourceId& gallery, const std::string& definition) {
    return ResourceId(gallery.text() + "/images/" + definition);
}
ResourceId version_id(const ResourceId& definition, const std::string& version) {
    return ResourceId(definition.text() + "/versions/" + version);
}

}  // namespace galleryd
