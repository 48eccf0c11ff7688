#include "controller/program/messages.h"

#include <ostream>

#include "controller/core/time.h"
#include "controller/program/options.h"

namespace galleryd {

std::unexpected<Error> wrong_usage(std::string code, std::string message) {
    Error error{.kind = ErrorKind::invalid, .reason = "WrongUsage", .message = std::move(message)};
    error.code = std::move(code);
    return std::unexpected(std::move(error));
}

Result<std::chrono::seconds> parse_duration_flag(const std::string& flag, const std::string& text) {
    const auto duration = parse_duration(text);
    if (!duration || duration->count() < 1)
        return wrong_usage("GD5003", flag + " " + text + ": write a duration such as 30s, 5m or 1h");
    return *duration;
}

void print_error(std::ostream& err, const Error& error) {
    err << "galleryd: " << error.message;
    if (!error.code.empty()) err << " (" << error.code << ", see `galleryd explain " << error.code << "`)";
    if (!error.correlation_id.empty()) err << "\n  Azure correlation id: " << error.correlation_id;
    err << "\n";
}

int exit_with(std::ostream& err, const Error& error) {
    print_error(err, error);
    const bool is_usage = error.reason == "WrongUsage" && error.code != "GD5005";  // no credential: the environment's
    return is_usage ? exit_usage : error.reason == "Interrupted" ? exit_interrupted : exit_error;
}

}  // namespace galleryd
