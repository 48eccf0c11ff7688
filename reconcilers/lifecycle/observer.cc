#include "reconcilers/lifecycle/observer.h"

#include <algorithm>
#include <set>

#include "controller/core/fingerprint.h"

namespace galleryd {
namespace {

constexpr std::chrono::hours settled_for{1};  // a region that somebody removed and added again has the same fingerprint

bool is_settled(const ObservedVersion& version) {
    return version.replication_known && !is_in_transition(version.state) &&
           version.state == ProvisioningState::succeeded &&
           std::ranges::all_of(version.target_regions, [&](const TargetRegion& region) {
               const auto found = version.replication.find(region.name);
               return found != version.replication.end() && found->second.state == ReplicationState::completed;
           });
}

}  // namespace

Status Observer::note_skew(const ObservedBase& base) {
    if (base.server_date) clock_skew_ = std::chrono::abs(base.read_at - *base.server_date);
    return {};
}

Task<GalleryView> Observer::look(GalleryLook what) {
    GalleryView view;
    GalleryApi& api = api_.acting_for(what.id);
    auto group = co_await api.get_resource_group(what.id.subscription(), what.id.resource_group());
    if (!group) co_return std::unexpected(group.error());
    view.group = std::move(*group);
    if (view.group) {
        auto gallery = co_await api.get_gallery(what.id);
        if (!gallery) co_return std::unexpected(gallery.error());
        view.gallery = std::move(*gallery);
    }
    if (view.gallery) {
        if (const Status noted = note_skew(*view.gallery); !noted) co_return std::unexpected(noted.error());
        if (what.wants_role_assignments) {
            auto assignments = co_await api.list_role_assignments(what.id);
            if (!assignments) co_return std::unexpected(assignments.error());
            view.role_assignments = std::move(*assignments);
        }
        if (what.wants_definition_names) {
            auto definitions = co_await api.list_definitions(what.id);
            if (!definitions) co_return std::unexpected(definitions.error());
            for (const ObservedDefinition& definition : *definitions) view.definition_names.push_back(definition.name);
        }
    }
    if (what.storage_account && view.group) {
        const ResourceId account_id = *what.storage_account;
        auto account = co_await api.get_storage_account(account_id);
        if (!account) co_return std::unexpected(account.error());
        view.storage = std::move(*account);
    }
    view.complete = true;
    view.at = clock_.now();
    co_return view;
}

const Observer::Settled* Observer::find_settled(const ObservedVersion& version) const {
    const auto found = settled_.find(version.id.key());
    const bool is_known = found != settled_.end() && clock_.monotonic() - found->second.seen < settled_for &&
                          found->second.fingerprint == fingerprint(version);
    return is_known ? &found->second : nullptr;
}

void Observer::fill_known(DefinitionView& view) const {
    for (ObservedVersion& version : view.versions) {
        const Settled* settled = find_settled(version);
        if (settled == nullptr) continue;
        version.replication = settled->replication;
        version.replication_known = true;
    }
}

void Observer::forget_below(const std::string& definition_key) {
    const std::string prefix = definition_key + "/versions/";
    for (auto at = settled_.lower_bound(prefix); at != settled_.end() && at->first.starts_with(prefix);)
        at = settled_.erase(at);
}

void Observer::drop_gone(const ResourceId& definition, const std::vector<ObservedVersion>& versions) {
    std::set<std::string> there;
    for (const ObservedVersion& version : versions) there.insert(version.id.key());
    const std::string prefix = definition.key() + "/versions/";
    for (auto at = settled_.lower_bound(prefix); at != settled_.end() && at->first.starts_with(prefix);)
        at = there.contains(at->first) ? std::next(at) : settled_.erase(at);
}

void Observer::note(const ObservedVersion& fresh) {
    if (!is_settled(fresh)) return forget(fresh.id);
    settled_.insert_or_assign(fresh.id.key(), Settled{fingerprint(fresh), fresh.replication, clock_.monotonic()});
}

Task<std::optional<ObservedVersion>> Observer::with_replication(ObservedVersion listed) {
    if (const Settled* settled = find_settled(listed)) {
        listed.replication = settled->replication;
        listed.replication_known = true;
        co_return listed;
    }
    const ResourceId id = listed.id;
    auto fresh = co_await api_.get_version(id, true);
    if (!fresh) co_return std::unexpected(fresh.error());
    if (*fresh) note(**fresh);
    else forget(id);
    if (*fresh) (*fresh)->raw.clear();  // a write reads its own; ten thousand bodies are not kept
    co_return std::move(*fresh);
}

Task<DefinitionView> Observer::look(DefinitionLook what) {
    DefinitionView view;
    auto definition = co_await api_.get_definition(what.id);
    if (!definition) co_return std::unexpected(definition.error());
    view.definition = std::move(*definition);
    if (!view.definition) {
        const ResourceId gallery_id = what.id.parent().value_or(ResourceId{});
        const auto gallery = co_await api_.get_gallery(gallery_id);
        if (!gallery) co_return std::unexpected(gallery.error());
        view.gallery_exists = gallery->has_value() && !is_in_transition((*gallery)->state);
        view.complete = true;
        view.at = clock_.now();
        co_return view;
    }
    view.gallery_exists = true;
    if (const Status noted = note_skew(*view.definition); !noted) co_return std::unexpected(noted.error());
    auto versions = co_await api_.list_versions(what.id);
    if (!versions) co_return std::unexpected(versions.error());
    for (ObservedVersion& listed : *versions) {
        if (is_in_transition(listed.state) && what.not_expanded.contains(listed.id.key())) {
            view.versions.push_back(std::move(listed));
            continue;
        }
        auto version = co_await with_replication(std::move(listed));
        if (!version) co_return std::unexpected(version.error());
        if (*version) view.versions.push_back(std::move(**version));  // gone between list and GET: gone
    }
    drop_gone(what.id, view.versions);
    if (what.wants_role_assignments) {
        auto assignments = co_await api_.list_role_assignments(what.id);
        if (!assignments) co_return std::unexpected(assignments.error());
        view.role_assignments = std::move(*assignments);
    }
    view.complete = true;
    view.at = clock_.now();
    co_return view;
}

}  // namespace galleryd
