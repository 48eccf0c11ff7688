#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "controller/adapters/journal/directory.h"
#include "controller/adapters/journal/journal.h"
#include "controller/adapters/journal/schema.h"

namespace galleryd::journal {

// The port on an open database. Every call is one transaction; the first failed write stops all later ones (after a
// failed fsync nobody knows what is on disk, and the page cache must not be trusted: reliability P4).
class SqliteJournal : public Journal {
  public:
    SqliteJournal(JournalOptions options, std::unique_ptr<DirectoryLock> lock, std::unique_ptr<Database> database,
                  std::optional<Error> not_writable_because);

    Result<std::int64_t> begin_intent(const Intent& intent) override;
    Status finish_intent(std::int64_t intent, const std::string& outcome, const std::string& correlation_id,
                         TimePoint at, const std::optional<OperationRecord>& operation) override;
    Result<std::vector<AuditRecord>> open_intents() override;
    Result<std::vector<AuditRecord>> audit(int limit) override;
    Result<std::vector<OperationRecord>> operations() override;
    Status finish_operation(const std::string& resource, const std::string& outcome, TimePoint at) override;
    Result<std::map<std::string, ResourceRecord>> resource_records() override;
    Status put_resource_record(const std::string& resource_key, const ResourceRecord& record) override;
    Status forget_resource(const std::string& resource_key) override;
    Result<std::vector<GoodDocument>> good_documents(Content content) override;
    Status update_good_documents(const std::string& source, const std::vector<GoodDocument>& put,
                                 const std::vector<ObjectKey>& gone) override;
    Status put_event(const EventRecord& event) override;
    Result<std::vector<EventRecord>> events(std::int64_t after_sequence, int limit) override;
    Result<std::map<std::string, TimePoint>> approvals() override;
    Status put_approval(const std::string& digest, const std::string& by, TimePoint expires) override;
    Result<int> deletes_since(const std::string& subscription, TimePoint since) override;
    Result<std::string> setting(const std::string& key) override;
    Status put_setting(const std::string& key, const std::string& value) override;
    Status sound() const override {
        if (stopped_) return std::unexpected(*stopped_);
        return {};
    }

  private:
    // Runs `body` in a transaction and commits. A storage failure in it, or in the commit, stops the journal.
    Status write(const std::function<Status()>& body);
    Status stop(const Error& cause);
    std::unexpected<Error> damaged(const std::string& what);  // and stops
    // Passes rows on; damage found while reading stops the journal too.
    Result<std::vector<Row>> read(const Table& table, const std::string& tail, const Row& arguments);
    Result<std::vector<AuditRecord>> read_audit(const std::string& tail, const Row& arguments);
    Status close_audit_row(std::int64_t id, const std::string& outcome,
                           const std::optional<std::string>& correlation_id, TimePoint at);

    JournalOptions options_;
    std::unique_ptr<DirectoryLock> lock_;  // released after the database is closed
    std::unique_ptr<Database> database_;
    std::optional<Error> stopped_;  // why nothing is written any more
};

// NULL-able instants as the tables keep them: microseconds since 1970.
inline Value time_value(TimePoint time) { return time.time_since_epoch().count(); }
inline Value time_value(const std::optional<TimePoint>& time) {
    return time ? time_value(*time) : Value(std::monostate{});
}
inline std::int64_t number(const Value& value) {
    const auto* found = std::get_if<std::int64_t>(&value);
    return found == nullptr ? 0 : *found;
}
inline std::string text(Value& value) {
    auto* found = std::get_if<std::string>(&value);
    return found == nullptr ? std::string() : std::move(*found);
}
inline TimePoint instant(const Value& value) { return TimePoint(Duration(number(value))); }
inline std::optional<TimePoint> optional_instant(const Value& value) {
    if (std::holds_alternative<std::monostate>(value)) return std::nullopt;
    return instant(value);
}

}  // namespace galleryd::journal
