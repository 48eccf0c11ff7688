#pragma once
#include <map>
#include <string>
#include <vector>

#include "reconcilers/lifecycle/subject.h"

// The rim around the interlock for galleries and definitions: a step that deletes the resource or takes access away is
// planned only when nothing stands against it, else it is listed as blocked with every reason.
namespace galleryd {

struct DestructionFacts {
    DestructionFacts() = default;
    explicit DestructionFacts(const ObservedBase* resource) : live(resource) {}
    const ObservedBase* live = nullptr;        // the gallery or definition as it was read; nullptr stops the step
    const Gallery* above = nullptr;            // of a definition, when declared: its mode and its hold count, too
    const RemovedDocument* removed = nullptr;  // set when the reason is a document that is gone
    std::vector<BlockReason> children;         // what is still in it; empty = nothing
    std::map<std::string, std::string> evidence;
};

// Requires: change.destructive. `subject.id` is the gallery or the definition that the step is about.
void propose_destruction(Plan& plan, const Subject& subject, Change change, const DestructionFacts& facts,
                         const Policy& policy, TimePoint now);

}  // namespace galleryd
