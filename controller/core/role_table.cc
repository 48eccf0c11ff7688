#include "controller/core/role_table.h"

#include <algorithm>
#include <array>
#include <vector>

#include "controller/core/edit_distance.h"
#include "controller/core/resource_id.h"

namespace galleryd {
namespace {

constexpr std::array<BuiltinRole, 5> roles{{
    {"Compute Gallery Artifacts Publisher", "85a2d0d9-2eba-4c9c-b355-11c2cc0788ab"},
    {"Compute Gallery Image Reader", "cf7c76d2-98a3-4358-a134-615aa78bf44d"},
    {"Compute Gallery Sharing Admin", "1ef6a3be-d0ac-425d-8c01-acb62866290b"},
    {"Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c"},
    {"Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7"},
}};

bool is_guid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (dash ? c != '-' : !hex) return false;
    }
    return true;
}

}  // namespace

std::span<const BuiltinRole> builtin_roles() { return roles; }

std::optional<std::string> find_role_guid(std::string_view role) {
    const std::string wanted = fold_case(role);
    for (const BuiltinRole& known : roles) {
        if (fold_case(known.name) == wanted) return std::string(known.guid);
    }
    const std::string guid = role_guid_of(wanted);
    const bool bare = guid == wanted;
    const bool definition_id = wanted.find("/providers/microsoft.authorization/roledefinitions/") != std::string::npos;
    if (is_guid(guid) && (bare || definition_id)) return guid;
    return std::nullopt;
}

std::optional<std::string> suggest_role(std::string_view role) {
    const std::string wanted = fold_case(role);
    if (wanted.empty() || wanted.size() > 80) return std::nullopt;
    std::string_view best;
    std::size_t best_distance = wanted.size() / 3 + 1;
    for (const BuiltinRole& known : roles) {
        const std::string name = fold_case(known.name);
        // "Image Reader" for "Compute Gallery Image Reader": people leave the common words out.
        const bool tail = wanted.size() >= 8 && name.ends_with(wanted);
        const std::size_t distance = tail ? 0 : edit_distance(wanted, name, best_distance);
        if (distance < best_distance) {
            best = known.name;
            best_distance = distance;
        }
    }
    if (best.empty()) return std::nullopt;
    return std::string(best);
}

std::string role_guid_of(std::string_view role_definition_id) {
    const std::size_t slash = role_definition_id.rfind('/');
    return fold_case(slash == std::string_view::npos ? role_definition_id : role_definition_id.substr(slash + 1));
}

std::string role_definition_id(const std::string& subscription, const std::string& guid) {
    return "/subscriptions/" + subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + guid;
}

std::string role_name(const std::string& guid) {
    for (const BuiltinRole& known : roles) {
        if (known.guid == guid) return std::string(known.name);
    }
    return guid;
}

}  // namespace galleryd
