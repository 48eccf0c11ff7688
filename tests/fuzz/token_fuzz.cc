#include <nlohmann/json.hpp>

#include "controller/adapters/azure/credential_jwt.h"
#include "controller/adapters/azure/decode_checkup.h"
#include "controller/adapters/azure/token_answer.h"
#include "tests/fuzz/target.h"

// Answers of sign-in services and tokens themselves. Whatever they hold, a token that is used fits into a header, and
// no error repeats what the service said.
namespace galleryd::fuzz {
namespace {

using namespace galleryd::azure;
using std::chrono::seconds;

const TimePoint now = *parse_rfc3339("2026-11-21T04:10:12Z");

void check_answer(const http::Response& answer, SignInKind kind) {
    const auto fetched = read_token_answer(answer, kind, now);
    if (!fetched) {
        const Error& error = fetched.error();
        require_clear(error);
        require(error.code.starts_with("GD30"), "a failed sign-in has its code");
        require(answer.status != 429 || error.kind == ErrorKind::throttled, "too many requests are throttling");
        require(answer.status < 500 || error.kind == ErrorKind::transient, "a service that is unwell may get better");
        return;
    }
    require(answer.status == 200, "a token comes with success only");
    const std::string& token = fetched->token.reveal();
    require(!token.empty(), "a token is something");
    for (const char c : token) require(c > ' ' && c < '\x7f', "a token fits into a header");
    require(fetched->life >= seconds{1} && fetched->life <= std::chrono::days{1}, "a token lives a second to a day");
    (void)find_token_identity(token);
}

void check_token(std::string_view bytes) {
    const auto times = find_jwt_times(bytes);
    if (times) {
        require(find_jwt_payload(bytes).has_value(), "a token with times has a payload");
        for (const auto& time : {times->not_before, times->expires})
            require(!time || (*time >= TimePoint{} && *time < TimePoint{} + std::chrono::days{400'000}),
                    "times of a token are of this age");
    }
    if (is_whole_jwt(bytes)) require(times.has_value(), "a whole token can be read");
    (void)find_token_identity(bytes);
    (void)find_workload(bytes);
    const std::string encoded = encode_base64url(bytes);
    const auto decoded = decode_base64url(encoded);
    require(decoded && *decoded == bytes, "base64url reads back");
    if (const auto raw = decode_base64url(bytes)) {
        const std::string again = encode_base64url(*raw);
        require(again.size() == bytes.size(), "and is as long as it was");
    }
    // The same text as the payload of a token: what is inside it is as hostile as what is around it.
    const std::string token = encode_base64url(R"({"alg":"RS256"})") + "." + encoded + "." + encoded;
    if (const auto inside = find_jwt_payload(token)) require(*inside == bytes, "the payload is the payload");
    else require(false, "three parts of base64url are a token");
    (void)find_jwt_times(token);
    (void)is_whole_jwt(token);
    if (const auto identity = find_token_identity(token))
        require(nlohmann::json::accept(bytes), "who signed in is read from JSON only");
}

void run(std::string_view bytes) {
    Choices choices(bytes);
    constexpr int statuses[] = {200, 200, 400, 401, 403, 429, 500, 503};
    const auto kind = static_cast<SignInKind>(choices.below(5));
    http::Response answer{.status = statuses[choices.below(std::size(statuses))], .headers = {}, .body = {}};
    const std::string_view text = choices.rest();
    if (text.starts_with('{')) {
        answer.body = text;
    } else {
        const HeadAndBody parts = cut_head(text);
        for (const auto& [name, value] : parts.fields) answer.headers.add(name, value);
        answer.body = parts.body;
    }
    check_answer(answer, kind);
    const auto numbers = find_aadsts_numbers(text);
    require(numbers.size() <= 8, "few numbers are enough");
    require_clear(describe_sign_in_problem(numbers, kind, "refused"));
    check_token(bytes);
}

const Registered registered({.name = "token", .run = run});

}  // namespace
}  // namespace galleryd::fuzz
