#include <algorithm>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/rules.h"

// What consumers of shared and community galleries see (specification, sharedGallery.json and communityGallery.json).
namespace galleryd::simulator {
namespace {

struct Found {
    const Resource* gallery = nullptr;
    std::string public_name;
};

Found find_gallery(const World& world, const std::string& name, bool community) {
    for (const auto& [key, resource] : world.resources()) {
        if (resource.type != gallery_type) continue;
        const Json& properties = member(resource.body, "properties");
        if (!community) {
            const std::string unique = text_of(member(properties, "identifier"), "uniqueName");
            if (fold_case(unique) == fold_case(name)) return {.gallery = &resource, .public_name = unique};
            continue;
        }
        const Json& info = member(properties, {"sharingProfile", "communityGalleryInfo"});
        if (!is_true(info, "communityGalleryEnabled")) continue;
        for (const Json& one : member(info, "publicNames")) {
            if (one.is_string() && fold_case(one.get<std::string>()) == fold_case(name))
                return {.gallery = &resource, .public_name = one.get<std::string>()};
        }
    }
    return {};
}

Json disks_of(const Json& storage) {  // consumers see diskSizeGB where the owner sees sizeInGB
    Json profile = Json::object();
    const auto shown = [](const Json& disk) {
        Json row = Json::object();
        copy_member(disk, row, "lun");
        if (disk.contains("sizeInGB")) row["diskSizeGB"] = disk["sizeInGB"];
        copy_member(disk, row, "hostCaching");
        return row;
    };
    if (member(storage, "osDiskImage").is_object()) profile["osDiskImage"] = shown(member(storage, "osDiskImage"));
    Json disks = Json::array();
    for (const Json& disk : member(storage, "dataDiskImages")) {
        if (disk.is_object()) disks.push_back(shown(disk));
    }
    if (!disks.empty()) profile["dataDiskImages"] = std::move(disks);
    return profile;
}

Json community_metadata(const Json& gallery_properties) {
    Json metadata = Json::object();
    const Json& info = member(gallery_properties, {"sharingProfile", "communityGalleryInfo"});
    for (const std::string_view field : {"publisherUri", "publisherContact", "eula", "publicNames"})
        copy_member(info, metadata, field);
    return metadata;
}

// Shapes of the community calls are recorded (api-versions 2022-01-03 to 2025-03-03); the shared ones follow the
// specification.
Json view(const Resource& resource, const std::string& location, const std::string& unique_id, std::string_view level,
          bool community) {
    Json body = Json::object();
    const Json& from = member(resource.body, "properties");
    Json properties = Json::object();
    if (community && level != "Gallery") properties["disclaimer"] = "https://aka.ms/community-gallery-disclaimer";
    if (level == "Gallery" && community) {
        properties["communityMetadata"] = community_metadata(from);
        properties["disclaimer"] = "https://aka.ms/community-gallery-disclaimer";
    } else if (level == "GalleryImage") {
        for (const std::string_view field : {"osType", "osState", "endOfLifeDate"})
            copy_member(from, properties, field);
        properties["recommended"] =
            member(from, "recommended").is_object() ? member(from, "recommended") : Json::object();
        for (const std::string_view field : {"disallowed", "hyperVGeneration", "architecture", "features",
                                             "purchasePlan", "eula", "privacyStatementUri"})
            copy_member(from, properties, field);
        properties["identifier"] =
            Json{{"publisher", ""}, {"offer", ""}, {"sku", ""}};  // blanked for community consumers (azure-facts §10)
        if (!community) properties["identifier"] = member(from, "identifier");
    } else if (level == "GalleryImageVersion") {
        const Json& profile = member(from, "publishingProfile");
        for (const std::string_view field : {"publishedDate", "endOfLifeDate", "excludeFromLatest"})
            copy_member(profile, properties, field);
        properties["storageProfile"] = disks_of(member(from, "storageProfile"));
    }
    if (!properties.empty()) body["properties"] = std::move(properties);
    if (level == "Gallery" && community) body["communityMetadata"] = community_metadata(from);
    body["location"] = location;
    body["name"] = level == "Gallery" ? unique_id.substr(unique_id.rfind('/') + 1) : resource.name();
    body["identifier"] = Json{{"uniqueId", unique_id}};
    return body;
}

}  // namespace

Answer get_consumer_view(World& world, const Call& call) {
    const bool community = call.path.type.find("communitygalleries") != std::string::npos;
    const std::string location = normalise_region(call.path.names.front());
    Answer answer;
    answer.body["value"] = Json::array();
    if (call.path.names.size() == 1) {  // shared galleries of this subscription
        for (const auto& [key, resource] : world.resources()) {
            if (resource.type != gallery_type || normalise_region(resource.location()) != location) continue;
            const std::string listed = member(resource.body, {"properties", "sharingProfile", "groups"}).dump();
            if (fold_case(listed).find(fold_case(call.path.subscription)) == std::string::npos) continue;
            const std::string unique = text_of(member(resource.body, {"properties", "identifier"}), "uniqueName");
            answer.body["value"].push_back(view(resource, location, "/SharedGalleries/" + unique, "Gallery", false));
        }
        return answer;
    }
    const Found found = find_gallery(world, call.path.names[1], community);
    if (found.gallery == nullptr) return resource_not_found(call.path);
    std::string unique = (community ? "/CommunityGalleries/" : "/SharedGalleries/") + found.public_name;
    const std::size_t depth = call.path.names.size();
    std::string key = found.gallery->key;
    if (depth == 2 && !call.path.collection) {
        answer.body = view(*found.gallery, location, unique, "Gallery", community);
        return answer;
    }
    if (depth >= 3) {
        key += "/images/" + fold_case(call.path.names[2]);
        unique += "/Images/" + call.path.names[2];
    }
    if (depth >= 4) {
        key += "/versions/" + call.path.names[3];
        unique += "/Versions/" + call.path.names[3];
    }
    const std::string_view level = call.path.type.ends_with("/versions") ? "GalleryImageVersion" : "GalleryImage";
    if (call.path.collection) {
        const bool images = level == "GalleryImage";
        world.visit_children(key, images ? "images" : "versions", [&](const Resource& child) {
            answer.body["value"].push_back(
                view(child, location, unique + (images ? "/Images/" : "/Versions/") + child.name(), level, community));
            return true;
        });
        return answer;
    }
    const Resource* const resource = world.find(key);
    if (resource == nullptr) return resource_not_found(call.path);
    answer.body = view(*resource, location, unique, level, community);
    return answer;
}

}  // namespace galleryd::simulator
