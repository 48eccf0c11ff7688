#pragma once
#include <optional>
#include <string>
#include <vector>

#include "reconcilers/image_version/plan.h"

// Everything that is known about one version of the definition before anything is decided: what is declared, what Azure
// has, whose it is. One row for every version that is declared or observed.
namespace galleryd::image_version {

enum class Ownership : std::uint8_t {
    absent,      // not in Azure
    ours,        // the owner tag names this instance and the version's document
    removed,     // the owner tag names this instance and a document that was removed
    orphaned,    // the owner tag names this instance and a document that nobody knows any more
    untagged,    // nobody's tag: published by others
    foreign,     // another instance, or another document of this instance
    unreadable,  // an owner tag that is null or cannot be read: never ours
};

struct VersionFacts {
    std::string address;  // "images/golden/ubuntu-2404/1.8.0"
    ResourceId id;
    std::optional<ImageVersionNumber> number;  // nullopt: observed under a name that is no number
    const ImageVersion* desired = nullptr;
    const ObservedVersion* observed = nullptr;
    const RemovedDocument* removed = nullptr;
    const ResourceRecord* record = nullptr;
    Ownership ownership = Ownership::absent;
    std::string owner;          // the tag's text, for messages
    Mode mode = Mode::suspend;  // what writes to this version go by
    Mode strict_mode =
        Mode::suspend;           // the strictest of version, definition and gallery: what is taken away goes by this
    bool governed = false;       // the lifecycle policy applies to it
    bool in_transition = false;  // Azure is changing it, or an operation of ours is in flight

    std::string name() const { return number ? to_string(*number) : observed != nullptr ? observed->name : id.name(); }
    std::optional<ObjectKey> object() const {
        return desired != nullptr ? std::optional(desired->meta.key) : std::nullopt;
    }
    SourceLocation manifest(const DefinitionScopeInput& input) const;  // the version's document, else the policy's
};

struct Facts {
    const DefinitionScopeInput& input;
    const Policy& policy;
    TimePoint now;
    std::string scope;                   // prefix of addresses
    std::string home_region;             // the definition's
    bool definition_is_ours = false;     // declared, and Azure's carries our owner tag
    std::vector<VersionFacts> versions;  // newest number first, then those without a number by name

    const Retention* retention() const;             // of the policy, or nullptr
    std::string rule(std::string_view name) const;  // "standard/keepNewest"
};

Facts gather_facts(const DefinitionScopeInput& input, const Policy& policy, TimePoint now, const std::string& scope);

// What the names of tags and annotations say that keeps a version for good: holds, protected tags, tags without a
// value.
struct Hold {
    std::string rule;  // "hold", "standard/protectTags", "unknownTag"
    std::string text;
    std::string way_out;  // what a person does to end it
};
std::vector<Hold> holds_of(const Facts& facts, const VersionFacts& version);
// "; its hold ended with 2026-12-24": of the tag galleryd-hold when it no longer counts, else "".
// The latest end of whatever holds it, or held it: tag and annotations. nullopt: nothing with an end.
std::optional<TimePoint> held_until(const Facts& facts, const VersionFacts& version);
std::string ended_hold_text(const Facts& facts, const VersionFacts& version);

}  // namespace galleryd::image_version
