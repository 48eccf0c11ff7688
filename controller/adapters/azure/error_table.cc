#include "controller/adapters/azure/error_table.h"

#include <algorithm>

#include "controller/adapters/azure/json_read.h"
#include "controller/adapters/azure/retry_after.h"
#include "controller/adapters/azure/role_table.h"
#include "controller/core/resource_id.h"

namespace galleryd::azure {
namespace {

using enum ErrorKind;

constexpr ErrorRow server_row{"", 500, "", transient, "AzureError", "GD3090", "RFC 9110 §15.6"};
constexpr ErrorRow redirect_row{
    "", 300, "", transient, "AzureError", "GD3002", "ARM does not redirect: something on the way does"};
constexpr ErrorRow client_row{"", 400, "", invalid, "AzureError", "GD3099", "RFC 9110 §15.5"};
constexpr ErrorRow odd_row{"", 0, "", bug, "AzureError", "GD3099", "a success nobody expects"};
constexpr ErrorRow operation_row{
    "", 0, "", transient, "AzureError", "GD3099", "azure-facts §4: a failed operation with an unknown code"};

bool fits(const ErrorRow& row, int status, const std::string& code, const std::string& message) {
    if (row.status != 0 && row.status != status) return false;
    if (!row.code.empty() && fold_case(row.code) != code) return false;
    return row.text.empty() || message.contains(row.text);
}

const ErrorRow* find_listed_row(int status, const ErrorBody& body, bool by_code_only) {
    const std::string message = fold_case(body.message);
    const std::string code = fold_case(body.code);
    for (const ErrorRow& row : error_rows()) {
        const bool is_status_row = row.code.empty() && row.text.empty();
        if (is_status_row == by_code_only) continue;
        if (fits(row, status, code, message)) return &row;
    }
    return nullptr;
}

const ErrorRow& status_row(int status) {
    if (const ErrorRow* row = find_listed_row(status, {}, false)) return *row;
    if (status >= 500) return server_row;
    if (status >= 400) return client_row;
    if (status >= 300) return redirect_row;
    return odd_row;
}

std::string quoted_after(const std::string& text, std::string_view before) {
    const std::size_t start = text.find(before);
    if (start == std::string::npos) return {};
    const std::size_t open = text.find('\'', start + before.size());
    if (open == std::string::npos) return {};
    const std::size_t close = text.find('\'', open + 1);
    return close == std::string::npos ? std::string{} : text.substr(open + 1, close - open - 1);
}

// The group of a resource: there a role outlives the resource, and can be given before the resource exists.
std::string group_of(const std::string& scope) {
    const ResourceId id(scope);
    const std::string group = id.resource_group();
    return group.empty() ? scope : resource_group_id(id.subscription(), group).text();
}

// Who must grant what, from Azure's "The client 'C' with object id 'O' does not have authorization to perform action
// 'A' over scope 'S'".
std::string grant_advice(const std::string& message) {
    const std::string action = quoted_after(message, "perform action");
    const std::string scope = group_of(quoted_after(message, "over scope"));
    if (action.empty())
        return std::string(grant_advice_begins) + " of the scope must give galleryd's identity a role with that right.";
    const std::string role = role_for_action(action);
    std::string advice = std::string(grant_advice_begins) + " must give galleryd's identity the role \"" + role +
                         "\" (it holds " + action + ")";
    if (scope.empty()) return advice + ".";
    const std::string object = quoted_after(message, "object id");
    advice += " at " + scope;
    if (object.empty()) return advice + ".";
    return advice + ": az role assignment create --assignee-object-id " + object +
           " --assignee-principal-type ServicePrincipal --role \"" + role + "\" --scope " + scope;
}

// From "…to use namespace 'Microsoft.Compute'" and the id in what was attempted.
std::string register_advice(const std::string& message, const std::string& attempt) {
    std::string provider = quoted_after(message, "namespace");
    if (provider.empty()) provider = "Microsoft.Compute";
    const std::size_t id = attempt.find("/subscriptions/");
    const std::string subscription = id == std::string::npos ? "" : ResourceId(attempt.substr(id)).subscription();
    return "Register it: az provider register --namespace " + provider +
           (subscription.empty() ? "" : " --subscription " + subscription);
}

std::string advice_for(const Attempt& attempt, const ErrorRow& row, const std::string& message) {
    if (row.catalogue == "GD3020") return grant_advice(message);
    if (row.catalogue == "GD3051")
        return "Its children must go first; right after their deletion Azure may say this for some seconds.";
    if (row.catalogue == "GD3064") return register_advice(message, attempt.what);
    if (row.catalogue == "GD3063")
        return "This galleryd is pinned to api-versions that this cloud does not offer (galleryd version); nothing is "
               "written with another one.";
    return {};
}

std::string sentence(std::string text) {
    if (!text.empty() && text.back() != '.' && text.back() != '!' && text.back() != '?') text += '.';
    return text;
}

Error describe(const Attempt& attempt, const ErrorRow& row, int status, const ErrorBody& body) {
    Error error{.kind = row.kind,
                .reason = std::string(row.reason),
                .message = {},
                .code = std::string(row.catalogue),
                .http_status = status};
    error.message = attempt.what + ": ";
    error.message +=
        body.message.empty() ? "Azure answered " + std::to_string(status) + " without saying why" : body.message;
    if (!body.code.empty())
        error.message = sentence(std::move(error.message)) + " (" + body.code +
                        (body.target.empty() ? "" : ", " + body.target) + ")";
    if (const std::string advice = advice_for(attempt, row, body.message); !advice.empty())
        error.message = sentence(std::move(error.message)) + " " + advice;
    return error;
}

// No envelope of Azure's: a proxy, a gateway or a captive portal answered. Never a statement about resource or
// permission.
Error foreign_answer(const Attempt& attempt, const http::Response& answer) {
    constexpr std::size_t shown_bytes_max = 120;
    const std::string type = answer.headers.get("Content-Type");
    Error error{.kind = status_row(answer.status).kind,
                .reason = "AzureError",
                .message = {},
                .code = "GD3002",
                .http_status = answer.status};
    if (error.kind == not_ready || error.kind == invalid || error.kind == conflict || error.kind == bug)
        error.kind = transient;
    error.message = attempt.what + ": HTTP " + std::to_string(answer.status) + " without Azure's error body";
    if (!type.empty()) error.message += " (" + printable(type, shown_bytes_max) + ")";
    error.message += "; a proxy or gateway on the way may have answered.";
    if (!answer.body.empty()) error.message += " It begins with: " + printable(answer.body, shown_bytes_max);
    return error;
}

// RFC 6750 §3 with Microsoft's extension: Bearer …, error="insufficient_claims", claims="<base64>".
bool asks_for_claims(const http::Headers& headers) {
    return std::ranges::any_of(headers.all("WWW-Authenticate"), [](const std::string& challenge) {
        return challenge.contains("insufficient_claims") || challenge.contains(" claims=\"") ||
               challenge.contains(",claims=\"");
    });
}

}  // namespace

const ErrorRow& find_error_row(int status, const ErrorBody& body) {
    if (const ErrorRow* row = find_listed_row(status, body, true)) return *row;
    for (const std::string& code : body.detail_codes) {
        if (const ErrorRow* row = find_listed_row(
                status, ErrorBody{.code = code, .message = body.message, .target = {}, .detail_codes = {}}, true))
            return *row;
    }
    return status_row(status);
}

Error error_from_answer(const Attempt& attempt, const http::Response& answer, TimePoint now) {
    const auto body = decode_error_body(answer.body);
    // 401 and 429 often come without a body and mean themselves; every other bare status may be anybody's.
    const bool means_itself =
        answer.body.empty() && (answer.status == 401 || answer.status == 429 || answer.status >= 500);
    Error error = (body || means_itself) ? describe(attempt, find_error_row(answer.status, body.value_or(ErrorBody{})),
                                                    answer.status, body.value_or(ErrorBody{}))
                                         : foreign_answer(attempt, answer);
    if (answer.status == 401 && asks_for_claims(answer.headers)) {
        error.code = "GD3024";
        error.message =
            attempt.what +
            ": Azure asks this sign-in for more (claims challenge: session revoked, or Conditional Access), "
            "and a new token did not help";
    }
    error.correlation_id = correlation_id_of(answer.headers);
    error.retry_after = find_retry_after(answer.headers, body ? body->message : "", now);
    if (answer.status == 429 && !error.retry_after) error.retry_after = default_hold(body ? body->code : "");
    return error;
}

Error error_from_operation(const Attempt& attempt, const std::string& code, const std::string& message) {
    const ErrorBody body{.code = code, .message = message, .target = {}, .detail_codes = {}};
    const ErrorRow* row = find_listed_row(200, body, true);
    return describe(attempt, row != nullptr ? *row : operation_row, 200, body);
}

bool says_absent(const http::Response& answer) {
    if (answer.status != 404) return false;
    const auto body = decode_error_body(answer.body);
    if (!body) return false;
    const std::string code = fold_case(body->code);
    return code.ends_with("notfound") && code != "subscriptionnotfound" && code != "tenantnotfound" &&
           code != "invalidauthenticationtokentenantnotfound";
}

std::string correlation_id_of(const http::Headers& headers) {
    std::string id = headers.get("x-ms-correlation-request-id");
    return printable(id.empty() ? headers.get("x-ms-request-id") : id, 200);
}

}  // namespace galleryd::azure
