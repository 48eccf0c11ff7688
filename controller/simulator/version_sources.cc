#include <algorithm>
#include <array>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/version_rules.h"

// Where the bits of a version come from, and what its disks look like once they have arrived.
namespace galleryd::simulator {
namespace {

const Json& source_properties(const World& world, const std::string& id) {
    static const Json none;
    const Resource* const found = world.find(fold_case(id));
    return found == nullptr ? none : member(found->body, "properties");
}

Json first_number(std::initializer_list<const Json*> values, int otherwise) {
    for (const Json* value : values) {
        if (value->is_number()) return *value;
    }
    return otherwise;
}

// A managed image or a virtual machine, or another version: all its disks.
void add_whole(const Json& properties, bool is_version, Json& profile) {
    const Json& storage = member(properties, "storageProfile");
    const Json& os = member(storage, is_version ? "osDiskImage" : "osDisk");
    Json os_disk = Json::object();
    os_disk["sizeInGB"] = first_number({&member(os, "sizeInGB"), &member(os, "diskSizeGB")}, 30);
    os_disk["hostCaching"] = "ReadWrite";
    os_disk["source"] = Json::object();
    profile["osDiskImage"] = std::move(os_disk);
    Json disks = Json::array();
    for (const Json& disk : member(storage, is_version ? "dataDiskImages" : "dataDisks")) {
        Json shown = Json::object();
        shown["lun"] = member(disk, "lun");
        shown["sizeInGB"] = first_number({&member(disk, "sizeInGB"), &member(disk, "diskSizeGB")}, 10);
        const std::string caching = text_of(disk, is_version ? "hostCaching" : "caching");
        shown["hostCaching"] = caching.empty() ? "None" : caching;
        disks.push_back(std::move(shown));
    }
    if (!disks.empty()) profile["dataDiskImages"] = std::move(disks);
}

std::optional<Answer> source_missing(const std::string& id, std::string_view field) {
    return invalid_parameter(
        "Source '" + id +
            "' is not found. Please check source exists, and is in the same region as gallery image version "
            "being created.",
        version_field(field));
}

std::optional<Answer> check_one(const World& world, const std::string& id, const std::string& region,
                                std::string_view field) {
    if (id.empty() || fold_case(id).starts_with("/communitygalleries/") ||
        fold_case(id).starts_with("/sharedgalleries/"))
        return std::nullopt;
    const Resource* const source = world.find(fold_case(id));
    if (source == nullptr) return source_missing(id, field);
    if (source->type == version_type) {
        const auto copy = std::ranges::find(source->copies, region, &RegionCopy::region);
        const bool usable = copy != source->copies.end() && copy->done <= world.now && copy->failure.empty();
        return usable ? std::nullopt : source_missing(id, field);
    }
    if (normalise_region(source->location()) != region) return source_missing(id, field);
    return std::nullopt;
}

}  // namespace

std::string source_id(const Json& source) {
    for (const std::string_view field : {"id", "virtualMachineId", "communityGalleryImageId", "uri"}) {
        std::string id = text_of(source, field);
        if (!id.empty()) return id;
    }
    return {};
}

std::optional<Answer> check_version_source(const World& world, const Call& call, const Json& body,
                                           const Resource& definition) {
    (void)call;
    const Json& storage = member(body, {"properties", "storageProfile"});
    const std::string region = normalise_region(text_of(body, "location"));
    const std::string whole = source_id(member(storage, "source"));
    const Json& os_source = member(storage, {"osDiskImage", "source"});
    const std::string os = source_id(os_source);
    if (whole.empty() && os.empty()) return missing_parameter(version_field("storageProfile.source"));
    if (!whole.empty() && !os.empty())  // text unverified
        return invalid_parameter(
            "Only one of storageProfile.source and storageProfile.osDiskImage.source can be specified.",
            version_field("storageProfile"));
    if (auto wrong = check_one(world, whole, region, "storageProfile.source.id")) return wrong;
    // A VHD names a blob and its storage account: neither the blob nor its account is modelled.
    if (text_of(os_source, "uri").empty()) {
        if (auto wrong = check_one(world, os, region, "storageProfile.osDiskImage.source.id")) return wrong;
    }
    for (const Json& disk : member(storage, "dataDiskImages")) {
        if (!text_of(member(disk, "source"), "uri").empty()) continue;
        if (auto wrong =
                check_one(world, source_id(member(disk, "source")), region, "storageProfile.dataDiskImages.source.id"))
            return wrong;
    }
    const Json& properties = source_properties(world, whole);
    const std::string os_type = text_of(member(properties, {"storageProfile", "osDisk"}), "osType");
    const std::string wanted = text_of(member(definition.body, "properties"), "osType");
    if (!os_type.empty() && fold_case(os_type) != fold_case(wanted)) {  // text unverified
        return invalid_parameter("The OS type '" + os_type + "' of source '" + whole +
                                     "' does not match the OS type '" + wanted + "' of the gallery image.",
                                 version_field("storageProfile.source.id"));
    }
    const std::string generation = text_of(properties, "hyperVGeneration");
    const std::string expected = text_of(member(definition.body, "properties"), "hyperVGeneration");
    if (!generation.empty() && fold_case(generation) != fold_case(expected)) {  // text unverified
        return invalid_parameter("The hypervisor generation '" + generation + "' of source '" + whole +
                                     "' does not match the generation '" + expected + "' of the gallery image.",
                                 version_field("storageProfile.source.id"));
    }
    return std::nullopt;
}

Json arriving_disks(const World& world, const Json& storage_profile) {
    Json arriving = Json::object();
    const std::string whole = source_id(member(storage_profile, "source"));
    if (!whole.empty()) {
        const Resource* const found = world.find(fold_case(whole));
        add_whole(source_properties(world, whole), found != nullptr && found->type == version_type, arriving);
        return arriving;
    }
    const auto with_size = [&world](const Json& disk, int otherwise) {
        Json shown = Json::object();
        if (disk.contains("lun")) shown["lun"] = disk["lun"];
        const std::string id = text_of(member(disk, "source"), "uri").empty() ? source_id(member(disk, "source")) : "";
        shown["sizeInGB"] = first_number({&member(source_properties(world, id), "diskSizeGB")}, otherwise);
        for (const auto& [name, value] : disk.items()) shown[name] = value;
        return shown;
    };
    arriving["osDiskImage"] = with_size(member(storage_profile, "osDiskImage"), 30);
    Json disks = Json::array();
    for (const Json& disk : member(storage_profile, "dataDiskImages")) disks.push_back(with_size(disk, 10));
    if (!disks.empty()) arriving["dataDiskImages"] = std::move(disks);
    return arriving;
}

}  // namespace galleryd::simulator
