#include "controller/program/command_approve.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>

#include "controller/adapters/clock/system_clock.h"
#include "controller/adapters/journal/journal.h"
#include "controller/program/options.h"
#include "tests/support/temporary_directory.h"

using namespace galleryd;

namespace {

const std::string digest = "sha256:" + std::string(64, 'a');

struct Said {
    int exit = 0;
    std::string out, err;
};

Said approve(ApproveOptions options) {
    std::ostringstream out, err;
    const int exit = run_approve(options, out, err);
    return {exit, out.str(), err.str()};
}

std::unique_ptr<Journal> daemon_journal(const TemporaryDirectory& directory) {
    auto opened = journal::open_journal({.directory = directory.path(), .now = SystemClock().now()});
    REQUIRE(opened.has_value());
    return std::move(*opened);
}

}  // namespace

TEST_CASE("what is not a whole digest is a usage error, and nothing is opened") {
    const TemporaryDirectory directory;
    for (const std::string& wrong :
         {std::string(), std::string("sha256:"), "sha256:" + std::string(63, 'a'), "sha256:" + std::string(65, 'a'),
          "sha256:" + std::string(64, 'A'), "sha256:" + std::string(64, 'g'), "sha512:" + std::string(64, 'a'),
          std::string(71, 'a')}) {
        CAPTURE(wrong);
        const Said said = approve({.digest = wrong, .state_dir = directory.path()});
        CHECK(said.exit == exit_usage);
        CHECK(said.exit == 64);
        CHECK(said.err.find("GD5019") != std::string::npos);
        CHECK(said.out.empty());
    }
    CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("a validity that is no duration is a usage error") {
    const TemporaryDirectory directory;
    for (const char* wrong : {"", "24", "0s", "-1h", "tomorrow"}) {
        CAPTURE(wrong);
        const Said said = approve({.digest = digest, .state_dir = directory.path(), .valid_for = wrong});
        CHECK(said.exit == exit_usage);
        CHECK(said.err.find("GD5003") != std::string::npos);
        CHECK(said.err.find("--for") != std::string::npos);
    }
}

TEST_CASE("an approval reaches the journal that a daemon holds, and expires when it says") {
    const TemporaryDirectory directory;
    const auto journal = daemon_journal(directory);  // the lock is taken: approve writes beside it
    const TimePoint before = SystemClock().now();
    const Said said = approve({.digest = digest, .state_dir = directory.path(), .valid_for = "2h"});
    const TimePoint after = SystemClock().now();
    CHECK(said.exit == exit_done);
    CHECK(said.err.find("no event") != std::string::npos);  // nothing asked for it: perhaps a slip of the hand
    CHECK(said.out.find(digest) != std::string::npos);

    const auto approvals = journal->approvals();
    REQUIRE(approvals.has_value());
    REQUIRE(approvals->size() == 1);
    CHECK(approvals->begin()->first == digest);
    const TimePoint expires = approvals->begin()->second;
    CHECK(expires >= before + std::chrono::hours{2} - std::chrono::seconds{1});  // the journal may keep whole seconds
    CHECK(expires <= after + std::chrono::hours{2});
}

TEST_CASE("a digest that an event of the daemon names is approved without a remark") {
    const TemporaryDirectory directory;
    const auto journal = daemon_journal(directory);
    EventRecord event;
    event.at = SystemClock().now();
    event.reason = "BrakeEngaged";
    event.object = "dir:manifests";
    event.message = std::string("deletions are frozen. Release this revision: galleryd approve ") + digest;
    REQUIRE(journal->put_event(event).has_value());
    const Said said = approve({.digest = digest, .state_dir = directory.path()});
    CHECK(said.exit == exit_done);
    CHECK(said.err.empty());
}

TEST_CASE("an approval outlives the daemon: the next one on the same directory sees it") {
    const TemporaryDirectory directory;
    daemon_journal(directory).reset();
    REQUIRE(approve({.digest = digest, .state_dir = directory.path()}).exit == exit_done);
    const auto approvals = daemon_journal(directory)->approvals();
    REQUIRE(approvals.has_value());
    CHECK(approvals->contains(digest));
}

TEST_CASE("without a journal there is nothing to approve in: the error says so") {
    const TemporaryDirectory directory;
    const Said said = approve({.digest = digest, .state_dir = directory.path()});
    CHECK(said.exit == exit_error);
    CHECK(said.err.find("GD4107") != std::string::npos);
    CHECK(std::filesystem::is_empty(directory.path()));
}
