#pragma once
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

// Expected failures are values. The kind alone decides what happens next (core/retry.h); the rest is for people.
namespace galleryd {

enum class ErrorKind : std::uint8_t {
    transient,  // network, 5xx, deadline: exponential back-off with jitter
    throttled,  // 429 or quota header: honour retry_after, slow the whole adapter
    conflict,   // changed under us (409, 412): observe again soon
    not_ready,  // something else must finish first: fixed interval
    invalid,    // the declaration cannot be right: wait for a new one
    denied,     // permission, lock or Azure policy: slow retry, a person must act
    bug,        // our assumption broke
};

std::string_view to_string(ErrorKind kind);

struct Error {
    ErrorKind kind = ErrorKind::bug;
    std::string reason;   // CamelCase, for machines: a Ready reason of the closed list (experience: `Throttled`,
                          // `AzureError`, …) or Azure's own code
    std::string message;  // for people: what was attempted on what, why it failed, what to do
    std::optional<std::chrono::seconds> retry_after = std::nullopt;
    std::string code = {};            // "GDnnnn" when the catalogue has an entry (core/error_catalogue.h)
    std::string correlation_id = {};  // Azure's x-ms-correlation-request-id, for a support case
    int http_status = 0;              // 0 when no answer came
};

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
  public:
    using std::expected<T, Error>::expected;
};

using Status = Result<void>;

inline std::unexpected<Error> fail(ErrorKind kind, std::string reason, std::string message) {
    return std::unexpected(Error{.kind = kind, .reason = std::move(reason), .message = std::move(message)});
}

}  // namespace galleryd
