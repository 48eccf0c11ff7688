#include "controller/adapters/documents/mapping_parts.h"

#include "controller/core/region.h"

namespace galleryd::documents {

int automatic_replicas(int concurrent_vms, int concurrent_scale_sets) {
    return std::clamp(std::max((concurrent_vms + 19) / 20, concurrent_scale_sets), 1, 100);
}

std::vector<std::string> sorted_texts(const json& source, const char* field, bool lower_case) {
    std::vector<std::string> texts;
    if (const json* list = child_of(source, field)) {
        for (const json& item : *list)
            texts.push_back(lower_case ? fold_case(item.get_ref<const std::string&>()) : item.get<std::string>());
    }
    std::ranges::sort(texts);
    texts.erase(std::ranges::unique(texts).begin(), texts.end());
    return texts;
}

void Mapper::add(const char* code, std::string pointer, std::string message, std::string remedy, Severity severity) {
    if (problems_.size() >= problems_max) return;
    problems_.push_back({.code = code,
                         .pointer = std::move(pointer),
                         .message = std::move(message),
                         .remedy = std::move(remedy),
                         .severity = severity});
}

Governance Mapper::governance() {
    Governance governance;
    const std::string mode = text_of(spec_, "mode"), adoption = text_of(spec_, "adoption");
    governance.mode = mode == "Observe" ? Mode::observe : mode == "Suspend" ? Mode::suspend : Mode::manage;
    governance.adoption = adoption == "Adopt"           ? Adoption::adopt
                          : adoption == "AdoptOrCreate" ? Adoption::adopt_or_create
                                                        : Adoption::never;
    governance.deletion_policy =
        text_of(spec_, "deletionPolicy") == "Delete" ? DeletionPolicy::remove : DeletionPolicy::orphan;
    if (const json* source = child_of(spec_, "tags")) governance.tags = tags(*source, "/spec/tags");
    return governance;
}

// Azure: 512 characters, none of < > % & \ ? / in names, names compared without case (azure-facts §1; not in the
// schema, because CEL cannot bound the length of map keys).
Tags Mapper::tags(const json& source, const std::string& pointer) {
    Tags tags;
    std::map<std::string, std::string> folded;
    for (const auto& [name, value] : source.items()) {
        const std::string at = pointer_join(pointer, name);
        if (name.empty() || name.size() > 512 || name.find_first_of("<>%&\\?/") != std::string::npos) {
            add("GD1048", at, "\"" + shortened(name) + "\" cannot be the name of an Azure tag",
                "Use 1 to 512 characters without < > % & \\ ? /.");
        }
        const auto [other, inserted] = folded.emplace(fold_case(name), name);
        if (!inserted)
            add("GD1048", at,
                "the tags \"" + other->second + "\" and \"" + name + "\" differ only in case; Azure takes them for one",
                "Remove one of them.");
        tags.emplace(name, value.get<std::string>());
    }
    return tags;
}

std::vector<RoleAccess> Mapper::access() {
    std::vector<RoleAccess> entries;
    if (const json* list = child_of(spec_, "access")) {
        for (const json& item : *list)
            entries.push_back(
                {text_of(item, "role"), fold_case(text_of(item, "principalId")), text_of(item, "principalType")});
    }
    std::ranges::sort(entries);
    return entries;
}

std::optional<TimePoint> Mapper::deadline(const char* field) {
    const json* value = child_of(spec_, field);
    if (value == nullptr) return std::nullopt;
    const auto time = parse_deadline(value->get_ref<const std::string&>());
    if (!time) {
        add("GD1024", std::string("/spec/") + field, "\"" + value->get<std::string>() + "\" is not a date that exists",
            "Write it like 2029-04-30, or 2029-04-30T00:00:00Z.");
    }
    return time;
}

std::optional<std::chrono::seconds> Mapper::duration(const json& source, const char* field,
                                                     const std::string& pointer) {
    const json* value = child_of(source, field);
    if (value == nullptr) return std::nullopt;
    const auto duration = parse_duration(value->get_ref<const std::string&>());
    if (!duration) {
        add("GD1024", pointer + "/" + field,
            "\"" + value->get<std::string>() + "\" is longer than 100 years, or not a duration",
            "Write it like 90d, 12h or 1d12h.");
    }
    return duration;
}

std::string Mapper::region(const json& value, const std::string& pointer) {
    std::string name = normalise_region(value.get_ref<const std::string&>());
    if (!is_known_region(name)) {
        const auto meant = suggest_region(name);
        add("GD1050", pointer,
            "\"" + name + "\" is not a region that galleryd knows; Azure will refuse it unless it is new",
            meant ? "Did you mean " + *meant + "?" : "Check it with `az account list-locations`.", Severity::warning);
    }
    return name;
}

ResourceId Mapper::id(const json& source, const char* field, const std::string& pointer, std::string_view type) {
    const json* value = child_of(source, field);
    if (value == nullptr) return {};
    const std::string& text = value->get_ref<const std::string&>();
    const auto parsed = parse_resource_id(text);
    if (!parsed || fold_case(parsed->type()) != type) {
        add("GD1034", pointer + "/" + field,
            "\"" + text + "\" is not the id of a resource of type " + std::string(type),
            "Copy the id as `az … show --query id` prints it.");
    }
    return parsed.value_or(ResourceId());
}

std::string Mapper::encryption_set(const json& source, const std::string& pointer) {
    return id(source, "diskEncryptionSetId", pointer, "microsoft.compute/diskencryptionsets").text();
}

DiskEncryption Mapper::encryption(const json& source, const std::string& pointer) {
    DiskEncryption encryption;
    if (const json* os = child_of(source, "osDisk")) {
        encryption.os_disk_encryption_set_id = encryption_set(*os, pointer + "/osDisk");
        if (const json* confidential = child_of(*os, "confidentialVM")) {
            encryption.cvm_encryption_type = text_of(*confidential, "encryptionType");
            encryption.cvm_disk_encryption_set_id = encryption_set(*confidential, pointer + "/osDisk/confidentialVM");
        }
    }
    if (const json* disks = child_of(source, "dataDisks")) {
        for (std::size_t i = 0; i < disks->size(); ++i) {
            encryption.data_disk_encryption_set_ids[(*disks)[i].at("lun").get<int>()] =
                encryption_set((*disks)[i], pointer + "/dataDisks/" + std::to_string(i));
        }
    }
    return encryption;
}

std::vector<TargetRegion> Mapper::target_regions(const json& list, const std::string& pointer, int replicas,
                                                 const std::string& storage_account_type) {
    std::vector<TargetRegion> regions;
    regions.reserve(list.size());  // exactly: ten thousand versions keep theirs
    std::map<std::string, std::string> spellings;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const json& item = list[i];
        const std::string at = pointer + "/" + std::to_string(i);
        TargetRegion target;
        target.name = region(item.at("name"), at + "/name");
        const auto [other, inserted] = spellings.emplace(target.name, text_of(item, "name"));
        if (!inserted && other->second != text_of(item, "name")) {
            add("GD1039", at + "/name",
                "\"" + text_of(item, "name") + "\" and \"" + other->second + "\" are one region",
                "Remove one of them.");
        }
        const json* count = child_of(item, "replicas");
        const json* capacity = child_of(item, "capacity");
        target.replicas = count == nullptr ? replicas : count->is_number() ? count->get<int>() : 1;
        if (count != nullptr && count->is_string() && capacity != nullptr) {
            target.replicas = automatic_replicas(number_of(*capacity, "concurrentVMs", 0),
                                                 number_of(*capacity, "concurrentScaleSets", 0));
        }
        target.storage_account_type =
            item.contains("storageAccountType") ? text_of(item, "storageAccountType") : storage_account_type;
        if (item.contains("excludeFromLatest")) target.exclude_from_latest = flag_of(item, "excludeFromLatest");
        if (const json* source = child_of(item, "encryption"))
            target.encryption = encryption(*source, at + "/encryption");
        regions.push_back(std::move(target));
    }
    return regions;  // in the document's order: the cross checks need the index for their messages; sorted afterwards
}

DesiredObject map_document(const json& document, const Metadata& meta, std::vector<Problem>& problems) {
    Mapper mapper(document, meta, problems);
    switch (meta.key.kind) {
        case Kind::gallery: return mapper.gallery();
        case Kind::image_definition: return mapper.definition();
        case Kind::image_version: return mapper.version();
        case Kind::lifecycle_policy: return mapper.policy();
    }
    return {};
}

}  // namespace galleryd::documents
