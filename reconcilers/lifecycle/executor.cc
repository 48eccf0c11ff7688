#include "reconcilers/lifecycle/executor.h"

#include "controller/core/interlock_switch.h"
#include "controller/core/steps.h"
#include "reconcilers/lifecycle/record_update.h"

namespace galleryd {
namespace {

std::string fields_text(const Change& change) {
    std::string text;
    for (const FieldChange& field : change.fields) {
        if (!text.empty()) text += "; ";
        text += field.path + ": " + (field.before.empty() ? "-" : field.before) + " -> " +
                (field.after.empty() ? "-" : field.after);
        if (text.size() > 2000) return text.substr(0, 2000) + "…";
    }
    return text;
}

// Holds a resource for the duration of one request: at most one mutating request in flight for it.
class Claim {
  public:
    Claim(std::set<std::string>& claimed, std::string key)
        : claimed_(claimed), key_(std::move(key)), held_(claimed_.insert(key_).second) {}
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() {
        if (held_) claimed_.erase(key_);
    }
    bool held() const { return held_; }

  private:
    std::set<std::string>& claimed_;
    std::string key_;
    bool held_;
};

// What is written over what. Only of updates: what was not there before cannot be unchanged.
std::string write_of(const Change& change) {
    const bool is_update =
        is<UpdateVersion>(change.step) || is<UpdateDefinition>(change.step) || is<UpdateGallery>(change.step);
    if (!is_update || change.seen.etag.empty() || change.fields.empty()) return {};
    return change.seen.etag + " " + fields_text(change);
}

std::string digest_of(const Change& change, const ApplyContext& context) {
    const auto found = context.document_digests.find(change.object ? to_string(*change.object) : "");
    return found == context.document_digests.end() ? context.revision : found->second;
}

// No answer, or one that does not say what was done: Azure may have carried the request out.
bool may_have_happened(const Result<WriteOutcome>& outcome) {
    return outcome || outcome.error().kind == ErrorKind::transient;
}

std::string event_reason(const Change& change) {
    switch (change.action) {
        case Action::create: return "Created";
        case Action::adopt: return "Adopted";
        case Action::mark: return "DeletionScheduled";
        case Action::remove: return "Deleted";
        default: return "Updated";
    }
}

}  // namespace

Task<WriteOutcome> Executor::send(Change change, Fresh fresh, ResourceId gallery) {
    GalleryApi& api = api_.acting_for(gallery);
    const ResourceId id = change.arm_id;
    const Step step = std::move(change.step);
    if (const auto* s = std::get_if<EnsureResourceGroup>(&step)) co_return co_await api.put_resource_group(*s);
    if (const auto* s = std::get_if<CreateGallery>(&step))
        co_return co_await api.put_gallery(id, s->write, std::nullopt);
    if (const auto* s = std::get_if<UpdateGallery>(&step))
        co_return co_await api.put_gallery(id, s->write, fresh.gallery);
    if (const auto* s = std::get_if<ShareGallery>(&step)) co_return co_await api.share_gallery(id, *s);
    if (const auto* s = std::get_if<AssignRole>(&step)) co_return co_await api.put_role_assignment(*s);
    if (const auto* s = std::get_if<UnassignRole>(&step)) co_return co_await api.delete_role_assignment(s->assignment);
    if (const auto* s = std::get_if<EnsureStorage>(&step)) co_return co_await api.put_storage_account(*s);
    if (const auto* s = std::get_if<CreateDefinition>(&step))
        co_return co_await api.put_definition(id, s->write, std::nullopt);
    if (const auto* s = std::get_if<UpdateDefinition>(&step))
        co_return co_await api.put_definition(id, s->write, fresh.definition);
    if (const auto* s = std::get_if<CreateVersion>(&step))
        co_return co_await api.put_version(id, s->write, std::nullopt);
    if (const auto* s = std::get_if<UpdateVersion>(&step))
        co_return co_await api.put_version(id, s->write, fresh.version);
    co_return co_await api.delete_resource(id);
}

// The answer and what it means for our memory of the resource, in the journal before anything else happens.
Status Executor::settle(std::int64_t intent, const Change& change, const ApplyContext& context,
                        const Result<WriteOutcome>& outcome, ApplyReport& report) {
    const TimePoint now = clock_.now();
    ResourceRecord record = memory_.get(change.arm_id.key());
    std::optional<OperationRecord> operation;
    std::string text = "done";
    if (!outcome) {
        // What may have happened counts for the brakes, so it is no failure in the journal.
        text = (may_have_happened(outcome) ? "unknown: " : "failed: ") + outcome.error().reason + ": " +
               outcome.error().message;
        if (outcome.error().kind !=
            ErrorKind::throttled) {  // says nothing about this resource, and the channel keeps the time
            ++record.failures;
            record.last_failure_at = now;
            record.last_failure = outcome.error().reason + ": " + outcome.error().message;
            if (change.reason == "region_removal") record.removal_failed_at = now;
        }
    } else {
        record.failures = 0;
        record.last_failure.clear();
        record.last_failure_at.reset();
        if (outcome->operation) {
            text = "accepted";
            operation = OperationRecord{.intent = intent,
                                        .resource = change.arm_id.text(),
                                        .step = step_name(change.step),
                                        .scope = context.scope,
                                        .operation = *outcome->operation,
                                        .started = now};
        }
    }
    const std::string document = change.object ? to_string(*change.object) : "";
    const bool counts = may_have_happened(outcome);
    if (counts && !is_delete(change.step)) {
        outcome ? note_accepted(record, change, now) : note_possible(record, change);
    }
    if (counts && !is_delete(change.step) && change.object) {
        record.written_by_us = true;
        record.document = document;
        if (outcome) {
            record.written_at = now;
            memory_.note_written(change.arm_id.key(), clock_.monotonic());
        }
        const auto digest = context.document_digests.find(document);
        // Adopting writes a tag and applies nothing: what differs then is no drift.
        if (digest != context.document_digests.end() && change.action != Action::adopt)
            record.last_applied_digest = digest->second;
    }
    if (counts && is_delete(change.step)) {
        record.tombstone = record.tombstone || change.reason == "retention";
        record.deleted_at = now;
        if (outcome && !outcome->operation) record.gone_at = now;
    }
    const std::string correlation = outcome ? outcome->correlation_id : outcome.error().correlation_id;
    if (const Status stored = memory_.put(change.arm_id.key(), record); !stored) return stored;
    if (const Status finished = journal_.finish_intent(intent, text, correlation, now, operation); !finished)
        return finished;
    if (operation) {
        // Only a step that takes something away can be a refused removal: the one before it, which raises the flag,
        // ends as failed for as long as the failed region that it is about is there.
        memory_.begin_operation(change.arm_id.key(), change.destructive ? change.reason : "", write_of(change));
        report.operations.push_back(*operation);
    }
    return {};
}

// Point 12 of the interlock: on disk when this returns, and nothing is sent before.
Result<std::int64_t> Executor::note_intent(const Intent& intent) {
    if (is_switched_off(12)) return 0;
    return journal_.begin_intent(intent);
}

Task<ChangeOutcome> Executor::apply_change(Change change, std::string plan_id, ApplyContext context,
                                           ApplyReport& report) {
    ChangeOutcome outcome{.address = change.address,
                          .kind = change.kind,
                          .action = change.action,
                          .result = ChangeResult::skipped,
                          .error = std::nullopt};
    const Claim claim(in_flight_, change.arm_id.key());
    if (!claim.held()) {
        outcome.error = Error{.kind = ErrorKind::conflict,
                              .reason = "RequestInFlight",
                              .message = change.address + ": another request for it is on the wire"};
        co_return outcome;
    }
    if (const auto unused = co_await is_still_unused(change, context); !unused) {
        outcome.error = unused.error();
        co_return outcome;
    }
    auto fresh = co_await strong_look(change);
    if (!fresh) {
        outcome.error = fresh.error();
        co_return outcome;
    }
    if (fresh->version || fresh->definition || fresh->gallery) note_seen(change.arm_id);
    if (const Status allowed = may_send(change, *fresh, context); !allowed) {
        outcome.error = allowed.error();
        co_return outcome;
    }
    if (const Status agreed = agree_on_absence(change, *fresh); !agreed) {
        outcome.result = ChangeResult::unconfirmed;
        outcome.reads_left = absences_.reads_left(change.arm_id.key());
        outcome.error = agreed.error();
        co_return outcome;
    }
    const Intent intent{.resource = change.arm_id.text(),
                        .step = step_name(change.step),
                        .document = change.object ? to_string(*change.object) : "",
                        .revision = context.revision,
                        .rule = change.rule,
                        .reason = change.reason,
                        .plan_id = plan_id,
                        .detail = fields_text(change),
                        .asked_by = context.asked_by,
                        .destructive = change.destructive,
                        .at = clock_.now()};
    const auto begun = note_intent(intent);
    if (!begun) co_return std::unexpected(begun.error());
    ++report.writes;
    Result<WriteOutcome> answer =
        fail(ErrorKind::transient, "Interrupted", change.address + ": the wait for the answer was cut short");
    try {
        answer = co_await send(change, std::move(*fresh), context.gallery);
    } catch (...) {  // lint: allow catch_all (rethrown: the pass was cancelled with the request on the wire)
        // Azure may have carried it out. A process that ends leaves this to its next start, which reads the open
        // intent.
        if (context.is_ending && context.is_ending()) throw;
        static_cast<void>(settle(*begun, change, context, answer, report).has_value());
        throw;
    }
    if (const Status settled = settle(*begun, change, context, answer, report); !settled)
        co_return std::unexpected(settled.error());

    EventRecord event;
    event.object = change.address;
    event.action = to_string(change.action);
    event.plan_id = plan_id;
    event.revision = context.revision;
    if (!answer) {
        outcome.result = ChangeResult::failed;
        outcome.error = answer.error();
        // Conflicts are looked at again, never shown; but a deletion that Azure refuses again is no race (Z13).
        const bool is_refused_again = is_delete(change.step) && memory_.get(change.arm_id.key()).failures > 1;
        if (answer.error().kind == ErrorKind::conflict && !is_refused_again) co_return outcome;
        event.warning = true;
        event.reason = answer.error().kind == ErrorKind::throttled ? "Throttled" : "WriteFailed";
        event.correlation_id = answer.error().correlation_id;
        event.message = answer.error().message;
    } else {
        outcome.result = answer->operation ? ChangeResult::accepted : ChangeResult::done;
        event.reason = event_reason(change);
        event.correlation_id = answer->correlation_id;
        event.message = std::string(to_string(change.action)) + " " + change.kind +
                        (change.why.empty() ? "" : ": " + change.why) +
                        (change.fields.empty() ? "" : " (" + fields_text(change) + ")");
    }
    events_.record(std::move(event));
    co_return outcome;
}

Task<ApplyReport> Executor::apply(Plan plan, ApplyContext context) {
    ApplyReport report;
    context.planned_at = plan.observed_at;
    pauses_.prune(clock_.monotonic());
    if (!plan.complete) co_return report;  // nothing is done from an incomplete view
    std::set<std::string> busy;            // one mutating request per resource and pass: the next one needs a new look
    for (const Change& change : plan.changes) {
        ChangeOutcome outcome{.address = change.address,
                              .kind = change.kind,
                              .action = change.action,
                              .result = ChangeResult::skipped,
                              .error = std::nullopt};
        const bool is_own_request =
            !is<AssignRole>(change.step) && !is<UnassignRole>(change.step) && !is<EnsureStorage>(change.step);
        if (is_own_request && !busy.insert(change.arm_id.key()).second) continue;
        if (memory_.get(change.arm_id.key()).operation_in_flight) continue;
        if (const Error* paused = pauses_.find(change, digest_of(change, context), clock_.monotonic())) {
            outcome.error = *paused;
            outcome.result = ChangeResult::paused;
            report.outcomes.push_back(std::move(outcome));
            continue;
        }
        if (memory_.take_without_effect(change.arm_id.key(), write_of(change), clock_.monotonic())) {
            report.outcomes.push_back(without_effect(change, digest_of(change, context)));
            continue;
        }
        auto applied = co_await apply_change(change, plan.id, context, report);
        if (!applied) co_return std::unexpected(applied.error());
        if (applied->result == ChangeResult::done || applied->result == ChangeResult::accepted) {
            pauses_.note_success(change);
        } else if (applied->result == ChangeResult::failed && applied->error->kind != ErrorKind::conflict) {
            pauses_.note_failure(change, digest_of(change, context), *applied->error, clock_.monotonic());
        }
        const bool is_missing = applied->result == ChangeResult::failed || applied->result == ChangeResult::unconfirmed;
        const bool stop = is_missing && is_create(change.step) && !is<CreateVersion>(change.step);
        report.outcomes.push_back(std::move(*applied));
        if (stop) break;  // children of what could not be made cannot be made either
    }
    co_return report;
}

}  // namespace galleryd
