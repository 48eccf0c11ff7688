#include "reconcilers/lifecycle/operation_follower.h"

#include <algorithm>

#include "controller/core/resource_id.h"

// Which operations run, and what is learned from those that end; the questions themselves stand in
// operation_questions.cc.
namespace galleryd {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds longest_nap{60};              // others may begin or end meanwhile
constexpr std::chrono::milliseconds nap_for_an_answer{500};  // to what others ask just now
constexpr std::size_t lengths_kept = 21;
constexpr std::chrono::minutes guesses_kept_for{5};

// So many guesses in five minutes may turn out to have been too early.
std::size_t wrong_guesses_max(std::size_t running, bool is_usual_length_known) {
    constexpr std::size_t few = 10;
    return is_usual_length_known ? std::max(few, running / 20) : few;
}

MetricLabels labels_of(const OperationRecord& record) {
    return {{"resource_type", ResourceId(record.resource).type()}, {"operation", record.step}};
}

std::string result_label(OperationState state) {
    switch (state) {
        case OperationState::succeeded: return "succeeded";
        case OperationState::failed: return "failed";
        case OperationState::canceled: return "canceled";
        default: return "unknown";
    }
}

}  // namespace

std::string address_of(const OperationRecord& operation) {
    const ResourceId id(operation.resource);
    const bool is_version = fold_case(id.type()) == "microsoft.compute/galleries/images/versions";
    return operation.scope + (is_version ? "/" + id.name() : "");
}

// An operation is known to the others for as long as its coroutine lives, however that ends.
class OperationFollower::Registration {
  public:
    Registration(OperationFollower& follower, Running& one)
        : follower_(follower), one_(one), number_(++follower.numbers_) {
        follower_.running_.emplace(number_, &one_);
        if (one_.counts_for_bulk()) follower_.long_running_.emplace(one_.state.started, number_);
        follower_.index_.note_started(fold_case(one_.record.resource));
        follower_.count(one_, 1, 0);
    }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration() {
        follower_.running_.erase(number_);
        follower_.long_running_.erase({one_.state.started, number_});
        follower_.count(one_, -1, one_.is_overdue ? -1 : 0);
    }

  private:
    OperationFollower& follower_;
    Running& one_;
    std::int64_t number_;
};

void OperationFollower::count(const Running& one, int running, int overdue) {
    const MetricLabels labels = labels_of(one.record);
    Count& count = counts_[labels];
    count.running += running;
    count.overdue += overdue;
    metrics_.set("galleryd_arm_operations", labels, count.running);
    metrics_.set("galleryd_arm_operations_overdue", labels, count.overdue);
}

std::map<std::string, std::string> OperationFollower::running_in(const std::string& scope) const {
    std::map<std::string, std::string> found;
    for (const auto& [number, one] : running_) {
        if (one->record.scope == scope) found.emplace(address_of(one->record), fold_case(one->record.resource));
    }
    return found;
}

std::map<std::string, std::string> OperationFollower::overdue() const {
    std::map<std::string, std::string> texts;
    for (const auto& [number, one] : running_) {
        if (!one->is_overdue) continue;
        texts[address_of(one->record)] = one->record.step + " has been running in Azure since " +
                                         format_rfc3339(one->record.started) + ", longer than " +
                                         std::to_string(one->state.traits.deadline / std::chrono::minutes{1}) +
                                         " minutes. It is followed on and not repeated. galleryd explain GD3110";
    }
    return texts;
}

void OperationFollower::note_overdue(Running& one) {
    if (one.is_overdue || clock_.monotonic() - one.state.started < one.state.traits.deadline) return;
    one.is_overdue = true;
    count(one, 0, 1);
    EventRecord event;
    event.warning = true;
    event.reason =
        one.state.traits.is_long && !one.record.step.starts_with("Delete") ? "ReplicationStuck" : "OperationStuck";
    event.object = address_of(one.record);
    event.action = one.record.step;
    event.message = overdue().at(event.object);
    events_.record(std::move(event));
}

std::optional<nanoseconds> OperationFollower::usual_length(const std::string& step) const {
    const auto found = lengths_.find(step);
    if (found == lengths_.end() || found->second.empty()) return std::nullopt;
    std::deque<nanoseconds> lengths = found->second;
    const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
    std::ranges::nth_element(lengths, middle);
    return *middle;
}

void OperationFollower::learn_length(const Running& one) {
    const OperationStatus& status = one.end->status;
    const nanoseconds noticed = clock_.monotonic() - one.state.started;  // by our clock: Azure's may run faster
    const nanoseconds length = status.started && status.ended
                                   ? std::chrono::duration_cast<nanoseconds>(*status.ended - *status.started)
                                   : noticed;
    MetricLabels labels = labels_of(one.record);
    labels["result"] = result_label(status.state);
    metrics_.observe("galleryd_arm_operation_duration_seconds", labels, std::chrono::duration<double>(length).count());
    if (status.state != OperationState::succeeded) return;
    auto& lengths = lengths_[one.record.step];
    if (lengths.empty()) wrong_guesses_.clear();  // those made without any knowledge say nothing about those with it
    lengths.push_back(noticed);
    if (lengths.size() > lengths_kept) lengths.pop_front();
}

OperationWatch OperationFollower::watch_of(const Running& one) const {
    const nanoseconds now = clock_.monotonic();
    const auto recent = std::ranges::count_if(
        wrong_guesses_, [now](nanoseconds at) { return now - at < nanoseconds(guesses_kept_for); });
    const auto usual = usual_length(one.record.step);
    return {.in_bulk = in_bulk() && one.is_indexed,
            .index_asked = index_.asked(),
            .index_due = index_.due(),
            .index_is_behind = index_.is_behind(),
            .usual_length = usual,
            .may_guess = static_cast<std::size_t>(recent) < wrong_guesses_max(long_running_.size(), usual.has_value()),
            .is_oldest = !long_running_.empty() && running_.at(long_running_.begin()->second) == &one};
}

// One question to the index at a time; and no more guesses on their way than may turn out wrong.
bool OperationFollower::must_wait_for_others(const Running& one, const NextQuestion& next) const {
    if (next.to == QuestionTo::index) return index_.is_asking();
    const bool is_known = usual_length(one.record.step).has_value();
    return next.is_guess && guesses_under_way_ >= wrong_guesses_max(long_running_.size(), is_known);
}

class OperationFollower::Guess {
  public:
    Guess(OperationFollower& follower, bool counts) : follower_(counts ? &follower : nullptr) {
        if (follower_ != nullptr) ++follower_->guesses_under_way_;
    }
    Guess(const Guess&) = delete;
    Guess& operator=(const Guess&) = delete;
    ~Guess() {
        if (follower_ != nullptr) --follower_->guesses_under_way_;
    }

  private:
    OperationFollower* follower_;
};

Task<void> OperationFollower::ask(Running& one, NextQuestion question) {
    if (question.to == QuestionTo::index) co_return co_await ask_index();
    const Guess guess(*this, question.is_guess);
    Task<void> asking = question.to == QuestionTo::operation ? ask_operation(one) : ask_resource(one);
    const Status asked = co_await std::move(asking);
    if (question.is_guess && !one.end) {
        wrong_guesses_.push_back(clock_.monotonic());
        if (wrong_guesses_.size() > 1'000) wrong_guesses_.pop_front();
    }
    co_return asked;
}

Task<OperationEnd> OperationFollower::follow(OperationRecord operation) {
    Running one{.record = std::move(operation), .state = {}, .end = std::nullopt};
    const nanoseconds now = clock_.monotonic();
    const auto age = std::max<Duration>(clock_.now() - one.record.started, Duration{0});
    one.state.traits = operation_traits(one.record.step);
    one.state.started = now - std::chrono::duration_cast<nanoseconds>(age);
    one.state.followed = now;
    one.is_indexed = !api_.has_own_credential(ResourceId(one.record.resource));
    one.state.has_address = !one.record.operation.url.empty() || !one.record.operation.final_url.empty();
    const Registration registration(*this, one);
    while (!one.end) {
        note_overdue(one);
        if (index_.shows(fold_case(one.record.resource)) && index_.asked() >= one.state.followed)
            one.state.shown = index_.asked();
        const NextQuestion next = next_question(one.state, watch_of(one));
        const nanoseconds wait = next.at - clock_.monotonic();
        if (wait > nanoseconds{0}) {
            co_await clock_.sleep_for(std::min<nanoseconds>(wait, longest_nap));
        } else if (must_wait_for_others(one, next)) {
            co_await clock_.sleep_for(nap_for_an_answer);
        } else {
            // Errors of the road: asked again later, whatever the reason. The operation goes on.
            static_cast<void>((co_await ask(one, next)).has_value());
        }
    }
    if (const Status finished = finish(one.record, one.end->status); !finished)
        co_return std::unexpected(finished.error());
    index_.note_ended(fold_case(one.record.resource));
    learn_length(one);
    co_return std::move(*one.end);
}

Status OperationFollower::note_failure(const OperationRecord& operation, const OperationStatus& status) {
    const std::string key = fold_case(operation.resource);
    ResourceRecord record = memory_.get(key);
    ++record.failures;
    record.last_failure_at = clock_.now();
    record.last_failure = status.error_code + ": " + status.error_message;
    if (operation.step.starts_with("Delete")) {  // it is still there
        record.tombstone = false;
        record.deleted_at.reset();
    }
    if (memory_.operation_reason(key) == "region_removal") record.removal_failed_at = clock_.now();
    if (const Status stored = memory_.put(key, record); !stored) return stored;
    EventRecord event;
    event.warning = true;
    event.reason = status.error_code == "ValidationError" ? "ReplicationFailed" : "WriteFailed";
    event.object = address_of(operation);
    event.action = operation.step;
    event.message = operation.step + " ended as failed in Azure: " + status.error_code + ": " + status.error_message;
    events_.record(std::move(event));
    return {};
}

Status OperationFollower::finish(const OperationRecord& operation, const OperationStatus& status) {
    const std::string key = fold_case(operation.resource);
    std::string outcome = "done";
    if (status.state == OperationState::unknown_to_azure)
        outcome = "unknown: Azure no longer knows the operation; " +
                  (status.error_message.empty() ? std::string("the resource is looked at") : status.error_message);
    if (status.state == OperationState::failed || status.state == OperationState::canceled) {
        outcome = "failed: " + status.error_code + ": " + status.error_message;
        if (const Status noted = note_failure(operation, status); !noted) return noted;
    }
    if (status.state == OperationState::succeeded) {
        ResourceRecord record = memory_.get(key);
        if (operation.step.starts_with("Delete")) {
            record.deleted_at = record.gone_at = clock_.now();  // from now on reads have to settle
        } else {
            record.written_at = clock_.now();
            memory_.note_written(key, clock_.monotonic());
        }
        if (const Status stored = memory_.put(key, record); !stored) return stored;
    }
    if (const Status finished = journal_.finish_operation(operation.resource, outcome, clock_.now()); !finished)
        return finished;
    const bool is_well = status.state == OperationState::succeeded;
    memory_.end_operation(key, is_well ? std::optional(clock_.monotonic()) : std::nullopt);
    return {};
}

}  // namespace galleryd
