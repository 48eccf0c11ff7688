#include "reconcilers/lifecycle/operation_schedule.h"

#include <algorithm>

namespace galleryd {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds longest_poll_pause{30};

nanoseconds last_asked(const FollowedOperation& operation) { return operation.asked.value_or(operation.followed); }

nanoseconds single_at(const FollowedOperation& operation) {
    return std::max(last_asked(operation) + single_interval, operation.not_before);
}

// Azure named no address, or no longer knows it: the resource tells, and has to tell the same several times.
NextQuestion without_address(const FollowedOperation& operation) {
    const auto pause = operation.agreeing > 0 || operation.polls == 0 ? agreement_interval : single_interval;
    return {QuestionTo::resource, std::max(last_asked(operation) + pause, operation.not_before)};
}

NextQuestion alone(const FollowedOperation& operation) {
    const nanoseconds own = last_asked(operation) + poll_pause(operation.polls);
    return {QuestionTo::operation, operation.not_before > nanoseconds{0} ? operation.not_before : own};
}

// A creation that ended is told by the resource. What is gone cannot tell whether it went or cannot be seen just now;
// and what is updated was at rest before, too, as a replica that lags still says.
QuestionTo final_question(const FollowedOperation& operation) {
    return operation.traits.is_creation ? QuestionTo::resource : QuestionTo::operation;
}

NextQuestion earlier(NextQuestion a, NextQuestion b) { return b.at < a.at ? b : a; }

// By the length that is usual here; by our own schedule for few operations while it is not known.
std::optional<NextQuestion> guess(const FollowedOperation& operation, const OperationWatch& watch) {
    if (!watch.may_guess) return std::nullopt;
    if (!watch.usual_length) {
        const nanoseconds at = last_asked(operation) + poll_pause(operation.polls);
        return NextQuestion{QuestionTo::operation, std::max(at, operation.not_before), true};
    }
    const nanoseconds usual = operation.started + *watch.usual_length;
    return NextQuestion{final_question(operation), operation.asked ? std::max(usual, single_at(operation)) : usual,
                        true};
}

NextQuestion in_bulk(const FollowedOperation& operation, const OperationWatch& watch) {
    const NextQuestion index{QuestionTo::index, watch.index_due};
    const bool is_known = operation.shown.has_value() && watch.index_asked.has_value();
    if (!is_known) {
        const NextQuestion alone = earlier(index, {QuestionTo::operation, single_at(operation)});
        return earlier(alone, guess(operation, watch).value_or(alone));
    }
    if (*operation.shown < *watch.index_asked) {  // it has left
        const bool asked_since = operation.asked && *operation.asked >= *watch.index_asked;
        const nanoseconds at = asked_since ? single_at(operation) : std::max(*watch.index_asked, operation.not_before);
        return asked_since ? earlier(index, {final_question(operation), at})
                           : NextQuestion{final_question(operation), at};
    }
    NextQuestion next = index;
    // The index has not answered for two turns: it says nothing about now.
    const bool is_silent = watch.index_due > *watch.index_asked + 2 * index_interval;
    if (watch.index_is_behind || is_silent) next = earlier(next, {QuestionTo::operation, single_at(operation)});
    if (watch.is_oldest)
        next = earlier(next,
                       {QuestionTo::operation, std::max(last_asked(operation) + index_interval, operation.not_before)});
    return earlier(next, guess(operation, watch).value_or(next));
}

}  // namespace

OperationTraits operation_traits(std::string_view step) {
    const bool is_creation = step.starts_with("Create");
    if (step == "CreateVersion" || step == "UpdateVersion") return {true, is_creation, std::chrono::hours{6}};
    if (step == "DeleteVersion") return {true, false, std::chrono::hours{1}};
    return {false, is_creation, std::chrono::minutes{30}};
}

std::chrono::milliseconds poll_pause(int polls) {
    constexpr std::chrono::milliseconds first{500};
    return std::min<std::chrono::milliseconds>(first * (1 << std::clamp(polls, 0, 16)), longest_poll_pause);
}

NextQuestion next_question(const FollowedOperation& operation, const OperationWatch& watch) {
    if (operation.has_address && operation.wants_verdict) return {QuestionTo::operation, operation.not_before};
    const bool is_in_bulk = watch.in_bulk && operation.traits.is_long;
    NextQuestion next = !operation.has_address ? without_address(operation)
                        : is_in_bulk           ? in_bulk(operation, watch)
                                               : alone(operation);
    const bool is_overdue = operation.asked && *operation.asked > operation.started + operation.traits.deadline;
    const bool tells_an_end = operation.agreeing > 0;  // a few more of these, and it is known
    if (is_overdue && !tells_an_end && next.to != QuestionTo::index)
        next.at = std::max(next.at, *operation.asked + overdue_interval);
    return next;
}

}  // namespace galleryd
