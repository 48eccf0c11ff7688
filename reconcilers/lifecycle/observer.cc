#include "reconcilers/lifecycle/observer.h"

#include <algorithm>
#include <set>

#include "controller/core/fingerprint.h"

namespace galleryd {
namespace {

constexpr std::size_t versions_at_a_time =
    16;                                       // of one definition; Azure's windows and the client's slots hold as well
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

// What is read side by side is put here by whoever reads it; each part is written once.
struct Observer::Reading {
    explicit Reading(GalleryApi& of) : api(of) {}
    GalleryApi& api;  // with the credential of the gallery: one for the whole look
    std::vector<std::function<boost::asio::awaitable<bool>()>> parts;  // that need only what was read before them
    std::optional<Error> error;                                        // the first
    std::optional<std::vector<ObservedRoleAssignment>> assignments;
    std::vector<std::string> definition_names;
    std::optional<ObservedStorageAccount> storage;
    std::vector<std::optional<ObservedVersion>> versions;  // in the list's order; none: gone between list and GET
    std::vector<std::size_t> unread;                       // of these, the ones whose replication has to be asked for

    bool fails(const Error& why) {
        if (!error) error = why;
        return false;
    }
};

void Observer::note_skew(const ObservedBase& base) {
    if (base.server_date) clock_skew_ = std::chrono::abs(base.read_at - *base.server_date);
}

boost::asio::awaitable<void> Observer::read_all(Reading& reading) {
    std::function<boost::asio::awaitable<bool>(std::size_t)> part = [&reading](std::size_t i) {
        return reading.parts[i]();
    };
    co_await side_by_side_(reading.parts.size(), reading.parts.size(), std::move(part));
}

boost::asio::awaitable<bool> Observer::read_assignments(Reading& reading, ResourceId scope) {
    auto assignments = co_await reading.api.list_role_assignments(scope);
    if (!assignments) co_return reading.fails(assignments.error());
    reading.assignments = std::move(*assignments);
    co_return true;
}

boost::asio::awaitable<bool> Observer::read_definition_names(Reading& reading, ResourceId gallery) {
    auto definitions = co_await reading.api.list_definitions(gallery);
    if (!definitions) co_return reading.fails(definitions.error());
    for (const ObservedDefinition& definition : *definitions) reading.definition_names.push_back(definition.name);
    co_return true;
}

boost::asio::awaitable<bool> Observer::read_storage(Reading& reading, ResourceId account) {
    auto storage = co_await reading.api.get_storage_account(account);
    if (!storage) co_return reading.fails(storage.error());
    reading.storage = std::move(*storage);
    co_return true;
}

Task<GalleryView> Observer::look(GalleryLook what) {
    GalleryView view;
    Reading reading(api_.acting_for(what.id));
    auto group = co_await reading.api.get_resource_group(what.id.subscription(), what.id.resource_group());
    if (!group) co_return std::unexpected(group.error());
    view.group = std::move(*group);
    if (view.group) {
        auto gallery = co_await reading.api.get_gallery(what.id);
        if (!gallery) co_return std::unexpected(gallery.error());
        view.gallery = std::move(*gallery);
    }
    if (view.gallery) {
        note_skew(*view.gallery);
        if (what.wants_role_assignments) reading.parts.emplace_back([&] { return read_assignments(reading, what.id); });
        if (what.wants_definition_names)
            reading.parts.emplace_back([&] { return read_definition_names(reading, what.id); });
    }
    if (what.storage_account && view.group)
        reading.parts.emplace_back([&] { return read_storage(reading, *what.storage_account); });
    co_await read_all(reading);
    if (reading.error) co_return std::unexpected(*reading.error);
    view.role_assignments = std::move(reading.assignments);
    view.definition_names = std::move(reading.definition_names);
    view.storage = std::move(reading.storage);
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

boost::asio::awaitable<bool> Observer::read_version(Reading& reading, std::size_t which) {
    const ResourceId id = reading.versions[which]->id;
    auto fresh = co_await reading.api.get_version(id, true);
    if (!fresh) co_return reading.fails(fresh.error());
    if (*fresh) note(**fresh);
    else forget(id);
    if (*fresh) (*fresh)->raw.clear();  // a write reads its own; ten thousand bodies are not kept
    reading.versions[which] = std::move(*fresh);
    co_return true;
}

boost::asio::awaitable<bool> Observer::read_versions(Reading& reading, const DefinitionLook& what) {
    auto listed = co_await reading.api.list_versions(what.id);
    if (!listed) co_return reading.fails(listed.error());
    reading.versions.reserve(listed->size());
    for (ObservedVersion& version : *listed) {
        const Settled* settled = nullptr;
        const bool is_left = is_in_transition(version.state) && what.not_expanded.contains(version.id.key());
        if (!is_left) settled = find_settled(version);
        if (settled != nullptr) {
            version.replication = settled->replication;
            version.replication_known = true;
        } else if (!is_left) {
            reading.unread.push_back(reading.versions.size());
        }
        reading.versions.emplace_back(std::move(version));
    }
    std::function<boost::asio::awaitable<bool>(std::size_t)> read = [this, &reading](std::size_t i) {
        return read_version(reading, reading.unread[i]);
    };
    co_await side_by_side_(reading.unread.size(), versions_at_a_time, std::move(read));
    co_return !reading.error;
}

Task<DefinitionView> Observer::look(DefinitionLook what) {
    DefinitionView view;
    Reading reading(api_.acting_for(what.id));
    auto definition = co_await reading.api.get_definition(what.id);
    if (!definition) co_return std::unexpected(definition.error());
    view.definition = std::move(*definition);
    if (!view.definition) {
        const ResourceId gallery_id = what.id.parent().value_or(ResourceId{});
        const auto gallery = co_await reading.api.get_gallery(gallery_id);
        if (!gallery) co_return std::unexpected(gallery.error());
        view.gallery_exists = gallery->has_value() && !is_in_transition((*gallery)->state);
        view.complete = true;
        view.at = clock_.now();
        co_return view;
    }
    view.gallery_exists = true;
    note_skew(*view.definition);
    reading.parts.emplace_back([&] { return read_versions(reading, what); });
    if (what.wants_role_assignments) reading.parts.emplace_back([&] { return read_assignments(reading, what.id); });
    co_await read_all(reading);
    if (reading.error) co_return std::unexpected(*reading.error);
    for (std::optional<ObservedVersion>& version : reading.versions) {
        if (version) view.versions.push_back(std::move(*version));
    }
    drop_gone(what.id, view.versions);
    view.role_assignments = std::move(reading.assignments);
    view.complete = true;
    view.at = clock_.now();
    co_return view;
}

}  // namespace galleryd
