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

Result<std::chrono::seconds> parse_duration_flag(const std::string& flag, const std::string& text,
                                                 std::chrono::seconds most) {
    const auto duration = parse_duration(text);
    if (!duration || duration->count() < 1 || *duration > most)
        return wrong_usage("GD5003", flag + " " + text + ": write a duration from 1s to " + format_duration(most) +
                                         ", such as 30s, 5m or 1h");
    return *duration;
}

Result<Intervals> parse_intervals(const std::string& interval, const std::string& full) {
    const auto often = parse_duration_flag("--interval", interval, std::chrono::days{1});
    if (!often) return std::unexpected(often.error());
    const auto seldom = parse_duration_flag("--full-interval", full, std::chrono::days{30});
    if (!seldom) return std::unexpected(seldom.error());
    if (*seldom < *often) {
        return wrong_usage("GD5026", "--full-interval " + full + " is shorter than --interval " + interval +
                                         ": complete looks are some of all looks. Make it at least as long; the same "
                                         "makes every look a complete one");
    }
    return Intervals{.interval = *often, .full = *seldom};
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
