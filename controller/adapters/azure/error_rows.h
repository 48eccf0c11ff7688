#pragma once
#include <span>
#include <string_view>

#include "controller/core/result.h"

// The one table from Azure's codes to what happens next (style §4): a row per code, each with the origin of the fact
// and a test. `galleryd explain CODE` and docs/reference/azure-errors.md print it.
namespace galleryd::azure {

struct ErrorRow {
    std::string_view code;  // Azure's, compared without case; "" = any
    int status = 0;         // 0 = any
    std::string_view text;  // part of the message, compared without case; "" = any
    ErrorKind kind = ErrorKind::bug;
    std::string_view reason;     // a Ready reason (experience §1.5.2)
    std::string_view catalogue;  // GD3nnn
    std::string_view origin;     // where the fact comes from, [U] = unverified
};

std::span<const ErrorRow> error_rows();

}  // namespace galleryd::azure
