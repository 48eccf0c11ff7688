#include "controller/adapters/documents/cross_checks_find.h"

// The checks of an ImageVersion against its definition, gallery and policy.
namespace galleryd::documents {

const Gallery* CrossChecker::gallery_of(const ImageDefinition& definition) const {
    return definition.gallery ? find<Gallery>(*definition.gallery) : nullptr;
}

void CrossChecker::check_version(ParsedDocument& document) {
    auto& version = std::get<ImageVersion>(document.object);
    check_end_of_life(document, version.end_of_life);
    const ImageDefinition* definition = nullptr;
    if (version.definition) {
        definition = resolve<ImageDefinition>(document, *version.definition, "/spec/imageDefinition");
        if (definition == nullptr) return;
        version.definition_id = definition->id;
        if (version.location.empty()) version.location = definition->location;
    }
    version.id = version_id(version.definition_id, to_string(version.number));
    check_version_regions(document, version);
    const Gallery* gallery = definition == nullptr ? nullptr : gallery_of(*definition);
    check_version_encryption(document, version, gallery);
    if (definition == nullptr) return;
    check_allowed(document, definition->allowed_regions, version.location, "/spec/location");
    for (std::size_t i = 0; version.target_regions && i < version.target_regions->size(); ++i) {
        check_allowed(document, definition->allowed_regions, (*version.target_regions)[i].name,
                      "/spec/targetRegions/" + std::to_string(i) + "/name");
    }
    if (gallery != nullptr && gallery->sharing && gallery->sharing->permissions == SharingPermissions::community &&
        version.location != gallery->location) {
        add(document, "GD1047", "/spec/location",
            "in a community gallery a version must be in the gallery's region, " + gallery->location,
            "Write location: " + gallery->location + ", or remove the field.");
    }
    const LifecyclePolicy* policy =
        find<LifecyclePolicy>({Kind::lifecycle_policy, document.key->namespace_name, definition->lifecycle_policy});
    if (!version.target_regions && policy != nullptr) check_version_tiers(document, version, *policy);
}

void CrossChecker::check_version_regions(ParsedDocument& document, const ImageVersion& version) {
    if (!version.target_regions) return;
    const auto& regions = *version.target_regions;
    if (regions.size() > static_cast<std::size_t>(options_.regions_per_version_max)) {
        add(document, "GD1043", "/spec/targetRegions",
            "the version has " + std::to_string(regions.size()) + " regions; the guard allows " +
                std::to_string(options_.regions_per_version_max),
            "Remove regions, or raise the guard.");
    }
    check_total(document, regions, "/spec/targetRegions");
    if (std::ranges::find(regions, version.location, &TargetRegion::name) != regions.end()) return;
    if (version.replication_mode == "Shallow") {
        add(document, "GD1044", "/spec/targetRegions/0/name",
            "replicationMode: Shallow keeps the image only in its home region, " + version.location +
                ", but the target region is " + regions.front().name,
            "Write " + version.location + ", or use replicationMode: Full.");
    } else {
        add(document, "GD1038", "/spec/targetRegions",
            "the source region " + version.location + " is not one of the target regions; Azure refuses that",
            "Add {name: " + version.location + "} to the list, or set spec.location to one of its regions.");
    }
}

void CrossChecker::check_version_tiers(ParsedDocument& document, const ImageVersion& version,
                                       const LifecyclePolicy& policy) {
    for (const Tier& tier : policy.tiers) {
        if (std::ranges::find(tier.target_regions, version.location, &TargetRegion::name) != tier.target_regions.end())
            continue;
        add(document, "GD1038", version.meta.field_lines.contains("location") ? "/spec/location" : "/spec",
            "the source region " + version.location + " is not in the tier " + tier.name + " of the LifecyclePolicy " +
                policy.meta.key.name + "; Azure refuses a version without its source region",
            "Add " + version.location + " to the tier, or list spec.targetRegions here.");
        return;
    }
}

void CrossChecker::check_version_encryption(ParsedDocument& document, const ImageVersion& version,
                                            const Gallery* gallery) {
    if (!version.target_regions) return;
    std::vector<std::string> encrypted, plain;
    for (const TargetRegion& region : *version.target_regions)
        (region.encryption ? encrypted : plain).push_back(region.name);
    if (encrypted.empty()) return;
    if (!plain.empty()) {
        add(document, "GD1041", "/spec/targetRegions",
            "some regions are encrypted (" + listed(encrypted, "and") + ") and some are not (" + listed(plain, "and") +
                "); Azure wants all or none",
            "Give every region its encryption, or none.");
    }
    if (gallery != nullptr && gallery->sharing && gallery->sharing->permissions != SharingPermissions::private_) {
        add(document, "GD1045", "/spec/targetRegions",
            "encrypted versions cannot be in a shared or community gallery (Azure forbids it); the gallery " +
                gallery->meta.key.name + " is shared",
            "Remove the encryption, or use a gallery with sharing.permissions: Private.");
    }
}

void CrossChecker::check_versions_per_definition() {
    std::map<std::string, int> counts;
    for (ParsedDocument& document : files_ | std::views::join) {
        const auto* version = std::get_if<ImageVersion>(&document.object);
        if (version == nullptr || ++counts[version->definition_id.key()] <= options_.versions_per_definition_max)
            continue;
        add(document, "GD1043", "",
            "this is one too many: the guard allows " + std::to_string(options_.versions_per_definition_max) +
                " versions per definition (" + version->definition_id.name() + ")",
            "Remove old versions, or raise the guard.");
        document.object = std::monostate{};
    }
}

}  // namespace galleryd::documents
