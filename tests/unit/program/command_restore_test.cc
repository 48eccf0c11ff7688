#include "controller/program/command_restore.h"

#include <doctest/doctest.h>

#include <sstream>

#include "tests/unit/journal/sample_journal.h"

using namespace galleryd;

namespace {

TimePoint at(const char* text) { return *parse_rfc3339(text); }

int restore(const RestoreOptions& options, std::string& err) {
    std::ostringstream out, errors;
    const int code = run_restore(options, out, errors);
    err = errors.str();
    CHECK(out.str().empty());
    return code;
}

}  // namespace

TEST_CASE("what was soft-deleted says when, and how long it can be brought back") {
    const TimePoint now = at("2026-03-10T00:00:00Z");
    SoftDeletedVersion deleted;
    CHECK(soft_deleted_text(deleted, now) == "at a time that Azure does not say readably");
    deleted.deleted_at = at("2026-03-08T01:00:00Z");
    CHECK(soft_deleted_text(deleted, now).ends_with("ago; could be restored for about 5d1h more"));
    deleted.gone_at = at("2026-04-10T00:00:00Z");
    CHECK(soft_deleted_text(deleted, now).ends_with("; could be restored for 31d more"));
    deleted.gone_at = at("2026-03-10T00:20:00Z");
    CHECK(soft_deleted_text(deleted, now).ends_with("; its time to be restored is about to end"));
}

TEST_CASE("what cannot be restored is refused before anything is opened") {
    RestoreOptions options;
    options.common.azure = "https://never.asked.example";
    options.common.state_dir = "/nonexistent/never/made";
    std::string err;
    for (const auto& [version, code] :
         {std::pair{"golden/ubuntu", "GD5022"}, {"golden/ubuntu/latest", "GD5022"}, {"sha256:1111", "GD5032"}}) {
        options.version = version;
        CHECK(restore(options, err) == exit_usage);
        CHECK(err.find(code) != std::string::npos);
    }
    options.version = "golden/ubuntu/1.0.0";
    options.until = "some day";
    CHECK(restore(options, err) == exit_usage);
    CHECK(err.find("GD5036") != std::string::npos);
    options.until.clear();
    options.reason = std::string(250, 'x');  // with the date in front it does not fit
    CHECK(restore(options, err) == exit_usage);
    CHECK(err.find("GD5034") != std::string::npos);
    options.reason.clear();
    options.common.observe = true;
    CHECK(restore(options, err) == exit_usage);
    CHECK(err.find("GD5031") != std::string::npos);
}

TEST_CASE("what is back no longer counts as removed, and a mark of before its deletion stays spent") {
    namespace samples = journal::samples;
    const TemporaryDirectory home;
    const auto memory = samples::open(home.path());
    const ResourceId version(samples::version_text);
    const TimePoint deleted = at("2026-03-08T01:00:00Z");
    const auto nothing = lift_tombstone(*memory, version, deleted);
    REQUIRE(nothing.has_value());
    CHECK_FALSE(*nothing);
    CHECK(memory->resource_records()->empty());  // what galleryd never knew stays unknown
    ResourceRecord record;
    record.written_by_us = true;
    record.document = "ImageVersion/images/ubuntu-1.0.0";
    record.tombstone = true;
    record.deleted_at = at("2026-03-08T00:00:00Z");
    REQUIRE(memory->put_resource_record(version.key(), record).has_value());
    const auto lifted = lift_tombstone(*memory, version, deleted);
    REQUIRE(lifted.has_value());
    CHECK(*lifted);
    const ResourceRecord after = memory->resource_records()->at(version.key());
    CHECK_FALSE(after.tombstone);
    CHECK_FALSE(after.deleted_at.has_value());
    CHECK(after.gone_at == deleted);
    CHECK(after.written_by_us);
    const auto again = lift_tombstone(*memory, version, at("2026-03-07T00:00:00Z"));
    REQUIRE(again.has_value());
    CHECK_FALSE(*again);
    CHECK(memory->resource_records()->at(version.key()).gone_at == deleted);  // never earlier
}
