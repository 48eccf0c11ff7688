#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>

#include "controller/adapters/journal/sqlite.h"
#include "tests/unit/journal/sample_journal.h"

// Reliability R9: 10,000 truncated and bit-flipped journals. A run takes some hundred of them, DAMAGED_JOURNALS=10000
// all; SEED picks others.
using namespace galleryd;
using namespace galleryd::journal;
using namespace std::chrono_literals;

namespace {

constexpr int resources = 12;

// Everything that a deletion may depend on, in two lives: before, a document is still there; after, it is gone and half
// of the deletions were answered.
void write_before(Journal& journal) {
    for (int i = 0; i < resources; ++i) {
        const std::string id = samples::version_text + std::to_string(i);
        REQUIRE(journal.put_resource_record(id, samples::resource()).has_value());
        REQUIRE(journal.put_event(samples::event("message " + std::to_string(i), samples::start)).has_value());
    }
    REQUIRE(
        journal.update_good_documents("dir:a", {samples::document("one"), samples::document("two")}, {}).has_value());
    REQUIRE(journal.put_approval("sha256:one", "ana", samples::start + 24h).has_value());
    REQUIRE(journal.put_setting("usage", "since 1").has_value());
}

template <typename Learn>
void write_after(Journal& journal, const Learn& learn) {
    for (int i = 0; i < resources; ++i) {
        const std::string id = samples::version_text + std::to_string(i);
        const auto intent = *journal.begin_intent(samples::delete_intent(id));
        learn(journal);
        if (i % 2 == 0)
            REQUIRE(journal.finish_intent(intent, "accepted", "c", samples::start, samples::operation(intent, id))
                        .has_value());
        ResourceRecord record = samples::resource();
        record.failures = 77;
        learn(journal);
        REQUIRE(journal.put_resource_record(id, record).has_value());
    }
    GoodDocument gone = samples::document("one");
    gone.hold = "later";
    REQUIRE(journal.update_good_documents("dir:a", {gone}, {samples::document("two").key}).has_value());
    REQUIRE(journal.put_setting("usage", "since 2").has_value());
}

std::string text_of(const ResourceRecord& record) {
    return std::to_string(record.failures) + (record.operation_in_flight ? " in flight" : "") +
           (record.tombstone ? " tombstone" : "");
}

// What the daemon would believe, as text: each line is one fact.
std::set<std::string> facts(Journal& journal) {
    std::set<std::string> all;
    const auto records = journal.resource_records();
    for (const auto& [key, record] : records.value_or(std::map<std::string, ResourceRecord>{})) {
        ResourceRecord plain = record;
        plain.failures = samples::resource().failures;
        all.insert("record " + key + " " + text_of(record) +
                   (samples::same(plain, samples::resource()) ? "" : " STRANGE"));
    }
    for (const GoodDocument& d : journal.good_documents(Journal::Content::with).value_or(std::vector<GoodDocument>{})) {
        all.insert("document " + d.key.name + " " + d.deletion_policy + " " + d.hold + " " + d.content + " " +
                   std::to_string(d.snapshots_missing) + " " +
                   (d.first_missing ? format_rfc3339(*d.first_missing) : "-"));
    }
    for (const AuditRecord& a : journal.audit(1000).value_or(std::vector<AuditRecord>{}))
        all.insert("audit " + std::to_string(a.id) + " " + a.intent.resource + " " + a.intent.step + " " + a.outcome);
    for (const OperationRecord& o : journal.operations().value_or(std::vector<OperationRecord>{}))
        all.insert("operation " + o.resource + " " + o.operation.url);
    for (const auto& [digest, until] : journal.approvals().value_or(std::map<std::string, TimePoint>{}))
        all.insert("approval " + digest + " " + format_rfc3339(until));
    all.insert("usage " + journal.setting("usage").value_or("?"));
    return all;
}

struct Files {
    std::string database, log;  // the second is "" after an orderly end
};

// Cut short, flipped bits, zeroed or overwritten ranges.
std::string damaged(std::string content, std::mt19937& random) {
    const auto place = [&] { return std::uniform_int_distribution<std::size_t>(0, content.size() - 1)(random); };
    switch (random() % 5) {
        case 0: content.resize(place()); break;
        case 1:
        case 2:
            for (unsigned i = 0, n = 1 + static_cast<unsigned>(random() % 20); i < n; ++i) {
                char& byte = content[place()];
                byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << (random() % 8)));
            }
            break;
        case 3: {
            const std::size_t from = place();
            std::fill(content.begin() + static_cast<std::ptrdiff_t>(from),
                      content.begin() + static_cast<std::ptrdiff_t>(std::min(from + 4096, content.size())), '\0');
            break;
        }
        default:
            for (std::size_t i = place(), end = std::min(i + 512, content.size()); i < end; ++i)
                content[i] = static_cast<char>(random());
    }
    return content;
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Counts {
    int rebuilt = 0, intact = 0, earlier = 0, refused = 0;
};

// Opens one damaged journal as a daemon does, and writes to it; counts how that ended.
void bear(const TemporaryDirectory& home, const Files& files, const std::set<std::string>& known,
          const std::set<std::string>& whole, Counts& counts) {
    home.write("d/galleryd.db", files.database);
    if (!files.log.empty()) home.write("d/galleryd.db-wal", files.log);
    OpenReport report;
    auto journal = samples::open(home.file("d"), &report);
    if (journal == nullptr || !journal->writable()) {
        ++counts.refused;
        // One field of the file is no row's and no page's: the schema number. A flipped one is that of a newer
        // galleryd.
        CAPTURE(report.notice);
        CHECK(report.notice_code == "GD4103");
        REQUIRE(journal != nullptr);
        CHECK(facts(*journal) == whole);
        CHECK(journal->begin_intent(samples::delete_intent()).error().code == "GD4103");
        journal.reset();
    } else if (report.rebuilt || report.fresh) {
        ++counts.rebuilt;
        CHECK(facts(*journal) == std::set<std::string>{"usage "});
        if (report.rebuilt) {
            CHECK(report.notice_code == "GD4102");
            CHECK_FALSE(journal->deletes_since("S1", samples::start - 1h).has_value());
        }
        if (!report.moved_aside.empty()) {
            CHECK(home.read(report.moved_aside.substr(home.path().size() + 1)) == files.database);
            if (!files.log.empty())
                CHECK(home.read(report.moved_aside.substr(home.path().size() + 1) + "-wal") == files.log);
        }
    } else {
        // Never a fact that was not written: at worst those of an earlier moment, where the log's end is lost.
        const auto seen = facts(*journal);
        CHECK(journal->writable());
        ++(seen == whole ? counts.intact : counts.earlier);
        if (files.log.empty()) CHECK(seen == whole);
        for (const std::string& fact : seen) {
            CAPTURE(fact);
            CHECK(known.contains(fact));
        }
    }
    if (journal) {
        CHECK(journal->put_setting("goes on", "yes").has_value());
        journal.reset();
        OpenReport again;
        const auto second = samples::open(home.file("d"), &again);
        REQUIRE(second != nullptr);
        CHECK_FALSE(again.rebuilt);
        CHECK(*second->setting("goes on") == "yes");
    }
    std::filesystem::remove_all(home.file("d"));
}

}  // namespace

TEST_CASE("damaged journals are rebuilt or intact, with or without their log, and no fact is ever made up") {
    const TemporaryDirectory home;
    std::set<std::string> known{"usage "};
    const auto learn = [&known](Journal& journal) { known.merge(facts(journal)); };
    Files ended, killed;
    std::set<std::string> whole;
    {
        const auto journal = samples::open(home.file("good"));
        write_before(*journal);
        learn(*journal);
        // The first half of the life is in the database, the second in the log.
        auto checkpoint = Database::open(home.file("good/galleryd.db"), OpenMode::read_write, 0);
        REQUIRE((*checkpoint)->query("PRAGMA wal_checkpoint(TRUNCATE)", {}).has_value());
        checkpoint->reset();
        write_after(*journal, learn);
        whole = facts(*journal);
        learn(*journal);
        killed = {home.read("good/galleryd.db"), home.read("good/galleryd.db-wal")};
    }
    ended = {home.read("good/galleryd.db"), ""};
    REQUIRE(ended.database.size() > 40'000);
    REQUIRE(killed.log.size() > 40'000);
    const auto journals = static_cast<int>(from_environment("DAMAGED_JOURNALS", 500));
    std::mt19937 random(static_cast<std::mt19937::result_type>(from_environment("SEED", 20261122)));
    Counts counts;
    for (int i = 0; i < journals; ++i) {
        CAPTURE(i);
        Files files = i % 2 == 0 ? ended : killed;
        std::string& hit = files.log.empty() || random() % 3 == 0 ? files.database : files.log;
        hit = damaged(std::move(hit), random);
        bear(home, files, known, whole, counts);
    }
    MESSAGE(journals << " damaged journals: " << counts.rebuilt << " rebuilt, " << counts.intact << " intact, "
                     << counts.earlier << " of an earlier moment, " << counts.refused << " refused");
    CHECK(counts.rebuilt > journals / 4);
    CHECK(counts.earlier > journals / 20);
    CHECK(counts.refused <= 1 + journals / 1000);
}
