#pragma once
#include <compare>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/core/budget_bucket.h"
#include "controller/core/budget_limits.h"

namespace galleryd {

// What a request is charged to. Two requests with equal classes share all their buckets.
struct RequestClass {
    std::string subscription;  // lower case; "" = tenant level
    std::string region;        // short form; "" = not known, which has buckets of its own
    std::string policy;        // stem ("GetGallery"); "" = the Compute provider does not count it
    RequestKind kind = RequestKind::read;
    bool resource_graph = false;  // a query; charged to the principal's query quota alone
    std::string principal = {};   // who asks; ARM counts for each, the Compute provider for all together
    friend auto operator<=>(const RequestClass&, const RequestClass&) = default;
};

// What an answer said about budgets, after parsing.
struct BudgetAnswer {
    struct PolicyLeft {
        std::string policy;  // "GetGallery3Min"
        std::int64_t left = 0;
    };
    // Which of the request's budgets refused. `unnamed`: nobody knows; the subscription's bucket for that kind of
    // request is closed, the smallest set that is certain to hold the right one.
    enum class Refuser : std::uint8_t { nobody, subscription, tenant, policy, collection, resource_graph, unnamed };

    std::optional<std::int64_t> own_left, global_left;  // ARM: of this principal, of the whole subscription
    std::vector<PolicyLeft> policies_left;
    std::optional<std::int64_t> graph_left;
    std::optional<BudgetTime> graph_resets_in;
    Refuser refuser = Refuser::nobody;
    BudgetTime wait{0};  // of a refusal: until then that budget is closed
};

// All request budgets, in one place: ARM's token buckets per principal, subscription and kind, and the whole
// subscription's; the principal's for the tenant; the Compute provider's nested 3- and 30-minute windows per
// subscription, region and policy, which all principals share; Resource Graph's quota of a principal; and the holds
// that 429 asked for, each on the budget that refused and on no other. Pure: time is passed in, and what is known comes
// from note_sent and note_answer. Budget use as in budget_bucket.h.
class RequestBudgets {
  public:
    static constexpr std::size_t classes_max = 4096;          // further regions are taken for the unknown one
    explicit RequestBudgets(double share) : share_(share) {}  // Requires: 0 < share <= 1

    enum class Wall : std::uint8_t { none, share, azure };  // what stands in the way: our part is used, or a 429
    struct Verdict {
        BudgetTime at{0};  // <= now: may go now; else the earliest time at which asking again makes sense
        Wall wall = Wall::none;
        std::string_view budget;  // "ARM writes", "CreateUpdateGallery": for messages; valid while the budgets live
    };
    Verdict ask(BudgetTime now, const RequestClass& request, BudgetUse use);

    // Of a request that has left: the ticket belongs to its answer. Every ticket is given back, once.
    class Ticket;
    Ticket note_sent(BudgetTime now, const RequestClass& request, BudgetUse use);
    void note_answer(BudgetTime now, const Ticket& ticket, const BudgetAnswer& answer);
    void note_unanswered(BudgetTime now, const Ticket& ticket);  // lost, or never sent after all

    // Until when something of this subscription is closed by a 429; nullopt: nothing is.
    std::optional<BudgetTime> held_until(BudgetTime now, const std::string& subscription) const;
    std::size_t classes() const { return routes_.size(); }

  private:
    struct Hold {
        BudgetTime until{0};
        void extend(BudgetTime to) { until = until < to ? to : until; }
    };
    struct Arm {
        TokenBudget tokens;
        Hold hold;
        std::string name;
        RequestKind kind;
        std::string principal;
    };
    struct Policy {
        WindowBudget minutes3, minutes30;
        Hold hold;
        std::string name;
    };
    struct Graph {
        WindowBudget window{graph_queries, graph_window};
        Hold hold;
        std::string name = "Resource Graph queries";
    };
    struct Route {  // the buckets of one class; null: does not apply
        Arm *own = nullptr, *global = nullptr;
        Policy* policy = nullptr;
        Graph* graph = nullptr;
        Hold* collection = nullptr;
        std::string subscription;
    };
    Route& route_of(const RequestClass& request);
    Route make_route(const RequestClass& request);
    Arm& arm(const std::string& key, const RequestClass& request, int times, std::string name);
    Policy& policy(const RequestClass& request, const PolicyLimits& limits);
    void refuse(BudgetTime now, const Ticket& ticket, const BudgetAnswer& answer);
    void learn_policy(BudgetTime now, const Ticket& ticket, const BudgetAnswer& answer);

    double share_;
    std::map<std::string, Graph> graphs_;     // by principal
    std::map<std::string, Arm> arm_;          // nodes stay: routes point at them
    std::map<std::string, Policy> policies_;  // "subscription/region/stem"
    std::map<std::string, Hold> collections_;
    std::map<RequestClass, Route> routes_;
};

class RequestBudgets::Ticket {
  private:
    friend class RequestBudgets;
    Route* route = nullptr;
    std::uint64_t own = 0, global = 0, minutes3 = 0, minutes30 = 0, graph = 0;
};

}  // namespace galleryd
