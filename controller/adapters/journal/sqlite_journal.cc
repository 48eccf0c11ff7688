#include "controller/adapters/journal/sqlite_journal.h"

#include <algorithm>

namespace galleryd::journal {

namespace {

constexpr int rows_max = 100'000;  // of one answer

Row audit_row(const Intent& intent, const std::string& outcome, const std::string& correlation_id,
              const std::optional<TimePoint>& finished) {
    return {time_value(intent.at),
            intent.resource,
            fold_case(ResourceId(intent.resource).subscription()),
            intent.step,
            intent.document,
            intent.revision,
            intent.rule,
            intent.reason,
            intent.plan_id,
            intent.detail,
            intent.asked_by,
            std::int64_t{intent.destructive ? 1 : 0},
            outcome,
            correlation_id,
            time_value(finished)};
}

AuditRecord audit_record(Row& row) {  // row: id and the columns of audit_row
    AuditRecord record;
    record.id = number(row[0]);
    record.intent.at = instant(row[1]);
    record.intent.resource = text(row[2]);
    record.intent.step = text(row[4]);
    record.intent.document = text(row[5]);
    record.intent.revision = text(row[6]);
    record.intent.rule = text(row[7]);
    record.intent.reason = text(row[8]);
    record.intent.plan_id = text(row[9]);
    record.intent.detail = text(row[10]);
    record.intent.asked_by = text(row[11]);
    record.intent.destructive = number(row[12]) != 0;
    record.outcome = text(row[13]);
    record.correlation_id = text(row[14]);
    record.finished = optional_instant(row[15]);
    return record;
}

}  // namespace

SqliteJournal::SqliteJournal(JournalOptions options, std::unique_ptr<DirectoryLock> lock,
                             std::unique_ptr<Database> database, std::optional<Error> not_writable_because)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      database_(std::move(database)),
      stopped_(std::move(not_writable_because)) {
    options_.report = nullptr;  // belongs to the caller of open_journal
}

Status SqliteJournal::stop(const Error& cause) {
    if (!stopped_) {
        stopped_ = cause;
        stopped_->reason = "JournalStopped";
    }
    return std::unexpected(cause);
}

std::unexpected<Error> SqliteJournal::damaged(const std::string& what) {
    Error error{.kind = ErrorKind::transient, .reason = std::string(corrupt_reason), .message = "journal: " + what};
    error.code = "GD4102";
    static_cast<void>(stop(error).has_value());
    return std::unexpected(std::move(error));
}

Status SqliteJournal::write(const std::function<Status()>& body) {
    if (stopped_) return std::unexpected(*stopped_);
    const auto transaction = Transaction::begin(*database_);
    if (!transaction) return stop(transaction.error());
    const Status done = body();
    if (!done) return is_storage_failure(done.error()) ? stop(done.error()) : done;
    const Status committed = (*transaction)->commit();
    if (!committed) return stop(committed.error());
    return {};
}

Result<std::vector<Row>> SqliteJournal::read(const Table& table, const std::string& tail, const Row& arguments) {
    auto rows = get_rows(*database_, table, tail, arguments);
    if (!rows && rows.error().reason == corrupt_reason) static_cast<void>(stop(rows.error()).has_value());
    return rows;
}

// ---- intents ----

Result<std::int64_t> SqliteJournal::begin_intent(const Intent& intent) {
    std::int64_t id = 0;
    const auto done = write([&]() -> Status {
        const auto put = put_row(*database_, audit_table, audit_row(intent, "", "", std::nullopt));
        if (!put) return put;
        id = database_->last_insert_id();
        // What is not answered yet is never trimmed.
        return database_->execute("DELETE FROM audit WHERE id <= ? AND outcome <> ''", {id - options_.audit_max});
    });
    if (!done) return std::unexpected(done.error());
    return id;
}

Status SqliteJournal::close_audit_row(std::int64_t id, const std::string& outcome,
                                      const std::optional<std::string>& correlation_id, TimePoint at) {
    auto rows = read(audit_table, "WHERE id = ?", {id});
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return fail(ErrorKind::bug, "UnknownIntent", "journal: no intent " + std::to_string(id));
    const AuditRecord record = audit_record(rows->front());
    return put_row(*database_, audit_table,
                   audit_row(record.intent, outcome, correlation_id.value_or(record.correlation_id), at), id);
}

Status SqliteJournal::finish_intent(std::int64_t intent, const std::string& outcome, const std::string& correlation_id,
                                    TimePoint at, const std::optional<OperationRecord>& operation) {
    return write([&]() -> Status {
        const auto closed = close_audit_row(intent, outcome, correlation_id, at);
        if (!closed || !operation) return closed;
        const OperationRecord& o = *operation;
        return put_row(*database_, operations_table,
                       {ResourceId(o.resource).key(), intent, o.resource, o.step, o.scope, o.operation.url,
                        o.operation.final_url, time_value(o.started)});
    });
}

Result<std::vector<AuditRecord>> SqliteJournal::read_audit(const std::string& tail, const Row& arguments) {
    auto rows = read(audit_table, tail, arguments);
    if (!rows) return std::unexpected(rows.error());
    std::vector<AuditRecord> records;
    records.reserve(rows->size());
    for (Row& row : *rows) records.push_back(audit_record(row));
    return records;
}

Result<std::vector<AuditRecord>> SqliteJournal::open_intents() {
    return read_audit("WHERE outcome = '' ORDER BY id", {});
}

Result<std::vector<AuditRecord>> SqliteJournal::audit(int limit) {
    return read_audit("ORDER BY id DESC LIMIT ?", {std::int64_t{std::clamp(limit, 0, rows_max)}});
}

Result<int> SqliteJournal::deletes_since(const std::string& subscription, TimePoint since) {
    const auto rebuilt = setting("rebuilt_at");
    if (!rebuilt) return std::unexpected(rebuilt.error());
    const auto rebuilt_at = parse_rfc3339(*rebuilt);
    if (rebuilt_at && *rebuilt_at >= since) {  // what the damaged one had counted is lost
        return fail(
            ErrorKind::not_ready, "RebuiltLately",
            "the journal was damaged and begun anew at " + *rebuilt + ": how much was deleted before is not known");
    }
    // An intent without an answer may have been carried out: a brake counts it.
    auto rows = read(audit_table,
                     "WHERE step = 'DeleteVersion' AND subscription = ? AND at >= ? AND outcome NOT LIKE 'failed%'",
                     {fold_case(subscription), time_value(since)});
    if (!rows) return std::unexpected(rows.error());
    return static_cast<int>(rows->size());
}

// ---- operations in flight ----

Result<std::vector<OperationRecord>> SqliteJournal::operations() {
    auto rows = read(operations_table, "ORDER BY started, resource_key", {});
    if (!rows) return std::unexpected(rows.error());
    std::vector<OperationRecord> records;
    for (Row& row : *rows) {
        OperationRecord& record = records.emplace_back();
        record.intent = number(row[1]);
        record.resource = text(row[2]);
        record.step = text(row[3]);
        record.scope = text(row[4]);
        record.operation.url = text(row[5]);
        record.operation.final_url = text(row[6]);
        record.started = instant(row[7]);
    }
    return records;
}

Status SqliteJournal::finish_operation(const std::string& resource, const std::string& outcome, TimePoint at) {
    const std::string key = ResourceId(resource).key();
    return write([&]() -> Status {
        auto rows = read(operations_table, "WHERE resource_key = ?", {key});
        if (!rows) return std::unexpected(rows.error());
        if (rows->empty()) return {};  // finished before: repeating is harmless
        const auto removed = database_->execute("DELETE FROM operations WHERE resource_key = ?", {key});
        if (!removed) return removed;
        const auto closed = close_audit_row(number(rows->front()[1]), outcome, std::nullopt, at);
        if (!closed && closed.error().reason == "UnknownIntent") return {};  // trimmed meanwhile
        return closed;
    });
}

}  // namespace galleryd::journal
