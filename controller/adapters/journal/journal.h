#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "controller/core/time.h"
#include "controller/ports/journal.h"

// The state directory: one SQLite database (write-ahead log, full sync), a lock file, and databases that were found
// damaged.
//   galleryd.db (+ -wal, -shm)   0600
//   galleryd.lock                held with flock(2) while a daemon runs; contains its process id
//   galleryd.db.corrupt-<time>   moved aside when it failed its check at start; the newest five are kept
namespace galleryd::journal {

// What opening found, for the daemon's log, events and first phase.
struct OpenReport {
    bool fresh = false;    // no journal was there: first start, or the directory was lost. Begin in the look-only phase
    bool rebuilt = false;  // a damaged one was moved aside and a new one started. Begin in the look-only phase
    std::string moved_aside;  // its new path
    std::string notice;       // one sentence for people when something is unusual; "" otherwise
    std::string
        notice_code;  // "GD4102" (damaged or emptied), "GD4103" (newer schema), "GD4104" (not writable), "GD4105"
};

struct JournalOptions {
    std::string directory;  // made with mode 0700 (parents as well) when it is missing
    bool read_only = false;  // for `get`, `events`, … while a daemon runs: takes no lock, writes nothing, moves nothing
    bool beside_a_daemon =
        false;  // for `approve`: writes without the lock, one transaction at a time, to a journal that exists
    bool in_memory = false;  // nothing on disk: `plan`, tests
    TimePoint now{};         // names a damaged database, fills the settings `created_at` and `rebuilt_at`
    std::int64_t pages_max =
        0;  // limit of the database in pages of 4 KiB; 0 = none. A full database behaves like a full disk
    std::int64_t audit_max = 100'000;  // records kept; the oldest finished ones go first
    std::int64_t events_max = 10'000;
    OpenReport* report = nullptr;
};

// Errors (all with a code): GD4101 another process holds the directory (its pid is in the message); GD4106 the
// directory cannot be made or is not a directory; GD4107 nothing to read (read_only); GD4102 damaged (read_only only:
// otherwise it is rebuilt). Never an error, because observing must always be possible (reliability R14): a newer
// schema, a directory without write permission, a full disk. The journal is then opened as far as possible and
// `writable()` is false from the start. A journal made anew has the setting `created_at` (RFC 3339); after a damaged
// one also `rebuilt_at`.
Result<std::unique_ptr<Journal>> open_journal(JournalOptions options);

}  // namespace galleryd::journal
