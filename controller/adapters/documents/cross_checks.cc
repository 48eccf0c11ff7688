#include "controller/adapters/documents/cross_checks.h"

#include <algorithm>

#include "controller/adapters/documents/cross_checks_find.h"

namespace galleryd::documents {
namespace {

constexpr int replicas_per_version_max = 100;  // azure-facts §1, limits

std::vector<TargetRegion>* regions_of(DesiredObject& object) {
    auto* version = std::get_if<ImageVersion>(&object);
    return version != nullptr && version->target_regions ? &*version->target_regions : nullptr;
}

}  // namespace

void CrossChecker::add(ParsedDocument& document, const char* code, std::string pointer, std::string message,
                       std::string remedy, Severity severity) {
    if (document.places.size() == 0) find_places(document);
    document.problems.push_back(locate({.code = code,
                                        .pointer = std::move(pointer),
                                        .message = std::move(message),
                                        .remedy = std::move(remedy),
                                        .severity = severity},
                                       document.file->file, document.places));
}

void CrossChecker::find_places(const ParsedDocument& document) {
    const auto is_its_file = [&document](const std::vector<ParsedDocument>& of_a_file) {
        return !of_a_file.empty() && of_a_file.front().file == document.file;
    };
    restore_places(*std::ranges::find_if(files_, is_its_file));
}

std::string CrossChecker::place_of(const ParsedDocument& document) {
    return to_string(*document.key) + " (" + document.file->file + ":" + std::to_string(document.line) + ")";
}

void CrossChecker::index() {
    std::map<ObjectKey, std::vector<ParsedDocument*>> all;
    for (ParsedDocument& document : files_ | std::views::join) {
        if (document.key) all[*document.key].push_back(&document);
        else if (!document.valid() && unread_.empty())
            unread_ = document.file->file + (document.line > 0 ? ":" + std::to_string(document.line) : "");
    }
    for (auto& [key, same] : all) {
        by_key_[key] = same.front();
        if (same.size() == 1) continue;
        for (ParsedDocument* document : same) {
            const ParsedDocument& other = document == same.front() ? *same[1] : *same.front();
            add(*document, "GD1030", "/metadata/name", "the object is declared twice, also at " + place_of(other),
                "Remove one of them, or give one another metadata.name.");
        }
        for (ParsedDocument* document : same) document->object = std::monostate{};
    }
}

void CrossChecker::check_policy(ParsedDocument& document) {
    const auto& policy = std::get<LifecyclePolicy>(document.object);
    for (std::size_t i = 0; i < policy.tiers.size(); ++i) {
        const std::string pointer = "/spec/tiers/" + std::to_string(i) + "/targetRegions";
        check_total(document, policy.tiers[i].target_regions, pointer);
        if (policy.tiers[i].target_regions.size() > static_cast<std::size_t>(options_.regions_per_version_max)) {
            add(document, "GD1043", pointer,
                "the tier has " + std::to_string(policy.tiers[i].target_regions.size()) +
                    " regions; the guard allows " + std::to_string(options_.regions_per_version_max),
                "Remove regions, or raise the guard.");
        }
    }
}

void CrossChecker::check_total(ParsedDocument& document, const std::vector<TargetRegion>& regions,
                               const std::string& pointer) {
    int total = 0;
    std::string counts;
    for (const TargetRegion& region : regions) {
        total += region.replicas;
        counts += (counts.empty() ? "" : ", ") + region.name + " (" + std::to_string(region.replicas) + ")";
    }
    if (total <= replicas_per_version_max) return;
    add(document, "GD1040", pointer,
        "total replicas are " + std::to_string(total) + "; Azure allows 100 per image version",
        "Lower the count in: " + counts + ".");
}

void CrossChecker::check_end_of_life(ParsedDocument& document, const std::optional<TimePoint>& time) {
    if (!time || !options_.now || *time > *options_.now) return;
    add(document, "GD1049", "/spec/endOfLifeDate",
        "endOfLifeDate " + format_rfc3339(*time) + " is in the past; Azure refuses that for a new resource",
        "Write a later date, unless the resource exists already.", Severity::warning);
}

void CrossChecker::check_allowed(ParsedDocument& document, const std::vector<std::string>& allowed,
                                 const std::string& region, const std::string& pointer) {
    if (allowed.empty() || region.empty() || std::ranges::find(allowed, region) != allowed.end()) return;
    add(document, "GD1037", pointer, "the gallery does not allow the region " + region,
        "Allowed: " + listed(allowed, "and") + ". Use one of them, or extend the gallery's spec.allowedRegions.");
}

void CrossChecker::check_policy_regions(ParsedDocument& document, const LifecyclePolicy& policy,
                                        const std::vector<std::string>& allowed, const char* pointer) {
    std::set<std::string> outside;
    for (const Tier& tier : policy.tiers) {
        for (const TargetRegion& region : tier.target_regions) {
            if (!allowed.empty() && std::ranges::find(allowed, region.name) == allowed.end())
                outside.insert(region.name);
        }
    }
    if (outside.empty()) return;
    add(document, "GD1037", pointer,
        "the gallery does not allow " + listed({outside.begin(), outside.end()}, "and") +
            ", which the LifecyclePolicy " + policy.meta.key.name + " puts versions into",
        "Allowed: " + listed(allowed, "and") + ". Use another policy, or extend the gallery's spec.allowedRegions.");
}

const LifecyclePolicy* CrossChecker::resolve_policy(ParsedDocument& document, const std::string& name) {
    if (name.empty()) return nullptr;
    return resolve<LifecyclePolicy>(document, {Kind::lifecycle_policy, document.key->namespace_name, name},
                                    "/spec/lifecyclePolicy");
}

void CrossChecker::check_gallery(ParsedDocument& document) {
    const auto& gallery = std::get<Gallery>(document.object);
    const LifecyclePolicy* policy = resolve_policy(document, gallery.lifecycle_policy);
    if (policy != nullptr) check_policy_regions(document, *policy, gallery.allowed_regions, "/spec/lifecyclePolicy");
}

void CrossChecker::check_definition(ParsedDocument& document) {
    auto& definition = std::get<ImageDefinition>(document.object);
    check_end_of_life(document, definition.end_of_life);
    const std::string own_policy = definition.lifecycle_policy;
    if (definition.gallery) {
        const Gallery* gallery = resolve<Gallery>(document, *definition.gallery, "/spec/gallery");
        if (gallery != nullptr) {
            definition.gallery_id = gallery->id;
            if (definition.location.empty()) definition.location = gallery->location;
            if (definition.lifecycle_policy.empty()) definition.lifecycle_policy = gallery->lifecycle_policy;
            definition.allowed_regions = gallery->allowed_regions;
            check_definition_in_gallery(document, definition, *gallery);
        }
    }
    definition.id = definition_id(definition.gallery_id, definition.azure_name);
    const LifecyclePolicy* policy = resolve_policy(document, own_policy);
    if (policy != nullptr) check_policy_regions(document, *policy, definition.allowed_regions, "/spec/lifecyclePolicy");
}

void CrossChecker::check_definition_in_gallery(ParsedDocument& document, const ImageDefinition& definition,
                                               const Gallery& gallery) {
    check_allowed(document, gallery.allowed_regions, definition.location, "/spec/location");
    if (!gallery.sharing || gallery.sharing->permissions == SharingPermissions::private_) return;
    const auto security = definition.features.find("SecurityType");
    if (security != definition.features.end() &&
        (security->second == "TrustedLaunch" || security->second == "ConfidentialVM")) {
        add(document, "GD1046", "/spec/features",
            "a definition with SecurityType " + security->second +
                " cannot be in a shared or community gallery (Azure forbids it)",
            "Use " + security->second + "Supported, or a gallery with sharing.permissions: Private.");
    }
    if (gallery.sharing->permissions != SharingPermissions::community) return;
    if (definition.os_state == "Specialized") {
        add(document, "GD1046", "/spec/osState",
            "a community gallery holds only generalized images (Azure forbids others)",
            "Write osState: Generalized, or use another gallery.");
    }
    if (definition.location != gallery.location) {
        add(document, "GD1047", "/spec/location",
            "in a community gallery a definition must be in the gallery's region, " + gallery.location,
            "Write location: " + gallery.location + ", or remove the field.");
    }
}

void CrossChecker::refuse_shared(Claims& claims, const char* code, const char* remedy, const std::string& what) {
    std::vector<ParsedDocument*> refused;
    for (auto& [key, same] : claims) {
        if (same.size() < 2) continue;
        for (const Claim& claim : same) {
            const ParsedDocument& other =
                claim.document == same.front().document ? *same[1].document : *same.front().document;
            add(*claim.document, code, claim.pointer, what + key + " is also declared by " + place_of(other), remedy);
            refused.push_back(claim.document);
        }
    }
    for (ParsedDocument* document : refused) document->object = std::monostate{};
}

void CrossChecker::claim_ids(Kind kind) {
    Claims claims;
    for (ParsedDocument& document : files_ | std::views::join) {
        if (!document.valid() || document.key->kind != kind) continue;
        if (const auto* gallery = std::get_if<Gallery>(&document.object))
            claims[gallery->id.key()].push_back({&document, "/metadata/name"});
        if (const auto* definition = std::get_if<ImageDefinition>(&document.object))
            claims[definition->id.key()].push_back({&document, "/metadata/name"});
        if (const auto* version = std::get_if<ImageVersion>(&document.object))
            claims[version->id.key()].push_back({&document, "/spec/version"});
    }
    refuse_shared(claims, "GD1031",
                  "One Azure resource has one owner: remove one of the documents. Until then neither is written.",
                  "the Azure resource ");
}

void CrossChecker::check_gallery_names() {
    Claims claims;
    for (ParsedDocument& document : files_ | std::views::join) {
        if (const auto* gallery = std::get_if<Gallery>(&document.object)) {
            const std::string pointer =
                gallery->meta.field_lines.contains("azureName") ? "/spec/azureName" : "/metadata/name";
            claims[fold_case(gallery->azure_name) + " in subscription " + gallery->subscription_id].push_back(
                {&document, pointer});
        }
    }
    refuse_shared(claims, "GD1036",
                  "Gallery names are unique in a subscription, whatever the group: give one another spec.azureName.",
                  "the gallery name ");
}

void CrossChecker::check_triples() {
    Claims claims;
    for (ParsedDocument& document : files_ | std::views::join) {
        if (const auto* definition = std::get_if<ImageDefinition>(&document.object)) {
            const std::string triple =
                fold_case(definition->publisher + ":" + definition->offer + ":" + definition->sku);
            claims[triple + " in the gallery " + definition->gallery_id.name() + " (" + definition->gallery_id.key() +
                   ")"]
                .push_back({&document, "/spec/identifier"});
        }
    }
    refuse_shared(claims, "GD1035",
                  "The triple of publisher, offer and sku is unique in a gallery: change one of them.",
                  "the identifier ");
}

// azure-facts §1: per subscription and region 100 galleries, 1,000 definitions, 10,000 versions. What comes first in
// the files stays.
void CrossChecker::check_limits(Kind kind) {
    const int limit = kind == Kind::gallery ? 100 : kind == Kind::image_definition ? 1000 : 10000;
    std::map<std::string, int> counts;
    for (ParsedDocument& document : files_ | std::views::join) {
        if (!document.valid() || document.key->kind != kind) continue;
        std::string subscription, region;
        const auto take = [&](const auto* object) {
            if (object != nullptr) subscription = fold_case(object->id.subscription()), region = object->location;
        };
        take(std::get_if<Gallery>(&document.object));
        take(std::get_if<ImageDefinition>(&document.object));
        take(std::get_if<ImageVersion>(&document.object));
        if (++counts[subscription + "/" + region] <= limit) continue;
        add(document, "GD1042", "",
            "this is one too many: Azure allows " + std::to_string(limit) + " " + std::string(to_string(kind)) +
                " resources per subscription and region (" + region + ")",
            "Remove old ones, or use another region or subscription.");
        document.object = std::monostate{};
    }
}

void CrossChecker::run() {
    index();
    const auto each = [this](Kind kind, void (CrossChecker::*check)(ParsedDocument&)) {
        for (ParsedDocument& document : files_ | std::views::join) {
            if (!document.valid() || document.key->kind != kind) continue;
            (this->*check)(document);
            if (has_error(document.problems)) document.object = std::monostate{};
        }
    };
    each(Kind::lifecycle_policy, &CrossChecker::check_policy);
    each(Kind::gallery, &CrossChecker::check_gallery);
    claim_ids(Kind::gallery);
    check_gallery_names();
    check_limits(Kind::gallery);
    each(Kind::image_definition, &CrossChecker::check_definition);
    claim_ids(Kind::image_definition);
    check_triples();
    check_limits(Kind::image_definition);
    each(Kind::image_version, &CrossChecker::check_version);
    claim_ids(Kind::image_version);
    check_versions_per_definition();
    check_limits(Kind::image_version);
    for (ParsedDocument& document : files_ | std::views::join) {
        if (auto* regions = regions_of(document.object)) std::ranges::sort(*regions, {}, &TargetRegion::name);
        if (auto* policy = std::get_if<LifecyclePolicy>(&document.object)) {
            for (Tier& tier : policy->tiers) std::ranges::sort(tier.target_regions, {}, &TargetRegion::name);
        }
    }
}

void check_across(std::vector<std::vector<ParsedDocument>>& files, const ReadOptions& options) {
    CrossChecker(files, options).run();
}

}  // namespace galleryd::documents
