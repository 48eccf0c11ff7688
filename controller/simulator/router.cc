#include "controller/simulator/router.h"

#include <algorithm>
#include <array>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"

namespace galleryd::simulator {
namespace {

constexpr std::array<std::string_view, 16> gallery_versions{
    "2018-06-01", "2019-03-01", "2019-07-01", "2019-12-01", "2020-09-30", "2021-07-01", "2021-10-01", "2022-01-03",
    "2022-03-03", "2022-08-03", "2023-07-03", "2024-03-03", "2025-03-03", "2025-09-01", "2025-12-03", "2026-03-03"};

bool is_guid(std::string_view text) {
    if (text.size() != 36) return false;
    return std::ranges::all_of(text, [](char c) {
        return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
}

bool looks_like_version(std::string_view text) {  // 2024-03-03 or 2020-09-01-preview
    if (text.size() < 10 || text[4] != '-' || text[7] != '-') return false;
    return std::ranges::all_of(text.substr(0, 10), [](char c) { return c == '-' || (c >= '0' && c <= '9'); });
}

Answer group_operation(World& world, const Call& call) {
    const Operation* const operation = world.find_operation(call.path.segments[3]);
    if (operation == nullptr) return error_answer(404, "NotFound", "The operation was not found.");
    Answer answer;
    if (!operation->finished) {
        answer.status = 202;
        answer.headers.add("Location", call.base + call.http.target);
        answer.headers.add("Retry-After", std::to_string(retry_after_seconds(world, operation->ends - world.now, 15)));
    }
    return answer;
}

Answer route_plain(World& world, const Call& call) {  // no /providers/ in the path, or nothing behind the namespace
    const std::vector<std::string>& at = call.path.folded;
    if (at.empty()) return error_answer(404, "NotFound", "Nothing is served at the root.");
    if (at[0] == "subscriptions" && at.size() >= 3 && at[2] == "resourcegroups" && at.size() <= 4)
        return resource_group(world, call);
    if (at[0] == "subscriptions" && at.size() == 4 && at[2] == "operationresults") return group_operation(world, call);
    if (at[0] == "subscriptions" || at[0] == "tenants") return subscription_call(world, call);
    return error_answer(404, "NotFound", "The built-in Azure does not know '" + call.path.text + "'.");
}

Answer route_gallery(World& world, const Call& call) {
    const std::string& method = call.method();
    if (method == "GET") {
        if (!call.path.collection) return get_gallery_resource(world, call);
        return call.path.type == gallery_type ? list_galleries(world, call) : list_gallery_children(world, call);
    }
    if (call.path.collection)
        return error_answer(405, "MethodNotAllowed", "The method is not allowed on a collection.");
    if (method == "DELETE") return delete_gallery_resource(world, call);
    if (method == "PUT" || method == "PATCH") {
        if (call.path.type == gallery_type) return put_gallery(world, call);
        return call.path.type == definition_type ? put_definition(world, call) : put_version(world, call);
    }
    return error_answer(405, "MethodNotAllowed", "The method is not allowed here.");
}

std::optional<Answer> check_api_version(const World& world, const Call& call) {
    const std::string version = call.api_version();
    if (version.empty()) {
        return error_answer(400, "MissingApiVersionParameter",
                            "The api-version query parameter (?api-version=) is required for all requests.");
    }
    if (!looks_like_version(version)) {
        return error_answer(
            400, "InvalidApiVersionParameter",
            "The api-version '" + version + "' is invalid. The supported versions are '2024-11-01,2022-09-01'.");
    }
    if (!call.path.type.starts_with(gallery_type)) return std::nullopt;
    const std::vector<std::string> all(gallery_versions.begin(), gallery_versions.end());
    const std::vector<std::string>* own = world.around.offered_versions(gallery_type);
    const std::vector<std::string>& offered = own == nullptr ? all : *own;
    if (std::ranges::find(offered, version) != offered.end()) return std::nullopt;
    std::string supported;
    for (const std::string& one : offered) supported += (supported.empty() ? "" : ", ") + one;
    const std::string location = normalise_region(text_of(call.body, "location"));
    return unknown_api_version(location.empty() ? "eastus" : location, version, call.path.type, supported);
}

// An id that reads back as itself: nothing of the path is lost between the scope and the last provider.
bool has_plain_id(const Path& path) {
    const std::string id = canonical_id(path);
    return parse_resource_id(id).has_value() && fold_case(id) == path.key;
}

}  // namespace

std::optional<Answer> check_request(const World& world, const Call& call) {
    // What is written must have an id that every other tool can read; the service's words for others are unverified.
    if (call.method() == "PUT" && !call.path.provider.empty() && call.path.folded[0] != "providers" &&
        !has_plain_id(call.path))
        return error_answer(404, "NotFound", "The built-in Azure does not know '" + call.path.text + "'.");
    if (!call.path.folded.empty() && call.path.folded[0] == "subscriptions" && call.path.segments.size() > 1 &&
        !is_guid(call.path.subscription))
        return error_answer(
            400, "InvalidSubscriptionId",
            "The provided subscription identifier '" + call.path.subscription + "' is malformed or invalid.");
    if (auto wrong = check_api_version(world, call)) return wrong;
    if (world.unreadable_subscriptions.contains(fold_case(call.path.subscription))) {
        const std::string action = type_display(call.path.type.empty() ? "subscriptions" : call.path.type) + "/read";
        return error_answer(
            403, "AuthorizationFailed",
            "The client 'simulated' with object id '00000000-0000-0000-0000-0000000000aa' does not have "
            "authorization to perform action '" +
                action + "' over scope '" + call.path.text +
                "' or the scope is invalid. If access was recently granted, please refresh your "
                "credentials.");
    }
    for (const auto check : {check_rights, check_registration, check_enabled}) {
        if (auto refused = check(world, call)) return refused;
    }
    const bool group_itself = call.path.type == "resourcegroups";
    return group_itself ? std::nullopt : check_group(world, call.path);
}

Answer route(World& world, const Call& call) {
    const std::string& type = call.path.type;
    if (call.path.provider.empty()) return route_plain(world, call);
    if (type == call.path.provider && !call.path.subscription.empty()) return subscription_call(world, call);
    if (type == "microsoft.authorization/permissions" && call.method() == "GET") return permissions_call(world, call);
    if (call.path.provider == "microsoft.authorization") return role_call(world, call);
    if (call.path.subscription.empty())
        return error_answer(404, "NotFound", "The built-in Azure does not know '" + call.path.text + "'.");
    if (call.path.segments.size() > 3 && call.path.folded[3] == "microsoft.features") return feature_call(world, call);
    if (call.path.provider == "microsoft.storage" && type != "microsoft.storage") return storage_call(world, call);
    if (type == "microsoft.resources/tags" && !call.path.collection && fold_case(call.path.name()) == "default")
        return resource_tags(world, call);
    if (is_gallery_type(type)) return route_gallery(world, call);
    if (type == "microsoft.compute/galleries/share" && call.method() == "POST") return share_gallery(world, call);
    if (type == "microsoft.compute/galleries/softdeletedartifacttypes/artifacts/versions" && call.method() == "GET")
        return list_soft_deleted(world, call);
    if (type == "microsoft.compute/locations/capsoperations") return get_operation(world, call);
    if (type.starts_with("microsoft.compute/locations/sharedgalleries") ||
        type.starts_with("microsoft.compute/locations/communitygalleries"))
        return get_consumer_view(world, call);
    const bool is_about_provider = type.ends_with("/register") || type == "microsoft.compute/locations/usages";
    if (is_about_provider) return subscription_call(world, call);
    return seeded_resource(world, call);
}

}  // namespace galleryd::simulator
