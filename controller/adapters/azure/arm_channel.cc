#include "controller/adapters/azure/arm_channel.h"

#include <algorithm>

#include "controller/adapters/azure/budget_headers.h"
#include "controller/adapters/azure/error_table.h"
#include "controller/adapters/azure/retry_after.h"
#include "controller/core/region.h"
#include "controller/core/resource_id.h"

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

// "…/providers/Microsoft.Compute/galleries/g/images": types and names take turns, and a collection ends with a type.
bool is_collection(std::string_view path) {
    constexpr std::string_view providers = "/providers/";
    const std::size_t start = path.rfind(providers);
    if (start == std::string_view::npos) return false;
    path.remove_prefix(start + providers.size());
    return std::ranges::count(path, '/') % 2 == 1;
}

}  // namespace

RequestClass budget_class(const ArmCall& call) {
    const std::string path = fold_case(path_of(call.target)), type = fold_case(call.resource_type);
    RequestClass budget{.subscription = call.subscription,
                        .region = normalise_region(call.region),
                        .policy = {},
                        .kind = request_kind(call.method)};
    budget.resource_graph = type.starts_with("microsoft.resourcegraph/");
    const PolicyLimits* const policy = policy_of(RequestTarget{.method = call.method,
                                                               .type = type,
                                                               .collection = is_collection(path),
                                                               .resource_group = path.contains("/resourcegroups/")});
    if (policy != nullptr) budget.policy = policy->stem;
    return budget;
}

ArmChannel::ArmChannel(http::Transport& transport, TokenProvider& tokens, Clock& clock, Log& log, Metrics& metrics,
                       ArmOptions options)
    : transport_(transport),
      tokens_(tokens),
      clock_(clock),
      log_(log),
      metrics_(metrics),
      options_(std::move(options)),
      admission_(clock, metrics_,
                 {.share = options_.share,
                  .time_scale = options_.time_scale,
                  .in_flight_max = options_.in_flight_max,
                  .waiting_max = options_.waiting_max}) {}

Task<http::Response> ArmChannel::read(ArmCall call) {
    const nanoseconds deadline = clock_.monotonic() + options_.deadline;
    const Limits limits{.deadline = deadline, .give_up = deadline - options_.exchange_min};
    for (int attempt = 1;; ++attempt) {
        auto answer = co_await send_with_token(call, limits);
        const auto pause = pause_before_retry(answer, attempt, limits.deadline);
        if (!pause) co_return answer;
        co_await clock_.sleep_for(*pause);
    }
}

Task<http::Response> ArmChannel::write(ArmCall call) {
    const nanoseconds now = clock_.monotonic();
    const Limits limits{.deadline = now + options_.deadline, .give_up = now + options_.wait_inside_max};
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

http::Request ArmChannel::request_of(const ArmCall& call, const std::string& token) const {
    http::Request request{.method = call.method,
                          .target = call.target,
                          .headers = {{"Accept", "application/json"}, {"User-Agent", options_.user_agent}},
                          .body = call.body};
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    if (!call.body.empty()) request.headers.add("Content-Type", "application/json");
    return request;
}

Task<http::Response> ArmChannel::send_once(ArmCall call, std::string token, Limits limits) {
    Admission::Request turn{
        .budget = budget_class(call), .worth = call.worth, .what = call.what, .give_up = limits.give_up};
    auto permit = co_await admission_.enter(std::move(turn));
    if (!permit) co_return std::unexpected(permit.error());
    const nanoseconds started = clock_.monotonic();
    if (started >= limits.deadline) co_return deadline_passed(call.what);
    auto request = request_of(call, token);
    Secret::wipe(token);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(limits.deadline - started);
    const http::CallLimits call_limits{.deadline = std::min(left, options_.deadline)};
    auto answer = co_await transport_.send(options_.arm, std::move(request), call_limits);
    note(call, answer, clock_.monotonic() - started);
    if (!answer) {
        answer.error().message = call.what + ": " + answer.error().message;
        co_return answer;
    }
    learn(call, *permit, *answer);
    co_return answer;
}

void ArmChannel::learn(const ArmCall& call, Admission::Permit& permit, const http::Response& answer) {
    const BudgetAnswer budgets = read_budgets(answer, request_kind(call.method), clock_.now());
    permit.answered(budgets);
    if (budgets.refuser == BudgetAnswer::Refuser::nobody) return;
    const auto body = decode_error_body(answer.body);
    log_.warning("azure throttles, such requests are held back",
                 {{"subscription", call.subscription},
                  {"seconds", std::to_string(std::chrono::ceil<seconds>(budgets.wait).count())},
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
        // Not a warning: it is tried again, counted, and told once by whoever watches all requests.
        log_.debug("azure did not answer", {{"method", call.method},
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
