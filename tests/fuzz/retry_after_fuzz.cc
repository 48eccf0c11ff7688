#include <nlohmann/json.hpp>

#include "controller/adapters/azure/budget_headers.h"
#include "controller/adapters/azure/decode.h"
#include "controller/adapters/azure/error_table.h"
#include "controller/adapters/azure/retry_after.h"
#include "tests/fuzz/target.h"

// What an answer's head says about waiting and about budgets, and what becomes of its body when it is no success.
namespace galleryd::fuzz {
namespace {

using namespace galleryd::azure;

const TimePoint now = *parse_rfc3339("2026-11-21T04:10:12Z");

void check_wait(const std::optional<std::chrono::seconds>& wait) {
    require(!wait || (*wait >= retry_after_min && *wait <= retry_after_max), "a wait is between a second and an hour");
}

// A whole number of seconds is that many, and no other header makes it shorter.
void check_number(const http::Headers& headers, const std::optional<std::chrono::seconds>& wait) {
    std::string value = headers.get("Retry-After");
    value.erase(0, std::min(value.find_first_not_of('0'), value.size()));
    if (value.empty() || value.find_first_not_of("0123456789") != std::string::npos) return;
    const bool is_long = value.size() > 6;
    const auto asked = std::chrono::seconds(is_long ? 1'000'000 : std::stol(value));
    require(wait && *wait >= std::min(std::max(asked, retry_after_min), retry_after_max),
            "Azure is left alone for as long as it asks, up to an hour");
}

void check_milliseconds(const http::Headers& headers, const std::optional<std::chrono::seconds>& wait) {
    const std::string value = headers.get("x-ms-retry-after-ms");
    if (value.empty() || value.find_first_not_of("0123456789") != std::string::npos) return;
    const bool is_long = value.size() > 7;
    require(wait && (!is_long || value.starts_with('0') || *wait == retry_after_max),
            "so many milliseconds are an hour");
}

void check_budgets(const http::Response& answer) {
    const auto counts = remaining_counts(answer.headers);
    require(counts.size() <= 64, "counts are bounded");
    for (const RemainingCount& count : counts)
        require(count.left >= 0 && !count.bucket.empty() && count.bucket.size() <= 80, "a count has a name");
    for (const RequestKind kind : {RequestKind::read, RequestKind::write}) {
        const BudgetAnswer budgets = read_budgets(answer, kind, now);
        require((answer.status == 429) == (budgets.refuser != BudgetAnswer::Refuser::nobody),
                "429 and only 429 refuses");
        if (answer.status == 429)
            require(budgets.wait >= retry_after_min && budgets.wait <= retry_after_max, "a refusal has a wait");
        if (budgets.graph_resets_in)
            require(*budgets.graph_resets_in >= retry_after_min && *budgets.graph_resets_in <= retry_after_max,
                    "a quota comes back");
    }
}

void check_error(const http::Response& answer) {
    const Error error = error_from_answer({.what = "read the gallery golden"}, answer, now);
    require_clear(error);
    require(error.http_status == answer.status, "an error tells the status");
    check_wait(error.retry_after);
    require(answer.status == 404 || !says_absent(answer), "only a 404 says that something is absent");
    const auto body = decode_error_body(answer.body);
    if (!body) return;
    require(body->message.size() <= 2100 && body->code.size() <= 300 && body->target.size() <= 600,
            "its words are cut");
    require(body->detail_codes.size() <= 64, "its codes are counted");
    require_clear(error_from_operation({.what = "delete the version 1.0.0"}, body->code, body->message));
}

void run(std::string_view bytes) {
    Choices choices(bytes);
    constexpr int statuses[] = {200, 202, 400, 401, 403, 404, 409, 412, 429, 500, 503, 504};
    http::Response answer{.status = statuses[choices.below(std::size(statuses))], .headers = {}, .body = {}};
    const HeadAndBody parts = cut_head(choices.rest());
    for (const auto& [name, value] : parts.fields) answer.headers.add(name, value);
    answer.body = parts.body;
    const auto wait = find_retry_after(answer.headers, parts.body, now);
    check_wait(wait);
    check_wait(find_quota_reset(answer.headers));
    check_number(answer.headers, wait);
    check_milliseconds(answer.headers, wait);
    check_budgets(answer);
    if (answer.status >= 300) check_error(answer);
    const auto operation = operation_status_of(answer, now);
    if (operation) check_wait(operation->retry_after);
    else require_clear(operation.error());
}

const Registered registered({.name = "retry_after", .run = run});

}  // namespace
}  // namespace galleryd::fuzz
