#include "controller/adapters/journal/schema.h"

#include <array>

#include "controller/core/digest.h"

namespace galleryd::journal {

namespace {

using Columns = std::string_view;
constexpr std::array<Columns, 15> audit_columns{
    "at",      "resource", "subscription", "step",        "document", "revision",       "rule",    "reason",
    "plan_id", "detail",   "asked_by",     "destructive", "outcome",  "correlation_id", "finished"};
constexpr std::array<Columns, 11> events_columns{"at",     "first_at", "count",          "warning", "reason",  "object",
                                                 "action", "message",  "correlation_id", "plan_id", "revision"};
constexpr std::array<Columns, 8> operations_columns{"resource_key", "intent", "resource",  "step",
                                                    "scope",        "url",    "final_url", "started"};
constexpr std::array<Columns, 2> resources_columns{"resource_key", "record"};
constexpr std::array<Columns, 13> documents_columns{
    "source",           "kind",     "namespace",       "name", "file", "digest",
    "content",          "azure_id", "deletion_policy", "mode", "hold", "first_missing",
    "snapshots_missing"};
constexpr std::array<Columns, 3> approvals_columns{"plan", "approved_by", "expires"};
constexpr std::array<Columns, 2> settings_columns{"key", "value"};

constexpr std::string_view version_1 = R"(
PRAGMA application_id = 0x47444a31;
CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, resource TEXT NOT NULL, subscription TEXT NOT NULL,
    step TEXT NOT NULL, document TEXT NOT NULL, revision TEXT NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL, plan_id TEXT NOT NULL,
    detail TEXT NOT NULL, asked_by TEXT NOT NULL, destructive INTEGER NOT NULL, outcome TEXT NOT NULL, correlation_id TEXT NOT NULL,
    finished INTEGER, row_digest TEXT NOT NULL);
CREATE INDEX audit_open ON audit (id) WHERE outcome = '';
CREATE INDEX audit_deletes ON audit (subscription, at) WHERE step = 'DeleteVersion';
CREATE TABLE events (sequence INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, first_at INTEGER NOT NULL, count INTEGER NOT NULL,
    warning INTEGER NOT NULL, reason TEXT NOT NULL, object TEXT NOT NULL, action TEXT NOT NULL, message TEXT NOT NULL,
    correlation_id TEXT NOT NULL, plan_id TEXT NOT NULL, revision TEXT NOT NULL, row_digest TEXT NOT NULL);
CREATE INDEX events_same ON events (object, reason, at);
CREATE TABLE operations (resource_key TEXT PRIMARY KEY, intent INTEGER NOT NULL, resource TEXT NOT NULL, step TEXT NOT NULL,
    scope TEXT NOT NULL, url TEXT NOT NULL, final_url TEXT NOT NULL, started INTEGER NOT NULL, row_digest TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE resources (resource_key TEXT PRIMARY KEY, record TEXT NOT NULL, row_digest TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (source TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, file TEXT NOT NULL,
    digest TEXT NOT NULL, content TEXT NOT NULL, azure_id TEXT NOT NULL, deletion_policy TEXT NOT NULL, mode TEXT NOT NULL,
    hold TEXT NOT NULL, first_missing INTEGER, snapshots_missing INTEGER NOT NULL, row_digest TEXT NOT NULL,
    PRIMARY KEY (source, kind, namespace, name)) WITHOUT ROWID;
CREATE TABLE approvals (plan TEXT PRIMARY KEY, approved_by TEXT NOT NULL, expires INTEGER NOT NULL, row_digest TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL, row_digest TEXT NOT NULL) WITHOUT ROWID;
)";

constexpr std::string_view audit_checked =
    "WHERE outcome = '' OR step = 'DeleteVersion' OR id > (SELECT coalesce(max(id), 0) - 1000 FROM audit)";

std::unexpected<Error> corrupt(std::string what) {
    Error error{
        .kind = ErrorKind::transient, .reason = std::string(corrupt_reason), .message = "journal: " + std::move(what)};
    error.code = "GD4102";
    return std::unexpected(std::move(error));
}

std::string column_list(const Table& table) {
    std::string list(table.identity);
    for (const std::string_view column : table.columns) {
        if (!list.empty()) list += ",";
        list += column;
    }
    return list + ",row_digest";
}

}  // namespace

const Table audit_table{"audit", "id", audit_columns};
const Table events_table{"events", "sequence", events_columns};
const Table operations_table{"operations", "", operations_columns};
const Table resources_table{"resources", "", resources_columns};
const Table documents_table{"documents", "", documents_columns};
const Table approvals_table{"approvals", "", approvals_columns};
const Table settings_table{"settings", "", settings_columns};

std::span<const Table* const> all_tables() {
    static constexpr std::array<const Table*, 7> tables{&audit_table,     &events_table,    &operations_table,
                                                        &resources_table, &documents_table, &approvals_table,
                                                        &settings_table};
    return tables;
}

std::string row_digest(const Table& table, std::span<const Value> values) {
    std::string text(table.name);
    for (const Value& value : values) {
        const auto* number = std::get_if<std::int64_t>(&value);
        const auto* string = std::get_if<std::string>(&value);
        if (number != nullptr) text += "\x1fi" + std::to_string(*number);
        else if (string != nullptr) text += "\x1ft" + std::to_string(string->size()) + ":" + *string;
        else text += "\x1fn";
    }
    return sha256_hex(text).substr(0, 16);
}

Status put_row(Database& database, const Table& table, Row values, std::int64_t id) {
    values.emplace_back(row_digest(table, values));
    if (!table.identity.empty()) values.insert(values.begin(), id == 0 ? Value(std::monostate{}) : Value(id));
    std::string marks = "?";
    for (std::size_t i = 1; i < values.size(); ++i) marks += ",?";
    return database.execute(
        "INSERT OR REPLACE INTO " + std::string(table.name) + " (" + column_list(table) + ") VALUES (" + marks + ")",
        values);
}

Result<std::vector<Row>> get_rows(Database& database, const Table& table, const std::string& tail,
                                  const Row& arguments) {
    auto rows =
        database.query("SELECT " + column_list(table) + " FROM " + std::string(table.name) + " " + tail, arguments);
    if (!rows) return rows;
    const std::size_t first = table.identity.empty() ? 0 : 1;
    for (Row& row : *rows) {
        if (row.size() != first + table.columns.size() + 1)
            return corrupt("a row of table " + std::string(table.name) + " has a wrong shape");
        const auto* stored = std::get_if<std::string>(&row.back());
        const std::span<const Value> values(row.data() + first, table.columns.size());
        if (stored == nullptr || *stored != row_digest(table, values)) {
            return corrupt("a row of table " + std::string(table.name) + " does not match its digest");
        }
        row.pop_back();
    }
    return rows;
}

std::span<const Migration> migrations() {
    static constexpr Migration steps[] = {{1, version_1}};
    return steps;
}

Result<std::int64_t> read_schema_version(Database& database) {
    const auto rows = database.query("PRAGMA user_version", {});
    if (!rows) return std::unexpected(rows.error());
    if (rows->size() != 1 || !std::holds_alternative<std::int64_t>(rows->front().front()))
        return corrupt("no schema version");
    return std::get<std::int64_t>(rows->front().front());
}

Status migrate(Database& database, std::span<const Migration> steps) {
    const auto present = read_schema_version(database);
    if (!present) return std::unexpected(present.error());
    if (!steps.empty() && steps.back().to <= *present) return {};
    const auto transaction = Transaction::begin(database);
    if (!transaction) return std::unexpected(transaction.error());
    for (const Migration& step : steps) {
        if (step.to <= *present) continue;
        const auto done =
            database.script(std::string(step.sql) + "\nPRAGMA user_version = " + std::to_string(step.to) + ";");
        if (!done) return done;
    }
    return (*transaction)->commit();
}

Status check_integrity(Database& database) {
    const auto version = read_schema_version(database);
    if (!version) return std::unexpected(version.error());
    const auto verdict = database.query("PRAGMA integrity_check(1)", {});
    if (!verdict) return std::unexpected(verdict.error());
    if (verdict->size() != 1 || verdict->front() != Row{std::string("ok")})
        return corrupt("SQLite's integrity_check found damage");
    const auto tables = database.query("SELECT count(*) FROM sqlite_schema", {});
    if (!tables) return std::unexpected(tables.error());
    if (tables->front() == Row{std::int64_t{0}} && *version == 0) return {};  // made, but not yet migrated
    const auto application = database.query("PRAGMA application_id", {});
    if (!application) return std::unexpected(application.error());
    if (application->front() != Row{std::int64_t{0x47444a31}}) return corrupt("this is not a journal of galleryd");
    if (*version < 1) return corrupt("no schema version");
    if (*version > schema_version) return {};  // unknown columns: their owner checks them
    return check_rows(database);
}

Status check_rows(Database& database) {
    for (const Table* table : all_tables()) {
        const bool is_audit = table == &audit_table;
        const auto rows = get_rows(database, *table, is_audit ? std::string(audit_checked) : std::string(), {});
        // Our own SELECT refused: a table or column is not what it was.
        if (!rows && rows.error().reason == refused_reason) return corrupt(rows.error().message);
        if (!rows) return std::unexpected(rows.error());
    }
    return {};
}

}  // namespace galleryd::journal
