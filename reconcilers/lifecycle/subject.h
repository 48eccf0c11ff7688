#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/desired.h"
#include "controller/core/plan.h"
#include "controller/core/policy.h"

// What every row of a plan says about one object, written once, so that changes, blocks and conflicts of galleries and
// definitions name it the same way.
namespace galleryd {

struct Subject {
    std::string address;  // "images/golden/ubuntu-2404"
    std::string kind;     // "Gallery", "ImageDefinition", "RoleAssignment", …
    ResourceId id;
    const Metadata* meta = nullptr;  // nullptr: the document is gone
    Mode mode = Mode::manage;
};

// "namespace/gallery" and "namespace/gallery/definition": the names of the Azure resources, which an incident and the
// portal show.
std::string gallery_address(const Gallery& gallery);
std::string definition_address(const ImageDefinition& definition);
// The same for a document that is gone, from its id.
std::string removed_address(const RemovedDocument& removed);

// The line of a top-level field of spec when the source knows it, else the document's first line.
SourceLocation line_of(const Metadata& meta, std::string_view field);

Change change_of(const Subject& subject, Action action, Step step);
Blocked blocked_of(const Subject& subject, Action action, BlockReason reason);
Conflict conflict_of(const Subject& subject, std::string code, std::string reason, std::string path);

// Adds the change, or lists it as blocked when nothing may be written: `observing` (spec.mode or --observe) or
// `not_leader`. A destructive change is only added here after the interlock let it pass.
void propose(Plan& plan, const Subject& subject, const Policy& policy, Change change);

// Why an update is due: the declaration changed since our last write, or Azure did (then it is drift).
std::string update_reason(const Subject& subject, const Policy& policy);

// Declared, and made when Azure does not have it.
template <class Object>
bool may_create(const Object* declared, const Policy& policy) {
    return declared != nullptr && policy.may_write(declared->governance.mode) &&
           declared->governance.adoption != Adoption::adopt;
}

// An operation of ours or of somebody else is under way; a write now would collide with it.
bool is_busy(ProvisioningState state, const ResourceId& id, const Policy& policy);

// A write of ours failed lately: the same body is not sent again before a minute, doubled with every failure, up to an
// hour.
bool is_resting(const ResourceId& id, const Policy& policy, TimePoint now);

}  // namespace galleryd
