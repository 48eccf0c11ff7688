#include "controller/adapters/azure/token_answer.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "controller/adapters/azure/json_read.h"
#include "controller/adapters/azure/retry_after.h"
#include "controller/adapters/azure/sign_in_table.h"

namespace galleryd::azure {
namespace {

using std::chrono::seconds;

constexpr seconds clock_difference_max = std::chrono::minutes{5};

constexpr std::string_view clock_code = "GD3019";

std::string_view time_problem(SignInKind sign_in) {
    if (sign_in == SignInKind::federated)
        return "the workload's token is outside its time: the file AZURE_FEDERATED_TOKEN_FILE is no longer renewed, or "
               "a clock is wrong";
    if (sign_in == SignInKind::certificate)
        return "the assertion that this machine signed is outside its time. Set this machine's clock";
    return "something that was signed is outside its time. Set this machine's clock";
}

std::vector<int> numbers_of(const Json& body) {
    std::vector<int> numbers;
    const Json& codes = member(body, "error_codes");
    if (codes.is_array()) {
        for (const Json& code : codes) {
            if (code.is_number_integer() && numbers.size() < 8) numbers.push_back(code.get<int>());
        }
    }
    return numbers.empty() ? find_aadsts_numbers(text_member(body, "error_description")) : numbers;
}

// "; this machine's clock is 7 minutes behind the sign-in service's", or nothing.
std::string clock_note(const http::Headers& headers, TimePoint now) {
    const auto theirs = parse_http_date(headers.get("Date"));
    if (!theirs) return {};
    const auto ahead = std::chrono::duration_cast<seconds>(now - *theirs);
    if (std::chrono::abs(ahead) <= clock_difference_max) return {};
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(std::chrono::abs(ahead)).count();
    return "; this machine's clock is " + std::to_string(minutes) + " minutes " +
           (ahead.count() > 0 ? "ahead of" : "behind") + " the sign-in service's";
}

bool names_time(const std::vector<int>& numbers) {
    return std::ranges::any_of(numbers, [](int number) {
        const SignInRow* const row = find_sign_in_row(number);
        return row != nullptr && row->catalogue == clock_code;
    });
}

bool speaks_of_time(std::string description) {
    for (char& c : description) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return description.contains("time range") || description.contains("not yet valid") ||
           description.contains("assertion is expired");
}

// AADSTS50013 stands for signature and for time; which one only the description says.
bool is_about_time(const std::vector<int>& numbers, const std::string& description) {
    return std::ranges::find(numbers, 50013) != numbers.end() && speaks_of_time(description);
}

Error sign_in_error(const http::Response& answer, SignInKind sign_in, TimePoint now) {
    const auto body = parse_json(answer.body, "sign-in");
    const Json empty = Json::object();
    const Json& known = body ? *body : empty;
    std::vector<int> numbers = numbers_of(known);
    if (is_about_time(numbers, text_member(known, "error_description"))) numbers.insert(numbers.begin(), 700024);
    Error error = describe_sign_in_problem(
        numbers, sign_in,
        "refused with HTTP " + std::to_string(answer.status) + " " + printable(text_member(known, "error"), 60));
    if (error.code == clock_code) error.message += clock_note(answer.headers, now);
    error.http_status = answer.status;
    error.retry_after = find_retry_after(answer.headers, "", now);
    if (answer.status == 429) error.kind = ErrorKind::throttled;
    if (answer.status >= 500 || (!body && answer.status != 429)) {  // the service is unwell, or a proxy answered
        error.kind = ErrorKind::transient;
        if (!body) error.message += "; the answer is not the sign-in service's: " + body.error().message;
    }
    return error;
}

std::unexpected<Error> odd_answer(const std::string& what) {
    return std::unexpected(Error{.kind = ErrorKind::transient,
                                 .reason = "AuthenticationFailed",
                                 .message = "sign-in to Azure: " + what,
                                 .code = "GD3010"});
}

bool is_header_safe(const std::string& token) {
    return std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; });
}

// Seconds as a number or as text (managed identities); App Service sends the end alone. Without either a short life is
// assumed.
seconds life_of(const Json& body, TimePoint now) {
    constexpr int day = 24 * 3600;
    if (const auto life = number_member(body, "expires_in")) return seconds{std::clamp(*life, 1, day)};
    const std::string text = text_member(body, "expires_on");
    std::int64_t end = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), end);
    if (text.empty() || error != std::errc{} || rest != text.data() + text.size()) return seconds{300};
    constexpr std::int64_t year_10000 = 253'402'300'800;  // what an answer holds may be any number
    const auto left =
        seconds{std::clamp<std::int64_t>(end, 0, year_10000)} - std::chrono::floor<seconds>(now.time_since_epoch());
    return std::clamp<seconds>(left, seconds{1}, seconds{day});
}

}  // namespace

Error denied_sign_in(std::string code, const std::string& message) {
    return Error{.kind = ErrorKind::denied,
                 .reason = "AuthenticationFailed",
                 .message = "sign-in to Azure: " + message,
                 .code = std::move(code)};
}

std::vector<int> find_aadsts_numbers(std::string_view text) {
    constexpr std::string_view word = "AADSTS";
    std::vector<int> numbers;
    for (std::size_t at = text.find(word); at != std::string_view::npos && numbers.size() < 8;
         at = text.find(word, at + word.size())) {
        int number = 0;
        std::size_t i = at + word.size();
        for (; i < text.size() && i < at + word.size() + 9 && text[i] >= '0' && text[i] <= '9'; ++i)
            number = number * 10 + (text[i] - '0');
        if (i > at + word.size()) numbers.push_back(number);
    }
    return numbers;
}

Error describe_sign_in_problem(const std::vector<int>& numbers, SignInKind sign_in, const std::string& otherwise) {
    const std::string number_text = numbers.empty() ? "" : " (AADSTS" + std::to_string(numbers.front()) + ")";
    if (names_time(numbers))
        return denied_sign_in(std::string(clock_code), std::string(time_problem(sign_in)) + number_text);
    for (const SignInRow& row : sign_in_rows()) {
        if (std::ranges::find(numbers, row.number) == numbers.end()) continue;
        Error error = denied_sign_in(std::string(row.catalogue),
                                     std::string(row.message) + " (AADSTS" + std::to_string(row.number) + ")");
        error.kind = row.kind;
        return error;
    }
    return denied_sign_in("GD3010", otherwise + number_text);
}

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

bool is_plain_name(std::string_view text) {
    return !text.empty() && text.size() <= 253 && text.front() != '.' && text.front() != '-' &&
           std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                      c == '-';
           });
}

Result<FetchedToken> read_token_answer(const http::Response& answer, SignInKind sign_in, TimePoint now) {
    if (answer.status != 200) return std::unexpected(sign_in_error(answer, sign_in, now));
    auto body = parse_json(answer.body, "sign-in");
    if (!body) return odd_answer("the answer is not whole JSON");  // never quoted: on success it holds a token
    std::string token = text_member(*body, "access_token");
    if (token.empty() || !is_header_safe(token)) return odd_answer("the answer holds no usable token");
    return FetchedToken{.token = Secret(std::move(token)), .life = life_of(*body, now)};
}

}  // namespace galleryd::azure
