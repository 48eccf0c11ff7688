#include "controller/adapters/azure/admission.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <tuple>

#include "controller/core/resource_id.h"

namespace galleryd::azure {
namespace asio = boost::asio;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t oldest_every = 4;  // permits; the others go by worth

}  // namespace

BudgetUse use_of(Worth worth) { return worth == Worth::look ? BudgetUse::steady : BudgetUse::burst; }

struct Admission::Waiter {
    Waiter(const asio::any_io_executor& executor, Request wanted, std::uint64_t number)
        : turn(executor, 1), request(std::move(wanted)), arrival(number) {}
    void wake() { turn.try_send(boost::system::error_code{}); }  // one message unread is as good as two

    asio::experimental::channel<void(boost::system::error_code)> turn;
    Request request;
    std::uint64_t arrival;
    std::optional<RequestBudgets::Ticket> ticket;  // granted
};

// A place in the queue: when its owner is cancelled or gives up, the place is free again, and a permit that was just
// granted goes to the next.
struct Admission::Place {
    Admission& admission;
    Line& line;
    std::shared_ptr<Waiter> waiter;
    bool taken = false;
    ~Place() {
        if (taken) return;
        if (waiter->ticket) {
            admission.budgets_.note_unanswered(admission.azure_time(), *waiter->ticket);
            admission.release(line);
        } else {
            admission.withdraw(line, waiter);
        }
    }
};

Admission::Permit::Permit(Permit&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)),
      line_(other.line_),
      ticket_(other.ticket_),
      answered_(other.answered_) {}

Admission::Permit::~Permit() {
    if (owner_ == nullptr) return;
    if (!answered_) owner_->budgets_.note_unanswered(owner_->azure_time(), ticket_);
    owner_->release(*line_);
}

void Admission::Permit::answered(const BudgetAnswer& answer) {
    BudgetAnswer scaled = answer;
    const auto stretch = [this](BudgetTime time) {
        return BudgetTime(static_cast<std::int64_t>(static_cast<double>(time.count()) * owner_->options_.time_scale));
    };
    scaled.wait = stretch(answer.wait);
    owner_->budgets_.note_answer(owner_->azure_time(), ticket_, scaled);
    answered_ = true;
    owner_->show_hold(*line_);
}

Admission::Admission(Clock& clock, ArmMetrics& metrics, AdmissionOptions options)
    : clock_(clock), metrics_(metrics), options_(options), budgets_(options.share) {}

BudgetTime Admission::azure_time() const {
    if (options_.time_scale == 1) return clock_.monotonic();
    return BudgetTime(static_cast<std::int64_t>(static_cast<double>(clock_.monotonic().count()) * options_.time_scale));
}

nanoseconds Admission::own_time(BudgetTime azure_at) const {
    const nanoseconds left = azure_at - azure_time();
    if (options_.time_scale == 1) return left;
    return nanoseconds(static_cast<std::int64_t>(static_cast<double>(left.count()) / options_.time_scale) + 1);
}

Admission::Line& Admission::line_of(const std::string& subscription) {
    auto& line = lines_[fold_case(subscription)];
    if (!line) {
        line = std::make_unique<Line>();
        line->subscription = subscription;
    }
    return *line;
}

Task<Admission::Permit> Admission::enter(Request request) {
    Line& line = line_of(request.budget.subscription);
    request.budget.subscription = fold_case(request.budget.subscription);
    if (line.waiting >= options_.waiting_max) {
        co_return fail(ErrorKind::transient, "AzureError",
                       request.what + ": " + std::to_string(line.waiting) + " requests wait for Azure already");
    }
    const auto executor = co_await asio::this_coro::executor;
    const nanoseconds started = clock_.monotonic();
    auto waiter = std::make_shared<Waiter>(executor, std::move(request), ++arrivals_);
    line.lanes[waiter->request.budget].waiting[waiter->request.worth].push_back(waiter);
    ++line.waiting;
    Place place{.admission = *this, .line = line, .waiter = waiter};
    show_hold(line);
    while (true) {
        pump(line);
        if (waiter->ticket) break;
        const nanoseconds now = clock_.monotonic();
        const auto verdict = budgets_.ask(azure_time(), waiter->request.budget, use_of(waiter->request.worth));
        const nanoseconds wait = std::max(own_time(verdict.at), nanoseconds{0});
        if (now + wait > waiter->request.give_up || now >= waiter->request.give_up)
            co_return std::unexpected(refused(*waiter, verdict));
        // Only the first of a lane watches the clock: it wakes the second when it goes.
        const bool watches = wait.count() > 0 && is_first(line, *waiter);
        const nanoseconds until = watches ? now + wait : waiter->request.give_up;
        co_await nap(waiter, until);
    }
    place.taken = true;
    metrics_.waited(line.subscription, clock_.monotonic() - started);
    co_return Permit(this, &line, *waiter->ticket);
}

// Until somebody wakes the waiter or the time has come.
asio::awaitable<void> Admission::nap(std::shared_ptr<Waiter> waiter, nanoseconds until) {
    const auto executor = co_await asio::this_coro::executor;
    const nanoseconds duration = until - clock_.monotonic();
    auto race =
        asio::experimental::make_parallel_group(waiter->turn.async_receive(asio::deferred),
                                                asio::co_spawn(executor, clock_.sleep_for(duration), asio::deferred));
    auto ended = std::move(race).async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const auto [order, woken, timer_exception] = co_await std::move(ended);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
    if (order[0] == 1 && timer_exception) std::rethrow_exception(timer_exception);
}

void Admission::pump(Line& line) {
    while (line.in_flight < options_.in_flight_max) {
        const std::shared_ptr<Waiter> waiter = next(line);
        if (!waiter) return;
        grant(line, waiter);
    }
}

// The best of those whose budgets let them go now.
std::shared_ptr<Admission::Waiter> Admission::next(Line& line) {
    const BudgetTime now = azure_time();
    const bool by_age = line.granted % oldest_every == oldest_every - 1;
    std::shared_ptr<Waiter> best;
    std::tuple<Worth, std::uint64_t, std::uint64_t> best_rank;
    for (const auto& [budget, lane] : line.lanes) {
        for (const auto& [worth, queue] : lane.waiting) {
            const std::shared_ptr<Waiter>& first = queue.front();
            const auto rank = by_age ? std::tuple(Worth{}, std::uint64_t{0}, first->arrival)
                                     : std::tuple(worth, lane.served, first->arrival);
            if (best && best_rank <= rank) continue;
            if (budgets_.ask(now, budget, use_of(worth)).at > now) continue;
            best = first;
            best_rank = rank;
        }
    }
    return best;
}

void Admission::grant(Line& line, const std::shared_ptr<Waiter>& waiter) {
    waiter->ticket = budgets_.note_sent(azure_time(), waiter->request.budget, use_of(waiter->request.worth));
    ++line.in_flight;
    line.lanes[waiter->request.budget].served = ++line.granted;
    withdraw(line, waiter);
    waiter->wake();
}

void Admission::withdraw(Line& line, const std::shared_ptr<Waiter>& waiter) {
    const auto lane = line.lanes.find(waiter->request.budget);
    auto& waiting = lane->second.waiting;
    const auto queue = waiting.find(waiter->request.worth);
    if (queue->second.front() == waiter) {
        queue->second.pop_front();  // as a rule: ten thousand may stand behind it
    } else {
        std::erase(queue->second, waiter);
    }
    if (queue->second.empty()) waiting.erase(queue);
    --line.waiting;
    if (waiting.empty()) {
        line.lanes.erase(lane);
    } else {
        waiting.begin()->second.front()->wake();
    }
}

void Admission::release(Line& line) {
    --line.in_flight;
    pump(line);
}

bool Admission::is_first(const Line& line, const Waiter& waiter) const {
    return line.lanes.at(waiter.request.budget).waiting.begin()->second.front().get() == &waiter;
}

Error Admission::refused(const Waiter& waiter, const RequestBudgets::Verdict& verdict) const {
    const std::string& what = waiter.request.what;
    const std::string& subscription = waiter.request.budget.subscription;
    if (verdict.wall == RequestBudgets::Wall::none) {
        return Error{.kind = ErrorKind::transient,
                     .reason = "DeadlineExceeded",
                     .message = what + ": other requests to subscription " + subscription +
                                " kept their places on the wire for the whole deadline"};
    }
    const bool by_azure = verdict.wall == RequestBudgets::Wall::azure;
    const std::string budget(verdict.budget);
    return Error{.kind = ErrorKind::throttled,
                 .reason = "Throttled",
                 .message = what + ": " +
                            (by_azure ? "Azure asked to be left alone (" + budget + ") for subscription " +
                                            subscription + "; nothing is sent before that time is over"
                                      : "galleryd's share of the budget " + budget + " of subscription " +
                                            subscription + " is used up for now"),
                 .retry_after = std::max(std::chrono::ceil<seconds>(own_time(verdict.at)), seconds{1}),
                 .code = "GD3030"};
}

void Admission::show_hold(Line& line) {
    const auto until = budgets_.held_until(azure_time(), fold_case(line.subscription));
    if (!until && !line.held) return;
    line.held = until.has_value();
    if (!until) return metrics_.released(line.subscription);
    const auto at = clock_.now() + std::chrono::duration_cast<Duration>(own_time(*until));
    metrics_.held(line.subscription, std::chrono::ceil<seconds>(at.time_since_epoch()));
}

}  // namespace galleryd::azure
