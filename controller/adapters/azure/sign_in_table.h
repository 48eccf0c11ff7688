#pragma once
#include <span>
#include <string_view>

#include "controller/core/result.h"

// What Microsoft Entra's numbers (AADSTSnnnnn) mean for a daemon: a row per number, each with its origin and a test.
namespace galleryd::azure {

struct SignInRow {
    int number = 0;
    ErrorKind kind = ErrorKind::denied;
    std::string_view catalogue;  // GD30nn
    std::string_view message;    // what is wrong and what to do; without the service's own words
    std::string_view origin;     // [D] Microsoft's list of authentication and authorization error codes, [U] unverified
};

// In order of precedence, for answers with several numbers.
std::span<const SignInRow> sign_in_rows();
const SignInRow* find_sign_in_row(int number);  // null: not known here

}  // namespace galleryd::azure
