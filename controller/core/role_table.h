#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

// Built-in Azure roles by name, so that a document can say `Reader`. Only ids with a published origin are listed
// (azure-facts §10); every other role is given by its GUID or its full role definition id.
namespace galleryd {

struct BuiltinRole {
    std::string_view name, guid;
};
std::span<const BuiltinRole> builtin_roles();

// The GUID (lower case) that a document's role means: a built-in name in any case, a GUID, or a role definition id;
// nullopt: none of these.
std::optional<std::string> find_role_guid(std::string_view role);
// The built-in name nearest in spelling, when one is near enough to be meant.
std::optional<std::string> suggest_role(std::string_view role);
// The last segment of a role definition id, lower case: the same role in every scope that Azure writes it at.
std::string role_guid_of(std::string_view role_definition_id);
std::string role_definition_id(const std::string& subscription, const std::string& guid);
// "Reader" for a known GUID, else the GUID itself.
std::string role_name(const std::string& guid);

}  // namespace galleryd
