#include <algorithm>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/replication.h"
#include "controller/simulator/rules.h"

namespace galleryd::simulator {
namespace {

bool is_gallery_name(std::string_view name) {
    // The text rule: no dash, although the pattern of the specification would allow one (azure-facts §1).
    const auto edge = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (name.empty() || name.size() > 80 || !edge(name.front()) || !edge(name.back())) return false;
    return std::ranges::all_of(name, [&edge](char c) { return edge(c) || c == '_' || c == '.'; });
}

std::optional<Answer> check_sharing(const Json& profile) {
    if (profile.is_null()) return std::nullopt;
    if (!profile.is_object()) return wrong_type("gallery.properties.sharingProfile", "SharingProfile");
    const std::string permissions = text_of(profile, "permissions");
    if (permissions.empty() || permissions == "Private" || permissions == "Groups") return std::nullopt;
    if (permissions != "Community") {
        return invalid_parameter(
            "The value '" + permissions + "' of parameter 'gallery.properties.sharingProfile.permissions' is invalid.",
            "gallery.properties.sharingProfile.permissions");
    }
    for (const std::string_view field : {"publisherUri", "publisherContact", "eula", "publicNamePrefix"}) {
        if (text_of(member(profile, "communityGalleryInfo"), field).empty())
            return missing_parameter("gallery.properties.sharingProfile.communityGalleryInfo." + std::string(field));
    }
    return std::nullopt;
}

std::optional<Answer> check_gallery(const World& world, const Call& call, const Resource* old, const Json& body) {
    if (!body.is_object())
        return error_answer(400, "InvalidRequestContent",
                            "The request content was invalid and could not be deserialized.");
    if (!is_gallery_name(call.path.name())) {
        return invalid_parameter(
            "The entity name 'galleryName' is invalid according to its validation rule: "
            "^[^_\\W][\\w-._]{0,79}(?<![-.])$.",
            "galleryName");
    }
    if (auto wrong = check_location(body, gallery_type, "gallery")) return wrong;
    if (auto wrong = check_tags(body, "gallery")) return wrong;
    const Json& properties = member(body, "properties");
    if (!properties.is_null() && !properties.is_object()) return wrong_type("gallery.properties", "GalleryProperties");
    const Json& description = member(properties, "description");
    if (!description.is_null() && !description.is_string())
        return wrong_type("gallery.properties.description", "String");
    const Json& soft = member(properties, {"softDeletePolicy", "isSoftDeleteEnabled"});
    if (!soft.is_null() && !soft.is_boolean())
        return wrong_type("gallery.properties.softDeletePolicy.isSoftDeleteEnabled", "Boolean");
    if (auto wrong = check_sharing(member(properties, "sharingProfile"))) return wrong;
    if (old == nullptr) {
        const std::string prefix = "/subscriptions/" + fold_case(call.path.subscription) + "/";
        for (const auto& [key, other] : world.resources()) {
            if (other.type != gallery_type || !key.starts_with(prefix) ||
                fold_case(other.name()) != fold_case(call.path.name()))
                continue;
            return conflict("Conflict", "The gallery name '" + call.path.name() +
                                            "' is not unique within the subscription '" +  // code unverified
                                            call.path.subscription + "'. It is already in use in resource group '" +
                                            other.group() + "'.");
        }
        return std::nullopt;
    }
    if (auto busy = check_busy(*old, "Gallery")) return busy;
    if (normalise_region(text_of(body, "location")) != normalise_region(old->location()))
        return location_change(call.path.name(), old->location(), call.path.group, text_of(body, "location"));
    const std::string before = text_of(member(old->body, {"properties", "sharingProfile"}), "permissions");
    const std::string after = text_of(member(properties, "sharingProfile"), "permissions");
    if (!after.empty() && after != (before.empty() ? "Private" : before))
        return property_change_not_allowed("gallery.properties.sharingProfile.permissions");
    return std::nullopt;
}

Json sharing_profile(World& world, const Json& asked, const Json& stored) {
    if (asked.is_null() && stored.is_null()) return nullptr;
    Json profile = stored.is_null() ? Json::object() : stored;
    if (stored.is_null()) {
        const std::string permissions = text_of(asked, "permissions");
        profile["permissions"] = permissions.empty() ? "Private" : permissions;
        if (permissions == "Community") {
            Json info = Json::object();
            info["communityGalleryEnabled"] = false;
            info["publicNames"] = Json::array(
                {text_of(member(asked, "communityGalleryInfo"), "publicNamePrefix") + "-" + world.id_random.guid()});
            profile["communityGalleryInfo"] = std::move(info);
        }
    }
    for (const std::string_view field : {"publisherUri", "publisherContact", "eula", "publicNamePrefix"}) {
        if (profile.contains("communityGalleryInfo"))
            copy_member(member(asked, "communityGalleryInfo"), profile["communityGalleryInfo"], field);
    }
    return profile;
}

Json gallery_body(World& world, const Path& path, const Resource* old, const Json& asked) {
    Json body = Json::object();
    const std::string id = old == nullptr ? canonical_id(path) : old->id;
    body["name"] = ResourceId(id).name();
    body["id"] = id;
    body["type"] = "Microsoft.Compute/galleries";
    body["location"] = normalise_region(text_of(asked, "location"));
    copy_member(asked, body, "tags", true);
    copy_member(asked, body, "identity");
    const Json& wanted = member(asked, "properties");
    const Json& stored = old == nullptr ? member(asked, "_") : member(old->body, "properties");
    Json properties = Json::object();
    copy_member(wanted, properties, "description");
    Json identifier = Json::object();
    std::string unique = path.subscription + "-" + text_of(body, "name");
    std::ranges::transform(unique, unique.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    identifier["uniqueName"] = path.subscription + unique.substr(path.subscription.size());
    properties["identifier"] = std::move(identifier);
    const Json profile = sharing_profile(world, member(wanted, "sharingProfile"), member(stored, "sharingProfile"));
    if (!profile.is_null()) properties["sharingProfile"] = profile;
    if (wanted.contains("softDeletePolicy")) {
        copy_member(wanted, properties, "softDeletePolicy");
    } else {
        copy_member(stored, properties,
                    "softDeletePolicy");  // whether a PUT without it resets the policy is unverified
    }
    body["properties"] = std::move(properties);
    return body;
}

// The groups of a shared gallery are kept apart from the body: a plain GET does not show them.
void change_groups(Json& groups, const Json& asked, bool add) {
    if (!groups.is_array()) groups = Json::array();
    for (const Json& entry : asked) {
        const std::string type = text_of(entry, "type");
        auto found =
            std::ranges::find_if(groups, [&type](const Json& group) { return text_of(group, "type") == type; });
        if (found == groups.end()) {
            if (!add) continue;
            Json group = Json::object();
            group["type"] = type;
            group["ids"] = Json::array();
            groups.push_back(std::move(group));
            found = groups.end() - 1;
        }
        Json& ids = (*found)["ids"];
        for (const Json& id : member(entry, "ids")) {
            const auto at = std::ranges::find(ids, id);
            if (add && at == ids.end()) ids.push_back(id);
            if (!add && at != ids.end()) ids.erase(at);
        }
        if (ids.empty()) groups.erase(found);
    }
}

}  // namespace

Answer put_gallery(World& world, const Call& call) {
    if (auto wrong = check_lock(world, call.path, false)) return *wrong;
    Resource* const old = world.find(call.path.key);
    if (old == nullptr && call.method() == "PATCH") return resource_not_found(call.path);
    Json asked = call.body;
    if (call.method() == "PATCH") {
        Json merged = old->body;
        if (asked.is_object() && asked.contains("tags")) merged.erase("tags");
        merge_into(merged, asked);
        asked = std::move(merged);
    }
    if (auto wrong = check_gallery(world, call, old, asked)) return *wrong;
    Resource resource;
    if (old != nullptr) resource = *old;
    resource.key = call.path.key;
    resource.type = gallery_type;
    resource.body = gallery_body(world, call.path, old, asked);
    resource.id = text_of(resource.body, "id");
    if (old == nullptr) {
        if (auto full = check_quota(world, resource, 100, "Gallery")) return *full;
    }
    resource.set_state(old == nullptr ? "Creating" : "Updating");
    Resource& stored = world.put(std::move(resource));
    const Duration length = world.operation_length(call.method(), stored.id, quick_length(world));
    return accepted(world, call, stored, old == nullptr ? OperationKind::create : OperationKind::update, length);
}

Answer share_gallery(World& world, const Call& call) {
    const std::string key = call.path.key.substr(0, call.path.key.rfind('/'));
    Resource* const gallery = world.find(key);
    if (gallery == nullptr) return resource_not_found(parse_path(call.path.text.substr(0, call.path.text.rfind('/'))));
    if (auto busy = check_busy(*gallery, "Gallery")) return *busy;
    const std::string operation = text_of(call.body, "operationType");
    world.note_update(*gallery);
    Json& properties = gallery->body["properties"];
    const std::string permissions = text_of(member(properties, "sharingProfile"), "permissions");
    if (operation == "Add" || operation == "Remove") {
        if (permissions != "Groups") {  // text unverified
            return conflict("OperationNotAllowed", "Sharing with groups is not allowed on gallery '" + gallery->name() +
                                                       "' since its sharing permission is not 'Groups'.");
        }
        Json groups = member(properties, {"sharingProfile", "groups"});
        change_groups(groups, member(call.body, "groups"), operation == "Add");
        std::size_t subscriptions = 0;
        std::size_t tenants = 0;
        for (const Json& group : groups)
            (text_of(group, "type") == "AADTenants" ? tenants : subscriptions) += member(group, "ids").size();
        if (subscriptions > 30 || tenants > 5)
            return invalid_parameter("A gallery can be shared with at most 30 subscriptions and 5 tenants.", "groups");
        properties["sharingProfile"]["groups"] = std::move(groups);
    } else if (operation == "Reset") {
        Json profile = Json::object();
        profile["permissions"] = "Private";
        properties["sharingProfile"] = std::move(profile);
    } else if (operation == "EnableCommunity") {
        if (permissions != "Community") {  // text unverified
            return conflict("OperationNotAllowed", "Community sharing is not allowed on gallery '" + gallery->name() +
                                                       "' since its sharing permission is not 'Community'.");
        }
        properties["sharingProfile"]["communityGalleryInfo"]["communityGalleryEnabled"] = true;
    } else {
        return invalid_parameter("The value '" + operation + "' of parameter 'operationType' is invalid.",
                                 "operationType");
    }
    gallery->set_state(gallery->state());
    const Duration length = world.operation_length(
        "POST", call.path.text, Duration(static_cast<std::int64_t>(world.random.between(0.5, 4) * 1e6)));
    return accepted(world, call, *gallery, OperationKind::share, length);
}

}  // namespace galleryd::simulator
