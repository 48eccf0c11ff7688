#include "controller/core/resource_id.h"
#include "reconcilers/lifecycle/absence.h"
#include "reconcilers/lifecycle/operation_follower.h"

// What is asked about an operation, and what each answer means.
namespace galleryd {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds longest_hint{1'200};
constexpr std::chrono::minutes clock_skew_tolerated{10};  // ours against Azure's

OperationEnd ended(OperationState state, std::string why = {}) {
    OperationEnd end;
    end.status.state = state;
    end.status.error_message = std::move(why);
    return end;
}

// Ids are random, but nothing forbids a second use: an answer about something that began long before is not ours.
bool is_about_another(const OperationRecord& record, const OperationStatus& status) {
    return status.started && *status.started < record.started - clock_skew_tolerated;
}

}  // namespace

Task<void> OperationFollower::ask_index() {
    std::set<std::string> subscriptions;
    for (const auto& [started, number] : long_running_)
        subscriptions.insert(fold_case(ResourceId(running_.at(number)->record.resource).subscription()));
    std::vector<std::string> names(subscriptions.begin(), subscriptions.end());
    co_return co_await index_.ask(std::move(names));
}

Task<void> OperationFollower::ask_operation(Running& one) {
    const OperationRef reference = one.record.operation;
    GalleryApi& api = api_.acting_for(ResourceId(one.record.resource));
    const auto status = co_await api.poll_operation(reference);
    FollowedOperation& state = one.state;
    const nanoseconds now = clock_.monotonic();
    state.asked = now;
    ++state.polls;
    std::optional<std::chrono::seconds> hint = status ? status->retry_after : status.error().retry_after;
    if (hint) hint = std::min(*hint, longest_hint);
    state.not_before = hint ? now + std::max<nanoseconds>(*hint, poll_pause(0)) : nanoseconds{0};
    if (!status) {
        if (state.wants_verdict && !hint) state.not_before = now + poll_pause(state.polls);
        co_return std::unexpected(status.error());
    }
    if (status->state == OperationState::unknown_to_azure || is_about_another(one.record, *status)) {
        state.has_address = state.wants_verdict = false;
        state.polls = 0;
        state.not_before = nanoseconds{0};
        co_return Status{};
    }
    if (status->state == OperationState::in_progress) {
        state.wants_verdict = false;  // the read that asked for it was of another replica
        co_return Status{};
    }
    one.end = OperationEnd{.status = *status, .seen = std::nullopt};
    co_return Status{};
}

// nullopt: it is not there.
Task<std::optional<ProvisioningState>> OperationFollower::read_state(Running& one,
                                                                     std::optional<ObservedVersion>& seen) {
    using State = std::optional<ProvisioningState>;
    const ResourceId id(one.record.resource);
    const std::string type = fold_case(id.type());
    GalleryApi& api = api_.acting_for(id);
    if (type == "microsoft.compute/galleries/images/versions") {
        auto version = co_await api.get_version(id, true);
        if (!version) co_return std::unexpected(version.error());
        seen = std::move(*version);
        if (seen) seen->raw.clear();
        co_return seen ? State(seen->state) : State();
    }
    if (type == "microsoft.compute/galleries/images") {
        const auto definition = co_await api.get_definition(id);
        if (!definition) co_return std::unexpected(definition.error());
        co_return *definition ? State((*definition)->state) : State();
    }
    if (type == "microsoft.compute/galleries") {
        const auto gallery = co_await api.get_gallery(id);
        if (!gallery) co_return std::unexpected(gallery.error());
        co_return *gallery ? State((*gallery)->state) : State();
    }
    if (type == "microsoft.storage/storageaccounts") {
        const auto account = co_await api.get_storage_account(id);
        if (!account) co_return std::unexpected(account.error());
        co_return *account ? State(parse_provisioning_state((*account)->provisioning_state)) : State();
    }
    co_return State(ProvisioningState::succeeded);  // nothing else has operations
}

Task<void> OperationFollower::ask_resource(Running& one) {
    std::optional<ObservedVersion> seen;
    const auto state = co_await read_state(one, seen);
    one.state.asked = clock_.monotonic();
    ++one.state.polls;
    one.state.not_before = nanoseconds{0};
    if (!state) {
        if (state.error().retry_after) one.state.not_before = *one.state.asked + *state.error().retry_after;
        co_return std::unexpected(state.error());
    }
    weigh(one, *state, std::move(seen));
    co_return Status{};
}

void OperationFollower::weigh(Running& one, std::optional<ProvisioningState> state,
                              std::optional<ObservedVersion> seen) {
    FollowedOperation& known = one.state;
    if (state && is_in_transition(*state)) {
        known.agreeing = 0;
        return;
    }
    if (known.has_address) {
        if (state == ProvisioningState::succeeded && known.traits.is_creation) {
            one.end = ended(OperationState::succeeded);
            one.end->seen = std::move(seen);
        } else {
            known.wants_verdict = true;  // failed, not there, or as before an update: the operation says why
        }
        return;
    }
    const bool is_missing = !state.has_value();
    known.agreeing = is_missing == known.was_missing ? known.agreeing + 1 : 1;
    known.was_missing = is_missing;
    if (known.agreeing < (is_missing ? absence_reads_min : rest_reads_min)) return;
    one.end = ended(OperationState::unknown_to_azure,
                    is_missing ? "the resource is not there" : "the resource is " + std::string(to_string(*state)));
    one.end->seen = std::move(seen);
}

}  // namespace galleryd
