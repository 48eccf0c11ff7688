#pragma once
#include "controller/core/observed.h"
#include "reconcilers/lifecycle/subject.h"

// Who outside the subscription may use a gallery (azure-facts §10). Only from Groups or Community to Private is there a
// way, and no way back; the other conversions are conflicts.
namespace galleryd {

// Conflicts of the sharing declaration with the live gallery; empty means that sharing_changes may be asked.
std::vector<Conflict> sharing_conflicts(const Subject& subject, const Sharing& wanted, const ObservedGallery& live);

// Steps that only open: groups to add, the community switch. `live` is nullptr for a gallery that this plan creates.
std::vector<Change> sharing_additions(const Subject& subject, const Sharing& wanted, const ObservedGallery* live);

// Steps that take away: groups to remove, back to Private. All destructive; not to be taken back.
std::vector<Change> sharing_removals(const Subject& subject, const Sharing& wanted, const ObservedGallery& live);

}  // namespace galleryd
