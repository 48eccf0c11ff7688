#pragma once
#include <string_view>

#include "controller/core/observed.h"

namespace galleryd {

// Azure keeps one tag for "Env" and "env": names are looked up without case. end() when there is none.
ObservedTags::const_iterator find_tag_any_case(const ObservedTags& tags, std::string_view name);
inline bool has_tag(const ObservedTags& tags, std::string_view name) {
    return find_tag_any_case(tags, name) != tags.end();
}

}  // namespace galleryd
