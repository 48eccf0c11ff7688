#include "controller/core/fingerprint.h"
#include "controller/core/interlock_switch.h"
#include "controller/core/steps.h"
#include "reconcilers/lifecycle/executor.h"
#include "reconcilers/lifecycle/interlock.h"
#include "reconcilers/lifecycle/record_update.h"

// What is asked again between a plan and its request: one strong GET, and whether what the plan was made from still
// holds.
namespace galleryd {
namespace {

constexpr std::chrono::minutes plan_age_max{5};  // keep rules and `latest` were read when the plan was made

std::unexpected<Error> changed_since_plan(const Change& change, const std::string& what) {
    return fail(ErrorKind::conflict, "ChangedSincePlan",
                change.address + ": " + what + "; it is looked at and planned again");
}

Status same_resource(const Change& change, bool exists, const std::string& now_seen) {
    if (is_switched_off(5)) return {};
    if (change.seen.existed != exists) {
        return changed_since_plan(change, exists ? "it exists now, the plan was made when it did not"
                                                 : "it is gone, the plan was made when it was there");
    }
    if (exists && !change.seen.etag.empty() && change.seen.etag != now_seen)
        return changed_since_plan(change, "somebody changed it after the plan was made");
    return {};
}

// What an answer shows is as old as its question: a slow one may show what was there before somebody added a hold.
Status look_is_young(const Change& change, std::chrono::nanoseconds age) {
    if (!change.destructive || age <= fresh_look_takes_max || is_switched_off(5)) return {};
    return fail(ErrorKind::not_ready, "LookTooOld",
                change.address + ": Azure took " +
                    std::to_string(std::chrono::duration_cast<std::chrono::seconds>(age).count()) +
                    " s to show it, and something may have been added meanwhile; it is looked at again");
}

// Make before break, by the strong GET right before the request: what a plan believed of replication may be from before
// somebody removed and added a region again, and nothing but the status of each region tells (found by simulation, seed
// 27).
Status copies_stay(const Change& change, const std::optional<ObservedVersion>& fresh) {
    const auto* update = std::get_if<UpdateVersion>(&change.step);
    if (update == nullptr || !change.destructive || !fresh || is_switched_off(9)) return {};
    bool has_copy = false;
    for (const TargetRegion& region : update->write.target_regions) {
        const auto copy = fresh->replication.find(region.name);
        const ReplicationState state =
            copy == fresh->replication.end() ? ReplicationState::unknown : copy->second.state;
        if (state == ReplicationState::completed) has_copy = true;
        if (state == ReplicationState::replicating || state == ReplicationState::unknown) {
            return changed_since_plan(change, region.name + " stays and is not Completed");
        }
    }
    if (!has_copy) return changed_since_plan(change, "no Completed copy would be left");
    return {};
}

// Who uses it was asked before the strong GET, and that may have waited for a slow or throttled Azure.
Status usage_still_fresh(const Change& change, const ApplyContext& context) {
    if (!change.destructive || !change.usage_asked || is_switched_off(7)) return {};
    const auto definition = change.arm_id.parent();
    const auto gallery = definition ? definition->parent() : std::nullopt;
    if (gallery && context.usage_is_fresh && context.usage_is_fresh(*gallery)) return {};
    return changed_since_plan(change, "the answer of who uses it grew too old while its resource was read");
}

}  // namespace

Task<Executor::Fresh> Executor::strong_look(Change change) {
    Fresh fresh;
    fresh.asked = clock_.monotonic();
    const Step& step = change.step;
    const ResourceId id = change.arm_id;
    if (is<CreateVersion>(step) || is<UpdateVersion>(step) || is<DeleteVersion>(step)) {
        auto version = co_await api_.get_version(id, true);
        if (!version) co_return std::unexpected(version.error());
        fresh.version = std::move(*version);
    } else if (is<CreateDefinition>(step) || is<UpdateDefinition>(step) || is<DeleteDefinition>(step)) {
        auto definition = co_await api_.get_definition(id);
        if (!definition) co_return std::unexpected(definition.error());
        fresh.definition = std::move(*definition);
    } else if (is<CreateGallery>(step) || is<UpdateGallery>(step) || is<DeleteGallery>(step) ||
               is<ShareGallery>(step)) {
        auto gallery = co_await api_.get_gallery(id);
        if (!gallery) co_return std::unexpected(gallery.error());
        fresh.gallery = std::move(*gallery);
    }
    co_return fresh;
}

// Azure refuses no deletion because of use, so this is the last moment at which somebody can notice.
Task<void> Executor::is_still_unused(Change change, ApplyContext context) {
    if (!change.destructive || !change.usage_asked || is_switched_off(7)) co_return Status{};
    if (!context.usage_now || !context.usage_is_fresh) {
        co_return fail(ErrorKind::not_ready, "UsageUnknown",
                       change.address + ": nobody can say who uses it, so it stays");
    }
    const auto usage = co_await context.usage_now(change.arm_id);
    if (!usage) co_return std::unexpected(usage.error());
    if (usage->state == UsageState::not_in_use) co_return Status{};
    const bool in_use = usage->state == UsageState::in_use;
    co_return fail(
        in_use ? ErrorKind::conflict : ErrorKind::not_ready, in_use ? "InUse" : "UsageUnknown",
        change.address +
            (in_use ? ": in use since it was planned: " : ": whether it is in use cannot be told any more: ") +
            usage->detail);
}

Status Executor::may_send(const Change& change, const Fresh& fresh, const ApplyContext& context) const {
    if (context.is_ending && context.is_ending() && !is_switched_off(11))
        return changed_since_plan(change, "this process was told to stop, and the next one decides");
    if (context.is_current && !context.is_current() && !is_switched_off(3))
        return changed_since_plan(change, "the documents changed after the plan was made");
    if (change.destructive && !context.allow_deletes && !is_switched_off(1)) {
        return fail(ErrorKind::denied, "DeletesNotAllowed",
                    change.address + ": this daemon runs without --allow-deletes");
    }
    if (change.destructive && context.confirmed && !context.confirmed->contains(change_key(change)) &&
        !is_switched_off(10)) {
        return fail(ErrorKind::denied, "NotConfirmed",
                    change.address + ": it was not in the plan that was confirmed; run apply again to see it first");
    }
    if (change.destructive && clock_.now() - context.planned_at > plan_age_max && !is_switched_off(5))
        return changed_since_plan(change, "the plan is too old to take something away");
    if (const Status young = look_is_young(change, clock_.monotonic() - fresh.asked); !young) return young;
    if (const Status fresh_usage = usage_still_fresh(change, context); !fresh_usage) return fresh_usage;
    if (!journal_.writable() && !is_switched_off(12)) {
        return fail(ErrorKind::denied, "JournalNotWritable",
                    "the state directory cannot be written; nothing is sent to Azure without a record of it");
    }
    const Step& step = change.step;
    if (is<DeleteVersion>(
            step)) {  // scopes are planned side by side, each with the whole hour's budget: here it is one
        const auto deletes = journal_.deletes_since(change.arm_id.subscription(), clock_.now() - std::chrono::hours{1});
        if (!deletes && !is_switched_off(10))
            return fail(ErrorKind::not_ready, "HourlyBrake", change.address + ": " + deletes.error().message);
        if (deletes && *deletes >= context.deletes_per_hour_max && !is_switched_off(10)) {
            return fail(ErrorKind::not_ready, "HourlyBrake",
                        change.address + ": " + std::to_string(context.deletes_per_hour_max) +
                            " versions of this subscription were deleted within the last hour");
        }
    }
    if (is_delete(step)) {
        const ResourceRecord record = memory_.get(change.arm_id.key());
        if (record.deleted_at && clock_.now() - *record.deleted_at < deletion_settles && !is_switched_off(5))
            return changed_since_plan(change, "it was deleted minutes ago and reads may still find it");
    }
    if (is<UpdateVersion>(step)) {  // a PUT brings a soft-deleted version back (azure-facts §5)
        const ResourceRecord record = memory_.get(change.arm_id.key());
        if (record.gone_at && record.deleted_at && clock_.now() - *record.deleted_at < deletion_settles)
            return changed_since_plan(change, "it was deleted minutes ago and reads may still find it");
    }
    if (fresh.version && is_delete(step)) {
        if (const Status checked = check_fresh(change.seen, *fresh.version, clock_.now()); !checked) return checked;
    }
    if (is<CreateVersion>(step) || is<UpdateVersion>(step) || is<DeleteVersion>(step)) {
        if (const Status stays = copies_stay(change, fresh.version); !stays) return stays;
        if (fresh.version && is_in_transition(fresh.version->state) && !is_switched_off(5))
            return changed_since_plan(change, "an operation is in flight on it");
        return same_resource(change, fresh.version.has_value(), fresh.version ? fingerprint(*fresh.version) : "");
    }
    if (is<CreateDefinition>(step) || is<UpdateDefinition>(step) || is<DeleteDefinition>(step)) {
        return same_resource(change, fresh.definition.has_value(),
                             fresh.definition ? fingerprint(*fresh.definition) : "");
    }
    if (is<CreateGallery>(step) || is<UpdateGallery>(step) || is<DeleteGallery>(step)) {
        return same_resource(change, fresh.gallery.has_value(), fresh.gallery ? fingerprint(*fresh.gallery) : "");
    }
    if (is<ShareGallery>(step) && !fresh.gallery) return changed_since_plan(change, "the gallery is not there");
    return {};
}

// Of a write before this process began only the wall clock tells, which may have been set since: it is trusted for as
// long as such a write can matter.
bool Executor::is_written_lately(const std::string& key, TimePoint written_at) const {
    const auto now = clock_.monotonic();
    if (memory_.written_lately(key, now)) return true;
    return now - began_ < own_write_settles && clock_.now() - written_at < own_write_settles;
}

// What Azure once said that it made is not made again because one read does not find it.
Status Executor::agree_on_absence(const Change& change, const Fresh& fresh) {
    // A list tells what is granted, and it may come short of a page that nobody misses (Z6).
    if (!is_create(change.step) && !is<AssignRole>(change.step)) return {};
    if (fresh.version || fresh.definition || fresh.gallery) return {};
    const std::string& key = change.arm_id.key();
    const ResourceRecord record = memory_.get(key);
    if (!needs_agreement(record)) return {};
    const bool is_recent = is_written_lately(key, *record.written_at);
    if (!is_recent && absences_.note_missing(key, clock_.monotonic())) {
        absences_.note_seen(key);
        return {};
    }
    return fail(ErrorKind::not_ready, "NotFoundInAzure",
                (is<AssignRole>(change.step) ? "A role assignment: " : "") + absence_text() +
                    (is_recent ? "; a read within " + std::to_string(own_write_settles.count()) +
                                     " minutes of its own write does not count"
                               : ""));
}

// The request is not sent: it was, minutes ago, and Azure said that it was done.
ChangeOutcome Executor::without_effect(const Change& change, const std::string& document_digest) {
    Error error{.kind = ErrorKind::denied,
                .reason = "AzureError",
                .message = change.address +
                           ": Azure said that this very change was made, and it is not there. Either somebody else "
                           "writes this resource and put it back, or Azure does not keep it (an Azure Policy does "
                           "that): its activity log names whoever wrote it last. It is tried again in an hour",
                .retry_after = std::chrono::hours{1},
                .code = "GD3092"};
    pauses_.note_failure(change, document_digest, error, clock_.monotonic());
    EventRecord event;
    event.warning = true;
    event.reason = "WriteFailed";
    event.object = change.address;
    event.action = to_string(change.action);
    event.message = error.message + " (GD3092)";
    events_.record(std::move(event));
    return {.address = change.address,
            .kind = change.kind,
            .action = change.action,
            .result = ChangeResult::failed,
            .error = std::move(error)};
}

}  // namespace galleryd
