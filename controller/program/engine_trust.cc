#include <algorithm>

#include "controller/program/engine.h"

// When what is known of a scope stands for a read of its resources.
namespace galleryd {
namespace {

constexpr std::chrono::minutes unseen_blocks_age{5};
constexpr std::size_t few_scopes = 50;  // each is looked at after the start, whatever Resource Graph says

}  // namespace

bool Engine::reads_every_scope() const { return scopes().size() <= few_scopes; }

Trust Engine::trust(const Scope& scope, const Look& hint) {
    HintFacts facts;
    if (hint.definition_view) facts = facts_of(*hint.definition_view, clock_.now());
    if (scope.kind == ScopeKind::gallery) {
        const auto objects = declared_.objects_of(scope);
        const Gallery* gallery = find_object(objects->galleries, scope.gallery);
        facts.blind = gallery == nullptr || gallery->sharing || !gallery->access.empty() || gallery->staging_storage;
    } else {
        facts.blind = declares_access(scope);
    }
    return quiet_.trust(scope.name, hint.plan, facts, reads_every_scope(), clock_.monotonic());
}

// Many operations run, and this scope waits for its own ones alone: it is read again when one of them has ended, not
// each time somebody wonders how they get on (P10).
bool Engine::only_waits(const Scope& scope, const Look& hint, const Plan& last) const {
    const auto read = read_at_.find(scope.name);
    if (!follower_.in_bulk() || read == read_at_.end() || clock_.monotonic() - read->second >= progress_in_bulk)
        return false;
    const auto running = follower_.running_in(scope.name);
    const auto waits = [&running](const Plan& plan) {
        return plan.complete && plan.changes.empty() && !plan.waiting.empty() &&
               std::ranges::all_of(plan.waiting, [&](const std::string& address) { return running.contains(address); });
    };
    return hint.plan.conflicts.empty() && waits(hint.plan) && waits(last);
}

// What the last look found to be blocked may be so for a time only (a removal that has to settle, a mark's grace), and
// rows that lag behind do not show it at all.
bool Engine::is_overtaken(const std::string& name, const Plan& last, const Look& hint) const {
    const auto read = read_at_.find(name);
    if (read != read_at_.end() && clock_.monotonic() - read->second < unseen_blocks_age) return false;
    return std::ranges::any_of(last.blocked, [&](const Blocked& blocked) {
        const auto is_it = [&](const auto& entry) { return entry.address == blocked.address; };
        return std::ranges::none_of(hint.plan.blocked, is_it) && std::ranges::none_of(hint.plan.changes, is_it);
    });
}

}  // namespace galleryd
