#include "reconcilers/gallery/sharing.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace galleryd {
namespace {

using Ids = std::vector<std::string>;

std::set<std::string> folded(const Ids& ids) {
    std::set<std::string> all;
    for (const std::string& id : ids) all.insert(fold_case(id));
    return all;
}

Ids missing_from(const Ids& wanted, const Ids& present) {
    const auto a = folded(wanted);
    const auto b = folded(present);
    Ids difference;
    std::ranges::set_difference(a, b, std::back_inserter(difference));
    return difference;
}

Change share_change(const Subject& subject, ShareGallery step, std::string reason, std::string why) {
    Change change = change_of(subject, Action::share, std::move(step));
    if (subject.meta != nullptr) change.manifest = line_of(*subject.meta, "sharing");
    change.reason = std::move(reason);
    change.why = std::move(why);
    return change;
}

void add_group_fields(Change& change, const Ids& ids, const char* path, FieldOp op) {
    for (const std::string& id : ids) {
        FieldChange field;
        field.path = std::string(path) + "/" + id;
        field.op = op;
        (op == FieldOp::add ? field.after : field.before) = id;
        field.effect = op == FieldOp::add ? "" : "access_lost";
        field.cause = "spec";
        change.fields.push_back(std::move(field));
    }
}

std::string counted(std::size_t subscriptions, std::size_t tenants) {
    std::string text;
    if (subscriptions > 0)
        text = std::to_string(subscriptions) + (subscriptions == 1 ? " subscription" : " subscriptions");
    if (tenants > 0)
        text += (text.empty() ? "" : " and ") + std::to_string(tenants) + (tenants == 1 ? " tenant" : " tenants");
    return text;
}

void mark_as_removal(Change& change) {
    change.risk = Risk::access_removed;
    change.destructive = true;
    change.seen.existed = true;
}

}  // namespace

std::vector<Conflict> sharing_conflicts(const Subject& subject, const Sharing& wanted, const ObservedGallery& live) {
    std::vector<Conflict> conflicts;
    if (wanted.permissions != live.permissions && wanted.permissions != SharingPermissions::private_) {
        Conflict conflict = conflict_of(subject, "GD2204", "ImmutableFieldChanged", "/sharing/permissions");
        conflict.before = to_string(live.permissions);
        conflict.after = to_string(wanted.permissions);
        conflict.message = "sharing permissions " + conflict.before + " -> " + conflict.after +
                           " cannot change: Azure sets them when the gallery is created";
        conflict.ways_out = {
            "set spec.sharing.permissions back to " + conflict.before,
            "declare a new Gallery with permissions: " + conflict.after + " and publish the versions there"};
        conflicts.push_back(std::move(conflict));
        return conflicts;
    }
    const bool both_community =
        wanted.permissions == SharingPermissions::community && wanted.community && live.community;
    if (both_community && wanted.community->public_name_prefix != live.community->public_name_prefix &&
        !wanted.community->public_name_prefix.empty() && !live.community->public_name_prefix.empty()) {
        Conflict conflict =
            conflict_of(subject, "GD2206", "ImmutableFieldChanged", "/sharing/community/publicNamePrefix");
        conflict.before = live.community->public_name_prefix;
        conflict.after = wanted.community->public_name_prefix;
        conflict.message = "publicNamePrefix " + conflict.before + " -> " + conflict.after +
                           " cannot change: consumers know the gallery by the public name made from it";
        conflict.ways_out = {"set spec.sharing.community.publicNamePrefix back to " + conflict.before,
                             "declare a new Gallery with the new prefix and publish the versions there"};
        conflicts.push_back(std::move(conflict));
    }
    return conflicts;
}

std::vector<Change> sharing_additions(const Subject& subject, const Sharing& wanted, const ObservedGallery* live) {
    std::vector<Change> changes;
    if (wanted.permissions == SharingPermissions::groups) {
        const Ids subscriptions =
            missing_from(wanted.subscription_ids, live != nullptr ? live->shared_subscription_ids : Ids{});
        const Ids tenants = missing_from(wanted.tenant_ids, live != nullptr ? live->shared_tenant_ids : Ids{});
        if (!subscriptions.empty() || !tenants.empty()) {
            Change change = share_change(subject, ShareGallery{"Add", subscriptions, tenants}, "manifest_changed",
                                         "shared with " + counted(subscriptions.size(), tenants.size()));
            add_group_fields(change, subscriptions, "/sharing/subscriptionIds", FieldOp::add);
            add_group_fields(change, tenants, "/sharing/tenantIds", FieldOp::add);
            changes.push_back(std::move(change));
        }
    }
    if (wanted.permissions == SharingPermissions::community && (live == nullptr || !live->community_enabled)) {
        Change change = share_change(subject, ShareGallery{"EnableCommunity", {}, {}}, "manifest_changed",
                                     "visible to everybody in Azure as a community gallery");
        change.fields.push_back({.path = "/sharing/community",
                                 .op = FieldOp::replace,
                                 .before = "off",
                                 .after = "on",
                                 .effect = "public",
                                 .detail = "",
                                 .cause = "spec"});
        changes.push_back(std::move(change));
    }
    return changes;
}

std::vector<Change> sharing_removals(const Subject& subject, const Sharing& wanted, const ObservedGallery& live) {
    std::vector<Change> changes;
    if (wanted.permissions == SharingPermissions::private_ && live.permissions != SharingPermissions::private_) {
        Change change = share_change(subject, ShareGallery{"Reset", {}, {}}, "manifest_changed",
                                     "sharing is taken back from everybody; Azure keeps the gallery Private for good");
        mark_as_removal(change);
        change.reversible = false;
        change.fields.push_back({.path = "/sharing/permissions",
                                 .op = FieldOp::replace,
                                 .before = std::string(to_string(live.permissions)),
                                 .after = "Private",
                                 .effect = "access_lost",
                                 .detail = "consumers can no longer create or scale out",
                                 .cause = "spec"});
        changes.push_back(std::move(change));
        return changes;
    }
    if (wanted.permissions != SharingPermissions::groups) return changes;
    const Ids subscriptions = missing_from(live.shared_subscription_ids, wanted.subscription_ids);
    const Ids tenants = missing_from(live.shared_tenant_ids, wanted.tenant_ids);
    if (subscriptions.empty() && tenants.empty()) return changes;
    Change change = share_change(
        subject, ShareGallery{"Remove", subscriptions, tenants}, "manifest_changed",
        "no longer shared with " + counted(subscriptions.size(), tenants.size()) + ": spec.sharing does not name them");
    mark_as_removal(change);
    add_group_fields(change, subscriptions, "/sharing/subscriptionIds", FieldOp::remove);
    add_group_fields(change, tenants, "/sharing/tenantIds", FieldOp::remove);
    changes.push_back(std::move(change));
    return changes;
}

}  // namespace galleryd
