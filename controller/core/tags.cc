#include "controller/core/tags.h"

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

}  // namespace galleryd
