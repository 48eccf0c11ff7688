#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/observed.h"

namespace galleryd {

// Azure keeps one tag for "Env" and "env": names are looked up without case. end() when there is none.
ObservedTags::const_iterator find_tag_any_case(const ObservedTags& tags, std::string_view name);
inline bool has_tag(const ObservedTags& tags, std::string_view name) {
    return find_tag_any_case(tags, name) != tags.end();
}

// Names in `observed`, spelled as there, of tags that we wrote (`applied`), that are no longer wanted and that still
// hold our value: what somebody changed since is theirs. galleryd's own tags are never among them.
std::vector<std::string> tags_to_take_away(const Tags& applied, const Tags& wanted, const ObservedTags& observed);

}  // namespace galleryd
