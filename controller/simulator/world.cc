#include "controller/simulator/world.h"

#include <algorithm>
#include <cstdio>

#include "controller/core/region.h"
#include "controller/core/resource_id.h"

namespace galleryd::simulator {

std::uint64_t SeededRandom::next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

std::string SeededRandom::guid() {
    const std::uint64_t a = next();
    const std::uint64_t b = next();
    char text[40];
    std::snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%012llx", static_cast<unsigned>(a >> 32),
                  static_cast<unsigned>(a >> 16) & 0xffffU, static_cast<unsigned>(a) & 0xfffU,
                  (static_cast<unsigned>(b >> 48) & 0x3fffU) | 0x8000U,
                  static_cast<unsigned long long>(b & 0xffffffffffffULL));
    return text;
}

std::string SeededRandom::base64url(std::size_t characters) {
    static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    text.reserve(characters);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < characters; ++i, bits >>= 6) {
        if (i % 10 == 0) bits = next();
        text += alphabet[bits & 63U];
    }
    return text;
}

std::string Resource::name() const { return text_of(body, "name"); }
std::string Resource::subscription() const { return ResourceId(id).subscription(); }
std::string Resource::group() const { return ResourceId(id).resource_group(); }
std::string Resource::state() const { return text_of(member(body, "properties"), "provisioningState"); }

void Resource::set_state(std::string_view state) {
    Json& properties = body["properties"];
    if (!properties.is_object()) properties = Json::object();
    properties.erase("provisioningState");  // always printed last
    properties["provisioningState"] = state;
}

std::string version_parent(std::string_view key) {
    std::size_t slash = key.rfind('/');
    if (slash == std::string_view::npos || slash == 0) return {};
    slash = key.rfind('/', slash - 1);
    return std::string(key.substr(0, slash));
}

Resource* World::find(std::string_view key) {
    const auto found = resources_.find(key);
    return found == resources_.end() ? nullptr : &found->second;
}

const Resource* World::find(std::string_view key) const {
    const auto found = resources_.find(key);
    return found == resources_.end() ? nullptr : &found->second;
}

static std::string count_key(const std::string& subscription, const std::string& region, const std::string& type) {
    return fold_case(subscription) + "/" + normalise_region(region) + "/" + type;
}

Resource& World::put(Resource resource) {
    resource.changed_at = now;
    if (Resource* const old = find(resource.key)) {
        note_update(*old);
        resource.previous = std::move(old->body);
        *old = std::move(resource);
        return *old;
    }
    note(ChangeKind::create, resource, nullptr);
    const std::string subscription = resource.subscription();
    if (!subscription.empty()) subscriptions.insert(fold_case(subscription));
    ++counts_[count_key(subscription, resource.location(), resource.type)];
    if (resource.type == "microsoft.authorization/locks") locks_.insert(resource.key);
    const std::string key = resource.key;
    return resources_.emplace(key, std::move(resource)).first->second;
}

void World::note(ChangeKind kind, const Resource& resource, const Json* before) {
    static const Json nothing;
    changes.note(now, kind, resource.key, resource.id, resource.type, before == nullptr ? nothing : *before, actor);
}

void World::erase(const std::string& key) {
    const auto found = resources_.find(key);
    if (found == resources_.end()) return;
    const Resource& resource = found->second;
    note(ChangeKind::remove, resource, &resource.body);
    const auto counted = counts_.find(count_key(resource.subscription(), resource.location(), resource.type));
    if (counted != counts_.end() && counted->second > 0) --counted->second;
    locks_.erase(key);
    constexpr std::size_t bodies_kept = 256;
    if (gone_bodies_.size() >= bodies_kept)
        gone_bodies_.erase(
            std::ranges::min_element(gone_bodies_, {}, [](const auto& entry) { return entry.second.at; }));
    gone_bodies_.insert_or_assign(key, Body{resource.body, now});
    resources_.erase(found);
}

const Json* World::gone_lately(std::string_view key, Duration within) const {
    const auto found = gone_bodies_.find(key);
    return found != gone_bodies_.end() && now - found->second.at <= within ? &found->second.body : nullptr;
}

void World::visit_children(std::string_view key, std::string_view segment,
                           const std::function<bool(const Resource&)>& visit) const {
    const std::string prefix = std::string(key) + "/" + std::string(segment) + "/";
    auto at = resources_.lower_bound(prefix);
    while (at != resources_.end() && at->first.starts_with(prefix)) {
        const std::size_t slash = at->first.find('/', prefix.size());
        if (slash == std::string::npos) {
            if (!visit(at->second)) return;
            ++at;
        } else {  // a grandchild: jump behind its whole subtree ('0' follows '/')
            at = resources_.lower_bound(at->first.substr(0, slash) + "0");
        }
    }
}

bool World::has_children(std::string_view key) const {
    const std::string prefix = std::string(key) + "/";
    const auto at = resources_.lower_bound(prefix);
    return at != resources_.end() && at->first.starts_with(prefix);
}

std::size_t World::count(const std::string& subscription, const std::string& region, const std::string& type) const {
    const auto found = counts_.find(count_key(subscription, region, type));
    return found == counts_.end() ? 0 : found->second;
}

std::string World::timestamp(TimePoint time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06d%d", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()),
                  static_cast<int>(id_random.next() % 10));
    std::string printed(text);
    while (printed.back() == '0') printed.pop_back();
    if (printed.back() == '.') printed.pop_back();
    return printed + "+00:00";
}

void World::remember_gone_child(const std::string& parent, const std::string& child) {
    const auto lag_max = std::chrono::duration_cast<Duration>(options.parent_lag_max);
    const Duration lag(static_cast<std::int64_t>(static_cast<double>(lag_max.count()) * random.unit()));
    gone_[parent].push_back({.child = child, .until = now + lag});
}

std::vector<std::string> World::gone_children(const std::string& parent) const {
    std::vector<std::string> still;
    const auto found = gone_.find(parent);
    if (found == gone_.end()) return still;
    for (const Gone& gone : found->second) {
        if (gone.until > now) still.push_back(gone.child);
    }
    return still;
}

std::optional<std::string> World::lock_on(std::string_view key, bool for_delete) const {
    for (const std::string& lock_key : locks_) {
        const std::string scope = lock_key.substr(0, lock_key.find("/providers/microsoft.authorization/locks/"));
        if (key != scope && !key.starts_with(scope + "/")) continue;
        const Resource* const lock = find(lock_key);
        if (lock == nullptr) continue;
        const bool read_only = fold_case(text_of(member(lock->body, "properties"), "level")) == "readonly";
        if (for_delete || read_only) return lock->id.substr(0, scope.size());
    }
    return std::nullopt;
}

std::string World::pick_failure(const std::string& region) {
    for (RegionFailure& failure : region_failures) {
        if (normalise_region(failure.region) != region || failure.count == 0) continue;
        if (failure.count > 0) --failure.count;
        return failure.details;
    }
    return {};
}

}  // namespace galleryd::simulator
