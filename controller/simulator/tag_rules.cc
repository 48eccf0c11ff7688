#include <algorithm>

#include "controller/core/resource_id.h"
#include "controller/simulator/rules.h"

// The tags of a resource as a resource of their own: …/providers/Microsoft.Resources/tags/default. `az tag update`
// (Azure CLI 2.45) speaks to nothing else, and `galleryd explain` sends people there to take an owner tag off. That the
// write begins no operation at the resource's provider is unverified.
namespace galleryd::simulator {
namespace {

constexpr std::size_t tags_max = 50;  // the specification of Tags_UpdateAtScope, 2024-07-01

Json tags_body(const Resource& resource, const Path& path) {
    Json body = Json::object();
    body["id"] = path.text;
    body["name"] = "default";
    body["type"] = "Microsoft.Resources/tags";
    const Json& tags = member(resource.body, "tags");
    body["properties"]["tags"] = tags.is_object() ? tags : Json::object();
    return body;
}

std::string spelling_of(const Json& tags, const std::string& name) {  // tag names are compared without case
    for (const auto& [have, value] : tags.items()) {
        if (fold_case(have) == fold_case(name)) return have;
    }
    return name;
}

// The tags after Merge or Delete; Delete takes a name with its value, or a name alone when the value is empty.
Json combined(Json tags, const Json& given, bool remove) {
    for (const auto& [name, value] : given.items()) {
        const std::string have = spelling_of(tags, name);
        if (!remove) tags[have] = value;
        else if (tags.contains(have) && (value.is_null() || value == "" || tags[have] == value)) tags.erase(have);
    }
    return tags;
}

}  // namespace

Answer resource_tags(World& world, const Call& call) {
    Resource* const resource = world.find(fold_case(call.path.scope));
    if (resource == nullptr) return resource_not_found(parse_path(call.path.scope));
    Answer answer;
    answer.compact = true;
    const std::string& method = call.method();
    if (method != "GET") {
        const Json& properties = member(call.body, "properties");
        const std::string operation = method == "PATCH" ? fold_case(text_of(call.body, "operation")) : "replace";
        if (method != "PUT" && method != "PATCH" && method != "DELETE")
            return error_answer(405, "MethodNotAllowed", "The method is not allowed here.");
        if (operation != "merge" && operation != "replace" && operation != "delete")
            return error_answer(400, "InvalidRequestContent", "The operation must be Merge, Replace or Delete.");
        if (auto wrong = check_tags(properties, "properties")) return *wrong;
        if (auto locked = check_lock(world, call.path, false)) return *locked;
        const Json none = Json::object();
        const Json& given = member(properties, "tags").is_object() ? member(properties, "tags") : none;
        const Json& before = member(resource->body, "tags").is_object() ? member(resource->body, "tags") : none;
        // The tags of a tracked resource are its provider's, which takes no change of what is being deleted.
        if (resource->deleting) return *check_busy(*resource, "Gallery Image Version");
        Json after = method == "DELETE"       ? none
                     : operation == "replace" ? given
                                              : combined(before, given, operation == "delete");
        if (after.size() > tags_max) {
            return error_answer(400, "InvalidTags",
                                "The resource can have at most " + std::to_string(tags_max) + " tags.");  // unverified
        }
        world.note_update(*resource);
        resource->previous = resource->body;
        resource->changed_at = world.now;
        resource->body["tags"] = std::move(after);
        answer.changed = true;
    }
    answer.body = tags_body(*resource, call.path);
    return answer;
}

}  // namespace galleryd::simulator
