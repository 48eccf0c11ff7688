#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Where each value of a document stands in its file: one small node per value, found by JSON pointer.
namespace galleryd::documents {

struct Place {
    std::uint32_t line = 0;    // 1-based; 0 = unknown
    std::uint32_t column = 0;  // 1-based
    friend bool operator==(const Place&, const Place&) = default;
};

class Places {
  public:
    using Index = std::uint32_t;
    static constexpr Index root = 0;

    // The first call adds the root. `key` is the member name, or the index of a list item as text.
    Index add(Index parent, std::string_view key, Place value, Place key_place);
    std::size_t size() const { return nodes_.size(); }

    // The value's place, or that of its nearest ancestor that exists.
    Place value_at(std::string_view pointer) const;
    // The place of the key in front of the value (of a list item: the value itself).
    Place key_at(std::string_view pointer) const;
    // The subtree below `pointer` as places of a document of its own (items of a Kubernetes List).
    Places below(std::string_view pointer) const;
    // below() of each item of the list at `pointer`, in one pass: asked one by one, ten thousand items cost seconds.
    std::vector<Places> items_below(std::string_view pointer) const;
    friend bool operator==(const Places&, const Places&) = default;

  private:
    struct Node {
        Index parent;
        std::uint32_t key;  // hash: a collision can only misplace a message
        Place value, key_place;
        friend bool operator==(const Node&, const Node&) = default;
    };
    Index find(std::string_view pointer) const;
    std::vector<Node> nodes_;
};

std::string pointer_join(std::string_view pointer, std::string_view key);  // escapes '~' and '/'
std::string dotted(std::string_view pointer);                              // "/spec/a/0/b" -> "spec.a[0].b"

}  // namespace galleryd::documents
