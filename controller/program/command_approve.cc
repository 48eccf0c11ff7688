#include "controller/program/command_approve.h"

#include <ostream>

#include "controller/adapters/clock/system_clock.h"
#include "controller/adapters/journal/journal.h"
#include "controller/program/messages.h"
#include "controller/program/options.h"
#include "controller/program/state_directory.h"

namespace galleryd {
namespace {

bool is_digest(const std::string& text) {
    return text.size() == 71 && text.starts_with("sha256:") &&
           text.find_first_not_of("0123456789abcdef", 7) == std::string::npos;
}

// Does any event name it? Plans and frozen sources print theirs.
bool is_named(Journal& journal, const std::string& digest) {
    constexpr int page = 1000;
    std::int64_t after = 0;
    while (true) {
        const auto events = journal.events(after, page);
        if (!events || events->empty()) return false;
        for (const EventRecord& event : *events) {
            if (event.plan_id == digest || event.revision == digest || event.message.find(digest) != std::string::npos)
                return true;
        }
        after = events->back().sequence;
    }
}

}  // namespace

int run_approve(const ApproveOptions& options, std::ostream& out, std::ostream& err) {
    if (!is_digest(options.digest)) {
        err << "galleryd: `" << options.digest
            << "` is not a digest. Copy the whole sha256:… that `galleryd plan`, `galleryd get sources -o json` or an "
               "event prints. (GD5019)\n";
        return exit_usage;
    }
    const auto valid_for = parse_duration_flag("--for", options.valid_for);
    if (!valid_for) {
        print_error(err, valid_for.error());
        return exit_usage;
    }
    SystemClock clock;
    const std::string directory = options.state_dir.empty() ? default_state_directory() : options.state_dir;
    auto journal = journal::open_journal(
        journal::JournalOptions{.directory = directory, .beside_a_daemon = true, .now = clock.now()});
    if (!journal) {
        print_error(err, journal.error());
        return exit_error;
    }
    const char* user = std::getenv("USER");
    const TimePoint expires = clock.now() + *valid_for;
    if (const Status stored = (*journal)->put_approval(options.digest, user == nullptr ? "unknown" : user, expires);
        !stored) {
        print_error(err, stored.error());
        return exit_error;
    }
    if (!is_named(**journal, options.digest))
        err << "galleryd: note: no event in " << directory
            << " names this digest. It counts only if a plan or a source of that daemon has exactly this one.\n";
    out << "Approved " << options.digest << " until " << format_rfc3339(expires)
        << ". The daemon takes it up at its next pass.\n";
    return exit_done;
}

}  // namespace galleryd
