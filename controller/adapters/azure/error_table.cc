#include "controller/adapters/azure/error_table.h"

#include <algorithm>
#include <array>

#include "controller/adapters/azure/retry_after.h"
#include "controller/adapters/azure/role_table.h"
#include "controller/core/resource_id.h"

namespace galleryd::azure {
namespace {

using enum ErrorKind;

// Order matters: the first fit wins, so rows with a text or a status stand before the bare code.
// clang-format off: a table
constexpr ErrorRow rows[] = {
    // ---- throttling ----
    {"", 0, "too many requests on source", not_ready, "Throttled", "GD3072",
     "azure-facts §6: many versions from one source [D]"},
    {"SubscriptionRequestsThrottled", 0, "", throttled, "Throttled", "GD3030", "azure-facts §7.1 [I]"},
    {"TenantRequestsThrottled", 0, "", throttled, "Throttled", "GD3030", "azure-facts §7.1, tenant bucket [U]"},
    {"ResourceRequestsThrottled", 0, "", throttled, "Throttled", "GD3030", "azure-facts §7.1 [I]"},
    {"ResourceCollectionRequestsThrottled", 0, "", throttled, "Throttled", "GD3030",
     "reliability B14, AgentBaker 8314 [I]"},
    {"TooManyRequests", 0, "", throttled, "Throttled", "GD3030", "azure-facts §7.1, §7.2 [I][D]"},
    {"RateLimiting", 0, "", throttled, "Throttled", "GD3030", "azure-facts §7.3 [I]"},
    {"OperationNotAllowed", 429, "", throttled, "Throttled", "GD3030",
     "azure-facts §7.2: the CRP form, details TooManyRequests [D]"},
    // ---- sign-in and permission ----
    {"InvalidAuthenticationTokenTenant", 0, "", denied, "AuthenticationFailed", "GD3016", "azure-facts §6 [U]"},
    {"InvalidAuthenticationToken", 0, "not yet valid", denied, "AuthenticationFailed", "GD3019",
     "Microsoft.IdentityModel IDX10222, which ARM passes on [U]"},
    {"InvalidAuthenticationToken", 0, "", denied, "AuthenticationFailed", "GD3015", "azure-facts §6 [U]"},
    {"ExpiredAuthenticationToken", 0, "", denied, "AuthenticationFailed", "GD3015", "azure-facts §6 [U]"},
    {"AuthenticationFailed", 0, "", denied, "AuthenticationFailed", "GD3015", "azure-facts §6 [U]"},
    {"LinkedAuthorizationFailed", 0, "", denied, "AuthorizationFailed", "GD3021", "azure-facts §6 [D text]"},
    {"AuthorizationFailed", 0, "", denied, "AuthorizationFailed", "GD3020", "azure-facts §6 [U]"},
    {"RequestDisallowedByPolicy", 0, "", denied, "PolicyDenied", "GD3022", "azure-facts §6 [U]"},
    {"ScopeLocked", 0, "", denied, "ResourceLocked", "GD3023", "azure-facts §5 [U]"},
    // ---- quota and size ----
    {"QuotaExceeded", 0, "", denied, "QuotaExceeded", "GD3031", "azure-facts §6 [U]"},
    {"OperationNotAllowed", 0, "quota", denied, "QuotaExceeded", "GD3031",
     "azure-facts §6: exceeding approved <name> quota [I]"},
    {"RoleAssignmentLimitExceeded", 0, "", denied, "QuotaExceeded", "GD3031",
     "azure-facts §10: 4,000 per subscription [U]"},
    {"GallerySourceResourceExceedsMaxSize", 0, "", invalid, "InvalidSpec", "GD3071", "azure-facts §6 [D][I]"},
    // ---- not there ----
    {"SubscriptionNotFound", 0, "", denied, "AuthorizationFailed", "GD3043",
     "azure-facts §6 [U]: also what a caller without any right reads"},
    {"InvalidSubscriptionId", 0, "", invalid, "InvalidSpec", "GD3043", "azure-facts §6 [U]"},
    {"ResourceGroupNotFound", 0, "", not_ready, "DependencyNotReady", "GD3041", "azure-facts §6 [R]"},
    {"ParentResourceNotFound", 0, "", not_ready, "DependencyNotReady", "GD3042", "azure-facts §6 [D][I], code [U]"},
    {"ResourceNotFound", 0, "", not_ready, "NotFoundInAzure", "GD3040", "azure-facts §6 [R]"},
    {"NotFound", 0, "", not_ready, "NotFoundInAzure", "GD3040", "azure-facts §6 [U]"},
    {"GalleryImageNotFound", 0, "", not_ready, "SourceImageMissing", "GD3061", "azure-facts §6 [D][I]"},
    // ---- state of the resource ----
    {"PropertyChangeNotAllowed", 0, "", invalid, "ImmutableFieldChanged", "GD3050", "azure-facts §6 [I full body][D]"},
    {"CannotDeleteResource", 0, "", not_ready, "DependencyNotReady", "GD3051",
     "azure-facts §5: also for up to 20 s after the children went [I]"},
    {"OperationNotAllowed", 0, "marked for deletion", not_ready, "DependencyNotReady", "GD3052", "azure-facts §6 [D]"},
    {"DeleteGalleryImageVersionBlockedBeforeEndOfLife", 0, "", denied, "ResourceLocked", "GD3053",
     "azure-facts §5 [D]"},
    {"", 409, "allowdeletionofreplicatedlocations", denied, "ResourceLocked", "GD3054",
     "azure-facts §3.4 [D wording][I]"},
    {"", 400, "allowdeletionofreplicatedlocations", denied, "ResourceLocked", "GD3054",
     "azure-facts §3.4, §16: status unknown [U]"},
    {"InvalidResourceLocation", 0, "", invalid, "ImmutableFieldChanged", "GD3055", "azure-facts §6 [D text], code [U]"},
    {"InvalidResourceGroupLocation", 0, "", invalid, "ImmutableFieldChanged", "GD3055", "azure-facts §11 [U]"},
    {"", 409, "choose a different publisher, offer, sku", invalid, "InvalidSpec", "GD3056", "azure-facts §6 [D text]"},
    {"", 0, "is not unique within the subscription", invalid, "InvalidSpec", "GD3057", "azure-facts §1, §6 [D text]"},
    {"ResourceGroupBeingDeleted", 0, "", not_ready, "DependencyNotReady", "GD3091", "azure-facts §6 [U]"},
    {"AnotherOperationInProgress", 0, "", conflict, "AzureError", "GD3091", "azure-facts §6 [U]"},
    {"Conflict", 0, "", conflict, "AzureError", "GD3091", "azure-facts §6 [U]"},
    // ---- the declaration ----
    {"", 0, "please check source exists", invalid, "SourceImageMissing", "GD3061",
     "azure-facts §6: Source … is not found [D]"},
    {"LocationNotAvailableForResourceType", 0, "", invalid, "InvalidSpec", "GD3062",
     "azure-facts §6 [D text], code [U]"},
    {"NoRegisteredProviderFound", 0, "", denied, "AzureError", "GD3063", "azure-facts §6 [I form]"},
    {"InvalidApiVersionParameter", 0, "", denied, "AzureError", "GD3063", "azure-facts §6 [U]"},
    {"InvalidResourceType", 0, "", denied, "AzureError", "GD3063", "azure-facts §6 [U]"},
    {"MissingSubscriptionRegistration", 0, "", denied, "AuthorizationFailed", "GD3064", "azure-facts §6 [U]"},
    {"PrincipalNotFound", 0, "", not_ready, "DependencyNotReady", "GD3080",
     "azure-facts §10: a new principal takes a while [I]"},
    {"RoleAssignmentExists", 0, "", conflict, "AzureError", "GD3081", "azure-facts §10 [I]"},
    {"StorageAccountAlreadyTaken", 0, "", invalid, "InvalidSpec", "GD3083", "azure-facts §11 [U]"},
    {"InvalidParameter", 0, "", invalid, "InvalidSpec", "GD3060", "azure-facts §6 [I][D]"},
    // ---- replication ----
    {"ValidationError", 0, "replication jobs failed", not_ready, "ReplicationFailed", "GD3070",
     "azure-facts §4.1 [I azure-cli 15539]"},
    {"ReplicationJobFailed", 0, "", not_ready, "ReplicationFailed", "GD3070", "azure-facts §4.1 family [U]"},
    // ---- Azure's own trouble ----
    {"InternalServerError", 0, "", transient, "AzureError", "GD3090", "azure-facts §6 [U]"},
    {"ServiceUnavailable", 0, "", transient, "AzureError", "GD3090", "azure-facts §6 [U]"},
    {"GatewayTimeout", 0, "", transient, "AzureError", "GD3090", "azure-facts §6 [U]"},
    {"ServerTimeout", 0, "", transient, "AzureError", "GD3090", "azure-facts §6 [U]"},
    // ---- unknown codes, by status ----
    {"", 400, "", invalid, "InvalidSpec", "GD3060", "RFC 9110 §15.5.1"},
    {"", 401, "", denied, "AuthenticationFailed", "GD3015", "RFC 9110 §15.5.2"},
    {"", 403, "", denied, "AuthorizationFailed", "GD3020", "RFC 9110 §15.5.4"},
    {"", 404, "", not_ready, "NotFoundInAzure", "GD3040", "RFC 9110 §15.5.5"},
    {"", 408, "", transient, "AzureError", "GD3090", "RFC 9110 §15.5.9"},
    {"", 409, "", conflict, "AzureError", "GD3091", "RFC 9110 §15.5.10"},
    {"", 410, "", not_ready, "NotFoundInAzure", "GD3040", "RFC 9110 §15.5.11"},
    {"", 412, "", conflict, "AzureError", "GD3091", "RFC 9110 §15.5.13"},
    {"", 422, "", invalid, "InvalidSpec", "GD3060", "RFC 9110 §15.5.21"},
    {"", 423, "", denied, "ResourceLocked", "GD3023", "RFC 4918 §11.3"},
    {"", 429, "", throttled, "Throttled", "GD3030", "RFC 6585 §4"},
};
// clang-format on
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
    for (const ErrorRow& row : rows) {
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

// Who must grant what, from Azure's "does not have authorization to perform action 'A' over scope 'S'".
std::string grant_advice(const std::string& message) {
    const std::string action = quoted_after(message, "perform action");
    const std::string scope = quoted_after(message, "over scope");
    if (action.empty())
        return "An Owner or User Access Administrator of the scope must give galleryd's identity a role with that "
               "right.";
    return "An Owner or User Access Administrator must give galleryd's identity the role \"" + role_for_action(action) +
           "\" (it holds " + action + ")" + (scope.empty() ? "." : " at " + scope + ".");
}

std::string advice_for(const ErrorRow& row, const std::string& message) {
    if (row.catalogue == "GD3020") return grant_advice(message);
    if (row.catalogue == "GD3051")
        return "Its children must go first; right after their deletion Azure may say this for some seconds.";
    if (row.catalogue == "GD3064") return "Register it: az provider register --namespace Microsoft.Compute";
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
    if (const std::string advice = advice_for(row, body.message); !advice.empty())
        error.message = sentence(std::move(error.message)) + " " + advice;
    return error;
}

std::string first_line(const std::string& text) {
    std::string shown;
    for (const char c : text.substr(0, 120)) shown += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    return shown;
}

// No envelope of Azure's: a proxy, a gateway or a captive portal answered. Never a statement about resource or
// permission.
Error foreign_answer(const Attempt& attempt, const http::Response& answer) {
    const std::string type = answer.headers.get("Content-Type");
    Error error{.kind = status_row(answer.status).kind,
                .reason = "AzureError",
                .message = {},
                .code = "GD3002",
                .http_status = answer.status};
    if (error.kind == not_ready || error.kind == invalid || error.kind == conflict || error.kind == bug)
        error.kind = transient;
    error.message = attempt.what + ": HTTP " + std::to_string(answer.status) + " without Azure's error body";
    if (!type.empty()) error.message += " (" + first_line(type) + ")";
    error.message += "; a proxy or gateway on the way may have answered.";
    if (!answer.body.empty()) error.message += " It begins with: " + first_line(answer.body);
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

std::span<const ErrorRow> error_rows() { return rows; }

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
    return id.empty() ? headers.get("x-ms-request-id") : id;
}

}  // namespace galleryd::azure
