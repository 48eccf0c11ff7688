#include "controller/program/engine.h"

// How the engine uses Resource Graph: to learn which scopes moved, and to pass over those where nothing is to be done.
namespace galleryd {
namespace {

constexpr std::size_t parallel_pages = 4;

// Of galleries with a credential of their own nothing counts that galleryd's own shows.
std::vector<std::string> subscriptions_of(const std::map<std::string, Scope>& scopes, const GalleryApi& api) {
    std::set<std::string> subscriptions;
    std::string_view last;  // asked every interval: scopes of a subscription mostly stand together
    for (const auto& [name, scope] : scopes) {
        if (api.has_own_credential(scope.gallery_id)) continue;
        const std::string& key = scope.gallery_id.key();
        constexpr std::string_view prefix = "/subscriptions/";
        const std::size_t end = key.find('/', prefix.size());
        if (!last.empty() && end != std::string::npos && key.compare(0, end, last) == 0) continue;
        last = std::string_view(key).substr(0, end);
        subscriptions.insert(fold_case(scope.gallery_id.subscription()));
    }
    return {subscriptions.begin(), subscriptions.end()};
}

}  // namespace

bool Engine::inventory_covers_all() const {
    if (!estate_) return false;
    for (const std::string& subscription : subscriptions_of(scopes(), api_)) {
        if (!estate_->covers(subscription)) return false;
    }
    return true;
}

Task<std::set<std::string>> Engine::refresh(bool full) {
    std::set<std::string> names = scopes_of_changed_credentials();
    std::vector<std::string> subscriptions = subscriptions_of(scopes(), api_);
    if (!estate_ || subscriptions.empty()) co_return names;
    const std::set<std::string> unreadable_before = estate_->unreadable();
    const auto update = co_await estate_->refresh(std::move(subscriptions), full, parallel_pages);
    if (!update) co_return std::unexpected(update.error());
    quiet_.refill(scopes().size(), clock_.monotonic());
    for (const std::string& subscription : estate_->unreadable()) {
        if (!unreadable_before.contains(subscription))
            events_.warning("SubscriptionNotReadable", subscription,
                            "Resource Graph shows nothing of subscription " + subscription +
                                ": this identity may not read it. Its galleries are read one by one; grant it Reader.");
    }
    if (update->touched.empty()) co_return names;
    for (const auto& [name, scope] : scopes()) {
        if (!update->touched.contains(scope.resource_key()) || !is_in_inventory(scope)) continue;
        quiet_.touch(name);
        if (scope.kind == ScopeKind::definition) observer_.forget_below(scope.resource_key());
        names.insert(name);
    }
    co_return names;
}

void Engine::note_inventory_error(const Error& error) {
    log_.warning("the inventory was not brought up to date",
                 {{"reason", error.reason}, {"code", error.code}, {"detail", error.message}});
}

std::optional<Engine::Look> Engine::hint_of(const Scope& scope) {
    if (!estate_ || !is_in_inventory(scope)) return std::nullopt;
    Look hint;
    hint.by = Trust::hint;
    if (scope.kind == ScopeKind::gallery) {
        const auto view = estate_->gallery(scope.gallery_id);
        if (!view) return std::nullopt;
        hint.plan = plan_gallery(scope, *view);
        return hint;
    }
    auto view = estate_->definition(scope.definition_id);
    if (!view) return std::nullopt;
    observer_.fill_known(*view);
    hint.plan = plan_definition(scope, *view, UsageView::rows);
    hint.definition_view = std::move(*view);
    return hint;
}

}  // namespace galleryd
