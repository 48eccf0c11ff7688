#include <algorithm>
#include <array>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"
#include "controller/simulator/version_rules.h"

// Normalisation of a version: what Azure fills in, respells and drops (azure-facts §3.3; order of members as recorded).
namespace galleryd::simulator {
namespace {

Json encryption_body(const Json& asked) {
    Json encryption = Json::object();
    const Json& os = member(asked, "osDiskImage");
    if (!os.is_null()) {
        Json shown = Json::object();
        shown["securityProfile"] =
            member(os, "securityProfile").is_object() ? member(os, "securityProfile") : Json::object();
        copy_member(os, shown, "diskEncryptionSetId");
        encryption["osDiskImage"] = std::move(shown);
    }
    Json disks = Json::array();
    for (const Json& disk : member(asked, "dataDiskImages")) {
        Json shown = Json::object();
        shown["lun"] = member(disk, "lun");
        copy_member(disk, shown, "diskEncryptionSetId");
        disks.push_back(std::move(shown));
    }
    if (!disks.empty()) encryption["dataDiskImages"] = std::move(disks);
    return encryption;
}

Json region_body(const Json& asked, const Json& default_count, const std::string& default_type, const Json& stored) {
    Json region = Json::object();
    region["name"] = region_display_name(normalise_region(text_of(asked, "name")));
    region["regionalReplicaCount"] =
        member(asked, "regionalReplicaCount").is_number() ? member(asked, "regionalReplicaCount") : default_count;
    std::string type = account_type(text_of(asked, "storageAccountType"));
    if (type.empty()) type = text_of(stored, "storageAccountType");
    region["storageAccountType"] = type.empty() ? default_type : type;
    if (!is_empty(member(asked, "encryption"))) region["encryption"] = encryption_body(member(asked, "encryption"));
    copy_member(asked, region, "excludeFromLatest");
    copy_member(asked, region, "additionalReplicaSets");
    return region;
}

const Json& stored_region(const Json& stored_profile, const std::string& name) {
    static const Json none;
    for (const Json& region : member(stored_profile, "targetRegions")) {
        if (normalise_region(text_of(region, "name")) == name) return region;
    }
    return none;
}

Json extended_locations(const Json& asked) {
    Json all = Json::array();
    for (const Json& entry : asked) {
        Json shown = Json::object();
        shown["name"] = region_display_name(normalise_region(text_of(entry, "name")));
        copy_member(entry, shown, "extendedLocation");
        shown["extendedLocationReplicaCount"] = member(entry, "extendedLocationReplicaCount").is_number()
                                                    ? member(entry, "extendedLocationReplicaCount")
                                                    : Json(1);
        const std::string type = text_of(entry, "storageAccountType");
        shown["storageAccountType"] = type.empty() ? "StandardSSD_LRS" : type;
        if (!is_empty(member(entry, "encryption"))) shown["encryption"] = encryption_body(member(entry, "encryption"));
        all.push_back(std::move(shown));
    }
    return all;
}

// A PUT is the whole truth about writable members: what it leaves out goes back to its default (unverified for scalars,
// azure-facts §3.4). Fixed members that it leaves out stay.
Json publishing_profile(World& world, const Call& call, const Json& location, const Json& asked, const Json& stored) {
    Json profile = Json::object();
    const Json count = member(asked, "replicaCount").is_number() ? member(asked, "replicaCount") : Json(1);
    std::string type = account_type(text_of(asked, "storageAccountType"));
    if (type.empty()) type = text_of(stored, "storageAccountType");
    if (type.empty()) type = "Standard_LRS";
    Json regions = Json::array();
    if (is_empty(member(asked, "targetRegions")) && is_empty(member(asked, "targetExtendedLocations")) &&
        is_empty(stored)) {
        regions.push_back(region_body(Json{{"name", location}}, count, type, Json()));
    } else if (!asked.contains("targetRegions") && stored.contains("targetRegions")) {
        regions = member(stored, "targetRegions");
    }
    for (const Json& region : member(asked, "targetRegions"))
        regions.push_back(
            region_body(region, count, type, stored_region(stored, normalise_region(text_of(region, "name")))));
    if (!regions.empty()) profile["targetRegions"] = std::move(regions);
    const Json& extended = member(asked, "targetExtendedLocations");
    if (!is_empty(extended)) profile["targetExtendedLocations"] = extended_locations(extended);
    profile["replicaCount"] = count;
    profile["excludeFromLatest"] = is_true(asked, "excludeFromLatest");
    profile["publishedDate"] =
        stored.contains("publishedDate") ? member(stored, "publishedDate") : Json(world.timestamp(call.now));
    if (asked.contains("endOfLifeDate") && asked["endOfLifeDate"].is_string())
        profile["endOfLifeDate"] = azure_date(text_of(asked, "endOfLifeDate"));
    profile["storageAccountType"] = type;
    if (asked.contains("storageAccountStrategy")) profile["storageAccountStrategy"] = asked["storageAccountStrategy"];
    if (asked.contains("replicationMode")) copy_member(asked, profile, "replicationMode");
    else copy_member(stored, profile, "replicationMode");
    return profile;
}

Json asked_storage(const Json& asked) {
    Json storage = Json::object();
    if (!source_id(member(asked, "source")).empty()) {
        storage["source"] = member(asked, "source");
        return storage;
    }
    storage["source"] = Json::object();
    const auto disk_of = [](const Json& disk, std::string_view caching) {
        Json shown = Json::object();
        copy_member(disk, shown, "lun");
        const std::string wanted = text_of(disk, "hostCaching");
        shown["hostCaching"] = wanted.empty() ? std::string(caching) : wanted;
        shown["source"] = member(disk, "source").is_object() ? member(disk, "source") : Json::object();
        return shown;
    };
    if (asked.contains("osDiskImage")) storage["osDiskImage"] = disk_of(member(asked, "osDiskImage"), "ReadWrite");
    Json disks = Json::array();
    for (const Json& disk : member(asked, "dataDiskImages")) disks.push_back(disk_of(disk, "ReadOnly"));
    if (!disks.empty()) storage["dataDiskImages"] = std::move(disks);
    return storage;
}

}  // namespace

std::string account_type(const std::string& spelling) {
    for (const std::string_view one :
         {"Standard_LRS", "Standard_ZRS", "Premium_LRS", "PremiumV2_LRS", "StandardSSD_LRS"}) {
        if (fold_case(one) == fold_case(spelling)) return std::string(one);
    }
    return {};
}

std::vector<std::string> target_regions(const Json& body) {
    std::vector<std::string> names;
    for (const Json& region : member(body, {"properties", "publishingProfile", "targetRegions"}))
        names.push_back(normalise_region(text_of(region, "name")));
    return names;
}

Json version_body(World& world, const Call& call, const Resource* old, const Json& asked) {
    Json body = Json::object();
    const std::string id = old == nullptr ? canonical_id(call.path) : old->id;
    body["name"] = ResourceId(id).name();
    body["id"] = id;
    body["type"] = "Microsoft.Compute/galleries/images/versions";
    body["location"] = normalise_region(text_of(asked, "location"));
    copy_member(asked, body, "tags", true);
    const Json& wanted = member(asked, "properties");
    const Json& stored = old == nullptr ? member(asked, "_") : member(old->body, "properties");
    Json properties = Json::object();
    properties["publishingProfile"] = publishing_profile(
        world, call, body["location"], member(wanted, "publishingProfile"), member(stored, "publishingProfile"));
    properties["storageProfile"] =
        old == nullptr ? asked_storage(member(wanted, "storageProfile")) : member(stored, "storageProfile");
    Json safety = Json::object();
    safety["reportedForPolicyViolation"] = is_true(member(stored, "safetyProfile"), "reportedForPolicyViolation");
    // The profile came with 2022-03-03; a PUT of an older api-version leaves the stored flags alone (unverified).
    const Json& flags =
        api_at_least(call, "2022-03-03") ? member(wanted, "safetyProfile") : member(stored, "safetyProfile");
    safety["allowDeletionOfReplicatedLocations"] = is_true(flags, "allowDeletionOfReplicatedLocations");
    copy_member(flags, safety, "blockDeletionBeforeEndOfLife");
    properties["safetyProfile"] = std::move(safety);
    copy_member(wanted.contains("securityProfile") ? wanted : stored, properties, "securityProfile");
    body["properties"] = std::move(properties);
    return body;
}

}  // namespace galleryd::simulator
