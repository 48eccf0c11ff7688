#pragma once
#include <chrono>
#include <iosfwd>
#include <string>
#include <vector>

#include "controller/core/document.h"
#include "controller/core/result.h"

namespace galleryd {

// "90s", "5m" as flags give them, at least a second; `invalid` with GD5003, the flag's name and its limits otherwise.
Result<std::chrono::seconds> parse_duration_flag(const std::string& flag, const std::string& text,
                                                 std::chrono::seconds most = std::chrono::days{36525});

// --interval (1s to 1d) and --full-interval (not shorter, to 30d).
struct Intervals {
    std::chrono::seconds interval{0}, full{0};
};
Result<Intervals> parse_intervals(const std::string& interval, const std::string& full);

// A wrong use of the command line: `invalid`, reason WrongUsage, with its code.
std::unexpected<Error> wrong_usage(std::string code, std::string message);

// One error for people on stderr: what failed, why, what to do, code, correlation id.
void print_error(std::ostream& err, const Error& error);

// Prints it and says how the process ends: 64 for a wrong use, 130 for an interruption, else 1.
int exit_with(std::ostream& err, const Error& error);

}  // namespace galleryd
