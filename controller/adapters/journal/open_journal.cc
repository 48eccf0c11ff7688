#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "controller/adapters/journal/directory.h"
#include "controller/adapters/journal/sqlite_journal.h"

namespace galleryd::journal {

namespace {

Error coded(ErrorKind kind, std::string code, std::string reason, std::string message) {
    Error error{.kind = kind, .reason = std::move(reason), .message = std::move(message)};
    error.code = std::move(code);
    return error;
}

// Also a link that leads nowhere: it is not nothing.
bool exists(const std::string& path) { return ::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0; }

// Opened, checked and at the present schema. `refusal` is set when it may only be read.
struct Opened {
    std::unique_ptr<Database> database;
    std::optional<Error> refusal;
};

// SQLite refuses a statement of ours: the file is not what we wrote (a flipped bit in its format number, for instance).
std::unexpected<Error> opening_failed(Error error) {
    if (error.reason == refused_reason) {
        error.reason = corrupt_reason;
        error.code = "GD4102";
    }
    return std::unexpected(std::move(error));
}

std::optional<Error> newer_schema(Database& database) {
    const auto version = read_schema_version(database);
    if (!version || *version <= schema_version) return std::nullopt;
    return coded(ErrorKind::denied, "GD4103", "JournalTooNew",
                 "the journal was written by a newer galleryd (schema " + std::to_string(*version) +
                     ", this one knows " + std::to_string(schema_version) +
                     "): observing only, nothing is written to Azure");
}

Result<Opened> open_for_reading(const std::string& path) {
    if (const auto checked = check_database_file(path); !checked) return std::unexpected(checked.error());
    auto database = Database::open(path, OpenMode::read_only, 0);
    if (!database) return opening_failed(database.error());
    const auto version = read_schema_version(**database);
    if (!version) return opening_failed(version.error());
    if (*version < 1)
        return std::unexpected(
            coded(ErrorKind::not_ready, "GD4107", "JournalMissing", "journal " + path + " holds nothing yet"));
    Opened opened{std::move(*database), std::nullopt};
    opened.refusal = newer_schema(*opened.database);
    // Rows whose digests cover columns that this galleryd does not know cannot be believed, and are no damage either.
    if (opened.refusal && !check_rows(*opened.database)) return std::unexpected(std::move(*opened.refusal));
    return opened;
}

Result<Opened> open_for_writing(const std::string& path, const JournalOptions& options) {
    if (const auto prepared = prepare_database_file(path); !prepared) return std::unexpected(prepared.error());
    auto database = Database::open(path, OpenMode::read_write, options.pages_max);
    if (!database) return opening_failed(database.error());
    if (const auto checked = check_integrity(**database); !checked) return opening_failed(checked.error());
    (*database)->trust();
    if (auto newer = newer_schema(**database)) {
        database->reset();
        auto reading = open_for_reading(path);
        if (reading) reading->refusal = std::move(newer);
        return reading;
    }
    if (const auto migrated = migrate(**database, migrations()); !migrated) return std::unexpected(migrated.error());
    return Opened{std::move(*database), std::nullopt};
}

// A journal that forgets: observing goes on without a usable directory, and nothing is written to Azure.
Result<std::unique_ptr<Journal>> forgetful(const JournalOptions& options, std::unique_ptr<DirectoryLock> lock,
                                           std::optional<Error> why) {
    auto database = Database::open("", OpenMode::in_memory, options.pages_max);
    if (!database) return std::unexpected(database.error());
    if (const auto migrated = migrate(**database, migrations()); !migrated) return std::unexpected(migrated.error());
    return std::make_unique<SqliteJournal>(options, std::move(lock), std::move(*database), std::move(why));
}

void note(const JournalOptions& options, const Error& error) {
    options.report->notice = error.message;
    options.report->notice_code = error.code;
}

Result<std::unique_ptr<Journal>> open_read_only(const JournalOptions& options, const std::string& path) {
    if (!exists(path)) {
        return std::unexpected(
            coded(ErrorKind::not_ready, "GD4107", "JournalMissing",
                  "no journal at " + path + ": has `galleryd run` been started with this --state-dir?"));
    }
    auto opened = open_for_reading(path);
    if (!opened) return std::unexpected(opened.error());
    Error refusal = coded(ErrorKind::denied, "GD4104", "JournalReadOnly", "the journal was opened for reading only");
    return std::make_unique<SqliteJournal>(options, nullptr, std::move(opened->database), std::move(refusal));
}

// SQLite itself keeps the two writers' transactions apart; the lock only says who follows Azure.
Result<std::unique_ptr<Journal>> open_beside_a_daemon(const JournalOptions& options, const std::string& path) {
    if (!exists(path)) {
        return std::unexpected(
            coded(ErrorKind::not_ready, "GD4107", "JournalMissing",
                  "no journal at " + path + ": has `galleryd run` been started with this --state-dir?"));
    }
    auto opened = open_for_writing(path, options);
    if (!opened) return std::unexpected(opened.error());
    return std::make_unique<SqliteJournal>(options, nullptr, std::move(opened->database), std::move(opened->refusal));
}

// A directory that may be read and not written (reliability P4): what is there is shown, nothing is written.
Result<std::unique_ptr<Journal>> open_unwritable(const JournalOptions& options, const std::string& path) {
    const Error why =
        coded(ErrorKind::denied, "GD4104", "JournalNotWritable",
              "state directory " + options.directory + " is not writable: observing only, nothing is written to Azure");
    note(options, why);
    if (exists(path)) {
        auto opened = open_for_reading(path);
        if (opened) return std::make_unique<SqliteJournal>(options, nullptr, std::move(opened->database), why);
    }
    return forgetful(options, nullptr, why);
}

bool has_damaged_before(const std::string& directory) {
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
        if (entry.path().filename().string().starts_with("galleryd.db.corrupt-")) return true;
    }
    return false;
}

// Errors in here leave the journal open and stopped; the caller sees that from writable().
void remember_start(Journal& journal, const JournalOptions& options) {
    const auto created = journal.setting("created_at");
    if (!created || !created->empty() || !journal.writable()) return;
    // Killed right after a damaged one was moved aside: this one has no beginning yet.
    if (has_damaged_before(options.directory)) options.report->rebuilt = true;
    options.report->fresh = !options.report->rebuilt;
    const std::string now = format_rfc3339(options.now);
    // First: whoever is killed in between begins here again.
    if (options.report->rebuilt && !journal.put_setting("rebuilt_at", now)) return;
    static_cast<void>(journal.put_setting("created_at", now).has_value());  // when it fails, the journal says so
}

}  // namespace

Result<std::unique_ptr<Journal>> open_journal(JournalOptions options) {
    OpenReport ignored;
    if (options.report == nullptr) options.report = &ignored;
    *options.report = {};
    if (options.in_memory) {
        auto journal = forgetful(options, nullptr, std::nullopt);
        if (journal) remember_start(**journal, options);
        return journal;
    }
    const std::string path = options.directory + "/galleryd.db";
    if (options.read_only) return open_read_only(options, path);
    if (options.beside_a_daemon) return open_beside_a_daemon(options, path);
    if (const auto made = make_state_directory(options.directory); !made) return std::unexpected(made.error());
    if (!is_directory_writable(options.directory)) return open_unwritable(options, path);
    auto lock = DirectoryLock::take(options.directory);
    if (!lock) return std::unexpected(lock.error());

    const bool was_emptied = is_empty_file(path);
    auto opened = open_for_writing(path, options);
    if (!opened && opened.error().reason == corrupt_reason) {
        const auto target = move_aside(path, options.now);
        if (!target) return std::unexpected(target.error());
        options.report->rebuilt = true;
        options.report->moved_aside = *target;
        options.report->notice = "the journal was damaged and moved to " + *target + "; starting with a new one (" +
                                 opened.error().message + ")";
        options.report->notice_code = "GD4102";
        opened = open_for_writing(path, options);
    }
    if (!opened) {
        if (opened.error().code == "GD4106") return std::unexpected(opened.error());
        note(options, opened.error());  // a full disk at start, for instance
        return forgetful(options, std::move(*lock), opened.error());
    }
    if (opened->refusal) note(options, *opened->refusal);
    if (was_emptied) {  // nothing is left to be kept aside; somebody has to hear of it all the same
        options.report->notice = "the journal " + path + " was empty; starting with a new one";
        options.report->notice_code = "GD4102";
        options.report->rebuilt = true;
    }
    auto journal = std::make_unique<SqliteJournal>(options, std::move(*lock), std::move(opened->database),
                                                   std::move(opened->refusal));
    remember_start(*journal, options);
    return journal;
}

}  // namespace galleryd::journal
