#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/core/plan.h"
#include "controller/core/policy.h"
#include "controller/ports/clock.h"
#include "controller/ports/gallery_api.h"
#include "controller/ports/journal.h"
#include "controller/ports/task.h"
#include "reconcilers/lifecycle/absence.h"
#include "reconcilers/lifecycle/events.h"
#include "reconcilers/lifecycle/resource_memory.h"
#include "reconcilers/lifecycle/write_pauses.h"

// Does what a plan says, one change after the other: strong GET, compare with what the plan saw, intent synced to the
// journal, one request, outcome. The only caller of GalleryApi's writes. Nothing is repeated here: a failure ends that
// change, the next pass looks again.
namespace galleryd {

struct ApplyContext {
    std::string scope, revision, asked_by;
    ResourceId gallery = {};        // whose credential writes; empty: nobody's but ours
    std::string instance;           // who may own resources here (for the owner's record)
    TimePoint planned_at{};         // when the plan's view was read; filled in by apply
    bool allow_deletes = false;     // asked again right before every destructive request
    int deletes_per_hour_max = 20;  // of one subscription; asked again, too: other scopes delete meanwhile
    std::map<std::string, std::string> document_digests;  // to_string(ObjectKey) -> Metadata::digest, for drift
    std::optional<std::set<std::string>> confirmed;       // apply: change_key of what a person confirmed
    std::function<bool()> is_ending;                      // the process is about to end: nothing more is sent
    // Who uses a version, by an answer that is at most a minute old. Unset: nothing that point 7 of the interlock
    // protects is taken away.
    std::function<Task<VersionUsage>(ResourceId)> usage_now;
    // Whether that answer, which covers this gallery, is still young enough: the strong GET may have taken its time.
    std::function<bool(const ResourceId&)> usage_is_fresh;
    std::function<bool()> is_current;  // false: documents changed since the plan; asked before every request
};

enum class ChangeResult : std::uint8_t {
    done,
    accepted,
    skipped,
    failed,
    paused,      // failed before, not yet again
    unconfirmed  // what it makes anew is not believed to be gone yet (absence.h); asked again soon
};

struct ChangeOutcome {
    std::string address, kind;
    Action action = Action::update;
    ChangeResult result = ChangeResult::skipped;
    std::optional<Error> error;  // with skipped, failed, paused and unconfirmed
    int reads_left = 0;          // unconfirmed: how many more have to agree
};

struct ApplyReport {
    std::vector<ChangeOutcome> outcomes;
    int writes = 0;                           // mutating requests that left
    std::vector<OperationRecord> operations;  // started by these writes; to be followed
};

class Executor {
  public:
    Executor(GalleryApi& api, Journal& journal, ResourceMemory& memory, Clock& clock, EventRecorder& events)
        : api_(api), journal_(journal), memory_(memory), clock_(clock), events_(events), began_(clock.monotonic()) {}

    // Errors of single changes are in the report; the Task itself fails only when the journal can no longer be written
    // (then nothing more may be sent).
    Task<ApplyReport> apply(Plan plan, ApplyContext context);

    // A strong read of somebody else found it: what missed it before says nothing any more.
    void note_seen(const ResourceId& id) { absences_.note_seen(id.key()); }

  private:
    struct Fresh {
        std::chrono::nanoseconds asked{0};  // monotonic: before the request
        std::optional<ObservedGallery> gallery;
        std::optional<ObservedDefinition> definition;
        std::optional<ObservedVersion> version;
    };
    Task<Fresh> strong_look(Change change);
    Task<void> is_still_unused(Change change, ApplyContext context);
    Status may_send(const Change& change, const Fresh& fresh, const ApplyContext& context) const;
    Status agree_on_absence(const Change& change, const Fresh& fresh);
    Result<std::int64_t> note_intent(const Intent& intent);
    bool is_written_lately(const std::string& key, TimePoint written_at) const;
    ChangeOutcome without_effect(const Change& change, const std::string& document_digest);
    Task<WriteOutcome> send(Change change, Fresh fresh, ResourceId gallery);
    Task<ChangeOutcome> apply_change(Change change, std::string plan_id, ApplyContext context, ApplyReport& report);
    Status settle(std::int64_t intent, const Change& change, const ApplyContext& context,
                  const Result<WriteOutcome>& outcome, ApplyReport& report);

    GalleryApi& api_;
    Journal& journal_;
    ResourceMemory& memory_;
    Clock& clock_;
    EventRecorder& events_;
    std::set<std::string> in_flight_;  // resource keys with a request on the wire
    WritePauses pauses_;
    AbsenceMemory absences_;
    std::chrono::nanoseconds began_;  // monotonic
};

}  // namespace galleryd
