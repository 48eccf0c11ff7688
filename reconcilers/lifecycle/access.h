#pragma once
#include <optional>
#include <string>
#include <vector>

#include "reconcilers/lifecycle/subject.h"

// Role assignments at one scope (a gallery or a definition). Ours are recognised by their name alone: a UUIDv5 of
// scope, role and principal, so that a repeated PUT is the same assignment (azure-facts §10: PUT is idempotent per GUID
// only) and assignments of others are never touched.
namespace galleryd {

struct AccessInput {
    std::vector<RoleAccess> declared;
    std::optional<std::vector<ObservedRoleAssignment>> observed;  // nullopt: not read
    const ObservedBase* scope = nullptr;  // the live resource; nullptr: it is created by this plan
    const Gallery* above = nullptr;       // of a definition, when declared: its mode counts where access goes
};

// The assignment name that galleryd gives. `principal_id` in any case.
std::string assignment_name(const ResourceId& scope, const std::string& role_guid, const std::string& principal_id);

// Missing ones are assigned; ours that are no longer declared are taken away through the interlock; a role name that
// nobody knows is a conflict (GD2205) and keeps every assignment where it is, because it may be the one that looks
// superfluous.
void plan_access(Plan& plan, const Subject& owner, const AccessInput& input, const Policy& policy, TimePoint now);

}  // namespace galleryd
