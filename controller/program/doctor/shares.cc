#include "controller/program/doctor/shares.h"

#include <map>

namespace galleryd::doctor {

std::vector<Share> share_out(const DesiredObjects& objects) {
    GalleryCredentials credentials;
    std::vector<const Gallery*> galleries;
    for (const auto& [key, gallery] : objects.galleries) galleries.push_back(&gallery);
    credentials.declare(galleries, {});
    std::map<CredentialChoice, DesiredObjects> parts;
    parts[CredentialChoice{}];
    const auto part_of = [&](const ResourceId& resource) -> DesiredObjects& {
        const CredentialChoice* const choice = credentials.find(resource);
        return parts[choice == nullptr ? CredentialChoice{} : *choice];
    };
    for (const auto& [key, gallery] : objects.galleries) part_of(gallery.id).galleries.emplace(key, gallery);
    for (const auto& [key, definition] : objects.definitions)
        part_of(definition.gallery_id).definitions.emplace(key, definition);
    for (const auto& [key, version] : objects.versions) part_of(version.definition_id).versions.emplace(key, version);
    std::vector<Share> shares;
    for (auto& [choice, part] : parts) {
        part.policies = objects.policies;
        shares.push_back({.choice = choice, .objects = std::move(part)});
    }
    return shares;
}

bool is_empty(const Share& share) {
    return share.objects.galleries.empty() && share.objects.definitions.empty() && share.objects.versions.empty();
}

}  // namespace galleryd::doctor
