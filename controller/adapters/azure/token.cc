#include "controller/adapters/azure/token.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "controller/adapters/azure/json_read.h"
#include "controller/adapters/azure/retry_after.h"

namespace galleryd::azure {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds refresh_ahead_max = std::chrono::minutes{5};
constexpr seconds usable_rest_min{30};
constexpr seconds failure_pause{10};

struct SignInProblem {
    int number;  // AADSTS number
    std::string_view catalogue;
    std::string_view message;
};

// azure-facts §13, numbers marked [U] there.
constexpr std::array<SignInProblem, 8> problems{{
    {7000215, "GD3011", "the client secret is wrong. Set AZURE_CLIENT_SECRET to the secret's value, not to its id"},
    {7000222, "GD3012",
     "the client secret has expired. Make a new one for this application and set AZURE_CLIENT_SECRET"},
    {700016, "GD3013", "the application is unknown in this tenant. Check AZURE_CLIENT_ID and AZURE_TENANT_ID"},
    {90002, "GD3014", "the tenant is unknown. Check AZURE_TENANT_ID and the cloud (--azure)"},
    {900023, "GD3014", "the tenant is not a valid name. Check AZURE_TENANT_ID"},
    {700027, "GD3017", "the certificate is not registered for this application, or the signature does not fit"},
    {700024, "GD3017", "the assertion is outside its time. Check this machine's clock"},
    {70021, "GD3018", "no federated credential of the application fits this identity's issuer, subject and audience"},
}};

// The numbers of error_codes, else the first AADSTSnnn of the description. The description itself is never shown: it
// holds ids and times.
std::vector<int> numbers_of(const Json& body) {
    std::vector<int> numbers;
    const Json& codes = member(body, "error_codes");
    if (codes.is_array()) {
        for (const Json& code : codes) {
            if (code.is_number_integer()) numbers.push_back(code.get<int>());
        }
    }
    const std::string description = text_member(body, "error_description");
    if (const std::size_t at = description.find("AADSTS"); numbers.empty() && at != std::string::npos) {
        int number = 0;
        for (std::size_t i = at + 6;
             i < description.size() && i < at + 15 && description[i] >= '0' && description[i] <= '9'; ++i) {
            number = number * 10 + (description[i] - '0');
        }
        numbers.push_back(number);
    }
    return numbers;
}

Error denied_sign_in(std::string catalogue, const std::string& message) {
    return Error{.kind = ErrorKind::denied,
                 .reason = "AuthenticationFailed",
                 .message = "sign-in to Azure: " + message,
                 .code = std::move(catalogue)};
}

Error sign_in_error(const http::Response& answer, TimePoint now) {
    const auto body = parse_json(answer.body, "sign-in");
    const Json empty = Json::object();
    const Json& known = body ? *body : empty;
    const std::vector<int> numbers = numbers_of(known);
    const std::string number_text = numbers.empty() ? "" : " (AADSTS" + std::to_string(numbers.front()) + ")";
    Error error = denied_sign_in("GD3010", "refused with HTTP " + std::to_string(answer.status) + " " +
                                               printable(text_member(known, "error"), 60) + number_text);
    for (const SignInProblem& problem : problems) {
        if (std::ranges::find(numbers, problem.number) != numbers.end()) {
            error = denied_sign_in(std::string(problem.catalogue), std::string(problem.message) + number_text);
            break;
        }
    }
    error.http_status = answer.status;
    error.retry_after = find_retry_after(answer.headers, "", now);
    if (answer.status == 429) error.kind = ErrorKind::throttled;
    if (answer.status >= 500 || (!body && answer.status != 429)) {  // the service is unwell, or a proxy answered
        error.kind = ErrorKind::transient;
        if (!body) error.message += "; the answer is not the sign-in service's: " + body.error().message;
    }
    return error;
}

bool is_header_safe(const std::string& token) {
    return std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_plain_segment(const std::string& tenant) {
    return !tenant.empty() && tenant.size() <= 253 && tenant.front() != '.' && std::ranges::all_of(tenant, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-';
    });
}

}  // namespace

void Secret::wipe(std::string& text) { OPENSSL_cleanse(text.data(), text.size()); }

Task<std::string> NoToken::token() { co_return std::string{}; }

std::string form_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                              c == '.' || c == '_' || c == '~';
        if (is_plain) {
            encoded += c;
        } else {
            encoded += '%';
            encoded += digits[byte >> 4U];
            encoded += digits[byte & 15U];
        }
    }
    return encoded;
}

Result<FetchedToken> read_token_answer(const http::Response& answer, TimePoint now) {
    if (answer.status != 200) return std::unexpected(sign_in_error(answer, now));
    auto body = parse_json(answer.body, "sign-in");
    if (!body) {
        // Never quote the body: on success it holds a token.
        return std::unexpected(Error{.kind = ErrorKind::transient,
                                     .reason = "AuthenticationFailed",
                                     .message = "sign-in to Azure: the answer is not whole JSON",
                                     .code = "GD3010"});
    }
    std::string token = text_member(*body, "access_token");
    if (token.empty() || !is_header_safe(token)) {
        return std::unexpected(Error{.kind = ErrorKind::transient,
                                     .reason = "AuthenticationFailed",
                                     .message = "sign-in to Azure: the answer holds no usable token",
                                     .code = "GD3010"});
    }
    // A number, or text from managed identities; without it a short life is assumed.
    const seconds life{std::clamp(number_member(*body, "expires_in").value_or(300), 1, 24 * 3600)};
    return FetchedToken{.token = Secret(std::move(token)), .life = life};
}

Task<std::string> CachedToken::token() {
    if (!token_.empty() && clock_.monotonic() < refresh_at_) co_return token_.reveal();
    const auto turn = co_await one_at_a_time_.acquire();
    if (!turn) co_return std::unexpected(turn.error());
    const nanoseconds now = clock_.monotonic();
    if (!token_.empty() && now < refresh_at_) co_return token_.reveal();  // somebody fetched it while we waited
    const bool is_usable = !token_.empty() && now + usable_rest_min < expires_at_;
    if (failure_ && now < ask_again_at_) {
        if (is_usable) co_return token_.reveal();
        co_return std::unexpected(*failure_);
    }
    auto fetched = co_await fetch();
    if (fetched) {
        keep(std::move(*fetched));
        co_return token_.reveal();
    }
    remember_failure(fetched.error());
    if (is_usable) co_return token_.reveal();
    co_return std::unexpected(std::move(fetched.error()));
}

void CachedToken::keep(FetchedToken fetched) {
    const nanoseconds now = clock_.monotonic();
    token_ = std::move(fetched.token);
    expires_at_ = now + fetched.life;
    refresh_at_ = expires_at_ - std::min<nanoseconds>(refresh_ahead_max, nanoseconds{fetched.life} / 3);
    failure_.reset();
    const auto expiry = std::chrono::duration_cast<seconds>(clock_.now().time_since_epoch()) + fetched.life;
    metrics_.set("galleryd_arm_token_expiry_timestamp_seconds", {{"credential", std::string(name())}},
                 static_cast<double>(expiry.count()));
}

void CachedToken::remember_failure(const Error& error) {
    failure_ = error;
    ask_again_at_ = clock_.monotonic() + error.retry_after.value_or(failure_pause);
    metrics_.add("galleryd_arm_auth_failures_total", {{"credential", std::string(name())}});
    log_.warning("azure sign-in failed",
                 {{"credential", std::string(name())}, {"code", error.code}, {"reason", error.message}});
}

void CachedToken::invalidate(std::string refused) {
    if (refused == token_.reveal()) token_ = Secret{};
    Secret::wipe(refused);
}

Task<FetchedToken> ClientSecretToken::fetch() {
    if (!is_plain_segment(options_.tenant_id))
        co_return std::unexpected(denied_sign_in("GD3014", "the tenant is not a valid name. Check AZURE_TENANT_ID"));
    http::Request request{
        .method = "POST",
        .target = "/" + options_.tenant_id + "/oauth2/v2.0/token",
        .headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}},
        .body = "grant_type=client_credentials&client_id=" + form_encode(options_.client_id) + "&client_secret=" +
                form_encode(options_.client_secret.reveal()) + "&scope=" + form_encode(options_.scope)};
    const http::CallLimits limits{.deadline = options_.deadline, .body_bytes_max = 256UL * 1024};
    auto answer = co_await transport_.send(options_.login, std::move(request), limits);
    if (!answer) {
        Error error = std::move(answer.error());
        error.message = "sign-in to Azure: " + error.message;
        co_return std::unexpected(std::move(error));
    }
    auto fetched = read_token_answer(*answer, clock_.now());
    Secret::wipe(answer->body);
    co_return fetched;
}

}  // namespace galleryd::azure
