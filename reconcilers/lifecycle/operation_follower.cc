#include "reconcilers/lifecycle/operation_follower.h"

#include <algorithm>

namespace galleryd {
namespace {

constexpr std::chrono::milliseconds first_wait{500};
constexpr std::chrono::milliseconds longest_wait{30'000};
constexpr std::chrono::seconds longest_hint{1'200};

std::chrono::milliseconds next_wait(std::chrono::milliseconds schedule,
                                    const std::optional<std::chrono::seconds>& hint) {
    if (!hint) return schedule;
    return std::max<std::chrono::milliseconds>(first_wait, std::min(*hint, longest_hint));
}

// As plans and other events name it: the scope itself, or a version in it.
std::string address_of(const OperationRecord& operation) {
    const ResourceId id(operation.resource);
    const bool is_version = fold_case(id.type()) == "microsoft.compute/galleries/images/versions";
    return operation.scope + (is_version ? "/" + id.name() : "");
}

}  // namespace

Status OperationFollower::finish(const OperationRecord& operation, const OperationStatus& status) {
    const std::string key = fold_case(operation.resource);
    std::string outcome = "done";
    if (status.state == OperationState::unknown_to_azure)
        outcome = "unknown: Azure no longer knows the operation; the resource is looked at";
    if (status.state == OperationState::failed || status.state == OperationState::canceled) {
        outcome = "failed: " + status.error_code + ": " + status.error_message;
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
        event.message =
            operation.step + " ended as failed in Azure: " + status.error_code + ": " + status.error_message;
        events_.record(std::move(event));
    }
    if (const Status finished = journal_.finish_operation(operation.resource, outcome, clock_.now()); !finished)
        return finished;
    memory_.end_operation(key);
    return {};
}

Task<OperationStatus> OperationFollower::follow(OperationRecord operation) {
    std::chrono::milliseconds schedule = first_wait;
    std::chrono::milliseconds wait = first_wait;
    while (true) {
        co_await clock_.sleep_for(wait);
        schedule = std::min(schedule * 2, longest_wait);
        const OperationRef reference = operation.operation;
        const auto status = co_await api_.poll_operation(reference);
        if (!status) {  // the road is bad, the operation goes on: ask again later, whatever the reason
            wait = next_wait(schedule, status.error().retry_after);
            continue;
        }
        if (status->state == OperationState::in_progress) {
            wait = next_wait(schedule, status->retry_after);
            continue;
        }
        if (const Status finished = finish(operation, *status); !finished) co_return std::unexpected(finished.error());
        co_return *status;
    }
}

}  // namespace galleryd
