#pragma once
#include <string>
#include <vector>

#include "reconcilers/gallery/plan.h"

// A small estate for cases of gallery and definition planning: everything declared is already in Azure, ours and alike,
// so that each case changes only what it is about.
namespace galleryd::estate {

inline const TimePoint now = *parse_rfc3339("2026-03-01T00:00:00Z");
inline const std::string subscription = "00000000-0000-0000-0000-000000000001";
inline const std::string principal = "11111111-0000-0000-0000-000000000001";
inline const std::string reader_guid = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

inline Policy policy() {
    Policy policy;
    policy.instance = "prod";
    policy.allow_deletes = true;
    policy.prune = true;
    policy.clock_skew = Duration{0};
    return policy;
}

inline Gallery gallery() {
    Gallery gallery;
    gallery.meta.key = {Kind::gallery, "images", "golden"};
    gallery.meta.where = {"galleries.yaml", 3, 1};
    gallery.meta.field_lines = {
        {"location", 9}, {"access", 20}, {"sharing", 15}, {"stagingStorage", 25}, {"resourceGroup", 7}};
    gallery.meta.digest = "sha256:declared";
    gallery.subscription_id = subscription;
    gallery.resource_group = "rg-golden";
    gallery.location = "canadacentral";
    gallery.azure_name = "golden";
    gallery.id = gallery_id(subscription, "rg-golden", "golden");
    gallery.description = "Hardened images";
    gallery.governance.tags = {{"environment", "prod"}};
    return gallery;
}

inline ObservedGallery observed(const Gallery& gallery) {
    ObservedGallery live;
    live.id = gallery.id;
    live.name = gallery.azure_name;
    live.location = gallery.location;
    live.state = ProvisioningState::succeeded;
    live.description = gallery.description;
    live.tags = {{"environment", "prod"}, {"galleryd-owner", "prod/Gallery/images/golden"}, {"cost-centre", "42"}};
    live.sharing_groups_known = true;
    return live;
}

inline GalleryView view(const Gallery& gallery) {
    GalleryView view;
    view.group = ObservedResourceGroup{gallery.resource_group, gallery.location, {}};
    view.gallery = observed(gallery);
    view.role_assignments.emplace();
    view.complete = true;
    view.at = now;
    return view;
}

inline GalleryView empty_view() {
    GalleryView view;
    view.complete = true;
    view.at = now;
    return view;
}

inline Plan plan(const Gallery& gallery, const GalleryView& view, const Policy& policy) {
    return plan_gallery_scope({&gallery, &view, {}}, policy, now);
}

// Our own memory of having written the gallery, which destructive steps ask for.
inline void remember(Policy& policy, const ResourceId& id, const ObjectKey& key) {
    ResourceRecord record;
    record.written_by_us = true;
    record.document = to_string(key);
    record.last_applied_digest = "sha256:declared";
    policy.records[id.key()] = record;
}

inline ObservedRoleAssignment assignment(const ResourceId& scope, const std::string& name, const std::string& guid,
                                         const std::string& who) {
    ObservedRoleAssignment row;
    row.id = ResourceId(scope.text() + "/providers/Microsoft.Authorization/roleAssignments/" + name);
    row.scope = scope.text();
    row.role_definition_id =
        "/subscriptions/" + subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + guid;
    row.principal_id = who;
    row.principal_type = "Group";
    return row;
}

}  // namespace galleryd::estate
