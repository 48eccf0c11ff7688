#include "controller/program/azure_contact.h"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <utility>
#include <vector>

#include "tests/support/manual_clock.h"
#include "tests/support/recording_log.h"
#include "tests/support/run_task.h"

using namespace galleryd;
using namespace std::chrono_literals;

namespace {

struct Line {
    Line() {
        contact.on_change = [this](bool away, const std::string& text) { told.emplace_back(away, text); };
    }
    void miss(int times, std::chrono::seconds pause = 1s) {
        for (int i = 0; i < times; ++i) {
            contact.note_silence("/subscriptions/" + std::to_string(i % 2), "cannot connect");
            clock.advance(pause);
        }
    }
    std::size_t logged() const { return log.count("azure still does not answer"); }

    boost::asio::io_context io;
    ManualClock clock{io};
    RecordingLog log;
    AzureContact contact{clock, log};
    std::vector<std::pair<bool, std::string>> told;
};

}  // namespace

TEST_CASE("an Azure that is away is told once when it begins and once when it ends") {
    Line line;
    line.miss(2);
    CHECK(line.told.empty());
    CHECK(line.contact.trouble().empty());
    line.miss(40);
    REQUIRE(line.told.size() == 1);
    CHECK(line.told[0].first);
    CHECK(line.told[0].second.contains("cannot connect (GD3008)"));
    CHECK(line.contact.is_away());
    CHECK(line.contact.trouble().contains("(42 requests): cannot connect"));
    line.contact.note_answer();
    REQUIRE(line.told.size() == 2);
    CHECK_FALSE(line.told[1].first);
    CHECK(line.told[1].second.starts_with("Azure answers again after 42s; 42 requests"));
    CHECK(line.contact.trouble().empty());
    line.miss(2);
    line.contact.note_answer();
    CHECK(line.told.size() == 2);
    CHECK(line.logged() == 0);
}

TEST_CASE("what lasts is logged ever less often, with a count") {
    Line line;
    line.miss(60 * 12, 5s);  // an hour
    CHECK(line.told.size() == 1);
    CHECK(line.logged() == 3);  // after 5, 15 and 35 minutes
}

TEST_CASE("a moment, a single thing that hangs and a mixed answer are not an Azure that is away") {
    Line moment;
    moment.miss(20, 0s);  // many at once, within two seconds
    CHECK_FALSE(moment.contact.is_away());
    Line one;
    for (int i = 0; i < 20; ++i) {
        one.contact.note_silence("/subscriptions/1/the/same", "no answer in time");
        one.clock.advance(5s);
    }
    CHECK_FALSE(one.contact.is_away());
    Line rest;  // a daemon at rest asks for one thing only, and nobody listens there
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(rest.contact.is_away());
        rest.contact.note_silence("/providers/Microsoft.ResourceGraph/resources", "cannot connect", true);
        rest.clock.advance(5s);
    }
    CHECK(rest.contact.is_away());
    Line mixed;
    for (int i = 0; i < 20; ++i) {
        mixed.miss(2, 5s);
        mixed.contact.note_answer();
    }
    CHECK(mixed.told.empty());
}

TEST_CASE("the wire tells of Azure's hosts alone, and a refusal is an answer") {
    struct Scripted : http::Transport {
        Result<http::Response> next = http::Response{};
        Task<http::Response> send(http::Origin, http::Request, http::CallLimits) override { co_return next; }
    };
    Line line;
    auto owned = std::make_unique<Scripted>();
    Scripted& script = *owned;
    WatchedTransport transport(std::move(owned), line.contact);
    const http::Origin arm = *http::parse_origin("https://azure.test");
    const http::Origin identity = *http::parse_origin("http://169.254.169.254");
    transport.watch(arm);
    int number = 0;
    const auto ask = [&](const http::Origin& origin) {
        http::Request request{.method = "GET", .target = "/" + std::to_string(number++) + "?x=1"};
        static_cast<void>(run_task(line.io, line.clock, transport.send(origin, std::move(request), {})));
        line.clock.advance(2s);
    };
    script.next = fail(ErrorKind::transient, "NetworkError", "cannot connect");
    for (int i = 0; i < 5; ++i) ask(identity);
    CHECK(line.told.empty());
    for (int i = 0; i < 5; ++i) ask(arm);
    CHECK(line.contact.is_away());
    script.next = http::Response{};
    script.next->status = 403;
    ask(arm);
    CHECK_FALSE(line.contact.is_away());
    script.next->status = 503;
    for (int i = 0; i < 5; ++i) ask(arm);
    CHECK(line.contact.is_away());
    CHECK(line.contact.trouble().ends_with("a gateway says HTTP 503"));
}
