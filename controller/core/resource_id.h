#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace galleryd {

// An Azure resource id with its spelling kept, compared without case (lists answer the group in upper case, GET as
// written). Copies share their text: an id stands in a document, its observation, its change and its verdict.
class ResourceId {
  public:
    ResourceId() = default;
    explicit ResourceId(std::string text);  // any text; see parse_resource_id for checking
    const std::string& text() const { return spelling().text; }
    const std::string& key() const { return spelling().key; }  // case-folded: for maps and comparison
    bool empty() const { return spelling_ == nullptr; }
    std::string subscription() const;  // "" when absent
    std::string resource_group() const;
    std::string type() const;                  // "Microsoft.Compute/galleries/images/versions"
    std::string name() const;                  // last segment
    std::optional<ResourceId> parent() const;  // gallery of a definition, definition of a version
    friend bool operator==(const ResourceId& a, const ResourceId& b) {
        return a.spelling_ == b.spelling_ || a.key() == b.key();
    }
    friend auto operator<=>(const ResourceId& a, const ResourceId& b) { return a.key() <=> b.key(); }

  private:
    struct Spelling {
        std::string text, key;
    };
    const Spelling& spelling() const;
    std::shared_ptr<const Spelling> spelling_;  // null: empty
};

// Checked: starts with /subscriptions/, pairs of segments, no empty segment, no '?', '#', '%', control characters or
// "..". Double slashes are not accepted here (the simulator cleans targets before).
std::optional<ResourceId> parse_resource_id(std::string_view text);

ResourceId resource_group_id(const std::string& subscription, const std::string& group);
ResourceId gallery_id(const std::string& subscription, const std::string& group, const std::string& gallery);
ResourceId definition_id(const ResourceId& gallery, const std::string& definition);
ResourceId version_id(const ResourceId& definition, const std::string& version);

std::string fold_case(std::string_view text);  // ASCII lower case

}  // namespace galleryd
