#include <algorithm>

#include "controller/adapters/journal/record_text.h"
#include "controller/adapters/journal/sqlite_journal.h"
#include "controller/core/packed_text.h"

// Resources, documents, events, approvals and settings.
namespace galleryd::journal {

namespace {

constexpr int rows_max = 100'000;                     // of one answer
constexpr std::chrono::minutes same_event_within{5};  // experience §1.5.3
constexpr std::int64_t approvals_max = 10'000;

Row event_row(const EventRecord& event) {
    return {time_value(event.at),
            time_value(event.first_at),
            std::int64_t{event.count},
            std::int64_t{event.warning ? 1 : 0},
            event.reason,
            event.object,
            event.action,
            event.message,
            event.correlation_id,
            event.plan_id,
            event.revision};
}

// Contents lie packed: ten thousand documents are 12 instead of 47 MB, and a row fits into its page.
Row document_row(const std::string& source, const GoodDocument& d, TextPacker& packer) {
    return {source,
            std::string(to_string(d.key.kind)),
            d.key.namespace_name,
            d.key.name,
            d.file,
            d.digest,
            packer.pack(d.content),
            d.azure_id,
            d.deletion_policy,
            d.mode,
            d.hold,
            time_value(d.first_missing),
            std::int64_t{d.snapshots_missing}};
}

EventRecord event_record(Row& row) {
    EventRecord event;
    event.sequence = number(row[0]);
    event.at = instant(row[1]);
    event.first_at = instant(row[2]);
    event.count = static_cast<int>(number(row[3]));
    event.warning = number(row[4]) != 0;
    event.reason = text(row[5]);
    event.object = text(row[6]);
    event.action = text(row[7]);
    event.message = text(row[8]);
    event.correlation_id = text(row[9]);
    event.plan_id = text(row[10]);
    event.revision = text(row[11]);
    return event;
}

}  // namespace

// ---- resources ----

Result<std::map<std::string, ResourceRecord>> SqliteJournal::resource_records() {
    auto rows = read(resources_table, "", {});
    if (!rows) return std::unexpected(rows.error());
    std::map<std::string, ResourceRecord> records;
    for (Row& row : *rows) {
        auto record = parse_resource_record(text(row[1]));
        if (!record) return damaged("a resource record does not parse");
        records.emplace(text(row[0]), std::move(*record));
    }
    auto in_flight = read(operations_table, "", {});
    if (!in_flight) return std::unexpected(in_flight.error());
    for (Row& row : *in_flight) records[text(row[0])].operation_in_flight = true;
    return records;
}

Status SqliteJournal::put_resource_record(const std::string& resource_key, const ResourceRecord& record) {
    return write([&] {
        return put_row(*database_, resources_table, {fold_case(resource_key), print_resource_record(record)});
    });
}

Status SqliteJournal::forget_resource(const std::string& resource_key) {
    return write(
        [&] { return database_->execute("DELETE FROM resources WHERE resource_key = ?", {fold_case(resource_key)}); });
}

// ---- documents ----

Result<std::vector<GoodDocument>> SqliteJournal::good_documents(Content content) {
    auto rows = read(documents_table, "ORDER BY source, kind, namespace, name", {});
    if (!rows) return std::unexpected(rows.error());
    std::vector<GoodDocument> documents;
    documents.reserve(rows->size());
    for (Row& row : *rows) {
        GoodDocument& document = documents.emplace_back();
        document.source = text(row[0]);
        document.key = ObjectKey{parse_kind(text(row[1])).value_or(Kind::gallery), text(row[2]), text(row[3])};
        document.file = text(row[4]);
        document.digest = text(row[5]);
        if (content == Content::with) {
            auto whole = unpacked_text(text(row[6]));
            if (!whole) return damaged("a document cannot be unpacked");
            document.content = std::move(*whole);
        }
        row[6] = std::string();
        document.azure_id = text(row[7]);
        document.deletion_policy = text(row[8]);
        document.mode = text(row[9]);
        document.hold = text(row[10]);
        document.first_missing = optional_instant(row[11]);
        document.snapshots_missing = static_cast<int>(number(row[12]));
    }
    return documents;
}

Status SqliteJournal::update_good_documents(const std::string& source, const std::vector<GoodDocument>& put,
                                            const std::vector<ObjectKey>& gone) {
    constexpr const char* one = "WHERE source = ? AND kind = ? AND namespace = ? AND name = ?";
    const auto key_row = [&](const ObjectKey& key) {
        return Row{source, std::string(to_string(key.kind)), key.namespace_name, key.name};
    };
    TextPacker packer;
    return write([&]() -> Status {
        for (const GoodDocument& d : put) {
            Row row = document_row(source, d, packer);
            if (d.content.empty()) {
                auto stored = read(documents_table, one, key_row(d.key));
                if (!stored) return std::unexpected(stored.error());
                if (stored->empty()) continue;  // never written, so there is nothing to keep
                row[6] = std::move(stored->front()[6]);
            }
            const auto done = put_row(*database_, documents_table, row);
            if (!done) return done;
        }
        for (const ObjectKey& key : gone) {
            const auto removed = database_->execute(std::string("DELETE FROM documents ") + one, key_row(key));
            if (!removed) return removed;
        }
        return {};
    });
}

// ---- events ----

Status SqliteJournal::put_event(const EventRecord& event) {
    return write([&]() -> Status {
        const TimePoint earliest = event.at - same_event_within;
        auto same = read(events_table,
                         "WHERE object = ? AND reason = ? AND at >= ? AND message = ? ORDER BY sequence DESC LIMIT 1",
                         {event.object, event.reason, time_value(earliest), event.message});
        if (!same) return std::unexpected(same.error());
        if (!same->empty()) {
            // Keeps its sequence: whoever follows the stream is told once, lists show the count and the last time.
            EventRecord known = event_record(same->front());
            known.count += std::max(event.count, 1);
            known.at = std::max(known.at, event.at);
            return put_row(*database_, events_table, event_row(known), known.sequence);
        }
        EventRecord added = event;
        if (added.first_at == TimePoint{}) added.first_at = event.at;
        const auto put = put_row(*database_, events_table, event_row(added));
        if (!put) return put;
        return database_->execute("DELETE FROM events WHERE sequence <= ?",
                                  {database_->last_insert_id() - options_.events_max});
    });
}

Result<std::vector<EventRecord>> SqliteJournal::events(std::int64_t after_sequence, int limit) {
    auto rows = read(events_table, "WHERE sequence > ? ORDER BY sequence LIMIT ?",
                     {after_sequence, std::int64_t{std::clamp(limit, 0, rows_max)}});
    if (!rows) return std::unexpected(rows.error());
    std::vector<EventRecord> events;
    events.reserve(rows->size());
    for (Row& row : *rows) events.push_back(event_record(row));
    return events;
}

// ---- approvals and settings ----

Result<std::map<std::string, TimePoint>> SqliteJournal::approvals() {
    auto rows = read(approvals_table, "", {});
    if (!rows) return std::unexpected(rows.error());
    std::map<std::string, TimePoint> approvals;
    for (Row& row : *rows) approvals.emplace(text(row[0]), instant(row[2]));
    return approvals;
}

Status SqliteJournal::put_approval(const std::string& digest, const std::string& by, TimePoint expires) {
    return write([&]() -> Status {
        const auto put = put_row(*database_, approvals_table, {digest, by, time_value(expires)});
        if (!put) return put;
        return database_->execute(
            "DELETE FROM approvals WHERE plan IN (SELECT plan FROM approvals ORDER BY expires DESC LIMIT -1 OFFSET ?)",
            {approvals_max});
    });
}

Result<std::string> SqliteJournal::setting(const std::string& key) {
    auto rows = read(settings_table, "WHERE key = ?", {key});
    if (!rows) return std::unexpected(rows.error());
    return rows->empty() ? std::string() : text(rows->front()[1]);
}

Status SqliteJournal::put_setting(const std::string& key, const std::string& value) {
    return write([&] { return put_row(*database_, settings_table, {key, value}); });
}

}  // namespace galleryd::journal
