#include <algorithm>
#include <cmath>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/rules.h"

namespace galleryd::simulator {

bool is_gallery_type(std::string_view type) {
    return type == gallery_type || type == definition_type || type == version_type;
}

bool api_at_least(const Call& call, std::string_view version) { return call.api_version() >= version; }

std::string azure_date(const std::string& rfc3339) {
    const auto time = parse_rfc3339(rfc3339);
    if (!time) return rfc3339;
    std::string text = format_rfc3339(*time);
    text.pop_back();
    const std::size_t dot = text.find('.');
    if (dot != std::string::npos) {
        while (text.back() == '0') text.pop_back();
    }
    return text + "+00:00";
}

std::string canonical_id(const Path& path) {
    std::string id;
    if (path.provider.empty()) {
        for (std::size_t i = 0; i < path.segments.size(); ++i) {
            const std::string& folded = path.folded[i];
            id += "/" + (i % 2 == 1                   ? path.segments[i]
                         : folded == "resourcegroups" ? "resourceGroups"
                         : folded == "subscriptions"  ? folded
                                                      : path.segments[i]);
        }
        return id;
    }
    if (!path.scope.empty()) id = canonical_id(parse_path(path.scope));
    std::string types = type_display(path.type) + "/";
    std::size_t slash = types.find('/');
    id += "/providers/" + types.substr(0, slash);
    for (const std::string& name : path.names) {
        types.erase(0, slash + 1);
        slash = types.find('/');
        id += "/" + types.substr(0, slash) + "/" + name;
    }
    return id;
}

std::string group_key(const Path& path) {
    return fold_case("/subscriptions/" + path.subscription + "/resourceGroups/" + path.group);
}

std::string with_group(const std::string& id, const std::string& group) {
    static constexpr std::string_view marker = "/resourcegroups/";
    const std::size_t at = fold_case(id.substr(0, std::min<std::size_t>(id.size(), 90))).find(marker);
    if (at == std::string::npos || group.empty()) return id;
    const std::size_t from = at + marker.size();
    const std::size_t end = std::min(id.find('/', from), id.size());
    return id.substr(0, from) + group + id.substr(end);
}

Json shown(const Resource& resource, const Path& path) {
    Json body = resource.body;
    body["id"] = with_group(resource.id, path.group);
    if (resource.type == version_type && path.get("api-version") >= "2024-03-03") {
        // Recorded in PUT and GET answers of 2024-03-03; the simulator runs no validations.
        Json& properties = body["properties"];
        const Json state = member(properties, "provisioningState");
        properties.erase("provisioningState");
        properties["validationsProfile"] = Json{{"validationOperationStatus", "NotExecuted"}};
        properties["provisioningState"] = state;
    }
    return body;
}

std::string sort_key(const Json& resource) { return fold_case(text_of(resource, "id")); }

Json page_of(const World& world, const Call& call, std::vector<Json> all) {
    std::size_t from = 0;
    const std::string token = call.path.get("$skiptoken");
    if (!token.empty()) {  // the name of the last one shown: stays valid when others come and go
        const auto next = std::ranges::find_if(all, [&token](const Json& one) { return sort_key(one) > token; });
        from = static_cast<std::size_t>(next - all.begin());
    }
    const std::size_t end = std::min(all.size(), from + world.options.page_size);
    Json answer = Json::object();
    answer["value"] = Json::array();
    for (std::size_t i = from; i < end; ++i) answer["value"].push_back(std::move(all[i]));
    if (end < all.size()) {
        std::string escaped;
        for (const char c : sort_key(answer["value"].back())) escaped += c == '/' ? "%2F" : std::string(1, c);
        answer["nextLink"] =
            call.base + call.path.text + "?api-version=" + call.api_version() + "&$skiptoken=" + escaped;
    }
    return answer;
}

int retry_after_seconds(const World& world, Duration simulated, int max_simulated) {
    const double seconds =
        std::min(std::chrono::duration<double>(simulated).count(), static_cast<double>(max_simulated));
    return std::max(1, static_cast<int>(std::ceil(seconds / std::max(world.options.time_scale, 1e-6))));
}

Answer accepted(World& world, const Call& call, Resource& resource, OperationKind kind, Duration lasts) {
    const Operation& operation = world.begin(resource, kind, call.api_version(), lasts);
    Answer answer;
    answer.changed = true;
    answer.operation = operation.guid;
    const std::string url = call.base + "/subscriptions/" + call.path.subscription +
                            "/providers/Microsoft.Compute/locations/" + operation.location + "/capsOperations/" +
                            operation.guid;
    const std::string version = "api-version=" + call.api_version() + "&" + operation.signature;
    const bool with_body = kind == OperationKind::create || kind == OperationKind::update;
    answer.headers.add("Azure-AsyncOperation", url + "?" + version);
    // 2018-06-01 answered updates with 202 and both headers (azure-facts §4).
    const bool old_update = kind == OperationKind::update && call.api_version() == "2018-06-01";
    if (!with_body || old_update) answer.headers.add("Location", url + "?monitor=true&" + version);
    answer.headers.add("Retry-After", std::to_string(retry_after_seconds(world, lasts)));
    answer.status = kind == OperationKind::create ? 201 : kind == OperationKind::update && !old_update ? 200 : 202;
    if (with_body) answer.body = shown(resource, call.path);
    return answer;
}

std::optional<Answer> check_group(const World& world, const Path& path) {
    if (path.group.empty() || world.find(group_key(path)) != nullptr) return std::nullopt;
    return group_not_found(path.group);
}

std::optional<Answer> check_lock(const World& world, const Path& path, bool for_delete) {
    const auto scope = world.lock_on(path.key, for_delete);
    if (!scope) return std::nullopt;
    return conflict("ScopeLocked", "The scope '" + path.text + "' cannot perform " + (for_delete ? "delete" : "write") +
                                       " operation because following scope(s) are locked: '" + *scope +
                                       "'. Please remove the lock and try again.");
}

std::optional<Answer> check_tags(const Json& body, std::string_view prefix) {
    const Json& tags = member(body, "tags");
    if (tags.is_null()) return std::nullopt;
    const std::string target = std::string(prefix) + ".tags";
    if (!tags.is_object()) return wrong_type(target, "Dictionary");
    if (tags.size() > 50)
        return error_answer(400, "InvalidTags", "The number of tags exceeds the limit of 50.");  // text unverified
    for (const auto& [name, value] : tags.items()) {
        if (value.is_null())
            continue;  // unverified: people report null tags, so a PUT that sends one back is let through
        if (!value.is_string()) return wrong_type(target + "." + name, "String");
        if (name.size() > 512 || value.get_ref<const std::string&>().size() > 256)
            return error_answer(400, "InvalidTagNameOrValue",
                                "The tag '" + name.substr(0, 64) + "' is too long.");  // text unverified
    }
    return std::nullopt;
}

std::optional<Answer> check_location(const Json& body, std::string_view type, std::string_view prefix) {
    const Json& location = member(body, "location");
    if (location.is_null())
        return error_answer(400, "LocationRequired", "The location property is required for this definition.");
    if (!location.is_string()) return wrong_type(std::string(prefix) + ".location", "String");
    if (!is_known_region(normalise_region(location.get<std::string>())))
        return location_unavailable(location.get<std::string>(), type);
    return std::nullopt;
}

std::optional<Answer> check_quota(const World& world, const Resource& resource, std::size_t limit,
                                  std::string_view name) {
    limit = world.around.usage_limit(name, limit);
    if (!world.options.limits || world.count(resource.subscription(), resource.location(), resource.type) < limit)
        return std::nullopt;
    // The body for gallery quotas was never seen (azure-facts §16); this is the wording of other Compute quotas.
    return conflict("OperationNotAllowed",
                    "Operation could not be completed as it results in exceeding approved " + std::string(name) +
                        " quota. Additional details - Location: " + resource.location() +
                        ", Current Limit: " + std::to_string(limit) + ", Current Usage: " + std::to_string(limit) +
                        ", Additional Required: 1.");
}

std::optional<Answer> check_busy(const Resource& resource, std::string_view what) {
    if (resource.deleting) {
        return conflict("OperationNotAllowed",
                        "Operation 'Update " + std::string(what) + "' is not allowed on '" + resource.name() +
                            "' since it is marked for deletion. You can only retry the Delete operation (or wait "
                            "for an ongoing one to complete).");
    }
    // Unverified: no recording shows a second write while one is running (azure-facts §6, end). Refusing is the careful
    // reading.
    if (!resource.operation.empty()) {
        return conflict("Conflict", "The request failed due to conflict with a concurrent request. '" +
                                        resource.name() + "' is being created or updated.");
    }
    return std::nullopt;
}

}  // namespace galleryd::simulator
