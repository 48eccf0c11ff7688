#include <algorithm>
#include <array>

#include "controller/core/resource_id.h"
#include "controller/simulator/rules.h"

// Role assignments and definitions (azure-facts §10).
namespace galleryd::simulator {
namespace {

struct BuiltInRole {
    std::string_view guid, name, description;
};
constexpr std::array<BuiltInRole, 7> built_in_roles{{
    {"acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader",
     "View all resources, but does not allow you to make any changes."},
    {"b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", "Grants full access to manage all resources."},
    {"8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", "Grants full access to manage all resources, including access."},
    {"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator",
     "Lets you manage user access to Azure resources."},
    {"cf7c76d2-98a3-4358-a134-615aa78bf44d", "Compute Gallery Image Reader", "Read gallery images."},
    {"85a2d0d9-2eba-4c9c-b355-11c2cc0788ab", "Compute Gallery Artifacts Publisher", "Publish gallery artifacts."},
    {"1ef6a3be-d0ac-425d-8c01-acb62866290b", "Compute Gallery Sharing Admin", "Share galleries."},
}};

bool is_guid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

std::string scope_of(const Resource& assignment) { return text_of(member(assignment.body, "properties"), "scope"); }

Answer list_roles(const Call& call) {
    const std::string filter = call.path.get("$filter");  // roleName eq 'Reader'
    const std::size_t from = filter.find('\'');
    const std::string wanted =
        from == std::string::npos ? "" : fold_case(filter.substr(from + 1, filter.rfind('\'') - from - 1));
    Answer answer;
    answer.compact = true;
    answer.body["value"] = Json::array();
    for (const BuiltInRole& role : built_in_roles) {
        if (!wanted.empty() && wanted != fold_case(role.name)) continue;
        if (!call.path.collection && fold_case(call.path.name()) != role.guid) continue;
        Json properties{{"roleName", role.name},
                        {"type", "BuiltInRole"},
                        {"description", role.description},
                        {"assignableScopes", Json::array({"/"})},
                        {"permissions", Json::array()}};
        Json row{{"properties", properties},
                 {"id", (call.path.subscription.empty() ? "" : "/subscriptions/" + call.path.subscription) +
                            "/providers/Microsoft.Authorization/roleDefinitions/" + std::string(role.guid)},
                 {"type", "Microsoft.Authorization/roleDefinitions"},
                 {"name", role.guid}};
        if (!call.path.collection) {
            answer.body = std::move(row);
            return answer;
        }
        answer.body["value"].push_back(std::move(row));
    }
    if (!call.path.collection)
        return error_answer(404, "RoleDefinitionDoesNotExist",
                            "The specified role definition with ID '" + call.path.name() + "' does not exist.");
    return answer;
}

Answer list_assignments(const World& world, const Call& call) {
    const std::string scope = fold_case(call.path.scope);
    const std::string filter = call.path.get("$filter");
    const bool at_scope = filter.find("atScope()") != std::string::npos;
    const std::size_t from = filter.find('\'');
    const std::string principal =
        from == std::string::npos ? "" : fold_case(filter.substr(from + 1, filter.rfind('\'') - from - 1));
    Answer answer;
    answer.compact = true;
    answer.body["value"] = Json::array();
    for (const auto& [key, resource] : world.resources()) {
        if (resource.type != "microsoft.authorization/roleassignments") continue;
        const std::string own = fold_case(scope_of(resource));
        const bool inherited = own == "/" || scope == own || scope.starts_with(own + "/");
        const bool below = own.starts_with(scope + "/");
        if (!inherited && (at_scope || !below)) continue;  // without atScope() the list goes down as well as up
        if (!principal.empty() && principal != fold_case(text_of(member(resource.body, "properties"), "principalId")))
            continue;
        answer.body["value"].push_back(resource.body);
    }
    return answer;
}

std::optional<Answer> check_assignment(const World& world, const Call& call, const std::string& scope) {
    const Json& properties = member(call.body, "properties");
    const std::string role = text_of(properties, "roleDefinitionId");
    const std::string principal = text_of(properties, "principalId");
    if (!is_guid(call.path.name()))
        return error_answer(
            400, "InvalidRoleAssignmentId",
            "The role assignment ID '" + call.path.name() + "' is not valid. The role assignment ID must be a GUID.");
    if (role.empty() || principal.empty())
        return error_answer(400, "InvalidCreateRoleAssignmentRequest",
                            "The role assignment creation request is invalid.");
    if (world.unknown_principals.contains(fold_case(principal))) {
        return error_answer(
            400, "PrincipalNotFound",
            "Principal " + principal +
                " does not exist in the directory. Check that you have the correct principal ID. If "
                "you are creating this principal and then immediately assigning a role, this error might be related to "
                "a "
                "replication delay. In this case, set the role assignment principalType property to a value, such as "
                "ServicePrincipal, User, or Group.");
    }
    for (const auto& [key, other] : world.resources()) {
        if (other.type != "microsoft.authorization/roleassignments" || fold_case(scope_of(other)) != fold_case(scope))
            continue;
        const Json& theirs = member(other.body, "properties");
        const bool same =
            fold_case(ResourceId(text_of(theirs, "roleDefinitionId")).name()) == fold_case(ResourceId(role).name()) &&
            fold_case(text_of(theirs, "principalId")) == fold_case(principal);
        if (same && key != call.path.key)
            return conflict(
                "RoleAssignmentExists",
                "The role assignment already exists. The ID of the existing role assignment is " + other.name() + ".");
    }
    return std::nullopt;
}

Answer put_assignment(World& world, const Call& call) {
    const std::string scope = call.path.scope.empty() ? "/" : canonical_id(parse_path(call.path.scope));
    if (auto wrong = check_assignment(world, call, scope)) return *wrong;
    const Resource* const old = world.find(call.path.key);
    if (old != nullptr) {  // another principal, role or condition under the same GUID
        const Json& before = member(old->body, "properties");
        if (fold_case(text_of(before, "principalId")) !=
            fold_case(text_of(member(call.body, "properties"), "principalId")))
            return conflict("RoleAssignmentUpdateNotPermitted",
                            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.");
    }
    std::string time = format_rfc3339(call.now);
    Json properties = Json::object();
    for (const std::string_view field : {"roleDefinitionId", "principalId"})
        copy_member(member(call.body, "properties"), properties, field);
    const std::string type = text_of(member(call.body, "properties"), "principalType");
    properties["principalType"] = type.empty() ? "User" : type;
    properties["scope"] = scope;
    for (const std::string_view field : {"condition", "conditionVersion"})
        properties[std::string(field)] = member(member(call.body, "properties"), field);
    properties["createdOn"] = old == nullptr ? Json(time) : member(old->body, {"properties", "createdOn"});
    properties["updatedOn"] = time;
    properties["createdBy"] = nullptr;  // null in the PUT answer (azure-facts §10)
    properties["updatedBy"] = "0581142e-ae8f-4bc0-9a0d-ffb7cbad05b2";
    properties["delegatedManagedIdentityResourceId"] = nullptr;
    properties["description"] = member(member(call.body, "properties"), "description");
    Resource resource;
    resource.id = canonical_id(call.path);
    resource.key = call.path.key;
    resource.type = call.path.type;
    resource.body["properties"] = std::move(properties);
    resource.body["id"] = resource.id;
    resource.body["type"] = "Microsoft.Authorization/roleAssignments";
    resource.body["name"] = call.path.name();
    Answer answer;
    answer.status = old == nullptr ? 201 : 200;
    answer.changed = true;
    answer.compact = true;
    answer.body = resource.body;
    resource.body["properties"]["createdBy"] = resource.body["properties"]["updatedBy"];
    world.put(std::move(resource));
    return answer;
}

}  // namespace

Answer role_call(World& world, const Call& call) {
    if (call.path.type == "microsoft.authorization/roledefinitions") return list_roles(call);
    if (call.path.type != "microsoft.authorization/roleassignments") return seeded_resource(world, call);
    if (call.path.collection) return list_assignments(world, call);
    if (call.method() == "PUT") return put_assignment(world, call);
    const Resource* const found = world.find(call.path.key);
    Answer answer;
    answer.compact = true;
    if (call.method() == "DELETE") {
        if (found == nullptr) return no_content();
        answer.body = found->body;
        answer.changed = true;
        world.erase(call.path.key);
        return answer;
    }
    if (found == nullptr)
        return error_answer(404, "RoleAssignmentNotFound",
                            "The role assignment '" + call.path.name() + "' is not found.");
    answer.body = found->body;
    return answer;
}

}  // namespace galleryd::simulator
