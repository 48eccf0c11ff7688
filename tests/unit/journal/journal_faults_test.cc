#include <doctest/doctest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "controller/adapters/journal/schema.h"
#include "tests/unit/journal/sample_journal.h"

using namespace galleryd;
using namespace galleryd::journal;
using namespace std::chrono_literals;

namespace {

void execute(const std::string& path, const std::string& sql) {
    sqlite3* handle = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
    CHECK(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(handle);
}

}  // namespace

TEST_CASE("damage while running stops the journal") {
    const TemporaryDirectory home;
    const auto journal = samples::open(home.path());
    REQUIRE(journal->put_setting("k", "one value").has_value());
    execute(home.file("galleryd.db"),
            "UPDATE settings SET value = 'two values' WHERE key = 'k'");  // not by us: the digest is missing
    CHECK(journal->setting("k").error().reason == "JournalCorrupt");
    CHECK_FALSE(journal->writable());
    CHECK(journal->begin_intent(samples::delete_intent()).error().reason == "JournalStopped");
}

TEST_CASE("a damaged journal is not touched by a reader") {
    const TemporaryDirectory home;
    home.write("galleryd.db", std::string(8192, 'x'));
    JournalOptions options;
    options.directory = home.path();
    options.read_only = true;
    CHECK(open_journal(options).error().code == "GD4102");
    CHECK(home.read("galleryd.db") == std::string(8192, 'x'));
}

TEST_CASE("at most five damaged journals are kept") {
    const TemporaryDirectory home;
    for (int i = 0; i < 8; ++i) {
        home.write("galleryd.db", std::string(8192, static_cast<char>('a' + i)));
        JournalOptions options;
        options.directory = home.path();
        options.now = samples::start + i * 1h;
        REQUIRE(open_journal(options).has_value());
    }
    int kept = 0;
    for (const auto& entry : std::filesystem::directory_iterator(home.path())) {
        kept += entry.path().filename().string().find(".corrupt-") != std::string::npos ? 1 : 0;
    }
    CHECK(kept == 5);
    CHECK(home.read("galleryd.db.corrupt-20261121T111012Z") == std::string(8192, 'h'));
}

TEST_CASE("a journal of a newer galleryd is shown and not written") {
    const TemporaryDirectory home;
    { REQUIRE(samples::open(home.path())->put_setting("k", "v").has_value()); }
    execute(home.file("galleryd.db"), "PRAGMA user_version = 99; ALTER TABLE settings ADD COLUMN extra TEXT");
    const std::string before = home.read("galleryd.db");
    OpenReport report;
    {
        const auto journal = samples::open(home.path(), &report);
        REQUIRE(journal != nullptr);
        CHECK(report.notice_code == "GD4103");
        CHECK_FALSE(journal->writable());
        CHECK(*journal->setting("k") == "v");
        CHECK(journal->put_setting("k", "w").error().code == "GD4103");
        CHECK(samples::open(home.path()) == nullptr);  // still locked
    }
    CHECK(home.read("galleryd.db") == before);
}

TEST_CASE("migrations run in order, once, and all or nothing") {
    auto database = std::move(*Database::open("", OpenMode::in_memory, 0));
    const Migration steps[] = {{1, "CREATE TABLE a (x);"},
                               {2, "ALTER TABLE a ADD COLUMN y; INSERT INTO a VALUES (1, 2);"}};
    REQUIRE(migrate(*database, std::span(steps).first(1)).has_value());
    CHECK(*read_schema_version(*database) == 1);
    REQUIRE(migrate(*database, steps).has_value());
    REQUIRE(migrate(*database, steps).has_value());
    CHECK(*read_schema_version(*database) == 2);
    CHECK(database->query("SELECT y FROM a", {})->size() == 1);
    const Migration broken[] = {{3, "CREATE TABLE b (x);"}, {4, "CREATE TABLE b (x);"}};
    CHECK_FALSE(migrate(*database, broken).has_value());
    CHECK(*read_schema_version(*database) == 2);
    CHECK_FALSE(database->query("SELECT * FROM b", {}).has_value());
}

TEST_CASE("after a full disk every write fails fast, reads go on, and the daemon can still observe after a restart") {
    const TemporaryDirectory home;
    JournalOptions options;
    options.directory = home.path();
    options.now = samples::start;
    options.pages_max = 40;
    std::int64_t last = 0;
    {
        const auto journal = std::move(*open_journal(options));
        for (int i = 0; i < 10'000 && journal->writable(); ++i) {
            const auto id = journal->begin_intent(samples::delete_intent());
            if (id) last = *id;
            else CHECK(id.error().reason == "JournalFull");
        }
        REQUIRE_FALSE(journal->writable());
        CHECK(last > 10);
        CHECK(journal->begin_intent(samples::delete_intent()).error().code == "GD4105");
        CHECK(journal->audit(1)->front().id == last);
    }
    options.pages_max = 0;
    const auto journal = std::move(*open_journal(options));
    CHECK(journal->open_intents()->size() == static_cast<std::size_t>(last));  // none half written
    CHECK(journal->writable());
}

TEST_CASE("what was acknowledged survives a kill at any moment, and nothing else appears") {
    const TemporaryDirectory home;
    std::mt19937 random(7);
    std::int64_t acknowledged = 0;
    for (int round = 0; round < 10; ++round) {
        CAPTURE(round);
        int pipe_ends[2];
        REQUIRE(::pipe(pipe_ends) == 0);
        const pid_t child = ::fork();
        if (child == 0) {
            const auto journal = samples::open(home.path());
            while (journal != nullptr) {
                const auto id = journal->begin_intent(samples::delete_intent());
                if (!id || ::write(pipe_ends[1], &*id, sizeof *id) != sizeof *id) break;
            }
            ::_exit(1);
        }
        ::close(pipe_ends[1]);
        for (unsigned left = 1 + static_cast<unsigned>(random() % 60); left > 0; --left) {
            REQUIRE(::read(pipe_ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged);
        }
        ::kill(child, SIGKILL);
        while (::read(pipe_ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
        }
        ::close(pipe_ends[0]);
        REQUIRE(::waitpid(child, nullptr, 0) == child);
        OpenReport report;
        const auto journal = samples::open(home.path(), &report);
        REQUIRE(journal != nullptr);
        CHECK_FALSE(report.rebuilt);
        const auto open = *journal->open_intents();
        REQUIRE_FALSE(open.empty());
        CHECK(open.back().id >= acknowledged);
        CHECK(open.back().id <= acknowledged + 1);  // written, killed before it could say so
        CHECK(open.size() == static_cast<std::size_t>(open.back().id));
    }
}

TEST_CASE("a process that ends inside a transaction leaves nothing of it") {
    const TemporaryDirectory home;
    { REQUIRE(samples::open(home.path())->put_setting("k", "v").has_value()); }
    const pid_t child = ::fork();
    if (child == 0) {
        auto database = Database::open(home.file("galleryd.db"), OpenMode::read_write, 0);
        if (!database || !(*database)->execute("BEGIN IMMEDIATE", {}) ||
            !(*database)->execute("DELETE FROM settings", {}))
            ::_exit(1);
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
    CHECK(*samples::open(home.path())->setting("k") == "v");
}

TEST_CASE("a state directory that is a file, or below one, is refused with a code") {
    const TemporaryDirectory home;
    home.write("file", "x");
    JournalOptions options;
    options.directory = home.file("file");
    CHECK(open_journal(options).error().code == "GD4106");
    options.directory = home.file("file/below");
    CHECK(open_journal(options).error().code == "GD4106");
    home.write("target", "x");
    std::filesystem::create_directory(home.file("linked"));
    std::filesystem::create_symlink(home.file("target"), home.file("linked/galleryd.db"));
    options.directory = home.file("linked");
    CHECK(open_journal(options).error().code == "GD4106");
    CHECK(home.read("target") == "x");
}
