#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/core/result.h"
#include "controller/ports/clock.h"
#include "controller/ports/inventory.h"

namespace galleryd {

// What Resource Graph says is being changed, asked for once for everybody: one question at a time, one each
// `index_interval` (operation_schedule.h). Times are monotonic. One owner: the loop thread.
class TransitionIndex {
  public:
    explicit TransitionIndex(Clock& clock) : clock_(clock) {}
    void use(Inventory& inventory) { inventory_ = &inventory; }
    bool is_there() const { return inventory_ != nullptr; }

    std::optional<std::chrono::nanoseconds> asked() const { return asked_; }  // begin of the last answered question
    std::chrono::nanoseconds due() const { return due_; }
    bool is_asking() const { return asking_; }
    // Since when it is not shown: empty for what the last answer shows, else that answer's `asked`.
    bool shows(const std::string& resource_key) const { return shown_.contains(resource_key); }
    std::size_t requests() const { return requests_; }

    // Requires: is_there() and not is_asking(). An error moves `due` and leaves the last answer as it was.
    Task<void> ask(std::vector<std::string> subscriptions);

    // An operation that ended: while a later answer shows it as running, the index is behind.
    void note_ended(const std::string& resource_key);
    void note_started(const std::string& resource_key) { ended_.erase(resource_key); }
    bool is_behind() const { return behind_; }
    std::size_t ends_remembered() const { return ended_.size(); }

  private:
    class Asking;  // marks the question on its way, also when it is cancelled
    void judge();
    void forget_old_ends(std::chrono::nanoseconds now);

    Clock& clock_;
    Inventory* inventory_ = nullptr;
    std::set<std::string> shown_;                            // resource keys
    std::map<std::string, std::chrono::nanoseconds> ended_;  // of the last ten minutes
    std::optional<std::chrono::nanoseconds> asked_;
    std::chrono::nanoseconds due_{0};
    bool asking_ = false, behind_ = false;
    std::size_t requests_ = 0;
};

}  // namespace galleryd
