#include <doctest/doctest.h>

#include "controller/adapters/azure/graph_quota.h"
#include "controller/adapters/azure/resource_graph_check.h"
#include "tests/unit/azure/graph_bench.h"

// What Resource Graph may do wrong (reliability Z6 to Z8): never a part that looks whole.
using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using std::chrono::seconds;

namespace {

// A page of ten rows; the estate below has 32 resources, so four pages.
GraphOptions small_pages() {
    GraphOptions options;
    options.page_rows = 10;
    return options;
}

struct FaultBench : GraphBench {
    explicit FaultBench(const std::string& faults) : GraphBench(simulator::GraphBox::without_lag(), small_pages()) {
        box.estate(1, 1, 30);
        const auto loaded = box.azure.load_faults(faults);
        REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().message));
    }
};

// A client whose answers are written by the test.
struct ScriptBench {
    ScriptBench() : clock(io), transport(clock), client(transport, tokens, clock, log, metrics, options()) {}
    static GraphOptions options() {
        GraphOptions made;
        made.arm.arm = *http::parse_origin("https://management.azure.com");
        return made;
    }
    Result<ChangeList> changes() {
        return run_task(io, clock, client.changes_since(clock.now(), {"11111111-1111-1111-1111-111111111111"}));
    }
    boost::asio::io_context io;
    ManualClock clock;
    ScriptedTransport transport;
    CountingToken tokens;
    RecordingMetrics metrics;
    RecordingLog log;
    ResourceGraph client;
};

std::string graph_error_body(const std::string& code, const std::string& detail, const std::string& message = "m") {
    return R"({"error":{"code":")" + code +
           R"(","message":"Please provide below info when asking for support.","details":[{"code":")" + detail +
           R"(","message":")" + message + R"("}]}})";
}

GraphPage page_of(std::vector<std::string_view> rows, std::uint64_t total, std::string token) {
    GraphPage page;
    page.count = rows.size();
    page.rows = std::move(rows);
    page.total = total;
    page.skip_token = std::move(token);
    return page;
}

}  // namespace

TEST_CASE("Z6: a page lost, repeated, cut off or without its rows makes the look an error") {
    for (const std::string fault :
         {"dropPage: true", "repeatPage: true", "graphTruncate: true", "graphRepeatRows: 3"}) {
        CAPTURE(fault);
        // The first two queries ask for subscriptions and the first page; the fault hits the second page.
        FaultBench bench(
            "- {match: {path: '*ResourceGraph*', count: 2}, do: {delayMs: 0}}\n- {match: {path: '*ResourceGraph*', "
            "count: 1}, do: {" +
            fault + "}}");
        const auto summary = bench.look();
        REQUIRE_FALSE(summary.has_value());
        CHECK(summary.error().code == "GD3003");
        CHECK(summary.error().kind == ErrorKind::transient);
        CHECK_FALSE(should_read_lists(summary.error()));
    }
}

TEST_CASE("Z7: rows that the index does not have are not noticed: absence here proves nothing") {
    FaultBench bench("- {match: {path: '*ResourceGraph*'}, do: {graphHideRows: 4}}");
    const auto rows = bench.run(bench.client.in_transition({bench.subscription}));
    REQUIRE(rows.has_value());
    CHECK(rows->found.empty());
    const std::vector<ResourceId> ids{ResourceId(bench.box.galleries + "g0/images/d0/versions/1.0.1")};
    const auto read = bench.run(bench.client.read(ids, bench.sink));
    REQUIRE(read.has_value());
    CHECK(read->missing == ids);
}

TEST_CASE("Z7: an index that lags shows rows as they were") {
    FaultBench bench("- {match: {path: '*ResourceGraph*'}, do: {graphLag: 1h}}");
    const std::string id = bench.box.galleries + "g0/images/d0/versions/1.0.7";
    REQUIRE(bench.box.azure.change_resource(id, R"({"tags":{"new":"yes"}})").has_value());
    bench.box.pass(seconds(600));
    auto summary = bench.look();
    REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
    for (const ObservedVersion& version : bench.sink.versions) CHECK(version.tags.empty());
    bench.box.pass(seconds(3600));
    bench.sink.versions.clear();
    summary = bench.look();
    REQUIRE(summary.has_value());
    CHECK(std::ranges::count_if(bench.sink.versions, [](const auto& version) { return !version.tags.empty(); }) == 1);
}

TEST_CASE("a frozen index shows the same world until it thaws") {
    FaultBench bench("- {match: {path: '*ResourceGraph*', before: 1h}, do: {graphFreeze: true}}");
    REQUIRE(bench.look().has_value());
    bench.box.pass(seconds(1));
    const std::string id = bench.box.galleries + "g0/images/d0/versions/1.0.7";
    bench.box.azure.remove_resource(id);
    bench.box.pass(seconds(600));
    auto summary = bench.look();
    REQUIRE(summary.has_value());
    CHECK(summary->versions == 30);
    bench.box.pass(seconds(3600));
    summary = bench.look();
    REQUIRE(summary.has_value());
    CHECK(summary->versions == 29);
}

TEST_CASE("a resource that goes away between two pages makes the look an error, one that comes does not") {
    FaultBench bench("[]");
    // Done by the answer of the second query: what it removes was on the page that was just read.
    int queries = 0;
    std::string then_remove = bench.box.galleries + "g0/images/d0/versions/1.0.1";
    struct Meddling : http::Transport {
        http::Transport& inner;
        std::function<void()> after;
        Meddling(http::Transport& inner_in, std::function<void()> after_in)
            : inner(inner_in), after(std::move(after_in)) {}
        Task<http::Response> send(http::Origin origin, http::Request request, http::CallLimits limits) override {
            auto answer = co_await inner.send(std::move(origin), std::move(request), limits);
            after();
            co_return answer;
        }
    };
    bool removes = true;
    Meddling meddling(bench.transport, [&] {
        if (++queries != 2) return;
        if (removes) bench.box.azure.remove_resource(then_remove);
        else CHECK(bench.box.ask("PUT", bench.box.galleries + "fresh", R"({"location":"eastus2"})").status == 201);
    });
    ResourceGraph client(meddling, bench.tokens, bench.box.clock, bench.log, bench.metrics, bench.graph_options);
    auto summary = bench.run(client.look({.subscriptions = {bench.subscription}}, bench.sink));
    REQUIRE_FALSE(summary.has_value());
    CHECK(summary.error().code == "GD3003");
    bench.box.clock.advance(seconds(5));
    queries = 0;
    removes = false;
    summary = bench.run(client.look({.subscriptions = {bench.subscription}}, bench.sink));
    REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
}

TEST_CASE("pages asked for side by side notice a resource that goes away, and end when cancelled") {
    FaultBench bench("[]");
    struct Slow : http::Transport {  // answers a second after it was asked
        http::Transport& inner;
        Clock& clock;
        std::function<void(int)> before;
        int number = 0, flying = 0, most = 0;
        Slow(http::Transport& inner_in, Clock& clock_in) : inner(inner_in), clock(clock_in) {}
        Task<http::Response> send(http::Origin origin, http::Request request, http::CallLimits limits) override {
            most = std::max(most, ++flying);
            const int mine = ++number;
            co_await clock.sleep_for(seconds(1));
            if (before) before(mine);
            auto answer = co_await inner.send(std::move(origin), std::move(request), limits);
            --flying;
            co_return answer;
        }
    };
    Slow slow(bench.transport, bench.box.clock);
    ResourceGraph client(slow, bench.tokens, bench.box.clock, bench.log, bench.metrics, bench.graph_options);
    const LookRequest request{.subscriptions = {bench.subscription}, .parallel = 3};
    const auto whole = bench.run(client.look(request, bench.sink));
    REQUIRE_MESSAGE(whole.has_value(), (whole ? "" : whole.error().message));
    CHECK(whole->requests == 5);
    CHECK(whole->versions == 30);
    CHECK(slow.most == 3);
    CHECK(bench.box.clock.monotonic() == seconds(2));  // permission beside the first page, the other three at once
    bench.box.pass(seconds(10));
    slow.number = 0;
    slow.before = [&bench](int number) {
        if (number == 4) bench.box.azure.remove_resource(bench.box.galleries + "g0/images/d0/versions/1.0.1");
    };
    const auto moved = bench.run(client.look(request, bench.sink));
    REQUIRE_FALSE(moved.has_value());
    CHECK(moved.error().code == "GD3003");
    bench.box.pass(seconds(10));
    slow.before = {};
    StartedTask<LookSummary> cancelled(bench.box.io, client.look(request, bench.sink));
    bench.box.clock.advance(seconds(2));
    CHECK_FALSE(cancelled.done());
    cancelled.cancel(bench.box.io);
    CHECK(cancelled.done());
    CHECK(cancelled.exception() != nullptr);
}

TEST_CASE("a 429 without our doing is waited out when it is short and told when it is long") {
    FaultBench bench(
        "- {match: {path: '*ResourceGraph*', count: 1}, do: {status: 429, code: RateLimiting, retryAfter: 4}}\n"
        "- {match: {path: '*ResourceGraph*', after: 1h, count: 1}, do: {status: 429, code: RateLimiting, retryAfter: "
        "300}}");
    const auto summary = bench.look();
    REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
    CHECK(bench.box.clock.monotonic() == seconds(4));
    bench.box.pass(seconds(3600));
    const auto refused = bench.look();
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::throttled);
    CHECK(refused.error().retry_after == seconds(300));
    CHECK_FALSE(should_read_lists(refused.error()));
}

TEST_CASE("Z1: the time that a 429 of Resource Graph names is kept") {
    ScriptBench bench;
    bench.transport.answer(429, graph_error_body("RateLimiting", "RateLimiting"),
                           {{"x-ms-user-quota-remaining", "0"}, {"x-ms-user-quota-resets-after", "00:01:30"}});
    const auto refused = bench.changes();
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::throttled);
    CHECK(refused.error().retry_after == seconds(90));
    const auto held = bench.changes();  // nothing leaves before
    REQUIRE_FALSE(held.has_value());
    CHECK(held.error().kind == ErrorKind::throttled);
    CHECK(bench.transport.sent.size() == 1);
}

TEST_CASE("Z7: what Resource Graph refuses as such may be read through lists, what is broken may not") {
    struct Row {
        int status;
        std::string body;
        ErrorKind kind;
        bool lists;
    };
    const std::vector<Row> rows{
        {400, graph_error_body("BadRequest", "InvalidQuery"), ErrorKind::denied, true},
        {403, graph_error_body("AuthorizationFailed", "AuthorizationFailed"), ErrorKind::denied, true},
        {404, graph_error_body("ResourceNotFound", "x"), ErrorKind::denied, true},
        {409, graph_error_body("DisallowedProvider", "x"), ErrorKind::denied, true},
        {422, graph_error_body("UnprocessableEntity", "x"), ErrorKind::denied, true},
        {422, "", ErrorKind::denied, true},
        {401, graph_error_body("InvalidAuthenticationToken", "x"), ErrorKind::denied, false},
        {404, "<html>no</html>", ErrorKind::transient, false},
        {400, graph_error_body("BadRequest", "NoValidSubscriptionsInQueryRequest"), ErrorKind::denied, false},
        {200, "{\"data\":[", ErrorKind::transient, false},
        {200, "<html>sign in</html>", ErrorKind::transient, false},
        {200, R"({"totalRecords":1,"count":1,"data":{"columns":[],"rows":[]},"resultTruncated":"false"})",
         ErrorKind::transient, false},
        {200, R"({"count":0,"data":[],"resultTruncated":"false"})", ErrorKind::transient, false},
        {200, R"({"totalRecords":1,"count":1,"data":[{"id":"x","target":"y"}],"resultTruncated":"false"})",
         ErrorKind::transient, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.status);
        CAPTURE(row.body);
        ScriptBench bench;
        bench.transport.answer(row.status, row.body);
        if (row.status == 401) bench.transport.answer(row.status, row.body);
        const auto result = bench.changes();
        REQUIRE_FALSE(result.has_value());
        CHECK(result.error().kind == row.kind);
        CHECK(should_read_lists(result.error()) == row.lists);
        CHECK(result.error().code.starts_with("GD3"));
        CHECK(result.error().message.contains("read what changed in galleries"));
    }
}

TEST_CASE("a query goes to the ARM host as a POST with one page size and the subscriptions") {
    ScriptBench bench;
    bench.transport.answer(200, R"({"totalRecords":0,"count":0,"data":[],"facets":[],"resultTruncated":"false"})");
    REQUIRE(bench.changes().has_value());
    const auto& sent = bench.transport.sent.at(0);
    CHECK(sent.request.method == "POST");
    CHECK(sent.request.target == "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01");
    CHECK(sent.request.body.contains(R"("subscriptions":["11111111-1111-1111-1111-111111111111"])"));
    CHECK(sent.request.body.contains(R"("$top":1000)"));
    CHECK(sent.request.body.contains("resourcechanges"));
}

TEST_CASE("Z6: pages that disagree are noticed") {
    PageCheck check;
    CHECK(check.accept(page_of({"a", "b"}, 4, "t1")).has_value());
    CHECK(check.note_rows({1, 2}).has_value());
    SUBCASE("rows that come twice leave too few different ones") {
        CHECK(check.accept(page_of({"b", "c"}, 4, "")).has_value());
        CHECK(check.note_rows({2, 3}).has_value());
        CHECK(check.duplicates() == 1);
        CHECK_FALSE(check.finish().has_value());
    }
    SUBCASE("a row that was pushed to the next page by a new one is no harm") {
        CHECK(check.accept(page_of({"b", "c", "d"}, 5, "")).has_value());
        CHECK(check.note_rows({2, 3, 4}).has_value());
        CHECK(check.finish().has_value());
    }
    SUBCASE("a total that falls") {
        CHECK(check.accept(page_of({"d"}, 3, "")).has_value());
        CHECK(check.note_rows({4}).has_value());
        CHECK_FALSE(check.finish().has_value());
    }
    SUBCASE("the same page under another token") { CHECK_FALSE(check.note_rows({1, 2}).has_value()); }
    SUBCASE("the same token") { CHECK_FALSE(check.accept(page_of({"c"}, 4, "t1")).has_value()); }
    SUBCASE("an empty page that is not the last") { CHECK_FALSE(check.accept(page_of({}, 4, "t2")).has_value()); }
    SUBCASE("a count that is not the number of rows") {
        GraphPage page = page_of({"c"}, 4, "");
        page.count = 2;
        CHECK_FALSE(check.accept(page).has_value());
    }
}

TEST_CASE("the quota counts queries on their way and opens with the next window") {
    GraphQuota quota;
    using Time = GraphQuota::Time;
    CHECK(quota.wait(seconds(0)) == Time{0});  // nothing is known yet
    quota.sent(seconds(0));
    quota.sent(seconds(0));
    quota.ended();
    quota.learn(2, seconds(5), seconds(0));  // one other is flying: one more may go
    CHECK(quota.wait(seconds(0)) == Time{0});
    quota.sent(seconds(0));
    CHECK(quota.wait(seconds(1)) == seconds(4));
    CHECK(quota.wait(seconds(5)) == Time{0});
}
