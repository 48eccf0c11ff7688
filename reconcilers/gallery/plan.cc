#include "reconcilers/gallery/plan.h"

#include <algorithm>
#include <utility>

#include "controller/core/fingerprint.h"
#include "controller/core/region.h"
#include "reconcilers/gallery/removal.h"
#include "reconcilers/gallery/sharing.h"
#include "reconcilers/lifecycle/absence.h"
#include "reconcilers/lifecycle/access.h"
#include "reconcilers/lifecycle/destruction.h"
#include "reconcilers/lifecycle/ownership.h"
#include "reconcilers/lifecycle/plan_digest.h"

namespace galleryd {
namespace {

FieldChange replaced(std::string path, std::string before, std::string after) {
    return {.path = std::move(path),
            .op = before.empty() ? FieldOp::add : FieldOp::replace,
            .before = std::move(before),
            .after = std::move(after),
            .effect = "",
            .detail = "",
            .cause = "spec"};
}

class GalleryPlanner {
  public:
    GalleryPlanner(const GalleryScopeInput& input, const Policy& policy, TimePoint now)
        : gallery_(*input.gallery),
          view_(*input.view),
          policy_(policy),
          now_(now),
          subject_{gallery_address(gallery_), "Gallery", gallery_.id, &gallery_.meta, gallery_.governance.mode} {}

    Plan run(Plan plan) {
        plan_ = std::move(plan);
        if (!plan_group()) return std::move(plan_);
        if (view_.gallery) {
            plan_existing(*view_.gallery);
        } else {
            plan_creation();
        }
        return std::move(plan_);
    }

  private:
    bool plan_group();
    void plan_creation();
    void plan_existing(const ObservedGallery& live);
    void plan_parts(const ObservedGallery& live, Ownership ownership);
    bool add_conflicts(const ObservedGallery& live);
    void plan_update(const ObservedGallery& live, Ownership ownership);
    void plan_storage();
    void access(const ObservedBase* live) {
        plan_access(plan_, subject_, {.declared = gallery_.access, .observed = view_.role_assignments, .scope = live},
                    policy_, now_);
    }
    GalleryWrite creation_body() const;

    const Gallery& gallery_;
    const GalleryView& view_;
    const Policy& policy_;
    TimePoint now_;
    Subject subject_;
    Plan plan_;
};

bool GalleryPlanner::plan_group() {
    if (view_.group || view_.gallery) return true;  // a gallery that is there proves its group
    Subject group = subject_;
    group.kind = "ResourceGroup";
    group.id = resource_group_id(gallery_.subscription_id, gallery_.resource_group);
    if (!gallery_.ensure_resource_group) {
        BlockReason reason{.reason = "resource_group_missing",
                           .condition = "DependencyNotReady",
                           .message = "the resource group " + gallery_.resource_group + " does not exist",
                           .way_out = "set spec.ensureResourceGroup: true, or create it: az group create --name " +
                                      gallery_.resource_group + " --location " + gallery_.location +
                                      " --subscription " + gallery_.subscription_id};
        Blocked blocked = blocked_of(subject_, Action::create, std::move(reason));
        blocked.manifest = line_of(gallery_.meta, "resourceGroup");
        plan_.blocked.push_back(std::move(blocked));
        return false;
    }
    if (gallery_.governance.adoption == Adoption::adopt) return true;  // nothing will be created in it
    Change change = change_of(group, Action::create,
                              EnsureResourceGroup{gallery_.subscription_id, gallery_.resource_group, gallery_.location,
                                                  gallery_.governance.tags});
    change.manifest = line_of(gallery_.meta, "resourceGroup");
    change.reason = "not_found";
    change.why = "the resource group is missing and spec.ensureResourceGroup is true; galleryd never deletes it";
    change.fields.push_back(replaced("/location", "", gallery_.location));
    propose(plan_, group, policy_, std::move(change));
    return true;
}

GalleryWrite GalleryPlanner::creation_body() const {
    GalleryWrite write;
    write.location = gallery_.location;
    write.description = gallery_.description;
    write.soft_delete_enabled = gallery_.soft_delete_enabled;
    if (gallery_.sharing) {
        write.permissions = gallery_.sharing->permissions;
        write.community = gallery_.sharing->community;
    }
    write.tags = tags_of_ours(subject_, gallery_.governance.tags, policy_);
    return write;
}

void GalleryPlanner::plan_creation() {
    const ResourceRecord* record = policy_.find_record(gallery_.id);
    if (record != nullptr && record->operation_in_flight) {
        plan_.waiting.push_back(subject_.address);
        return;
    }
    if (!may_create(plan_, subject_, gallery_.governance.adoption)) return;
    const bool was_ours = record != nullptr && record->written_by_us;
    Change change = change_of(subject_, Action::create, CreateGallery{creation_body()});
    change.reason = "not_found";
    change.why = was_ours ? "Azure no longer has the gallery; somebody deleted it" : "Azure has no such gallery";
    if (was_ours && needs_agreement(*record)) {
        change.why = "Azure answers 404 where the gallery stood before";
        plan_.notices.push_back(subject_.address + ": " + absence_text());
    }
    change.fields.push_back(replaced("/location", "", gallery_.location));
    if (!gallery_.description.empty()) change.fields.push_back(replaced("/description", "", gallery_.description));
    if (gallery_.soft_delete_enabled)
        change.fields.push_back(replaced("/softDelete/enabled", "", *gallery_.soft_delete_enabled ? "true" : "false"));
    if (gallery_.sharing)
        change.fields.push_back(
            replaced("/sharing/permissions", "", std::string(to_string(gallery_.sharing->permissions))));
    propose(plan_, subject_, policy_, std::move(change));
    if (gallery_.sharing) {
        for (Change& share : sharing_additions(subject_, *gallery_.sharing, nullptr))
            propose(plan_, subject_, policy_, std::move(share));
    }
    plan_storage();
    access(nullptr);
}

bool GalleryPlanner::add_conflicts(const ObservedGallery& live) {
    const std::size_t before = plan_.conflicts.size();
    if (normalise_region(live.location) != normalise_region(gallery_.location)) {
        Conflict conflict = conflict_of(subject_, "GD2203", "ImmutableFieldChanged", "/location");
        conflict.before = normalise_region(live.location);
        conflict.after = normalise_region(gallery_.location);
        conflict.message = "location " + conflict.before + " -> " + conflict.after + " cannot change after creation";
        conflict.ways_out = {"set spec.location back to " + conflict.before,
                             "declare a new Gallery in " + conflict.after + " and publish the versions there"};
        plan_.conflicts.push_back(std::move(conflict));
    }
    if (gallery_.sharing) {
        for (Conflict& conflict : sharing_conflicts(subject_, *gallery_.sharing, live))
            plan_.conflicts.push_back(std::move(conflict));
    }
    return plan_.conflicts.size() != before;
}

void GalleryPlanner::plan_existing(const ObservedGallery& live) {
    const Ownership ownership = check_ownership(plan_, subject_, live.tags, gallery_.governance.adoption, policy_);
    if (ownership == Ownership::refused) return;
    if (is_busy(live.state, gallery_.id, policy_)) {
        plan_.waiting.push_back(subject_.address);
        return;
    }
    if (ownership != Ownership::unowned) return plan_parts(live, ownership);
    Plan plan = std::exchange(plan_, Plan{});
    plan_parts(live, ownership);
    settle_unowned(plan, std::exchange(plan_, Plan{}), subject_, not_owned(subject_, policy_), policy_);
    plan_ = std::move(plan);
}

void GalleryPlanner::plan_parts(const ObservedGallery& live, Ownership ownership) {
    const bool conflicting = add_conflicts(live);
    if (!conflicting) plan_update(live, ownership);
    if (!conflicting && gallery_.sharing) {
        const bool groups = gallery_.sharing->permissions == SharingPermissions::groups;
        if (groups && !live.sharing_groups_known) {
            plan_.notices.push_back(
                subject_.address + ": the groups it is shared with were not read; sharing is compared in a later pass");
        } else {
            for (Change& share : sharing_additions(subject_, *gallery_.sharing, &live))
                propose(plan_, subject_, policy_, std::move(share));
            for (Change& share : sharing_removals(subject_, *gallery_.sharing, live)) {
                propose_destruction(plan_, subject_, std::move(share), DestructionFacts(&live), policy_, now_);
            }
        }
    }
    plan_storage();
    access(&live);
}

void GalleryPlanner::plan_update(const ObservedGallery& live, Ownership ownership) {
    const bool adopting = ownership == Ownership::adoptable;
    GalleryWrite write;
    write.location = live.location;
    write.description = gallery_.description.empty() ? live.description : gallery_.description;
    write.soft_delete_enabled = gallery_.soft_delete_enabled ? gallery_.soft_delete_enabled : live.soft_delete_enabled;
    write.community = live.community;
    write.tags = ownership == Ownership::unowned ? gallery_.governance.tags
                                                 : tags_of_ours(subject_, gallery_.governance.tags, policy_);
    std::vector<FieldChange> fields;
    if (write.description != live.description)
        fields.push_back(replaced("/description", live.description, write.description));
    const bool soft_delete_on = live.soft_delete_enabled.value_or(false);
    if (gallery_.soft_delete_enabled && *gallery_.soft_delete_enabled != soft_delete_on) {
        fields.push_back(
            replaced("/softDelete/enabled", soft_delete_on ? "true" : "false", soft_delete_on ? "false" : "true"));
        if (soft_delete_on) fields.back().effect = "deletions_become_final";
    }
    if (gallery_.sharing && gallery_.sharing->community && live.permissions == SharingPermissions::community) {
        const CommunityGallery& wanted = *gallery_.sharing->community;
        const CommunityGallery there = live.community.value_or(CommunityGallery{});
        const auto compare = [&fields](const char* name, const std::string& was, const std::string& is) {
            if (!is.empty() && was != is)
                fields.push_back(replaced(std::string("/sharing/community/") + name, was, is));
        };
        compare("publisherUri", there.publisher_uri, wanted.publisher_uri);
        compare("publisherContact", there.publisher_contact, wanted.publisher_contact);
        compare("eula", there.eula, wanted.eula);
        write.community = wanted;
    }
    for (FieldChange& field : compare_tags(write.tags, live.tags)) fields.push_back(std::move(field));
    if (ownership == Ownership::ours)
        write.tags_removed = take_away_tags(fields, policy_.find_record(gallery_.id), write.tags, live.tags);
    if (fields.empty() && live.state != ProvisioningState::failed) {
        ++plan_.unchanged;
        return;
    }
    if (fields.empty() && is_resting(gallery_.id, policy_, now_)) {
        plan_.waiting.push_back(subject_.address);
        return;
    }
    Change change = change_of(subject_, adopting ? Action::adopt : Action::update, UpdateGallery{std::move(write)});
    change.reason = adopting ? "adopt" : fields.empty() ? "provisioning_failed" : update_reason(subject_, policy_);
    change.why = adopting ? "the gallery is nobody's and spec.adoption is " +
                                std::string(to_string(gallery_.governance.adoption))
                 : fields.empty()           ? "Azure says that the last write failed; the same body is sent again"
                 : change.reason == "drift" ? "Azure differs from what was applied last"
                                            : "the document asks for it";
    change.fields = std::move(fields);
    change.seen = fingerprint_of(live);
    propose(plan_, subject_, policy_, std::move(change));
}

void GalleryPlanner::plan_storage() {
    if (!gallery_.staging_storage) return;
    const StagingStorage& wanted = *gallery_.staging_storage;
    Subject account = subject_;
    account.kind = "StorageAccount";
    account.id = ResourceId("/subscriptions/" + gallery_.subscription_id + "/resourceGroups/" +
                            gallery_.resource_group + "/providers/Microsoft.Storage/storageAccounts/" + wanted.name);
    if (!view_.storage) {
        Change change = change_of(account, Action::create,
                                  EnsureStorage{account.id, gallery_.location, wanted.sku, wanted.container});
        change.manifest = line_of(gallery_.meta, "stagingStorage");
        change.reason = "not_found";
        change.why = "the storage account that holds VHDs on their way in is missing; galleryd never deletes it";
        change.fields.push_back(replaced("/sku", "", wanted.sku));
        propose(plan_, account, policy_, std::move(change));
        return;
    }
    const ObservedStorageAccount& live = *view_.storage;
    const auto refuse = [&](const char* field, const std::string& was, const std::string& is) {
        Conflict conflict =
            conflict_of(account, "GD2207", "ImmutableFieldChanged", std::string("/stagingStorage/") + field);
        conflict.before = was;
        conflict.after = is;
        conflict.message = "the storage account " + wanted.name + " exists with " + field + " " + was +
                           ", the document asks for " + is + "; galleryd does not change or replace it";
        conflict.ways_out = {"set spec.stagingStorage to what is there (" + was + ")",
                             "name another account, which galleryd then creates"};
        plan_.conflicts.push_back(std::move(conflict));
    };
    const bool same_sku = wanted.sku.empty() || fold_case(live.sku) == fold_case(wanted.sku);
    const bool same_location = normalise_region(live.location) == normalise_region(gallery_.location);
    if (!same_sku) refuse("sku", live.sku, wanted.sku);
    if (!same_location) refuse("location", normalise_region(live.location), normalise_region(gallery_.location));
    if (same_sku && same_location) ++plan_.unchanged;
}

// Everything the plan was computed from, also where nothing changes.
std::vector<std::string> fingerprints(const GalleryView& view) {
    std::vector<std::string> all;
    if (view.group) all.push_back("group " + fold_case(view.group->name));
    if (view.gallery) all.push_back(view.gallery->id.key() + " " + fingerprint(*view.gallery));
    if (view.storage)
        all.push_back(view.storage->id.key() + " " + fold_case(view.storage->sku) + " " +
                      normalise_region(view.storage->location));
    if (view.role_assignments) {
        for (const ObservedRoleAssignment& assignment : *view.role_assignments) all.push_back(assignment.id.key());
    }
    return all;
}

}  // namespace

Plan plan_gallery_scope(const GalleryScopeInput& input, const Policy& policy, TimePoint now) {
    Plan plan;
    plan.observed_at = input.view->at;
    plan.complete = input.view->complete;
    if (input.gallery != nullptr) plan.scope = gallery_address(*input.gallery);
    if (!plan.complete) {
        plan.notices.push_back(plan.scope + ": the look at Azure was not complete; nothing is planned from it");
    } else if (input.gallery == nullptr) {
        plan_gallery_removal(plan, input, policy, now);
    } else if (input.gallery->governance.mode == Mode::suspend) {
        plan.notices.push_back(plan.scope + ": suspended (spec.mode: Suspend); nothing is compared or written");
    } else {
        plan = GalleryPlanner(input, policy, now).run(std::move(plan));
    }
    finish_plan(plan, fingerprints(*input.view));
    return plan;
}

}  // namespace galleryd
