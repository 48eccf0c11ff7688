#include "reconcilers/lifecycle/transition_index.h"

#include <algorithm>

#include "reconcilers/lifecycle/operation_schedule.h"

namespace galleryd {
namespace {

constexpr std::chrono::minutes lag_that_is_usual{1};  // 95 % of changes are shown after 30 s (performance §1.3)
constexpr std::chrono::minutes ended_kept_for{10};

}  // namespace

class TransitionIndex::Asking {
  public:
    explicit Asking(TransitionIndex& index) : index_(index) { index_.asking_ = true; }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;
    ~Asking() { index_.asking_ = false; }

  private:
    TransitionIndex& index_;
};

Task<void> TransitionIndex::ask(std::vector<std::string> subscriptions) {
    const Asking asking(*this);
    const std::chrono::nanoseconds began = clock_.monotonic();
    const auto list = co_await inventory_->in_transition(std::move(subscriptions));
    due_ = began + index_interval;
    if (!list) {
        if (list.error().retry_after) due_ = std::max(due_, clock_.monotonic() + *list.error().retry_after);
        co_return std::unexpected(list.error());
    }
    requests_ += list->requests;
    shown_.clear();
    for (const ResourceFacts& facts : list->found) shown_.insert(facts.id.key());
    asked_ = began;
    judge();
    co_return Status{};
}

void TransitionIndex::note_ended(const std::string& resource_key) {
    const std::chrono::nanoseconds now = clock_.monotonic();
    forget_old_ends(now);  // here, too: without Resource Graph nobody judges
    ended_.insert_or_assign(resource_key, now);
}

void TransitionIndex::forget_old_ends(std::chrono::nanoseconds now) {
    std::erase_if(ended_, [now](const auto& entry) { return now - entry.second > ended_kept_for; });
}

void TransitionIndex::judge() {
    const std::chrono::nanoseconds now = *asked_;
    forget_old_ends(now);
    behind_ = std::ranges::any_of(
        ended_, [&](const auto& entry) { return now - entry.second > lag_that_is_usual && shows(entry.first); });
}

}  // namespace galleryd
