#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/unit/journal/sample_journal.h"

using namespace galleryd;
using namespace galleryd::journal;
using namespace std::chrono_literals;

TEST_CASE("the state directory and its files belong to their owner alone") {
    const TemporaryDirectory home;
    const std::string directory = home.file("deep/state");
    OpenReport report;
    const auto journal = samples::open(directory, &report);
    REQUIRE(journal != nullptr);
    CHECK(report.fresh);
    CHECK_FALSE(report.rebuilt);
    CHECK(journal->put_setting("x", "y").has_value());
    struct stat status {};
    REQUIRE(::stat(directory.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0700);
    for (const char* name : {"/galleryd.db", "/galleryd.db-wal", "/galleryd.db-shm", "/galleryd.lock"}) {
        CAPTURE(name);
        REQUIRE(::stat((directory + name).c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0600);
    }
}

TEST_CASE("an intent, its answer and its operation are found again after a restart") {
    const TemporaryDirectory home;
    std::int64_t id = 0;
    {
        const auto journal = samples::open(home.path());
        id = *journal->begin_intent(samples::delete_intent());
        REQUIRE(journal->open_intents()->size() == 1);
    }
    {
        OpenReport report;
        const auto journal = samples::open(home.path(), &report);
        CHECK_FALSE(report.fresh);
        const auto open = *journal->open_intents();
        REQUIRE(open.size() == 1);
        CHECK(open[0].id == id);
        CHECK(open[0].intent.detail == samples::delete_intent().detail);
        CHECK(open[0].intent.destructive);
        CHECK(open[0].intent.at == samples::start);
        CHECK_FALSE(open[0].finished.has_value());
        REQUIRE(
            journal->finish_intent(id, "accepted", "corr-1", samples::start + 2s, samples::operation(id)).has_value());
    }
    const auto journal = samples::open(home.path());
    CHECK(journal->open_intents()->empty());
    const auto operations = *journal->operations();
    REQUIRE(operations.size() == 1);
    CHECK(operations[0].intent == id);
    CHECK(operations[0].operation.url == "https://management.azure.com/op?x=%2F&y=1");
    CHECK(operations[0].operation.final_url == "https://management.azure.com/final");
    CHECK(journal->resource_records()->at(fold_case(samples::version_text)).operation_in_flight);
    // The spelling of the id does not matter, and finishing twice is harmless.
    REQUIRE(journal->finish_operation(fold_case(samples::version_text), "done", samples::start + 1h).has_value());
    REQUIRE(journal->finish_operation(samples::version_text, "done", samples::start + 2h).has_value());
    CHECK(journal->operations()->empty());
    const auto audit = *journal->audit(10);
    REQUIRE(audit.size() == 1);
    CHECK(audit[0].outcome == "done");
    CHECK(audit[0].correlation_id == "corr-1");
    CHECK(audit[0].finished == samples::start + 1h);
    CHECK(journal->writable());
}

TEST_CASE("an answer to an intent that nobody began is refused and stops nothing") {
    JournalOptions options;
    options.in_memory = true;
    const auto journal = std::move(*open_journal(options));
    const auto finished = journal->finish_intent(77, "done", "", samples::start, std::nullopt);
    REQUIRE_FALSE(finished.has_value());
    CHECK(finished.error().reason == "UnknownIntent");
    CHECK(journal->writable());
}

TEST_CASE("the brake counts deletions of versions that were or may have been accepted, per subscription") {
    JournalOptions options;
    options.in_memory = true;
    const auto journal = std::move(*open_journal(options));
    const auto begin = [&](const std::string& resource, TimePoint at, const std::string& step = "DeleteVersion") {
        Intent intent = samples::delete_intent(resource, at);
        intent.step = step;
        return *journal->begin_intent(intent);
    };
    const auto other = std::string("/subscriptions/S2") + samples::version_text.substr(17);
    REQUIRE(
        journal
            ->finish_intent(begin(samples::version_text, samples::start), "accepted", "", samples::start, std::nullopt)
            .has_value());
    REQUIRE(journal
                ->finish_intent(begin(samples::version_text, samples::start), "failed: 409", "", samples::start,
                                std::nullopt)
                .has_value());
    REQUIRE(
        journal
            ->finish_intent(begin(samples::version_text, samples::start - 2h), "done", "", samples::start, std::nullopt)
            .has_value());
    begin(samples::version_text, samples::start);  // killed before the answer
    begin(samples::version_text, samples::start, "UpdateVersion");
    begin(other, samples::start);
    CHECK(*journal->deletes_since("s1", samples::start - 1h) == 2);
    CHECK(*journal->deletes_since("S2", samples::start - 1h) == 1);
    CHECK(*journal->deletes_since("S1", samples::start - 3h) == 3);
    CHECK(*journal->deletes_since("S1", samples::start + 1h) == 0);
}

TEST_CASE("what is known of a resource comes back as it was") {
    const TemporaryDirectory home;
    {
        const auto journal = samples::open(home.path());
        REQUIRE(journal->put_resource_record(samples::version_text, samples::resource()).has_value());
        REQUIRE(journal->put_resource_record("/subscriptions/s/other", ResourceRecord{}).has_value());
        REQUIRE(journal->forget_resource("/SUBSCRIPTIONS/s/other").has_value());
    }
    const auto records = *samples::open(home.path())->resource_records();
    REQUIRE(records.size() == 1);
    CHECK(samples::same(records.at(fold_case(samples::version_text)), samples::resource()));
    CHECK_FALSE(records.begin()->second.operation_in_flight);
}

TEST_CASE("good documents are replaced per source and nothing of them is lost") {
    const TemporaryDirectory home;
    {
        const auto journal = samples::open(home.path());
        REQUIRE(journal->update_good_documents("dir:a", {samples::document("one"), samples::document("two")}, {})
                    .has_value());
        REQUIRE(journal->update_good_documents("dir:b", {samples::document("one")}, {}).has_value());
        REQUIRE(journal
                    ->update_good_documents("dir:a", {samples::document("three")},
                                            {samples::document("one").key, samples::document("two").key})
                    .has_value());
    }
    const auto documents = *samples::open(home.path())->good_documents(Journal::Content::with);
    REQUIRE(documents.size() == 2);
    CHECK(documents[0].source == "dir:a");
    CHECK(documents[0].key == ObjectKey{Kind::image_version, "images", "three"});
    CHECK(documents[0].file == "versions.yaml");
    CHECK(documents[0].digest == "digest-three");
    CHECK(documents[0].content == R"({"kind":"ImageVersion"})");
    CHECK(documents[0].azure_id == samples::version_text);
    CHECK(documents[0].deletion_policy == "Delete");
    CHECK(documents[0].mode == "Manage");
    CHECK(documents[0].hold == "audit 2026");
    CHECK(documents[0].first_missing == samples::start);
    CHECK(documents[0].snapshots_missing == 2);
    CHECK(documents[1].source == "dir:b");
}

TEST_CASE("documents that change, stay or go within one set end as they were given last") {
    const TemporaryDirectory home;
    const auto journal = samples::open(home.path());
    REQUIRE(journal
                ->update_good_documents(
                    "dir:a", {samples::document("stays"), samples::document("changes"), samples::document("goes")}, {})
                .has_value());
    GoodDocument changed = samples::document("changes");
    changed.first_missing.reset();
    changed.content = "{}";
    GoodDocument stays = samples::document("stays");
    const std::string content = std::exchange(stays.content, "");  // as whoever does not keep it in memory
    stays.snapshots_missing = 7;
    const GoodDocument unknown = [] {
        GoodDocument d = samples::document("unknown");
        d.content.clear();
        return d;
    }();
    REQUIRE(journal->update_good_documents("dir:a", {changed, stays, stays, unknown}, {samples::document("goes").key})
                .has_value());
    const auto documents = *journal->good_documents(Journal::Content::with);
    REQUIRE(documents.size() == 2);
    CHECK(documents[0].key.name == "changes");
    CHECK(documents[0].content == "{}");
    CHECK_FALSE(documents[0].first_missing.has_value());
    CHECK(documents[1].key.name == "stays");
    CHECK(documents[1].first_missing == samples::start);
    CHECK(documents[1].snapshots_missing == 7);
    CHECK(documents[1].content == content);
    const auto light = *journal->good_documents(Journal::Content::without);
    REQUIRE(light.size() == 2);
    CHECK(light[1].content == "");
    CHECK(light[1].digest == documents[1].digest);
    REQUIRE(journal->update_good_documents("dir:a", {}, {changed.key, stays.key}).has_value());
    CHECK(journal->good_documents(Journal::Content::with)->empty());
    CHECK(journal->writable());
}

TEST_CASE("the same event within five minutes is counted, later it is a new one") {
    JournalOptions options;
    options.in_memory = true;
    const auto journal = std::move(*open_journal(options));
    REQUIRE(journal->put_event(samples::event("eastus2 done", samples::start)).has_value());
    REQUIRE(journal->put_event(samples::event("eastus2 done", samples::start + 4min)).has_value());
    REQUIRE(journal->put_event(samples::event("westus done", samples::start + 4min)).has_value());
    REQUIRE(journal->put_event(samples::event("eastus2 done", samples::start + 10min)).has_value());
    const auto events = *journal->events(0, 100);
    REQUIRE(events.size() == 3);
    CHECK(events[0].count == 2);
    CHECK(events[0].first_at == samples::start);
    CHECK(events[0].at == samples::start + 4min);
    CHECK(events[1].message == "westus done");
    CHECK(events[2].count == 1);
    CHECK(events[2].correlation_id == "c-1");
    CHECK(journal->events(events[1].sequence, 100)->size() == 1);
    CHECK(journal->events(0, 2)->size() == 2);
}

TEST_CASE("events and audit stay within their limits, and an open intent is never trimmed") {
    JournalOptions options;
    options.in_memory = true;
    options.audit_max = 5;
    options.events_max = 3;
    const auto journal = std::move(*open_journal(options));
    const auto first = *journal->begin_intent(samples::delete_intent());
    for (int i = 0; i < 20; ++i) {
        const auto id = *journal->begin_intent(samples::delete_intent());
        REQUIRE(journal->finish_intent(id, "done", "", samples::start, std::nullopt).has_value());
        REQUIRE(journal->put_event(samples::event("m" + std::to_string(i), samples::start)).has_value());
    }
    const auto audit = *journal->audit(100);
    CHECK(audit.size() == 6);
    CHECK(audit.front().id == 21);
    CHECK(audit.back().id == first);
    const auto events = *journal->events(0, 100);
    REQUIRE(events.size() == 3);
    CHECK(events[0].message == "m17");
    CHECK(events[2].sequence == 20);
}

TEST_CASE("approvals and settings are kept") {
    const TemporaryDirectory home;
    {
        const auto journal = samples::open(home.path());
        REQUIRE(journal->put_approval("sha256:p", "ana", samples::start + 24h).has_value());
        REQUIRE(journal->put_setting("instance", "one").has_value());
        REQUIRE(journal->put_setting("instance", "two").has_value());
    }
    const auto journal = samples::open(home.path());
    CHECK(*journal->approvals() == std::map<std::string, TimePoint>{{"sha256:p", samples::start + 24h}});
    CHECK(*journal->setting("instance") == "two");
    CHECK(journal->setting("absent")->empty());
    CHECK(*journal->setting("created_at") == "2026-11-21T04:10:12Z");
}

TEST_CASE("a second daemon on the directory is refused with the holder's process id") {
    const TemporaryDirectory home;
    const auto holder = samples::open(home.path());
    JournalOptions options;
    options.directory = home.path();
    const auto second = open_journal(options);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code == "GD4101");
    CHECK(second.error().kind == ErrorKind::denied);
    CHECK(second.error().message.find("process " + std::to_string(::getpid())) != std::string::npos);
}

TEST_CASE("a reader sees what a running daemon wrote, and writes nothing") {
    const TemporaryDirectory home;
    const auto daemon = samples::open(home.path());
    REQUIRE(daemon->put_event(samples::event("seen", samples::start)).has_value());
    JournalOptions options;
    options.directory = home.path();
    options.read_only = true;
    const auto reader = std::move(*open_journal(options));
    REQUIRE(reader->events(0, 10)->size() == 1);
    CHECK_FALSE(reader->writable());
    CHECK(reader->put_setting("x", "y").error().code == "GD4104");
    REQUIRE(daemon->put_event(samples::event("seen too", samples::start)).has_value());
    CHECK(reader->events(0, 10)->size() == 2);
}

TEST_CASE("a reader opens the journal of a daemon that has ended, and says so when there is none") {
    const TemporaryDirectory home;
    JournalOptions options;
    options.directory = home.path();
    options.read_only = true;
    CHECK(open_journal(options).error().code == "GD4107");
    REQUIRE(samples::open(home.path())->put_setting("k", "v").has_value());
    const auto reader = open_journal(options);
    REQUIRE(reader.has_value());
    CHECK(*(*reader)->setting("k") == "v");
}
