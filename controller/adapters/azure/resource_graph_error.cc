#include <algorithm>

#include "controller/adapters/azure/error_table.h"
#include "controller/adapters/azure/resource_graph.h"

namespace galleryd::azure {
namespace {

bool names(const std::optional<ErrorBody>& body, std::string_view folded_code) {
    if (!body) return false;
    if (fold_case(body->code) == folded_code) return true;
    return std::ranges::any_of(body->detail_codes,
                               [&](const std::string& code) { return fold_case(code) == folded_code; });
}

// The service as a whole says no: to this identity (403), in this cloud (404, 405, 501), to this query (400), or sends
// one to the provider itself (422, performance §1.3).
bool is_refusal(int status, const std::optional<ErrorBody>& body) {
    if (!body) return status == 422;  // any other bare status may be a proxy's
    if (names(body, "disallowedprovider")) return true;
    return status == 400 || status == 403 || status == 404 || status == 405 || status == 422 || status == 501;
}

}  // namespace

bool says_nothing_readable(const Error& error) { return error.code == "GD3043"; }

Error graph_error(const std::string& what, const http::Response& answer, TimePoint now) {
    Error error = error_from_answer(Attempt{.what = what}, answer, now);
    const auto body = decode_error_body(answer.body);
    // Azure/aztfexport#331 and #475: what one reads who may read none of the subscriptions.
    const bool none_readable =
        names(body, "novalidsubscriptionsinqueryrequest") ||
        (body && fold_case(body->message).contains("at least one subscription that is eligible"));
    if (none_readable) {
        error.kind = ErrorKind::denied;
        error.reason = "AuthorizationFailed";
        error.code = "GD3043";
    } else if (is_refusal(answer.status, body)) {
        error.kind = ErrorKind::denied;
        error.reason = std::string(inventory_refused);
        if (answer.status != 403) error.code = "GD3007";
    }
    return error;
}

}  // namespace galleryd::azure
