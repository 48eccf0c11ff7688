#include "reconcilers/lifecycle/estate.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "controller/core/fingerprint.h"

namespace galleryd {
namespace {

ResourceKind kind_of(const ObservedGallery&) { return ResourceKind::gallery; }
ResourceKind kind_of(const ObservedDefinition&) { return ResourceKind::definition; }
ResourceKind kind_of(const ObservedVersion&) { return ResourceKind::version; }

// The state is no part of a fingerprint, but a plan depends on it.
template <class Observed>
std::uint64_t print_of(const Observed& observed) {
    const std::uint64_t rest = std::hash<std::string>{}(fingerprint(observed));
    return rest * 31 + static_cast<std::uint64_t>(observed.state);
}

std::string change_name(const ResourceChange& change) {
    return change.id.key() + " " + std::string(to_string(change.type)) + " " +
           std::to_string(change.at.time_since_epoch().count());
}

bool is_child(const ResourceId& child, const ResourceId& parent, std::string_view segment) {
    const std::string& key = child.key();
    return key.size() > parent.key().size() + segment.size() && key.starts_with(parent.key()) &&
           key.compare(parent.key().size(), segment.size(), segment) == 0;
}

}  // namespace

void Estate::touch(const ResourceId& id, ResourceKind kind) {
    if (kind != ResourceKind::version) {
        update_.touched.insert(id.key());
    } else if (const auto parent = id.parent()) {
        update_.touched.insert(parent->key());
    }
}

template <class Observed>
void Estate::take(Rows<Observed>& rows, Observed observed) {
    ++update_.rows;
    const std::uint64_t print = print_of(observed);
    const auto known = rows.find(observed.id);
    if (known != rows.end() && known->second.print == print) {
        known->second.generation = generation_;
        return;
    }
    const ResourceId id = observed.id;
    touch(id, kind_of(observed));
    rows.insert_or_assign(id, Row<Observed>{std::move(observed), print, generation_});
}

void Estate::on_gallery(ObservedGallery row) { take(galleries_, std::move(row)); }
void Estate::on_definition(ObservedDefinition row) { take(definitions_, std::move(row)); }
void Estate::on_version(ObservedVersion row) { take(versions_, std::move(row)); }

template <class Observed>
void Estate::drop_unseen(Rows<Observed>& rows) {
    std::erase_if(rows, [this](const auto& entry) {
        const auto& [id, row] = entry;
        if (row.generation == generation_) return false;
        touch(id, kind_of(row.observed));
        return true;
    });
}

void Estate::forget(const ResourceChange& change) {
    touch(change.id, change.kind);
    switch (change.kind) {
        case ResourceKind::gallery: galleries_.erase(change.id); break;
        case ResourceKind::definition: definitions_.erase(change.id); break;
        case ResourceKind::version: versions_.erase(change.id); break;
    }
}

Task<void> Estate::look_at_all(std::vector<std::string> subscriptions, std::size_t parallel) {
    ++generation_;
    update_.was_full = true;
    const LookRequest request{.subscriptions = std::move(subscriptions), .parallel = parallel};
    const auto look = co_await inventory_.look(request, *this);
    if (!look) co_return std::unexpected(look.error());
    drop_unseen(galleries_);
    drop_unseen(definitions_);
    drop_unseen(versions_);
    covered_ = {look->readable.begin(), look->readable.end()};
    unreadable_ = {look->unreadable.begin(), look->unreadable.end()};
    watermark_ = look->server_date.value_or(look->started);
    seen_changes_.clear();
    update_.requests += look->requests;
    co_return Status{};
}

Task<void> Estate::look_at_changes(std::vector<std::string> subscriptions) {
    const auto list = co_await inventory_.changes_since(*watermark_ - overlap, subscriptions);
    if (!list) co_return std::unexpected(list.error());
    update_.requests += list->requests;
    if (list->needs_full_look()) {
        auto whole = look_at_all(std::move(subscriptions), 1);
        co_return co_await std::move(whole);
    }
    // A record may come after that of a later change: what counts is the latest of all, seen before or not.
    std::map<ResourceId, const ResourceChange*> latest;
    std::set<ResourceId> moved;
    for (const ResourceChange& change : list->changes) {  // oldest first
        latest.insert_or_assign(change.id, &change);
        if (!seen_changes_.contains(change_name(change))) moved.insert(change.id);
    }
    std::vector<ResourceId> ids;
    for (const ResourceId& id : moved) {
        const ResourceChange* change = latest.at(id);
        if (change->type == ChangeType::removed) {
            forget(*change);
        } else {
            ids.push_back(id);
            touch(id, change->kind);  // also when its row is not there yet: who looks at it reads the resource itself
        }
    }
    if (!ids.empty()) {
        const auto read = co_await inventory_.read(std::move(ids), *this);
        if (!read) co_return std::unexpected(read.error());
        update_.requests += read->requests;
    }
    for (const ResourceChange& change : list->changes) seen_changes_.emplace(change_name(change), change.at);
    std::erase_if(seen_changes_, [&](const auto& entry) { return entry.second < *watermark_ - 2 * overlap; });
    watermark_ = list->server_date.value_or(list->started);
    co_return Status{};
}

Task<EstateUpdate> Estate::refresh(std::vector<std::string> subscriptions, bool full, std::size_t parallel) {
    update_ = {};
    const bool is_known = watermark_ && std::ranges::all_of(subscriptions, [this](const std::string& subscription) {
                              const std::string folded = fold_case(subscription);
                              return covered_.contains(folded) || unreadable_.contains(folded);
                          });
    if (full || !is_known) {
        const auto update = co_await look_at_all(std::move(subscriptions), parallel);
        if (!update) co_return std::unexpected(update.error());
    } else {
        const auto update = co_await look_at_changes(std::move(subscriptions));
        if (!update) co_return std::unexpected(update.error());
    }
    refreshed_ = clock_.monotonic();
    co_return std::exchange(update_, {});
}

bool Estate::covers(const std::string& subscription) const {
    return watermark_ && covered_.contains(fold_case(subscription)) && clock_.monotonic() - refreshed_ < stale_after;
}

std::optional<GalleryView> Estate::gallery(const ResourceId& id) const {
    if (!covers(id.subscription())) return std::nullopt;
    GalleryView view;
    if (const auto found = galleries_.find(id); found != galleries_.end()) {
        view.gallery = found->second.observed;
        view.group = ObservedResourceGroup{id.resource_group(), view.gallery->location, {}};
    }
    for (auto at = definitions_.lower_bound(ResourceId(id.text() + "/images/"));
         at != definitions_.end() && is_child(at->first, id, "/images/"); ++at)
        view.definition_names.push_back(at->second.observed.name);
    view.complete = true;
    view.at = clock_.now();
    return view;
}

std::optional<DefinitionView> Estate::definition(const ResourceId& id) const {
    if (!covers(id.subscription())) return std::nullopt;
    DefinitionView view;
    const auto gallery = galleries_.find(id.parent().value_or(ResourceId{}));
    view.gallery_exists = gallery != galleries_.end() && !is_in_transition(gallery->second.observed.state);
    if (const auto found = definitions_.find(id); found != definitions_.end()) {
        view.definition = found->second.observed;
        view.gallery_exists = true;
    }
    for (auto at = versions_.lower_bound(ResourceId(id.text() + "/versions/"));
         at != versions_.end() && is_child(at->first, id, "/versions/"); ++at)
        view.versions.push_back(at->second.observed);
    view.complete = true;
    view.at = clock_.now();
    return view;
}

}  // namespace galleryd
