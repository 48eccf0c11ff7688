#include "controller/program/command_approve.h"

#include <ostream>

#include "controller/adapters/clock/system_clock.h"
#include "controller/adapters/journal/journal.h"
#include "controller/program/messages.h"
#include "controller/program/options.h"
#include "controller/program/state_directory.h"

namespace galleryd {
namespace {

constexpr int events_page = 1000;

bool is_digest(const std::string& text) {
    return text.size() == 71 && text.starts_with("sha256:") &&
           text.find_first_not_of("0123456789abcdef", 7) == std::string::npos;
}

struct Heard {
    bool is_named = false;  // some event names the digest: plans and frozen sources print theirs
    TimePoint last{};  // when the last event was written; by order, so that a clock that was wrong once is forgotten
};

Heard hear(Journal& journal, const std::string& digest) {
    Heard heard;
    std::int64_t after = 0;
    while (true) {
        const auto events = journal.events(after, events_page);
        if (!events || events->empty()) return heard;
        for (const EventRecord& event : *events) {
            heard.is_named = heard.is_named || event.plan_id == digest || event.revision == digest ||
                             event.message.find(digest) != std::string::npos;
        }
        heard.last = events->back().at;
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
    const Heard heard = hear(**journal, options.digest);
    // Beside a sped-up Azure the daemon's clock is ahead of ours; its last event says how far at least.
    const TimePoint expires = std::max(clock.now(), heard.last) + *valid_for;
    if (const Status stored = (*journal)->put_approval(options.digest, user == nullptr ? "unknown" : user, expires);
        !stored) {
        print_error(err, stored.error());
        return exit_error;
    }
    if (!heard.is_named)
        err << "galleryd: note: no event in " << directory
            << " names this digest. It counts only if a plan or a source of that daemon has exactly this one.\n";
    out << "Approved " << options.digest << " until " << format_rfc3339(expires)
        << ". The daemon takes it up at its next pass.\n";
    return exit_done;
}

}  // namespace galleryd
