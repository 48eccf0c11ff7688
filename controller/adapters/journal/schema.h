#pragma once
#include <span>
#include <string_view>

#include "controller/adapters/journal/sqlite.h"

// Tables, their versions, and a digest per row. SQLite does not checksum its pages: a bit that flips inside a text
// would go unnoticed, and this database decides what may be deleted. So every row ends with a digest that is verified
// on reading.
namespace galleryd::journal {

struct Table {
    std::string_view name;
    std::string_view identity;                  // column that SQLite numbers, left out of the digest; "" = none
    std::span<const std::string_view> columns;  // without identity and digest
};

extern const Table audit_table, events_table, operations_table, resources_table, documents_table, approvals_table,
    settings_table;
std::span<const Table* const> all_tables();

// The digest that put_row stores with these values (identity left out).
std::string row_digest(const Table& table, std::span<const Value> values);
// "INSERT OR REPLACE": with an identity, `id` 0 lets SQLite number the row.
Status put_row(Database& database, const Table& table, Row values, std::int64_t id = 0);
// SELECT … FROM table + `tail` ("WHERE …", "ORDER BY …"); every digest is checked. The identity, if any, comes first in
// each row.
Result<std::vector<Row>> get_rows(Database& database, const Table& table, const std::string& tail,
                                  const Row& arguments);

inline constexpr std::int64_t schema_version = 1;
struct Migration {
    std::int64_t to;
    std::string_view sql;
};
std::span<const Migration> migrations();
Result<std::int64_t> read_schema_version(Database& database);
// Runs what is newer than the database, all in one transaction.
Status migrate(Database& database, std::span<const Migration> steps);

// integrity_check (quick_check would miss a damaged index, and the deletion brake counts through one), our application
// id, and the digests of every row that decides something; of the audit trail those are open intents, deletions of
// versions and the newest 1,000. Older audit rows are checked when they are read. JournalCorrupt when anything is
// wrong.
Status check_integrity(Database& database);
// The digests alone. A journal of a newer schema may hold rows that only its own galleryd can verify.
Status check_rows(Database& database);

}  // namespace galleryd::journal
