#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "controller/core/result.h"
#include "controller/ports/clock.h"
#include "controller/ports/gallery_api.h"
#include "controller/ports/journal.h"
#include "controller/ports/metrics.h"
#include "reconcilers/lifecycle/events.h"
#include "reconcilers/lifecycle/operation_schedule.h"
#include "reconcilers/lifecycle/resource_memory.h"
#include "reconcilers/lifecycle/transition_index.h"

namespace galleryd {

struct OperationEnd {
    OperationStatus status;
    // The last strong read of a version, when that is what told the end; replication included, `raw` empty.
    std::optional<ObservedVersion> seen;
};

// Waits for long operations, each in a coroutine of its caller, all of them with few requests (operation_schedule.h):
//  - few at their own addresses; many versions at once by one question to Resource Graph each 30 s, then one strong
//  read
//    each. With an index that lags by 30 s or less an end is noticed within 60 s and the time of one request; so it is
//    with any lag for the oldest operation, and for all of them a minute after the index was found to be behind.
//  - An address that Azure does not know, never gave, or that describes an older operation under the same id: the
//    resource itself tells, by `rest_reads_min` agreeing strong reads (`absence_reads_min` when it is missing).
//  - However long it takes: what runs past its deadline is reported (event, `overdue`, metric), never repeated.
class OperationFollower {
  public:
    OperationFollower(GalleryApi& api, Journal& journal, ResourceMemory& memory, Clock& clock, EventRecorder& events,
                      Metrics& metrics)
        : api_(api),
          journal_(journal),
          memory_(memory),
          clock_(clock),
          events_(events),
          metrics_(metrics),
          index_(clock) {}
    // Must outlive every call of `follow`.
    void use_inventory(Inventory& inventory) { index_.use(inventory); }

    // Ends when it is known that the operation ended; the journal no longer holds it then. Fails only when the journal
    // cannot be written.
    Task<OperationEnd> follow(OperationRecord operation);

    // What has run past its deadline, as a person reads it, by address ("images/golden/ubuntu/1.0.0").
    std::map<std::string, std::string> overdue() const;
    std::size_t running() const { return running_.size(); }
    std::map<std::string, std::string> running_in(const std::string& scope) const;  // address -> resource key
    bool in_bulk() const { return index_.is_there() && long_running_.size() >= bulk_min; }

  private:
    struct Running {
        OperationRecord record;
        FollowedOperation state;
        bool is_overdue = false;
        bool is_indexed = true;  // false: of a gallery with a credential of its own, which the index is not asked with
        bool counts_for_bulk() const { return is_indexed && state.traits.is_long; }
        std::optional<OperationEnd> end;
    };
    class Registration;
    class Guess;

    OperationWatch watch_of(const Running& one) const;
    bool must_wait_for_others(const Running& one, const NextQuestion& next) const;
    Task<void> ask(Running& one, NextQuestion question);
    Task<void> ask_index();
    Task<void> ask_operation(Running& one);
    Task<void> ask_resource(Running& one);
    Task<std::optional<ProvisioningState>> read_state(Running& one, std::optional<ObservedVersion>& seen);
    void weigh(Running& one, std::optional<ProvisioningState> state, std::optional<ObservedVersion> seen);
    void note_overdue(Running& one);
    void count(const Running& one, int running, int overdue);
    Status finish(const OperationRecord& operation, const OperationStatus& status);
    Status note_failure(const OperationRecord& operation, const OperationStatus& status);
    void learn_length(const Running& one);
    std::optional<std::chrono::nanoseconds> usual_length(const std::string& step) const;

    GalleryApi& api_;
    Journal& journal_;
    ResourceMemory& memory_;
    Clock& clock_;
    EventRecorder& events_;
    Metrics& metrics_;
    TransitionIndex index_;
    std::map<std::int64_t, Running*> running_;                                  // by number
    std::set<std::pair<std::chrono::nanoseconds, std::int64_t>> long_running_;  // oldest first
    std::map<std::string, std::deque<std::chrono::nanoseconds>> lengths_;       // by step, the last ones
    std::deque<std::chrono::nanoseconds> wrong_guesses_;                        // of the last minutes
    std::size_t guesses_under_way_ = 0;
    std::int64_t numbers_ = 0;
    struct Count {
        int running = 0, overdue = 0;
    };
    std::map<MetricLabels, Count> counts_;
};

// As plans and other events name it: the scope itself, or a version in it.
std::string address_of(const OperationRecord& operation);

}  // namespace galleryd
