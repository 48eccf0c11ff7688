#include "controller/adapters/azure/arm_channel.h"

#include <algorithm>

#include "controller/adapters/azure/error_table.h"
#include "controller/adapters/azure/retry_after.h"

namespace galleryd::azure {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

std::unexpected<Error> deadline_passed(const std::string& what) {
    return fail(ErrorKind::transient, "DeadlineExceeded", what + ": no answer within the deadline");
}

bool is_worth_retrying(int status) {
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

std::optional<seconds> hint_of(const http::Response& answer, TimePoint now) {
    const auto body = decode_error_body(answer.body);
    return find_retry_after(answer.headers, body ? body->message : "", now);
}

// The path alone: the query of an operation URL is a signature.
std::string path_of(const std::string& target) { return target.substr(0, target.find('?')); }

}  // namespace

ArmChannel::ArmChannel(http::Transport& transport, TokenProvider& tokens, Clock& clock, Log& log, Metrics& metrics,
                       ArmOptions options)
    : transport_(transport),
      tokens_(tokens),
      clock_(clock),
      log_(log),
      metrics_(metrics),
      options_(std::move(options)) {}

ArmChannel::Subscription& ArmChannel::state_of(const std::string& subscription) {
    auto& state = subscriptions_[fold_case(subscription)];
    if (!state) state = std::make_unique<Subscription>(options_);
    return *state;
}

Task<http::Response> ArmChannel::read(ArmCall call) {
    const Limits limits{.deadline = clock_.monotonic() + options_.deadline, .may_wait = true};
    for (int attempt = 1;; ++attempt) {
        auto answer = co_await send_with_token(call, limits);
        const auto pause = pause_before_retry(answer, attempt, limits.deadline);
        if (!pause) co_return answer;
        co_await clock_.sleep_for(*pause);
    }
}

Task<http::Response> ArmChannel::write(ArmCall call) {
    const Limits limits{.deadline = clock_.monotonic() + options_.deadline, .may_wait = false};
    co_return co_await send_with_token(std::move(call), limits);
}

std::optional<nanoseconds> ArmChannel::pause_before_retry(const Result<http::Response>& answer, int attempt,
                                                          nanoseconds deadline) const {
    if (attempt >= options_.read_attempts_max) return std::nullopt;
    nanoseconds pause = seconds{1} * (1 << (attempt - 1));
    if (!answer) {
        // A whole deadline was used up, or the sign-in service is unwell: the caller's schedule is the better one.
        if (answer.error().kind != ErrorKind::transient || answer.error().reason != "NetworkError") return std::nullopt;
    } else {
        if (!is_worth_retrying(answer->status)) return std::nullopt;
        const auto hint = hint_of(*answer, clock_.now());
        if (answer->status == 429 && !hint) return std::nullopt;
        if (hint) pause = *hint;
    }
    if (pause > options_.wait_inside_max || clock_.monotonic() + pause >= deadline) return std::nullopt;
    return pause;
}

Task<http::Response> ArmChannel::send_with_token(ArmCall call, Limits limits) {
    for (int round = 1;; ++round) {
        const auto token = co_await tokens_.token();
        if (!token) {
            Error error = token.error();
            error.message = call.what + ": " + error.message;
            co_return std::unexpected(std::move(error));
        }
        auto answer = co_await send_once(call, *token, limits);
        if (!answer) co_return answer;
        if (answer->status == 401 || answer->status == 403) metrics_.refused(std::string(tokens_.name()));
        if (answer->status != 401 || token->empty() || round == 2) co_return answer;
        tokens_.invalidate(*token);  // expired early, revoked, or a claims challenge: a new one, once
    }
}

Task<http::Response> ArmChannel::send_once(ArmCall call, std::string token, Limits limits) {
    const auto permit = co_await enter(call.subscription, call.what, limits);
    if (!permit) co_return std::unexpected(permit.error());
    const nanoseconds started = clock_.monotonic();
    if (started >= limits.deadline) co_return deadline_passed(call.what);
    http::Request request{.method = call.method,
                          .target = call.target,
                          .headers = {{"Accept", "application/json"}, {"User-Agent", options_.user_agent}},
                          .body = call.body};
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    if (!call.body.empty()) request.headers.add("Content-Type", "application/json");
    Secret::wipe(token);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(limits.deadline - started);
    const http::CallLimits call_limits{.deadline = std::min(left, options_.deadline)};
    auto answer = co_await transport_.send(options_.arm, std::move(request), call_limits);
    note(call, answer, clock_.monotonic() - started);
    if (!answer) {
        answer.error().message = call.what + ": " + answer.error().message;
        co_return answer;
    }
    if (answer->status == 429) close_gate(call, *answer);
    co_return answer;
}

// Gate and slot: after waiting for a slot the gate may have closed, so it is asked again with the slot in hand.
Task<Slots::Permit> ArmChannel::enter(std::string subscription, std::string what, Limits limits) {
    const nanoseconds started = clock_.monotonic();
    Subscription& state = state_of(subscription);
    while (true) {
        const Status open = pass_gate(state, subscription, what);
        if (!open) {
            const nanoseconds wait = state.held_until - clock_.monotonic();
            if (!limits.may_wait || wait > options_.wait_inside_max || clock_.monotonic() + wait >= limits.deadline)
                co_return std::unexpected(open.error());
            co_await clock_.sleep_for(wait);
            continue;
        }
        auto permit = co_await state.slots.acquire();
        if (!permit) co_return permit;
        if (state.held_until > clock_.monotonic()) continue;
        metrics_.waited(subscription, clock_.monotonic() - started);
        co_return permit;
    }
}

Status ArmChannel::pass_gate(Subscription& state, const std::string& subscription, const std::string& what) {
    if (state.held_until == nanoseconds{0}) return {};
    const nanoseconds left = state.held_until - clock_.monotonic();
    if (left <= nanoseconds{0}) {
        state.held_until = nanoseconds{0};
        metrics_.released(subscription);
        return {};
    }
    return std::unexpected(Error{.kind = ErrorKind::throttled,
                                 .reason = "Throttled",
                                 .message = what + ": Azure asked to be left alone for subscription " + subscription +
                                            "; nothing is sent before that time is over",
                                 .retry_after = std::chrono::ceil<seconds>(left),
                                 .code = "GD3030"});
}

void ArmChannel::close_gate(const ArmCall& call, const http::Response& answer) {
    const auto body = decode_error_body(answer.body);
    const seconds hold = hint_of(answer, clock_.now()).value_or(default_hold(body ? body->code : ""));
    Subscription& state = state_of(call.subscription);
    const nanoseconds until = clock_.monotonic() + hold;
    if (until <= state.held_until) return;
    state.held_until = until;
    metrics_.held(call.subscription, std::chrono::ceil<seconds>(clock_.now().time_since_epoch()) + hold);
    log_.warning("azure throttles, requests are held back", {{"subscription", call.subscription},
                                                             {"seconds", std::to_string(hold.count())},
                                                             {"method", call.method},
                                                             {"path", path_of(call.target)},
                                                             {"code", body ? body->code : ""}});
}

void ArmChannel::note(const ArmCall& call, const Result<http::Response>& answer, nanoseconds took) {
    const ArmMetrics::Request request{
        .subscription = call.subscription, .resource_type = call.resource_type, .method = call.method, .took = took};
    const std::string milliseconds =
        std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
    if (!answer) {
        metrics_.unanswered(request);
        log_.warning("azure did not answer", {{"method", call.method},
                                              {"path", path_of(call.target)},
                                              {"ms", milliseconds},
                                              {"reason", answer.error().message}});
        return;
    }
    metrics_.answered(request, *answer);
    log_.debug("azure answered", {{"method", call.method},
                                  {"path", path_of(call.target)},
                                  {"status", std::to_string(answer->status)},
                                  {"ms", milliseconds},
                                  {"correlation_id", correlation_id_of(answer->headers)}});
}

}  // namespace galleryd::azure
