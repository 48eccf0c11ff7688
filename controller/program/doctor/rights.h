#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/adapters/azure/decode_checkup.h"

// Azure's role-based access as far as it decides whether an action is allowed. Pure.
namespace galleryd::doctor {

// Held when one set of rights names the action and does not take it back: the sets of several roles add up, and a
// role's notActions limit that role only (Microsoft's "Understand Azure role definitions"). Case does not matter, `*`
// stands for any run of characters.
bool holds(const azure::Rights& rights, std::string_view action);
bool matches_action(std::string_view pattern, std::string_view action);

struct FoundRights {
    azure::Rights rights;
    std::string asked_at;  // the scope that was asked for, or the nearest one above it that exists
};

// Who is asked to be given a role. From the token; what it does not say comes from the environment.
struct Bearer {
    std::string object_id, app_id;
    bool is_user = false;
};

// What Azure's refusal says of who asked ("The client '…' with object id '…' does not have authorization …"), for
// tokens that only Azure can read; empty when it names nobody.
Bearer find_bearer(std::string_view refusal);

// "az role assignment create --assignee-object-id … --assignee-principal-type ServicePrincipal --role "…" --scope …".
std::string grant_command(const Bearer& bearer, std::string_view role, std::string_view scope);

}  // namespace galleryd::doctor
