#include "controller/core/budget_limits.h"

#include <array>

namespace galleryd {
namespace {

// Highest remaining value recorded, plus one (azure-facts §7.2).
constexpr std::array<PolicyLimits, 24> policies{{
    {"CreateUpdateGallery", 50, 300},
    {"CreateUpdateGalleryImage", 150, 750},
    {"CreateUpdateGalleryImageVersion", 375, 1200},
    {"DeleteGallery", 50, 300},
    {"DeleteGalleryImage", 50, 300},
    {"DeleteGalleryImageVersion", 150, 1000},
    {"PostShareGallery", 10, 60},
    {"GetGallery", 350, 2500},
    {"GetGalleryImage", 600, 3000},
    {"GetGalleryImageVersion", 2000, 10000},
    {"ListGallery", 150, 1000, true},
    {"ListGalleryInResourceGroup", 100, 1000, true},
    {"ListGalleryImagesInGallery", 1500, 10000, true},
    {"ListGalleryImageVersionsInGalleryImage", 1500, 10000, true},
    {"ListSoftDeletedResourcesInGallery", 1500, 10000, true},
    {"GetGalleryArtifact", 600, 3000},
    {"GetGalleryArtifactVersion", 2000, 10000},
    {"ListGalleryArtifact", 200, 200, true},
    {"ListGalleryArtifactVersion", 800, 4000, true},
    {"GetOperationStatus", 5000, 15000},
    {"HighCostGet", 900, 9000, true},
    {"GetVM", 24000, 240000},
    {"HighCostGetVMScaleSet", 1080, 10800, true},
    {"GetVMScaleSet", 2400, 24000},
}};

constexpr std::string_view gallery = "microsoft.compute/galleries";

std::string_view stem_of_own_gallery(const RequestTarget& target) {
    const std::string_view method = target.method;
    const bool write = method == "PUT" || method == "PATCH";
    const bool removal = method == "DELETE";
    const std::string_view below = target.type.substr(gallery.size());
    if (below == "/share" || (below.empty() && method == "POST")) return "PostShareGallery";
    if (below == "/softdeletedartifacttypes/artifacts/versions") return "ListSoftDeletedResourcesInGallery";
    if (below.empty()) {
        if (target.collection) return target.resource_group ? "ListGalleryInResourceGroup" : "ListGallery";
        return write ? "CreateUpdateGallery" : removal ? "DeleteGallery" : "GetGallery";
    }
    if (below == "/images") {
        if (target.collection) return "ListGalleryImagesInGallery";
        return write ? "CreateUpdateGalleryImage" : removal ? "DeleteGalleryImage" : "GetGalleryImage";
    }
    if (below == "/images/versions") {
        if (target.collection) return "ListGalleryImageVersionsInGalleryImage";
        return write     ? "CreateUpdateGalleryImageVersion"
               : removal ? "DeleteGalleryImageVersion"
                         : "GetGalleryImageVersion";
    }
    return {};
}

std::string_view stem_of_foreign_gallery(const RequestTarget& target) {
    const bool versions = target.type.ends_with("/versions");
    if (target.collection) return versions ? "ListGalleryArtifactVersion" : "ListGalleryArtifact";
    if (!target.type.ends_with("/images") && !versions) return "GetGallery";  // recorded for a community gallery itself
    return versions ? "GetGalleryArtifactVersion" : "GetGalleryArtifact";
}

}  // namespace

RequestKind request_kind(std::string_view method) {
    if (method == "GET" || method == "HEAD") return RequestKind::read;
    return method == "DELETE" ? RequestKind::remove : RequestKind::write;
}

std::string_view to_string(RequestKind kind) {
    switch (kind) {
        case RequestKind::read: return "reads";
        case RequestKind::write: return "writes";
        case RequestKind::remove: return "deletes";
    }
    return "reads";
}

BucketLimits arm_limits(RequestKind kind) {
    if (kind == RequestKind::read) return {.capacity = 250, .refill_per_second = 25};
    return {.capacity = 200, .refill_per_second = 10};
}

std::span<const PolicyLimits> policy_limits() { return policies; }

const PolicyLimits* find_policy(std::string_view stem) {
    for (const PolicyLimits& policy : policies) {
        if (policy.stem == stem) return &policy;
    }
    return nullptr;
}

const PolicyLimits* policy_of(const RequestTarget& target) {
    const std::string_view type = target.type;
    if (type == gallery || type.starts_with("microsoft.compute/galleries/"))
        return find_policy(stem_of_own_gallery(target));
    if (type == "microsoft.compute/locations/capsoperations") return find_policy("GetOperationStatus");
    if (type.starts_with("microsoft.compute/locations/sharedgalleries") ||
        type.starts_with("microsoft.compute/locations/communitygalleries"))
        return find_policy(stem_of_foreign_gallery(target));
    if (type == "microsoft.compute/virtualmachines") return find_policy(target.collection ? "HighCostGet" : "GetVM");
    if (type == "microsoft.compute/virtualmachinescalesets")
        return find_policy(target.collection ? "HighCostGetVMScaleSet" : "GetVMScaleSet");
    return nullptr;
}

}  // namespace galleryd
