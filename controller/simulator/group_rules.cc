#include <algorithm>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/rules.h"

// Resource groups (azure-facts §11) and resources that are only seeded: sources, users, locks.
namespace galleryd::simulator {
namespace {

bool is_group_name(std::string_view name) {
    return !name.empty() && name.size() <= 90 && name.back() != '.' && std::ranges::all_of(name, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
               c == '.' || c == '(' || c == ')' || static_cast<unsigned char>(c) >= 0x80;
    });
}

Answer put_group(World& world, const Call& call) {
    Resource* const old = world.find(call.path.key);
    const bool patch = call.method() == "PATCH";
    if (patch && old == nullptr) return group_not_found(call.path.group);
    if (!is_group_name(call.path.group))
        return error_answer(
            400, "InvalidResourceGroup",
            "The provided resource group name '" + call.path.group + "' has these invalid characters or is too long.");
    if (!call.body.is_object())
        return error_answer(400, "InvalidRequestContent",
                            "The request content was invalid and could not be deserialized.");
    if (auto wrong = check_tags(call.body, "resourceGroup")) return *wrong;
    if (!patch) {
        if (auto wrong = check_location(call.body, "resourcegroups", "resourceGroup")) return *wrong;
    }
    const std::string location = normalise_region(text_of(call.body, "location"));
    if (old != nullptr && !patch && location != normalise_region(old->location())) {
        return conflict("InvalidResourceGroupLocation", "Invalid resource group location '" + location +
                                                            "'. The Resource group already exists in location '" +
                                                            old->location() + "'.");
    }
    if (old != nullptr && old->deleting) {
        return conflict("ResourceGroupBeingDeleted",
                        "The resource group '" + call.path.group +
                            "' is in deprovisioning state and cannot perform this operation.");
    }
    Resource group;
    group.id = old == nullptr ? canonical_id(call.path) : old->id;
    group.key = call.path.key;
    group.type = "resourcegroups";
    group.body["id"] = group.id;
    group.body["name"] = ResourceId(group.id).name();
    group.body["type"] = "Microsoft.Resources/resourceGroups";
    group.body["location"] = old == nullptr ? location : old->location();
    if (patch && !call.body.contains("tags")) copy_member(old->body, group.body, "tags", true);
    else copy_member(call.body, group.body, "tags", true);  // a PUT replaces the tags
    group.set_state("Succeeded");
    Answer answer;
    answer.status = old == nullptr ? 201 : 200;
    answer.changed = true;
    answer.compact = true;
    answer.body = world.put(std::move(group)).body;
    return answer;
}

Answer delete_group(World& world, const Call& call) {
    Resource* const group = world.find(call.path.key);
    if (group == nullptr) return group_not_found(call.path.group);
    if (auto locked = check_lock(world, call.path, true)) return *locked;
    world.note_update(*group);
    group->deleting = true;
    group->set_state("Deleting");
    const Duration length = world.operation_length(
        "DELETE", group->id, std::chrono::seconds(30 + 5 * static_cast<int>(world.random.next() % 10)));
    const Operation& operation = world.begin(*group, OperationKind::remove_group, call.api_version(), length);
    Answer answer;
    answer.status = 202;
    answer.changed = true;
    answer.operation = operation.guid;
    answer.headers.add("Location", call.base + "/subscriptions/" + call.path.subscription + "/operationresults/" +
                                       operation.guid + "?api-version=" + call.api_version());
    answer.headers.add("Retry-After", std::to_string(retry_after_seconds(world, length, 15)));
    return answer;
}

}  // namespace

Answer resource_group(World& world, const Call& call) {
    Answer answer;
    answer.compact = true;
    if (call.path.collection) {
        if (call.method() != "GET") return error_answer(405, "MethodNotAllowed", "The method is not allowed here.");
        std::vector<Json> all;
        world.visit_children(fold_case("/subscriptions/" + call.path.subscription), "resourcegroups",
                             [&all](const Resource& group) {
                                 all.push_back(group.body);
                                 return true;
                             });
        answer.body["value"] = std::move(all);
        return answer;
    }
    if (call.method() == "PUT" || call.method() == "PATCH") return put_group(world, call);
    if (call.method() == "DELETE") return delete_group(world, call);
    const Resource* const group = world.find(call.path.key);
    if (call.method() == "HEAD") {
        answer.status = group == nullptr ? 404 : 204;
        return answer;
    }
    if (group == nullptr) return group_not_found(call.path.group);
    answer.body = group->body;
    return answer;
}

Answer seeded_resource(World& world, const Call& call) {
    Answer answer;
    if (call.path.collection) {
        std::vector<Json> all;
        const std::string type = call.path.type;
        const std::string prefix = call.path.group.empty() ? fold_case("/subscriptions/" + call.path.subscription) + "/"
                                                           : group_key(call.path) + "/";
        for (auto at = world.resources().lower_bound(prefix);
             at != world.resources().end() && at->first.starts_with(prefix); ++at) {
            if (at->second.type == type) all.push_back(at->second.body);
        }
        if (call.method() != "GET")
            return error_answer(405, "MethodNotAllowed", "The built-in Azure does not know this action.");
        answer.body = page_of(world, call, std::move(all));
        return answer;
    }
    Resource* const found = world.find(call.path.key);
    if (call.method() == "GET" || call.method() == "HEAD") {
        if (found == nullptr) return resource_not_found(call.path);
        answer.body = shown(*found, call.path);
        return answer;
    }
    if (call.method() == "DELETE") {
        if (found == nullptr) return no_content();
        if (found->type != "microsoft.authorization/locks") {
            if (auto locked = check_lock(world, call.path, true)) return *locked;
        }
        world.erase(call.path.key);
        answer.changed = true;
        return answer;
    }
    if (call.method() != "PUT" && call.method() != "PATCH")
        return error_answer(405, "MethodNotAllowed", "The built-in Azure does not know this action.");
    // Enough to prepare a source or a lock by hand: kept as sent, done at once. Real providers run an operation here.
    if (!call.body.is_object())
        return error_answer(400, "InvalidRequestContent",
                            "The request content was invalid and could not be deserialized.");
    if (call.method() == "PATCH" && found == nullptr) return resource_not_found(call.path);
    Resource resource;
    resource.id = found == nullptr ? canonical_id(call.path) : found->id;
    resource.key = call.path.key;
    resource.type = call.path.type;
    resource.body["name"] = ResourceId(resource.id).name();
    resource.body["id"] = resource.id;
    resource.body["type"] = type_display(call.path.type);
    Json asked = call.body;
    if (call.method() == "PATCH") {
        asked = found->body;
        merge_into(asked, call.body);
    }
    for (const auto& [name, value] : asked.items()) {
        if (name != "name" && name != "id" && name != "type") resource.body[name] = value;
    }
    if (resource.body.contains("location"))
        resource.body["location"] = normalise_region(text_of(resource.body, "location"));
    if (call.path.provider != "microsoft.authorization") resource.set_state("Succeeded");
    answer.status = found == nullptr ? 201 : 200;
    answer.changed = true;
    answer.body = world.put(std::move(resource)).body;
    return answer;
}

}  // namespace galleryd::simulator
