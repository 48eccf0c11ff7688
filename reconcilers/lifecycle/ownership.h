#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "reconcilers/lifecycle/subject.h"

// Whose resource it is. The owner tag on the live resource decides; a missing or unreadable tag never means "ours"
// (invariant I6).
namespace galleryd {

enum class Ownership : std::uint8_t {
    ours,       // the tag names this instance and this document
    adoptable,  // nobody's, and the document says Adopt or AdoptOrCreate
    unowned,    // nobody's, and the document says Never: compared aside, see settle_unowned
    refused,    // somebody else's: a conflict was added to the plan
};

// Decides, and adds the conflict (GD2201) when it is somebody else's.
Ownership check_ownership(Plan& plan, const Subject& subject, const ObservedTags& tags, Adoption adoption,
                          const Policy& policy);

// What is nobody's is not written, but it may already be as declared. `compared` is what a plan would be if it were
// ours, the owner tag left out. Where it asks for a write, `conflict` is added and names the fields; also where
// somebody took our owner tag off. Where it asks for none, a notice says that the resource is not managed. Under
// Observe nothing would be written anyway: the differences are reported as for a resource of ours.
void settle_unowned(Plan& plan, Plan compared, const Subject& subject, Conflict conflict, const Policy& policy);
Conflict not_owned(const Subject& subject, const Policy& policy);  // GD2200

// The tag galleryd-owner on the resource names exactly this instance and document.
bool is_tagged_for(const ObservedTags& tags, const ObjectKey& key, const Policy& policy);

// The tags a resource should carry from us: the declared ones and the owner tag.
Tags tags_of_ours(const Subject& subject, const Tags& declared, const Policy& policy);

// What must be written so that `ours` is on the resource, as field changes "/tags/NAME". Azure treats tag names without
// case, so an existing spelling is kept: `ours` is rewritten to it.
std::vector<FieldChange> compare_tags(Tags& ours, const ObservedTags& observed);

// Tags that we wrote for an earlier document and that this one no longer has; each becomes a field of the change.
std::vector<std::string> take_away_tags(std::vector<FieldChange>& fields, const ResourceRecord* record,
                                        const Tags& wanted, const ObservedTags& observed);

// `adoption: Adopt` never creates: adds the block (nothing_to_adopt, GD2202) and answers false when the resource is
// missing.
bool may_create(Plan& plan, const Subject& subject, Adoption adoption);

}  // namespace galleryd
