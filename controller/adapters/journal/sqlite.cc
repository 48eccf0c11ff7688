#include "controller/adapters/journal/sqlite.h"

#include <sqlite3.h>

namespace galleryd::journal {

namespace {

constexpr int busy_wait_ms = 2000;  // a reader that checkpoints holds the lock for milliseconds

std::string_view reason_of(int code) {
    switch (code & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return corrupt_reason;
        case SQLITE_FULL: return "JournalFull";
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return "JournalBusy";
        case SQLITE_ERROR: return refused_reason;
        default: return "JournalFailed";
    }
}

Value column_value(sqlite3_stmt* statement, int index) {
    switch (sqlite3_column_type(statement, index)) {
        case SQLITE_INTEGER: return static_cast<std::int64_t>(sqlite3_column_int64(statement, index));
        case SQLITE_NULL: return std::monostate{};
        default: {
            const auto* text = static_cast<const char*>(sqlite3_column_blob(statement, index));
            const int size = sqlite3_column_bytes(statement, index);
            return text == nullptr ? std::string() : std::string(text, static_cast<std::size_t>(size));
        }
    }
}

int bind_value(sqlite3_stmt* statement, int index, const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return sqlite3_bind_int64(statement, index, *number);
    if (const auto* text = std::get_if<std::string>(&value)) {
        // Text lives in the caller's Row until the statement is reset.
        return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    return sqlite3_bind_null(statement, index);
}

// Resets on every way out, so that no statement keeps a read transaction open.
struct Reset {
    sqlite3_stmt* statement;
    ~Reset() {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
    }
};

}  // namespace

bool is_storage_failure(const Error& error) { return error.reason.starts_with("Journal"); }

Result<std::unique_ptr<Database>> Database::open(const std::string& path, OpenMode mode, std::int64_t pages_max) {
    // Not SQLITE_OPEN_NOFOLLOW: it refuses a link in any parent (/var/run); prepare_database_file refuses a linked
    // file.
    int flags = SQLITE_OPEN_EXRESCODE;
    flags |= mode == OpenMode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (mode == OpenMode::in_memory) flags |= SQLITE_OPEN_MEMORY;
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(mode == OpenMode::in_memory ? ":memory:" : path.c_str(), &handle, flags, nullptr);
    std::unique_ptr<Database> database(new Database(handle));
    if (code != SQLITE_OK) return database->failure(code, "open");
    sqlite3_busy_timeout(handle, busy_wait_ms);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    std::string settings =
        "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-1024;";
    if (mode == OpenMode::read_write)
        settings += "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216;";
    if (pages_max > 0) settings += "PRAGMA max_page_count=" + std::to_string(pages_max) + ";";
    if (const auto done = database->script(settings); !done) return std::unexpected(done.error());
    return database;
}

Database::~Database() {
    for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close_v2(handle_);
}

std::unexpected<Error> Database::failure(int code, std::string_view attempted) const {
    const std::string_view reason = reason_of(code);
    Error error{.kind = ErrorKind::transient, .reason = std::string(reason), .message = {}};
    error.code = reason == corrupt_reason ? "GD4102" : "GD4105";
    error.message = "journal: cannot " + std::string(attempted) + ": " +
                    (handle_ == nullptr ? std::string("out of memory") : std::string(sqlite3_errmsg(handle_))) +
                    " (SQLite " + std::to_string(code) + ")";
    return std::unexpected(std::move(error));
}

Status Database::script(const std::string& sql) {
    const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failure(code, "run `" + sql.substr(0, sql.find('\n')) + "`");
    return {};
}

Result<sqlite3_stmt*> Database::prepared(const std::string& sql, const Row& arguments) {
    auto [position, is_new] = statements_.try_emplace(sql, nullptr);
    if (is_new) {
        const int code =
            sqlite3_prepare_v3(handle_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &position->second, nullptr);
        if (code != SQLITE_OK) {
            statements_.erase(position);
            return failure(code, "prepare `" + sql + "`");
        }
    }
    sqlite3_stmt* statement = position->second;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const int code = bind_value(statement, static_cast<int>(i + 1), arguments[i]);
        if (code != SQLITE_OK) return failure(code, "bind `" + sql + "`");
    }
    return statement;
}

Status Database::execute(const std::string& sql, const Row& arguments) {
    const auto rows = query(sql, arguments);
    if (!rows) return std::unexpected(rows.error());
    return {};
}

Result<std::vector<Row>> Database::query(const std::string& sql, const Row& arguments) {
    const auto statement = prepared(sql, arguments);
    if (!statement) return std::unexpected(statement.error());
    const Reset reset{*statement};
    std::vector<Row> rows;
    for (;;) {
        const int code = sqlite3_step(*statement);
        if (code == SQLITE_DONE) return rows;
        if (code != SQLITE_ROW) return failure(code, "run `" + sql + "`");
        const int columns = sqlite3_column_count(*statement);
        Row& row = rows.emplace_back();
        row.reserve(static_cast<std::size_t>(columns));
        for (int i = 0; i < columns; ++i) row.push_back(column_value(*statement, i));
    }
}

void Database::trust() { sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr); }

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }

Result<std::unique_ptr<Transaction>> Transaction::begin(Database& database) {
    if (const auto begun = database.execute("BEGIN IMMEDIATE", {}); !begun) return std::unexpected(begun.error());
    return std::unique_ptr<Transaction>(new Transaction(database));
}

Status Transaction::commit() {
    const auto committed = database_.execute("COMMIT", {});
    if (committed) open_ = false;
    return committed;
}

Transaction::~Transaction() {
    if (open_)
        static_cast<void>(database_.execute("ROLLBACK", {}));  // fails when SQLite rolled back by itself: same end
}

}  // namespace galleryd::journal
