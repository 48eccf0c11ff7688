#include "controller/core/resource_id.h"

#include <algorithm>
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

bool is_segment(std::string_view text) {
    return !text.empty() && text != "." && text != ".." && std::ranges::all_of(text, [](char c) {
        return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f && c != '?' && c != '#' &&
               c != '%' && c != '\\';
    });
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

// Asked for every row of Resource Graph.
std::optional<ResourceId> ResourceId::parent() const {
    const std::string_view whole = text();
    const auto slashes = std::ranges::count(whole.substr(whole.starts_with('/') ? 1 : 0), '/');
    if (slashes < 9) return std::nullopt;  // subscriptions/S/resourceGroups/G/providers/P/type/name is a root resource
    const std::size_t end = whole.rfind('/', whole.rfind('/') - 1);
    std::string parent(whole.starts_with('/') ? "" : "/");
    return ResourceId(parent.append(whole.substr(0, end)));
}

std::optional<ResourceId> parse_resource_id(std::string_view text) {
    constexpr std::string_view prefix = "/subscriptions/";
    if (text.size() > 2048 || fold_case(text.substr(0, prefix.size())) != prefix) return std::nullopt;
    std::size_t segments = 0;
    for (std::size_t at = 1; at <= text.size(); ++segments) {
        const std::size_t end = std::min(text.find('/', at), text.size());
        if (!is_segment(text.substr(at, end - at))) return std::nullopt;
        at = end + 1;
    }
    if (segments % 2 != 0) return std::nullopt;
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
