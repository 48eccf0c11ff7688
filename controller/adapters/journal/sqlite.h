#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "controller/core/result.h"

struct sqlite3;
struct sqlite3_stmt;

// A thin owner of one SQLite connection: prepared statements, values in and out, failures as values. No SQLite header
// here.
namespace galleryd::journal {

using Value = std::variant<std::monostate, std::int64_t, std::string>;  // NULL, INTEGER, TEXT
using Row = std::vector<Value>;

enum class OpenMode : std::uint8_t { read_only, read_write, in_memory };

// Reasons of failures: JournalCorrupt (GD4102); JournalRefused (SQLite refuses the statement), JournalFull, JournalBusy
// and JournalFailed (all GD4105).
inline constexpr std::string_view corrupt_reason = "JournalCorrupt";
inline constexpr std::string_view refused_reason = "JournalRefused";
bool is_storage_failure(const Error& error);

class Database {
  public:
    // Write-ahead log, full sync, defensive settings. Requires: the file exists with its final mode (SQLite copies it
    // to -wal).
    static Result<std::unique_ptr<Database>> open(const std::string& path, OpenMode mode, std::int64_t pages_max);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Status script(const std::string& sql);  // several statements, no parameters
    Status execute(const std::string& sql, const Row& arguments);
    Result<std::vector<Row>> query(const std::string& sql, const Row& arguments);
    std::int64_t last_insert_id() const;
    // Until somebody says that the database is sound, closing it leaves database and log as they were found: what is
    // moved aside is evidence.
    void trust();

  private:
    Database(sqlite3* handle) : handle_(handle) {}
    Result<sqlite3_stmt*> prepared(const std::string& sql, const Row& arguments);
    std::unexpected<Error> failure(int code, std::string_view attempted) const;
    sqlite3* handle_;
    std::unordered_map<std::string, sqlite3_stmt*> statements_;  // bounded: the texts are ours and fixed
};

// Rolls back unless committed.
class Transaction {
  public:
    static Result<std::unique_ptr<Transaction>> begin(Database& database);
    ~Transaction();
    Status commit();

  private:
    explicit Transaction(Database& database) : database_(database) {}
    Database& database_;
    bool open_ = true;
};

}  // namespace galleryd::journal
