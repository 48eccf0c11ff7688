#include "reconcilers/lifecycle/estate.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "controller/core/archive.h"
#include "controller/core/check.h"
#include "controller/core/fingerprint.h"

namespace galleryd {
namespace {

std::string change_name(const ResourceChange& change) {
    return change.id.key() + " " + std::string(to_string(change.type)) + " " +
           std::to_string(change.at.time_since_epoch().count());
}

std::uint64_t name_of(const ResourceId& version) { return std::hash<std::string>{}(version.key()); }

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

void Estate::on_gallery(ObservedGallery row) {
    ++update_.rows;
    const Mark mark{quick_print(row), generation_};
    const auto known = galleries_.find(row.id);
    if (known != galleries_.end() && known->second.mark.print == mark.print) {
        known->second.mark = mark;
        return;
    }
    const ResourceId id = row.id;
    touch(id, ResourceKind::gallery);
    galleries_.insert_or_assign(id, GalleryRow{.observed = std::move(row), .mark = mark});
}

void Estate::on_definition(ObservedDefinition row) {
    ++update_.rows;
    const Mark mark{quick_print(row), generation_};
    Drawer& drawer = drawers_[row.id];
    if (!drawer.definition || drawer.definition->print != mark.print) {
        touch(row.id, ResourceKind::definition);
        open(row.id).definition = std::move(row);
    }
    drawer.definition = mark;
}

// Rows come sorted by id: mostly it is that of the row before.
std::pair<const ResourceId, Estate::Drawer>* Estate::drawer_of(const ResourceId& version) {
    if (last_drawer_ == nullptr || !is_child(version, last_drawer_->first, "/versions/")) {
        const auto definition = version.parent();
        if (!definition) return nullptr;
        last_drawer_ = &*drawers_.try_emplace(*definition).first;
    }
    return last_drawer_;
}

void Estate::on_version(ObservedVersion row) {
    ++update_.rows;
    auto* const found = drawer_of(row.id);
    if (found == nullptr) return;
    auto& [definition, drawer] = *found;
    const VersionMark mark{{quick_print(row), generation_}, name_of(row.id)};
    const auto known = std::ranges::find(drawer.versions, mark.name, &VersionMark::name);
    if (known != drawer.versions.end() && known->print == mark.print) {
        known->generation = generation_;
        return;
    }
    touch(row.id, ResourceKind::version);
    if (known != drawer.versions.end()) *known = mark;
    else drawer.versions.push_back(mark);
    std::vector<ObservedVersion>& versions = open(definition).versions;
    const auto place = std::ranges::lower_bound(versions, row.id, {}, &ObservedVersion::id);
    if (place != versions.end() && place->id == row.id) *place = std::move(row);
    else versions.insert(place, std::move(row));
}

std::size_t Estate::rows() const {
    std::size_t sum = galleries_.size();
    for (const auto& [id, drawer] : drawers_) sum += drawer.versions.size() + (drawer.definition ? 1 : 0);
    return sum;
}

// To be changed: what it held before is gone until it is closed.
DefinitionRows& Estate::open(const ResourceId& definition) {
    if (!open_ || open_->id != definition) {
        close();
        open_ = Open{.id = definition, .rows = content(definition)};
    }
    return open_->rows;
}

void Estate::close() {
    if (open_) {
        const auto drawer = drawers_.find(open_->id);
        if (drawer != drawers_.end()) drawer->second.packed = shelf_.put_away(pack(open_->rows));
    }
    open_.reset();
}

DefinitionRows Estate::content(const ResourceId& definition) const {
    if (open_ && open_->id == definition) return open_->rows;
    const auto drawer = drawers_.find(definition);
    if (drawer == drawers_.end() || drawer->second.packed.empty()) return {};
    auto rows = unpack<DefinitionRows>(shelf_.take_out(drawer->second.packed));
    GALLERYD_CHECK(rows, "what was packed here can be unpacked");
    return std::move(*rows);
}

void Estate::drop_version(const ResourceId& definition, Drawer& drawer, std::uint64_t name) {
    std::erase_if(drawer.versions, [name](const VersionMark& mark) { return mark.name == name; });
    std::erase_if(open(definition).versions,
                  [name](const ObservedVersion& version) { return name_of(version.id) == name; });
}

void Estate::drop_empty(const ResourceId& definition) {
    const auto drawer = drawers_.find(definition);
    if (drawer == drawers_.end() || drawer->second.definition || !drawer->second.versions.empty()) return;
    if (open_ && open_->id == definition) open_.reset();
    last_drawer_ = nullptr;
    drawers_.erase(drawer);
}

void Estate::drop_unseen() {
    std::erase_if(galleries_, [this](const auto& entry) {
        if (entry.second.mark.generation == generation_) return false;
        touch(entry.first, ResourceKind::gallery);
        return true;
    });
    std::vector<ResourceId> emptied;
    for (auto& [id, drawer] : drawers_) {
        std::vector<std::uint64_t> gone;
        for (const VersionMark& mark : drawer.versions) {
            if (mark.generation != generation_) gone.push_back(mark.name);
        }
        for (const std::uint64_t name : gone) drop_version(id, drawer, name);
        const bool lost = drawer.definition && drawer.definition->generation != generation_;
        if (lost) {
            drawer.definition.reset();
            open(id).definition.reset();
        }
        if (lost || !gone.empty()) touch(id, ResourceKind::definition);
        if (!drawer.definition && drawer.versions.empty()) emptied.push_back(id);
    }
    for (const ResourceId& id : emptied) drop_empty(id);
    close();
}

void Estate::forget(const ResourceChange& change) {
    touch(change.id, change.kind);
    if (change.kind == ResourceKind::gallery) galleries_.erase(change.id);
    const std::optional<ResourceId> definition =
        change.kind == ResourceKind::version ? change.id.parent() : std::optional(change.id);
    const auto drawer = definition ? drawers_.find(*definition) : drawers_.end();
    if (change.kind == ResourceKind::gallery || drawer == drawers_.end()) return;
    if (change.kind == ResourceKind::version) {
        drop_version(*definition, drawer->second, name_of(change.id));
    } else {
        drawer->second.definition.reset();
        open(*definition).definition.reset();
    }
    drop_empty(*definition);
}

Task<void> Estate::look_at_all(std::vector<std::string> subscriptions, std::size_t parallel) {
    ++generation_;
    update_.was_full = true;
    const LookRequest request{.subscriptions = std::move(subscriptions), .parallel = parallel};
    const auto look = co_await inventory_.look(request, *this);
    if (!look) co_return std::unexpected(look.error());
    drop_unseen();
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
    for (auto at = drawers_.lower_bound(ResourceId(id.text() + "/images/"));
         at != drawers_.end() && is_child(at->first, id, "/images/"); ++at) {
        if (at->second.definition) view.definition_names.push_back(at->first.name());
    }
    view.complete = true;
    view.at = clock_.now();
    return view;
}

std::optional<DefinitionView> Estate::definition(const ResourceId& id) const {
    if (!covers(id.subscription())) return std::nullopt;
    DefinitionView view;
    const auto gallery = galleries_.find(id.parent().value_or(ResourceId{}));
    view.gallery_exists = gallery != galleries_.end() && !is_in_transition(gallery->second.observed.state);
    DefinitionRows rows = content(id);
    view.gallery_exists = view.gallery_exists || rows.definition.has_value();
    view.definition = std::move(rows.definition);
    view.versions = std::move(rows.versions);
    view.complete = true;
    view.at = clock_.now();
    return view;
}

}  // namespace galleryd
