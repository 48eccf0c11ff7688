#include "controller/program/plan_json_step.h"

#include <algorithm>

namespace galleryd {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view region_prefix = "/targetRegions/";

Json scalar(const std::string& path, const std::string& text) {
    const bool counts = path.ends_with("/replicas") || path.ends_with("/lun");
    const bool number = counts && !text.empty() && text.size() <= 9 &&
                        std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    if (number) return std::stoll(text);
    if (text == "true") return true;
    if (text == "false") return false;
    return text;
}

// A whole region as the planner writes it: "x2 Standard_ZRS". The type is left out when it is Standard_LRS.
void put_region(Json& entry, const std::string& text) {
    const std::size_t blank = text.find(' ');
    const std::string count = text.substr(0, blank);
    const bool known = count.size() > 1 && count.size() < 9 && count.front() == 'x' &&
                       std::ranges::all_of(count.substr(1), [](char c) { return c >= '0' && c <= '9'; });
    if (!known) return;
    entry["replicas"] = std::stoll(count.substr(1));
    if (blank != std::string::npos) entry["storageAccountType"] = text.substr(blank + 1);
}

// The entry of a region in the list, made when it is not there yet.
Json& region_entry(Json& object, const std::string& name) {
    Json& list = object["targetRegions"];
    if (!list.is_array()) list = Json::array();
    for (Json& entry : list) {
        if (entry["name"] == name) return entry;
    }
    list.push_back(Json{{"name", name}});
    return list.back();
}

// Puts the text of a field where its path says: "/recommended/vCPUs" into {"recommended": {"vCPUs": …}}.
void put(Json& object, const std::string& path, const std::string& text) {
    if (path.starts_with(region_prefix)) {
        const std::size_t slash = path.find('/', region_prefix.size());
        Json& entry = region_entry(
            object,
            path.substr(region_prefix.size(), slash == std::string::npos ? slash : slash - region_prefix.size()));
        if (slash == std::string::npos) {
            put_region(entry, text);
        } else {
            entry[path.substr(slash + 1)] = scalar(path, text);
        }
        return;
    }
    Json* at = &object;
    std::size_t start = 1;
    while (true) {
        const std::size_t slash = path.find('/', start);
        const std::string name = path.substr(start, slash == std::string::npos ? slash : slash - start);
        Json& next = (*at)[name];
        if (slash == std::string::npos) {
            if (!next.is_object()) next = scalar(path, text);
            return;
        }
        if (!next.is_object()) next = Json::object();
        at = &next;
        start = slash + 1;
    }
}

Json from_fields(const std::vector<FieldChange>& fields, bool after) {
    Json object = Json::object();
    for (const FieldChange& field : fields) {
        const bool there = after ? field.op != FieldOp::remove : field.op != FieldOp::add;
        if (there && field.path.size() > 1 && field.path.front() == '/')
            put(object, field.path, after ? field.after : field.before);
    }
    return object;
}

Json regions_json(const std::vector<TargetRegion>& regions) {
    Json list = Json::array();
    for (const TargetRegion& region : regions) {
        list.push_back({{"name", region.name},
                        {"replicas", region.replicas},
                        {"storageAccountType", region.storage_account_type}});
    }
    return list;
}

Json version_json(const VersionWrite& write) {
    Json json{{"location", write.location},
              {"targetRegions", regions_json(write.target_regions)},
              {"replicationMode", write.replication_mode},
              {"excludeFromLatest", write.exclude_from_latest}};
    if (write.end_of_life) json["endOfLifeDate"] = format_rfc3339(*write.end_of_life);
    json["safety"] = {{"blockDeletionBeforeEndOfLife", write.block_deletion_before_end_of_life},
                      {"allowDeletionOfReplicatedLocations", write.allow_deletion_of_replicated_locations}};
    json["tags"] = write.tags;
    return json;
}

Json gallery_json(const GalleryWrite& write) {
    Json json{{"location", write.location}};
    if (!write.description.empty()) json["description"] = write.description;
    if (write.soft_delete_enabled) json["softDelete"] = {{"enabled", *write.soft_delete_enabled}};
    if (write.permissions) json["sharing"] = {{"permissions", to_string(*write.permissions)}};
    json["tags"] = write.tags;
    return json;
}

Json definition_json(const DefinitionWrite& write) {
    Json json{{"location", write.location},
              {"identifier", {{"publisher", write.publisher}, {"offer", write.offer}, {"sku", write.sku}}},
              {"osType", write.os_type},
              {"osState", write.os_state},
              {"hyperVGeneration", write.hyper_v_generation},
              {"architecture", write.architecture}};
    const auto add = [&json](const char* name, const std::string& text) {
        if (!text.empty()) json[name] = text;
    };
    add("description", write.description);
    add("eula", write.eula);
    add("privacyStatementUri", write.privacy_statement_uri);
    add("releaseNoteUri", write.release_note_uri);
    if (write.end_of_life) json["endOfLifeDate"] = format_rfc3339(*write.end_of_life);
    if (!write.disallowed_disk_types.empty()) json["disallowedDiskTypes"] = write.disallowed_disk_types;
    Json features = Json::array();
    for (const auto& [name, value] : write.features) features.push_back({{"name", name}, {"value", value}});
    if (!features.empty()) json["features"] = std::move(features);
    json["tags"] = write.tags;
    return json;
}

}  // namespace

StepJson step_to_json(const Change& change) {
    StepJson json;
    if (const auto* version = std::get_if<CreateVersion>(&change.step)) {
        json.after = version_json(version->write);
        json.after_unknown = {{"publishedDate", true}, {"provisioningState", true}};
    } else if (const auto* gallery = std::get_if<CreateGallery>(&change.step)) {
        json.after = gallery_json(gallery->write);
        json.after_unknown = {{"uniqueName", true}};
    } else if (const auto* definition = std::get_if<CreateDefinition>(&change.step)) {
        json.after = definition_json(definition->write);
    } else if (change.action == Action::remove) {
        json.before = from_fields(change.fields, false);
    } else {
        json.before = change.action == Action::create || change.action == Action::assign
                          ? Json(nullptr)
                          : from_fields(change.fields, false);
        json.after = change.action == Action::unassign ? Json(nullptr) : from_fields(change.fields, true);
    }
    return json;
}

}  // namespace galleryd
