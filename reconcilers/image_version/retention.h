#pragma once
#include <optional>
#include <string>
#include <vector>

#include "reconcilers/image_version/destruction.h"

// Keep or delete, for every version, always with the rule that decided (behaviour §5). Keep rules are asked before
// candidate rules; missing or unparsable data means keep.
namespace galleryd::image_version {

struct Judgement {
    bool candidate = false;
    std::string rule, text;             // what decided
    std::vector<std::string> matching;  // every candidate rule that names it: a mark made for one of them stays good
};
Judgement judge(const Facts& facts, const VersionFacts& version, const Standing& standing, const Latest& latest);

// The mark on the live version: date and rule tags together. A half or unreadable mark is none, and a mark for a rule
// that does not name the version is none, and so is one of before a hold that has ended since, or one that was
// carried out before somebody restored the version: grace starts anew. A mark that a person took away is not
// remembered, so the version is marked again with the whole grace before it; the tag galleryd-hold is what stops it for
// good.
struct Mark {
    bool any_tag = false;                   // at least one of the two tags is there
    std::optional<TimePoint> delete_after;  // of a mark that counts
};
Mark mark_of(const Facts& facts, const VersionFacts& version, const Judgement& judgement);

}  // namespace galleryd::image_version
