#include "reconcilers/lifecycle/access.h"

#include <algorithm>
#include <set>
#include <utility>

#include "controller/core/digest.h"
#include "controller/core/role_table.h"
#include "reconcilers/lifecycle/destruction.h"

namespace galleryd {
namespace {

// The namespace of our version 5 UUIDs; it must never change, or assignments made before stop being recognised as ours.
constexpr std::string_view assignment_namespace = "5d2bd9f2-1a0e-5c6b-8a53-0c3f6c1d7e44";

struct Wanted {
    std::string role_guid, principal;
    friend auto operator<=>(const Wanted&, const Wanted&) = default;
};

Subject assignment_subject(const Subject& owner, const std::string& name) {
    Subject subject = owner;
    subject.kind = "RoleAssignment";
    subject.id = ResourceId(owner.id.text() + "/providers/Microsoft.Authorization/roleAssignments/" + name);
    return subject;
}

void add_unknown_role(Plan& plan, const Subject& owner, const RoleAccess& access) {
    Conflict conflict = conflict_of(owner, "GD2205", "InvalidSpec", "/access");
    conflict.after = access.role;
    conflict.message =
        "the role \"" + access.role + "\" is not a built-in role that galleryd knows, nor a role definition id";
    const auto suggestion = suggest_role(access.role);
    if (suggestion) conflict.ways_out.push_back("did you mean \"" + *suggestion + "\"?");
    conflict.ways_out.push_back("give the role's GUID, as `az role definition list --name \"" + access.role +
                                "\"` prints it");
    plan.conflicts.push_back(std::move(conflict));
}

Change assignment_change(const Subject& owner, const Wanted& wanted, const RoleAccess& access) {
    const std::string name = assignment_name(owner.id, wanted.role_guid, wanted.principal);
    const Subject subject = assignment_subject(owner, name);
    const bool full_id = access.role.find('/') != std::string::npos;
    Change change =
        change_of(subject, Action::assign,
                  AssignRole{owner.id, name, access,
                             full_id ? access.role : role_definition_id(owner.id.subscription(), wanted.role_guid)});
    if (owner.meta != nullptr) change.manifest = line_of(*owner.meta, "access");
    change.reason = "manifest_changed";
    change.why = access.principal_type + " " + access.principal_id + " gets " + role_name(wanted.role_guid) + " here";
    change.fields.push_back({.path = "/access/" + role_name(wanted.role_guid),
                             .op = FieldOp::add,
                             .before = "",
                             .after = access.principal_id,
                             .effect = "",
                             .detail = access.principal_type,
                             .cause = "spec"});
    return change;
}

Change removal_change(const Subject& owner, const ObservedRoleAssignment& assignment) {
    Subject subject = owner;
    subject.kind = "RoleAssignment";
    subject.id = assignment.id;
    const std::string role = role_name(role_guid_of(assignment.role_definition_id));
    Change change = change_of(subject, Action::unassign, UnassignRole{assignment.id});
    if (owner.meta != nullptr) change.manifest = line_of(*owner.meta, "access");
    change.reason = "manifest_changed";
    change.why = assignment.principal_type + " " + assignment.principal_id + " loses " + role +
                 " here: spec.access no longer names it";
    change.risk = Risk::access_removed;
    change.destructive = true;
    change.seen.existed = true;
    change.fields.push_back({.path = "/access/" + role,
                             .op = FieldOp::remove,
                             .before = assignment.principal_id,
                             .after = "",
                             .effect = "access_lost",
                             .detail = assignment.principal_type,
                             .cause = "spec"});
    return change;
}

bool is_at_scope(const ObservedRoleAssignment& assignment, const ResourceId& scope) {
    return fold_case(assignment.scope) == scope.key();
}

}  // namespace

std::string assignment_name(const ResourceId& scope, const std::string& role_guid, const std::string& principal_id) {
    return uuid_v5(assignment_namespace, scope.key() + "|" + fold_case(role_guid) + "|" + fold_case(principal_id));
}

void plan_access(Plan& plan, const Subject& owner, const AccessInput& input, const Policy& policy, TimePoint now) {
    if (!input.observed && input.scope != nullptr) {
        if (!input.declared.empty())
            plan.notices.push_back(owner.address +
                                   ": role assignments were not read; access is compared in a later pass");
        return;
    }
    const std::vector<ObservedRoleAssignment> observed =
        input.scope != nullptr ? *input.observed : std::vector<ObservedRoleAssignment>{};
    std::set<Wanted> there;
    for (const ObservedRoleAssignment& assignment : observed) {
        if (is_at_scope(assignment, owner.id))
            there.insert({role_guid_of(assignment.role_definition_id), fold_case(assignment.principal_id)});
    }
    std::set<Wanted> wanted;
    bool all_roles_known = true;
    for (const RoleAccess& access : input.declared) {
        const auto guid = find_role_guid(access.role);
        if (!guid) {
            all_roles_known = false;
            add_unknown_role(plan, owner, access);
            continue;
        }
        const Wanted pair{*guid, fold_case(access.principal_id)};
        if (!wanted.insert(pair).second) continue;  // declared twice, once by name and once by id
        if (there.contains(pair)) {
            ++plan.unchanged;
        } else {
            Change change = assignment_change(owner, pair, access);
            propose(plan, owner, policy, std::move(change));
        }
    }
    if (!all_roles_known) return;
    for (const ObservedRoleAssignment& assignment : observed) {
        const Wanted pair{role_guid_of(assignment.role_definition_id), fold_case(assignment.principal_id)};
        const bool ours = is_at_scope(assignment, owner.id) &&
                          fold_case(assignment.id.name()) == assignment_name(owner.id, pair.role_guid, pair.principal);
        if (!ours || wanted.contains(pair)) continue;
        DestructionFacts facts(input.scope);
        facts.above = input.above;
        propose_destruction(plan, owner, removal_change(owner, assignment), facts, policy, now);
    }
}

}  // namespace galleryd
