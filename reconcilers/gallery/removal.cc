#include "reconcilers/gallery/removal.h"

#include <algorithm>
#include <utility>

#include "controller/core/fingerprint.h"
#include "reconcilers/lifecycle/destruction.h"
#include "reconcilers/lifecycle/subject.h"

namespace galleryd {
namespace {

Change deletion_of(const Subject& subject, const ObservedGallery& live) {
    Change change = change_of(subject, Action::remove, DeleteGallery{});
    if (live.permissions != SharingPermissions::private_) {
        change = change_of(subject, Action::share, ShareGallery{"Reset", {}, {}});
        change.risk = Risk::access_removed;
        change.why =
            "the document is gone with deletionPolicy: Delete; a shared gallery is unshared before it can be deleted";
        change.follow_up = "then delete the gallery";
    } else {
        change.risk = Risk::data_deleted;
        change.why = "the document is gone with deletionPolicy: Delete, and no definition is left in the gallery";
    }
    change.reason = "removed";
    change.destructive = true;
    change.reversible = false;
    change.seen = fingerprint_of(live);
    return change;
}

void plan_one(Plan& plan, const RemovedDocument& removed, const GalleryScopeInput& input, const Policy& policy,
              TimePoint now) {
    const GalleryView& view = *input.view;
    const Subject subject{removed_address(removed), "Gallery", removed.id, nullptr, removed.mode};
    if (plan.scope.empty()) plan.scope = subject.address;
    if (!view.gallery || removed.mode == Mode::suspend) return;
    if (removed.deletion_policy == DeletionPolicy::orphan) {
        plan.notices.push_back(subject.address +
                               ": the document is gone; the gallery stays in Azure (deletionPolicy: Orphan) and "
                               "galleryd no longer looks after it");
        return;
    }
    if (is_busy(view.gallery->state, removed.id, policy)) {
        plan.waiting.push_back(subject.address);
        return;
    }
    DestructionFacts facts(&*view.gallery);
    facts.removed = &removed;
    if (!view.definition_names.empty()) {
        const std::size_t count = view.definition_names.size();
        std::vector<std::string> names = view.definition_names;
        std::ranges::sort(names);
        std::string list;
        for (std::size_t i = 0; i < std::min<std::size_t>(count, 5); ++i) list += (i > 0 ? ", " : "") + names[i];
        if (count > 5) list += ", …";
        facts.children.push_back({.interlock_point = 0,
                                  .reason = "has_definitions",
                                  .condition = "HasDefinitions",
                                  .message = "the gallery still has " + std::to_string(count) +
                                             (count == 1 ? " image definition: " : " image definitions: ") + list,
                                  .way_out = "remove them first; galleryd never deletes a gallery together with what "
                                             "is in it (galleryd explain GD2220)"});
        facts.evidence["definitions"] = std::to_string(count);
    }
    if (!input.definitions.empty()) {
        facts.children.push_back(
            {.interlock_point = 0,
             .reason = "still_declared",
             .condition = "HasDefinitions",
             .message = to_string(input.definitions.front()->meta.key) + " is still declared below the gallery",
             .way_out = "remove the documents of its definitions too, or put the Gallery document back"});
    }
    propose_destruction(plan, subject, deletion_of(subject, *view.gallery), facts, policy, now);
}

}  // namespace

void plan_gallery_removal(Plan& plan, const GalleryScopeInput& input, const Policy& policy, TimePoint now) {
    for (const RemovedDocument& removed : policy.removed) {
        if (removed.key.kind == Kind::gallery) plan_one(plan, removed, input, policy, now);
    }
}

}  // namespace galleryd
