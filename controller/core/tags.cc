#include "controller/core/tags.h"

#include <algorithm>

namespace galleryd {

ObservedTags::const_iterator find_tag_any_case(const ObservedTags& tags, std::string_view name) {
    const auto exact = tags.find(std::string(name));
    if (exact != tags.end()) return exact;
    const std::string folded = fold_case(name);
    for (auto tag = tags.begin(); tag != tags.end(); ++tag) {
        if (fold_case(tag->first) == folded) return tag;
    }
    return tags.end();
}

std::vector<std::string> tags_to_take_away(const Tags& applied, const Tags& wanted, const ObservedTags& observed) {
    std::vector<std::string> names;
    for (const auto& [name, value] : applied) {
        const std::string folded = fold_case(name);
        const bool is_wanted =
            std::ranges::any_of(wanted, [&](const auto& tag) { return fold_case(tag.first) == folded; });
        const auto there = find_tag_any_case(observed, name);
        if (is_wanted || folded.starts_with("galleryd-") || there == observed.end() || there->second != value) continue;
        names.push_back(there->first);
    }
    return names;
}

}  // namespace galleryd
