#include "controller/adapters/documents/places.h"

namespace galleryd::documents {
namespace {

std::uint32_t hash_of(std::string_view key) {  // FNV-1a
    std::uint32_t hash = 2166136261U;
    for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return hash;
}

std::string unescape(std::string_view segment) {
    std::string text;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] == '~' && i + 1 < segment.size()) {
            text += segment[++i] == '1' ? '/' : '~';
        } else {
            text += segment[i];
        }
    }
    return text;
}

// Takes "/segment" off the front.
std::string take_segment(std::string_view& pointer) {
    pointer.remove_prefix(1);
    const std::size_t slash = pointer.find('/');
    const std::string_view segment = pointer.substr(0, slash);
    pointer.remove_prefix(slash == std::string_view::npos ? pointer.size() : slash);
    return unescape(segment);
}

bool is_index(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Places::Index Places::add(Index parent, std::string_view key, Place value, Place key_place) {
    nodes_.push_back({parent, hash_of(key), value, key_place});
    return static_cast<Index>(nodes_.size() - 1);
}

Places::Index Places::find(std::string_view pointer) const {
    Index at = root;
    while (!pointer.empty()) {
        const std::uint32_t key = hash_of(take_segment(pointer));
        Index next = at;
        for (Index i = at + 1; i < nodes_.size(); ++i) {  // children come after their parent
            if (nodes_[i].parent == at && nodes_[i].key == key) {
                next = i;
                break;
            }
        }
        if (next == at) return at;
        at = next;
    }
    return at;
}

Place Places::value_at(std::string_view pointer) const {
    return nodes_.empty() ? Place{} : nodes_[find(pointer)].value;
}
Place Places::key_at(std::string_view pointer) const {
    return nodes_.empty() ? Place{} : nodes_[find(pointer)].key_place;
}

Places Places::below(std::string_view pointer) const {
    Places part;
    if (nodes_.empty()) return part;
    const Index top = find(pointer);
    for (Index i = top; i < nodes_.size() && (i == top || nodes_[i].parent >= top); ++i) {  // nodes are in pre-order
        part.nodes_.push_back(nodes_[i]);
        part.nodes_.back().parent = i == top ? root : nodes_[i].parent - top;
    }
    return part;
}

std::vector<Places> Places::items_below(std::string_view pointer) const {
    std::vector<Places> items;
    if (nodes_.empty()) return items;
    const Index list = find(pointer);
    Index top = list;
    for (Index i = list + 1; i < nodes_.size() && nodes_[i].parent >= list; ++i) {  // nodes are in pre-order
        if (nodes_[i].parent == list) {
            top = i;
            items.emplace_back();
        }
        items.back().nodes_.push_back(nodes_[i]);
        items.back().nodes_.back().parent = i == top ? root : nodes_[i].parent - top;
    }
    return items;
}

std::string pointer_join(std::string_view pointer, std::string_view key) {
    std::string joined(pointer);
    joined += '/';
    for (const char c : key) {
        if (c == '~') {
            joined += "~0";
        } else if (c == '/') {
            joined += "~1";
        } else {
            joined += c;
        }
    }
    return joined;
}

std::string dotted(std::string_view pointer) {
    std::string text;
    while (!pointer.empty()) {
        const std::string segment = take_segment(pointer);
        if (is_index(segment)) {
            text += "[" + segment + "]";
        } else if (segment.find_first_of("./ ") != std::string::npos) {
            text += "[\"" + segment + "\"]";
        } else {
            text += (text.empty() ? "" : ".") + segment;
        }
    }
    return text;
}

}  // namespace galleryd::documents
