#include "controller/core/resource_id.h"
#include "controller/simulator/rules.h"

// What the caller may do: …/providers/Microsoft.Authorization/permissions, and 403 for what an estate's rights leave
// out. An estate without rights allows everything.
namespace galleryd::simulator {
namespace {

std::string action_of(const Call& call) {
    std::string type = type_display(call.path.type);
    if (call.path.type == "resourcegroups") type = "Microsoft.Resources/subscriptions/resourceGroups";
    const std::string& method = call.method();
    if (method == "GET" || method == "HEAD") return type + "/read";
    if (method == "DELETE") return type + "/delete";
    if (method != "POST") return type + "/write";
    const std::string parent = call.path.type.substr(0, call.path.type.rfind('/'));
    return type_display(parent) + "/" + call.path.segments.back() + "/action";
}

bool is_checked(const Call& call) {
    const std::string& type = call.path.type;
    if (call.path.subscription.empty() || type.empty() || type == call.path.provider) return false;
    if (type == "microsoft.authorization/permissions" || type.ends_with("/features")) return false;
    return !type.contains("/locations/") && type != "subscriptions" && !type.ends_with("/register");
}

}  // namespace

Answer permissions_call(const World& world, const Call& call) {
    Answer answer;
    answer.compact = true;
    answer.body["value"] = Json::array();
    const auto add = [&answer](const std::vector<std::string>& actions, const std::vector<std::string>& not_actions) {
        answer.body["value"].push_back(Json{{"actions", actions},
                                            {"notActions", not_actions},
                                            {"dataActions", Json::array()},
                                            {"notDataActions", Json::array()}});
    };
    if (world.around.rights.empty()) add({"*"}, {});
    const std::string scope = fold_case(call.path.scope);
    for (const GrantedRights* one : world.around.rights_at({.scope = scope, .client = call.principal}))
        add(one->actions, one->not_actions);
    return answer;
}

std::optional<Answer> check_rights(const World& world, const Call& call) {
    if (world.around.rights.empty() || !is_checked(call)) return std::nullopt;
    const std::string action = action_of(call);
    if (world.around.allows({.scope = call.path.key, .client = call.principal}, action)) return std::nullopt;
    return error_answer(403, "AuthorizationFailed",
                        "The client '" + (call.principal.empty() ? std::string("simulated") : call.principal) +
                            "' with object id '0581142e-ae8f-4bc0-9a0d-ffb7cbad05b2' does not have authorization to "
                            "perform action '" +
                            action + "' over scope '" + call.path.text +
                            "' or the scope is invalid. If access was recently granted, please refresh your "
                            "credentials.");
}

}  // namespace galleryd::simulator
