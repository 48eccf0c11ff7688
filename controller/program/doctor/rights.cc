#include "controller/program/doctor/rights.h"

#include <algorithm>

#include "controller/core/resource_id.h"

namespace galleryd::doctor {

bool matches_action(std::string_view pattern, std::string_view action) {
    const std::string wanted = fold_case(pattern);
    const std::string given = fold_case(action);
    std::size_t p = 0;
    std::size_t a = 0;
    std::size_t star = std::string::npos;
    std::size_t star_at = 0;
    while (a < given.size()) {
        if (p < wanted.size() && wanted[p] == '*') {
            star = p++;
            star_at = a;
        } else if (p < wanted.size() && wanted[p] == given[a]) {
            ++p;
            ++a;
        } else if (star != std::string::npos) {
            p = star + 1;
            a = ++star_at;
        } else {
            return false;
        }
    }
    return wanted.find_first_not_of('*', p) == std::string::npos;
}

bool holds(const azure::Rights& rights, std::string_view action) {
    const auto names = [action](const std::vector<std::string>& patterns) {
        return std::ranges::any_of(patterns,
                                   [action](const std::string& pattern) { return matches_action(pattern, action); });
    };
    return std::ranges::any_of(
        rights.sets, [&names](const azure::RightSet& set) { return names(set.actions) && !names(set.not_actions); });
}

Bearer find_bearer(std::string_view refusal) {
    const auto between = [refusal](std::string_view before) -> std::string {
        const std::size_t at = refusal.find(before);
        if (at == std::string_view::npos) return {};
        const std::string_view rest = refusal.substr(at + before.size());
        const std::size_t end = rest.find('\'');
        return end == std::string_view::npos ? std::string() : std::string(rest.substr(0, end));
    };
    constexpr std::size_t guid_size = 36;
    std::string id = between("with object id '");
    const bool is_guid = id.size() == guid_size && id.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;
    if (!is_guid) return {};  // it goes into a command
    const bool is_user = between("The client '").contains('@');
    return {.object_id = std::move(id), .app_id = {}, .is_user = is_user};
}

std::string grant_command(const Bearer& bearer, std::string_view role, std::string_view scope) {
    std::string who = "--assignee " + (bearer.app_id.empty() ? std::string("OBJECT_ID") : bearer.app_id);
    if (!bearer.object_id.empty())
        who = "--assignee-object-id " + bearer.object_id + " --assignee-principal-type " +
              (bearer.is_user ? "User" : "ServicePrincipal");
    return "az role assignment create " + who + " --role \"" + std::string(role) + "\" --scope " + std::string(scope);
}

}  // namespace galleryd::doctor
