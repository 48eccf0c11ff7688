#pragma once
#include <string>
#include <string_view>

#include "controller/adapters/azure/token.h"
#include "controller/adapters/http/message.h"
#include "controller/core/result.h"
#include "controller/core/time.h"

// Internal: what sign-in services answer, in our words (azure-facts §13).
namespace galleryd::azure {

// What was shown at the sign-in: the same number asks for different repairs.
enum class SignInKind : std::uint8_t { client_secret, certificate, federated, managed_identity, azure_cli };

// The answer to a token, or to an error that never repeats the service's own words (they hold ids and times):
// `denied` AuthenticationFailed with its GD30nn code, `throttled` at 429, `transient` from 500 on and when somebody
// else answered. When the service refused because of time and its Date differs from `now` by more than five minutes,
// the message says by how much this machine's clock is wrong.
Result<FetchedToken> read_token_answer(const http::Response& answer, SignInKind sign_in, TimePoint now);

// An AADSTS number in our words; for the Azure CLI, which prints them. `numbers` empty: GD3010 with `otherwise`.
Error describe_sign_in_problem(const std::vector<int>& numbers, SignInKind sign_in, const std::string& otherwise);
std::vector<int> find_aadsts_numbers(std::string_view text);  // "AADSTS700024: …" -> 700024; at most 8

Error denied_sign_in(std::string code, const std::string& message);  // AuthenticationFailed, "sign-in to Azure: …"
// application/x-www-form-urlencoded, everything but unreserved characters escaped; also right in a query.
std::string form_encode(std::string_view text);
// A tenant id or domain, an application id: letters, digits, '.', '-', not beginning with '.' or '-', at most 253.
bool is_plain_name(std::string_view text);

}  // namespace galleryd::azure
