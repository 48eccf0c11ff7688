#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "controller/adapters/azure/arm_metrics.h"
#include "controller/core/budgets.h"
#include "controller/ports/clock.h"
#include "controller/ports/task.h"

namespace galleryd::azure {

// What a request is worth, best first (behaviour §7): who goes first where several could go.
enum class Worth : std::uint8_t {
    read_for_write,  // the fresh read without which a change cannot be made
    person,          // reads that somebody at a terminal waits for
    create,          // of something new
    update,
    follow,  // how an operation that is under way gets on
    tune,    // replica counts alone
    remove,
    look,  // nobody waits: sweeps, audits. The only one of steady use (core/budget_bucket.h)
};
BudgetUse use_of(Worth worth);

struct AdmissionOptions {
    double share = 0.5;             // of each budget, (0..1]
    double time_scale = 1;          // Azure's seconds in one of ours: above 1 for a simulator that runs faster
    std::size_t in_flight_max = 8;  // per subscription
    std::size_t waiting_max = 10'000;
};

// Who may send the next request to Azure, and when: one queue for each set of budgets that requests share
// (subscription, region, policy, kind). Inside a queue the worthiest goes first, and equal ones in order of arrival;
// queues that could go take turns, and every fourth permit of a subscription goes to whoever has waited longest, so
// that nothing starves. At most `in_flight_max` requests of a subscription are on the wire. For one executor thread.
// Must outlive its permits and waiters.
class Admission {
  public:
    Admission(Clock& clock, ArmMetrics& metrics, AdmissionOptions options);
    Admission(const Admission&) = delete;
    Admission& operator=(const Admission&) = delete;

    struct Request {
        RequestClass budget;  // `subscription` as written: it is folded here
        Worth worth = Worth::look;
        std::string what;                     // for messages
        std::chrono::nanoseconds give_up{0};  // monotonic
    };

    class Permit;
    // Waits for the request's turn. `throttled` with what is left of the wait (GD3030) as soon as it is certain that
    // the turn cannot come before `give_up`; `transient` when `waiting_max` wait already or the slots stay taken for so
    // long. A cancelled waiter leaves its queue and takes nothing with it.
    Task<Permit> enter(Request request);

  private:
    struct Waiter;
    struct Place;
    struct Lane {
        std::map<Worth, std::deque<std::shared_ptr<Waiter>>> waiting;
        std::uint64_t served = 0;  // when it last got a permit
    };
    struct Line {  // of a subscription
        std::string subscription;
        std::map<RequestClass, Lane> lanes;
        std::size_t in_flight = 0, waiting = 0;
        std::uint64_t granted = 0;
        bool held = false;  // the metric says so
    };
    friend class Permit;

    Line& line_of(const std::string& subscription);
    void pump(Line& line);  // grants what can be granted
    std::shared_ptr<Waiter> next(Line& line);
    void grant(Line& line, const std::shared_ptr<Waiter>& waiter);
    void withdraw(Line& line, const std::shared_ptr<Waiter>& waiter);
    void release(Line& line);
    bool is_first(const Line& line, const Waiter& waiter) const;
    boost::asio::awaitable<void> nap(std::shared_ptr<Waiter> waiter, std::chrono::nanoseconds until);
    Error refused(const Waiter& waiter, const RequestBudgets::Verdict& verdict) const;
    void show_hold(Line& line);

    BudgetTime azure_time() const;                                 // what the budgets are told
    std::chrono::nanoseconds own_time(BudgetTime azure_at) const;  // a duration from now on, on our clock

    Clock& clock_;
    ArmMetrics& metrics_;
    AdmissionOptions options_;
    RequestBudgets budgets_;
    std::uint64_t arrivals_ = 0;
    std::map<std::string, std::unique_ptr<Line>> lines_;  // by lower-case subscription; they stay
};

// The right to send one request, now. Given back when it dies; what the answer said belongs to it.
class Admission::Permit {
  public:
    Permit(Permit&& other) noexcept;
    Permit& operator=(Permit&&) = delete;
    ~Permit();
    void answered(const BudgetAnswer& answer);  // at most once; without it the request counts as lost

  private:
    friend class Admission;
    Permit(Admission* owner, Line* line, RequestBudgets::Ticket ticket) : owner_(owner), line_(line), ticket_(ticket) {}
    Admission* owner_;
    Line* line_;
    RequestBudgets::Ticket ticket_;
    bool answered_ = false;
};

}  // namespace galleryd::azure
