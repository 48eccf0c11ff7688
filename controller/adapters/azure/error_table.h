#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "controller/adapters/azure/decode.h"
#include "controller/adapters/azure/error_rows.h"
#include "controller/adapters/http/message.h"
#include "controller/core/result.h"
#include "controller/core/time.h"

// Answers and failed operations to errors, by the table of error_rows.h.
namespace galleryd::azure {

// The first row that fits; an unknown code falls back to the row of its status. `detail_codes` are tried after the
// code.
const ErrorRow& find_error_row(int status, const ErrorBody& body);

// What was tried, for the message: "create image version /subscriptions/…".
struct Attempt {
    std::string what;
};

// An answer that is not a success. Message: the attempt, Azure's words and code, and what to do; no times, ids of
// requests or counters, so that the same problem always reads the same (the correlation id has its own member). A body
// that is not Azure's (a proxy's web page) becomes GD3002 and is never taken for "absent" or "no permission".
Error error_from_answer(const Attempt& attempt, const http::Response& answer, TimePoint now);
// A failed operation: HTTP 200 with an error inside (azure-facts §4).
Error error_from_operation(const Attempt& attempt, const std::string& code, const std::string& message);

// Whether a 404 says "this resource does not exist": Azure's envelope with a …NotFound code. A missing subscription, a
// web page and an empty body do not.
bool says_absent(const http::Response& answer);

// A message about a missing right ends with who must grant what, in a sentence that begins so.
inline constexpr std::string_view grant_advice_begins = "An Owner or User Access Administrator";

std::string correlation_id_of(const http::Headers& headers);

}  // namespace galleryd::azure
