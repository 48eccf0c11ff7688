#include <doctest/doctest.h>

#include "controller/simulator/service_times.h"
#include "tests/unit/azure/graph_bench.h"

// A look that asks several things at a time.
namespace galleryd::azure {

using std::chrono::milliseconds;
using test::GraphBench;

namespace {

simulator::Options slow() {
    simulator::Options options = simulator::GraphBox::without_lag();
    options.service_times = *simulator::parse_service_times("graph=300ms");
    return options;
}

}  // namespace

TEST_CASE("in parallel, who can be read and what is there are asked at the same time") {
    GraphBench bench(slow());
    bench.box.estate(1, 2, 3);
    const auto before = bench.box.clock.monotonic();
    const auto one_by_one = bench.look(1);
    REQUIRE(one_by_one.has_value());
    CHECK(bench.box.clock.monotonic() - before == milliseconds{600});
    const auto middle = bench.box.clock.monotonic();
    const auto at_once = bench.look(4);
    REQUIRE(at_once.has_value());
    CHECK(bench.box.clock.monotonic() - middle == milliseconds{300});
    CHECK(at_once->requests == 2);
    CHECK(at_once->readable == one_by_one->readable);
    CHECK(at_once->versions == 6);
    CHECK(bench.sink.versions.size() == 12);
}

TEST_CASE("in parallel, what cannot be read is named as one by one") {
    GraphBench bench;
    bench.box.estate(1, 1, 1);
    const std::string other = "22222222-2222-2222-2222-222222222222";
    bench.box.azure.set_readable(other, false);
    auto summary =
        bench.run(bench.client.look({.subscriptions = {other, bench.subscription}, .parallel = 4}, bench.sink));
    REQUIRE(summary.has_value());
    CHECK(summary->readable == std::vector<std::string>{bench.subscription});
    CHECK(summary->unreadable == std::vector<std::string>{other});
    CHECK(summary->versions == 1);
    summary = bench.run(bench.client.look({.subscriptions = {other}, .parallel = 4}, bench.sink));
    REQUIRE_MESSAGE(summary.has_value(), (summary ? "" : summary.error().message));
    CHECK(summary->readable.empty());
    CHECK(summary->unreadable == std::vector<std::string>{other});
    CHECK(summary->versions == 0);
}

TEST_CASE("in parallel, either question's error ends the look") {
    for (const char* faults : {"[{path: \"*ResourceGraph*\", count: 1, status: 403, code: AuthorizationFailed}]",
                               "[{path: \"*ResourceGraph*\", status: 403, code: AuthorizationFailed}]"}) {
        CAPTURE(faults);
        GraphBench bench;
        bench.box.estate(1, 1, 1);
        REQUIRE(bench.box.azure.load_faults(faults).has_value());
        const auto summary = bench.look(4);
        REQUIRE_FALSE(summary.has_value());
        CHECK(summary.error().kind == ErrorKind::denied);
    }
    GraphBench bench;
    const auto sent = bench.requests_of([&] {
        const auto look = bench.run(bench.client.look({.subscriptions = {"x"}, .parallel = 4}, bench.sink));
        REQUIRE_FALSE(look.has_value());
        CHECK(look.error().code == "GD3006");
    });
    CHECK(sent == 0);
}

}  // namespace galleryd::azure
