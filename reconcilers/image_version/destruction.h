#pragma once
#include "reconcilers/image_version/latest.h"
#include "reconcilers/image_version/ranks.h"
#include "reconcilers/lifecycle/interlock.h"

// The facts that the interlock asks about, put together for one version: the only place where they are.
namespace galleryd::image_version {

// Points 1 to 9, 11 and 12 filled in; `positive_reason`, `removed` (point 3), keep rule (9) and brakes (10) are the
// caller's.
InterlockQuestion question_about(const Facts& facts, const VersionFacts& version, Destruction destruction);

// The rule that keeps a version whatever else names it (behaviour §5: newest usable, latest of a region, keepNewest,
// minimumAge).
struct KeepRule {
    std::string rule, text;  // both "" when none does
};
enum class KeepCount : std::uint8_t {
    likely,   // for verdicts and marks: by rank
    certain,  // right before a deletion: only versions that are certainly usable count as the newer ones
};
KeepRule keep_rule(const Facts& facts, const VersionFacts& version, const Standing& standing, const Latest& latest,
                   KeepCount count);

// The retention whose brakes count where no policy gives any: the defaults.
const Retention& brakes_of(const Facts& facts);

bool is_approved_digest(const Facts& facts, const VersionFacts* version, const std::string& digest);

}  // namespace galleryd::image_version
