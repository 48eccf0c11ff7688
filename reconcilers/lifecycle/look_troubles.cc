#include "reconcilers/lifecycle/look_troubles.h"

namespace galleryd {
namespace {

// What one cause reaches: codes of the error catalogue.
std::string object_of(const LookTroubles::Place& place, const Error& error) {
    if (error.reason == "AuthenticationFailed" && !place.credential.empty()) return "credential " + place.credential;
    if (error.reason == "AuthenticationFailed" || error.code == "GD3063" || error.code == "GD3009") return "azure";
    const bool is_subscriptions = error.reason == "AuthorizationFailed" || error.code == "GD3064" ||
                                  error.code == "GD3044" || error.code == "GD3043";
    if (!is_subscriptions) return place.scope;
    return "subscription " + place.gallery.subscription() +
           (place.credential.empty() ? "" : " with credential " + place.credential);
}

}  // namespace

bool LookTroubles::tells(const Error& error) {
    return error.kind == ErrorKind::denied || error.kind == ErrorKind::invalid;
}

std::vector<LookTroubles::Event> LookTroubles::failed(const Place& place, const Error& error) {
    std::vector<Event> events;
    // A passing failure says nothing about whether the cause is gone.
    if (!tells(error)) return events;
    const std::string& scope = place.scope;
    const std::string object = object_of(place, error);
    const std::string key = object + "\n" + error.code;
    // Another cause does not end the one before: what could not be looked at still cannot.
    const auto [at, is_new] = troubles_.try_emplace(key, Trouble{.object = object, .scopes = {}});
    at->second.scopes.insert(scope);
    if (!is_new) return events;
    events.push_back({.warning = true,
                      .reason = error.reason,
                      .object = object,
                      .message = error.message + (error.code.empty() ? "" : " (" + error.code + ")")});
    return events;
}

std::vector<LookTroubles::Event> LookTroubles::succeeded(const std::string& scope) {
    std::set<std::string> over, open;  // objects: two causes may have stood in the way of one
    for (auto at = troubles_.begin(); at != troubles_.end();) {
        Trouble& trouble = at->second;
        const bool is_over = trouble.scopes.erase(scope) > 0 && trouble.scopes.empty();
        (is_over ? over : open).insert(trouble.object);
        at = is_over ? troubles_.erase(at) : std::next(at);
    }
    std::vector<Event> events;
    for (const std::string& object : over) {
        if (open.contains(object)) continue;
        events.push_back({.warning = false,
                          .reason = "Resumed",
                          .object = object,
                          .message = "can be looked at again, what stood in the way is gone"});
    }
    return events;
}

void LookTroubles::keep_only(const std::function<bool(const std::string&)>& is_declared) {
    for (auto at = troubles_.begin(); at != troubles_.end();) {
        std::erase_if(at->second.scopes, [&is_declared](const std::string& scope) { return !is_declared(scope); });
        at = at->second.scopes.empty() ? troubles_.erase(at) : std::next(at);
    }
}

}  // namespace galleryd
