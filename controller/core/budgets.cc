#include "controller/core/budgets.h"

#include <algorithm>

namespace galleryd {

RequestBudgets::Arm& RequestBudgets::arm(const std::string& key, const RequestClass& request, int times,
                                         std::string name) {
    const auto found = arm_.find(key);
    if (found != arm_.end()) return found->second;
    const BucketLimits limits = arm_limits(request.kind);
    const auto factor = static_cast<double>(times);
    return arm_
        .emplace(key, Arm{.tokens = TokenBudget(limits.capacity * factor, limits.refill_per_second * factor, share_),
                          .hold = {},
                          .name = std::move(name),
                          .kind = request.kind,
                          .principal = request.principal})
        .first->second;
}

RequestBudgets::Policy& RequestBudgets::policy(const RequestClass& request, const PolicyLimits& limits) {
    const std::string key = request.subscription + "/" + request.region + "/" + request.policy;
    const auto found = policies_.find(key);
    if (found != policies_.end()) return found->second;
    return policies_
        .emplace(key, Policy{.minutes3 = WindowBudget(limits.per_3_minutes, window_short),
                             .minutes30 = WindowBudget(limits.per_30_minutes, window_long),
                             .hold = {},
                             .name = request.policy})
        .first->second;
}

RequestBudgets::Route RequestBudgets::make_route(const RequestClass& request) {
    Route route;
    route.subscription = request.subscription;
    if (request.resource_graph) {
        route.graph = &graphs_[request.principal];
        return route;
    }
    const std::string kind(to_string(request.kind));
    const bool tenant = request.subscription.empty();
    const std::string who = request.principal.empty() ? "" : request.principal + " ";  // a blank: no part of an id
    route.own = &arm(who + request.subscription + "/" + kind, request, 1, (tenant ? "ARM tenant " : "ARM ") + kind);
    if (!tenant) {
        RequestClass everybody = request;
        everybody.principal = "*";
        route.global = &arm(request.subscription + "/global-" + kind, everybody, arm_principals,
                            "ARM " + kind + " of the whole subscription");
    }
    if (const PolicyLimits* const limits = find_policy(request.policy)) {
        route.policy = &policy(request, *limits);
        if (limits->collection) route.collection = &collections_[request.subscription + "/" + request.policy];
    }
    return route;
}

RequestBudgets::Route& RequestBudgets::route_of(const RequestClass& request) {
    const auto found = routes_.find(request);
    if (found != routes_.end()) return found->second;
    if (routes_.size() >= classes_max && !request.region.empty()) {
        RequestClass anywhere = request;
        anywhere.region.clear();
        return route_of(anywhere);
    }
    return routes_.emplace(request, make_route(request)).first->second;
}

RequestBudgets::Verdict RequestBudgets::ask(BudgetTime now, const RequestClass& request, BudgetUse use) {
    const Route& route = route_of(request);
    Verdict verdict{.at = now, .wall = Wall::none, .budget = {}};
    const auto wait_for = [&verdict](BudgetTime at, Wall wall, std::string_view budget) {
        if (at > verdict.at) verdict = {.at = at, .wall = wall, .budget = budget};
    };
    for (const Arm* const arm : {route.own, route.global}) {
        if (arm == nullptr) continue;
        wait_for(arm->tokens.free_at(now, use), Wall::share, arm->name);
        wait_for(arm->hold.until, Wall::azure, arm->name);
    }
    if (route.policy != nullptr) {
        wait_for(route.policy->minutes3.free_at(now, share_, use), Wall::share, route.policy->name);
        wait_for(route.policy->minutes30.free_at(now, share_, use), Wall::share, route.policy->name);
        wait_for(route.policy->hold.until, Wall::azure, route.policy->name);
        if (route.collection != nullptr) wait_for(route.collection->until, Wall::azure, route.policy->name);
    }
    if (route.graph != nullptr) {
        wait_for(route.graph->window.free_at(now, share_, use), Wall::share, route.graph->name);
        wait_for(route.graph->hold.until, Wall::azure, route.graph->name);
    }
    return verdict;
}

RequestBudgets::Ticket RequestBudgets::note_sent(BudgetTime now, const RequestClass& request, BudgetUse use) {
    Ticket ticket;
    Route& route = route_of(request);
    ticket.route = &route;
    if (route.own != nullptr) ticket.own = route.own->tokens.note_sent(now, use);
    if (route.global != nullptr) ticket.global = route.global->tokens.note_sent(now, use);
    if (route.policy != nullptr) {
        ticket.minutes3 = route.policy->minutes3.note_sent(now, use);
        ticket.minutes30 = route.policy->minutes30.note_sent(now, use);
    }
    if (route.graph != nullptr) ticket.graph = route.graph->window.note_sent(now, use);
    return ticket;
}

void RequestBudgets::learn_policy(BudgetTime now, const Ticket& ticket, const BudgetAnswer& answer) {
    Policy& policy = *ticket.route->policy;
    bool told3 = false, told30 = false;
    for (const BudgetAnswer::PolicyLeft& entry : answer.policies_left) {
        const bool refused = answer.refuser == BudgetAnswer::Refuser::policy && entry.left == 0;
        const auto tell = [&](WindowBudget& window, std::uint64_t serial, bool& told) {
            told = true;
            if (refused) {
                window.note_refused(now, serial, answer.wait);
            } else {
                window.note_left(now, serial, entry.left);
            }
        };
        if (!told3 && entry.policy == policy.name + "3Min") tell(policy.minutes3, ticket.minutes3, told3);
        if (!told30 && entry.policy == policy.name + "30Min") tell(policy.minutes30, ticket.minutes30, told30);
    }
    const auto leave = [&](WindowBudget& window, std::uint64_t serial) {
        if (answer.refuser == BudgetAnswer::Refuser::nobody) {
            window.note_silent(now, serial);
        } else {
            window.note_unspent(serial);
        }
    };
    if (!told3) leave(policy.minutes3, ticket.minutes3);
    if (!told30) leave(policy.minutes30, ticket.minutes30);
}

void RequestBudgets::refuse(BudgetTime now, const Ticket& ticket, const BudgetAnswer& answer) {
    using Refuser = BudgetAnswer::Refuser;
    const Route& route = *ticket.route;
    const BudgetTime until = now + answer.wait;
    switch (answer.refuser) {
        case Refuser::nobody: return;
        case Refuser::collection:
            if (route.collection != nullptr) return route.collection->extend(until);
            break;
        case Refuser::policy:
            if (route.policy != nullptr) return route.policy->hold.extend(until);
            break;
        case Refuser::tenant:
            // Counts against every subscription of this principal, but what is known is this kind of request.
            for (auto& [key, arm] : arm_) {
                const bool is_of_same = route.own != nullptr && arm.kind == route.own->kind;
                if (is_of_same && arm.principal == route.own->principal) arm.hold.extend(until);
            }
            break;
        case Refuser::subscription:
        case Refuser::resource_graph:
        case Refuser::unnamed: break;
    }
    if (route.own != nullptr) route.own->hold.extend(until);
    if (route.graph != nullptr) route.graph->hold.extend(until);
}

void RequestBudgets::note_answer(BudgetTime now, const Ticket& ticket, const BudgetAnswer& answer) {
    const Route& route = *ticket.route;
    const auto tell = [now](Arm* arm, std::uint64_t serial, const std::optional<std::int64_t>& left) {
        if (arm == nullptr) return;
        if (left) {
            arm->tokens.note_left(now, serial, *left);
        } else {
            arm->tokens.note_silent();
        }
    };
    tell(route.own, ticket.own, answer.own_left);
    tell(route.global, ticket.global, answer.global_left);
    if (route.policy != nullptr) learn_policy(now, ticket, answer);
    if (route.graph != nullptr) {
        if (answer.graph_left) {
            route.graph->window.note_left(now, ticket.graph, *answer.graph_left, answer.graph_resets_in);
        } else {
            route.graph->window.note_silent(now, ticket.graph);
        }
    }
    refuse(now, ticket, answer);
}

void RequestBudgets::note_unanswered(BudgetTime now, const Ticket& ticket) { note_answer(now, ticket, BudgetAnswer{}); }

std::optional<BudgetTime> RequestBudgets::held_until(BudgetTime now, const std::string& subscription) const {
    BudgetTime latest = now;
    for (const auto& [request, route] : routes_) {
        if (route.subscription != subscription) continue;
        for (const Arm* const arm : {route.own, route.global}) {
            if (arm != nullptr) latest = std::max(latest, arm->hold.until);
        }
        if (route.policy != nullptr) latest = std::max(latest, route.policy->hold.until);
        if (route.collection != nullptr) latest = std::max(latest, route.collection->until);
        if (route.graph != nullptr) latest = std::max(latest, route.graph->hold.until);
    }
    if (latest == now) return std::nullopt;
    return latest;
}

}  // namespace galleryd
