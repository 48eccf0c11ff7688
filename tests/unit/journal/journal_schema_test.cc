#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "controller/adapters/journal/schema.h"
#include "tests/unit/journal/sample_journal.h"

// Upgrades and downgrades (reliability R14): an older journal opens and keeps what it says, a newer one is never
// written, and nothing that stands in a journal's place stops a look.
using namespace galleryd;
using namespace galleryd::journal;
using namespace std::chrono_literals;

namespace {

void execute(const std::string& path, const std::string& sql) {
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
    char* problem = nullptr;
    sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &problem);
    CHECK_MESSAGE(problem == nullptr, problem);
    sqlite3_free(problem);
    sqlite3_close(handle);
}

std::string kept(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(std::string(GALLERYD_SOURCE_DIR) + "/tests/unit/journal/" + name).rdbuf();
    REQUIRE_FALSE(text.str().empty());
    return text.str();
}

Result<std::unique_ptr<Journal>> open_to_read(const std::string& directory) {
    JournalOptions options;
    options.directory = directory;
    options.read_only = true;
    return open_journal(options);
}

}  // namespace

TEST_CASE("a journal that was written with schema 1 opens in this galleryd and keeps what it says") {
    const TemporaryDirectory home;
    execute(home.file("galleryd.db"), kept("schema_1.sql"));
    OpenReport report;
    const auto journal = samples::open(home.path(), &report);
    REQUIRE(journal != nullptr);
    CHECK(report.notice == "");
    CHECK_FALSE(report.rebuilt);
    CHECK_FALSE(report.fresh);
    REQUIRE(journal->writable());
    const auto documents = *journal->good_documents(Journal::Content::with);
    REQUIRE(documents.size() == 3);
    CHECK(documents[0].key.kind == Kind::gallery);
    CHECK(documents[1].key.name == "ubuntu-1.0.1");
    CHECK(documents[1].first_missing.has_value());
    CHECK(documents[1].snapshots_missing == 1);
    CHECK(documents[1].content.find("\"deletionPolicy\"") != std::string::npos);
    CHECK(documents[2].hold == "audit 2026");
    CHECK(documents[2].deletion_policy == "Delete");
    const auto records = *journal->resource_records();
    REQUIRE(records.size() == 4);
    const auto& in_flight = records.rbegin()->second;
    CHECK(in_flight.operation_in_flight);
    CHECK(records.begin()->second.written_by_us);
    CHECK(records.begin()->second.document == "Gallery/images/golden");
    REQUIRE(journal->open_intents()->size() == 1);
    CHECK(journal->open_intents()->front().intent.step == "DeleteVersion");
    CHECK(*journal->deletes_since("00000000-0000-0000-0000-000000000001", TimePoint{}) == 1);
    CHECK(journal->audit(10)->back().outcome == "done");
    CHECK(journal->operations()->size() == 1);
    CHECK(journal->approvals()->contains("sha256:plan"));
    CHECK(journal->events(0, 10)->size() == 1);
    CHECK(journal->setting("created_at")->starts_with("2026-11-22T"));
    CHECK(journal->put_setting("k", "v").has_value());
    CHECK(schema_version >= 1);  // with 2: this file stays, and a schema_2.sql joins it
}

TEST_CASE("rows that only a newer galleryd can verify are not called damaged, and not read") {
    const TemporaryDirectory home;
    { REQUIRE(samples::open(home.path())->put_setting("k", "v").has_value()); }
    execute(home.file("galleryd.db"),
            "PRAGMA user_version = 2; ALTER TABLE settings ADD COLUMN since TEXT NOT NULL DEFAULT ''; "
            "UPDATE settings SET row_digest = 'covers more'");
    const std::string before = home.read("galleryd.db");
    CHECK(open_to_read(home.path()).error().code == "GD4103");
    OpenReport report;
    {
        const auto journal = samples::open(home.path(), &report);
        REQUIRE(journal != nullptr);
        CHECK(report.notice_code == "GD4103");
        CHECK_FALSE(report.rebuilt);
        CHECK_FALSE(journal->writable());
        CHECK(journal->resource_records()->empty());
        CHECK(*journal->setting("k") == "");
        CHECK(journal->begin_intent(samples::delete_intent()).error().code == "GD4103");
    }
    CHECK(home.read("galleryd.db") == before);
}

TEST_CASE("a flipped bit in the number of SQLite's own format is damage, and not a full disk") {
    const TemporaryDirectory home;
    { REQUIRE(samples::open(home.path())->put_setting("k", "v").has_value()); }
    std::string content = home.read("galleryd.db");
    REQUIRE(content.size() > 100);
    content[47] = '\x44';  // byte 44 to 47: schema format, 1 to 4
    home.write("galleryd.db", content);
    CHECK(open_to_read(home.path()).error().code == "GD4102");
    OpenReport report;
    const auto journal = samples::open(home.path(), &report);
    REQUIRE(journal != nullptr);
    CHECK(report.rebuilt);
    CHECK(report.notice_code == "GD4102");
    CHECK(journal->writable());
}

TEST_CASE("a reader does not wait for a pipe that stands where the journal was") {
    const TemporaryDirectory home;
    REQUIRE(::mkfifo(home.file("galleryd.db").c_str(), 0600) == 0);
    CHECK(open_to_read(home.path()).error().code == "GD4106");
    JournalOptions beside;
    beside.directory = home.path();
    beside.beside_a_daemon = true;
    CHECK(open_journal(beside).error().code == "GD4106");
}

TEST_CASE("a journal that was emptied is begun anew, and somebody hears of it") {
    const TemporaryDirectory home;
    home.write("galleryd.db", "");
    OpenReport report;
    const auto journal = samples::open(home.path(), &report);
    REQUIRE(journal != nullptr);
    CHECK(report.rebuilt);
    CHECK(report.notice_code == "GD4102");
    CHECK(journal->writable());
    CHECK_FALSE(journal->deletes_since("S1", samples::start - 1h).has_value());  // what it had counted is lost
}

TEST_CASE("killed right after a damaged journal was moved aside, the next start knows that nothing is known") {
    const TemporaryDirectory home;
    home.write("galleryd.db.corrupt-20260301T000000Z", std::string(8192, 'x'));
    OpenReport report;
    const auto journal = samples::open(home.path(), &report);
    REQUIRE(journal != nullptr);
    CHECK(report.rebuilt);
    CHECK_FALSE(journal->deletes_since("S1", samples::start - 1h).has_value());
}

TEST_CASE("for an hour after a rebuilt journal nobody knows how much was deleted, and then they do") {
    const TemporaryDirectory home;
    home.write("galleryd.db", std::string(8192, 'x'));
    const auto journal = samples::open(home.path());
    REQUIRE(journal != nullptr);
    CHECK(journal->deletes_since("S1", samples::start - 1h).error().kind == ErrorKind::not_ready);
    CHECK(journal->deletes_since("S1", samples::start).error().kind == ErrorKind::not_ready);
    CHECK(*journal->deletes_since("S1", samples::start + 1s) == 0);
    CHECK(journal->writable());
}
