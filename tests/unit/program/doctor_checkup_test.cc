#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "controller/program/doctor/checkup.h"
#include "controller/simulator/simulator.h"
#include "tests/support/manual_clock.h"
#include "tests/support/recording_log.h"
#include "tests/support/recording_metrics.h"
#include "tests/support/run_task.h"

using namespace galleryd;
using namespace galleryd::doctor;

namespace {

const std::string subscription = "00000000-0000-0000-0000-000000000001";

// The doctor in front of the built-in Azure, without sockets and on a manual clock.
struct Ward {
    boost::asio::io_context io;
    ManualClock clock{io};
    RecordingLog log;
    RecordingMetrics metrics;
    simulator::Simulator azure{clock, [] {
                                   simulator::Options options;
                                   options.check_tokens = false;
                                   return options;
                               }()};
    simulator::InProcessTransport transport{azure, clock};
    azure::NoToken token;

    std::function<void(Finding&)> on_finding;

    std::vector<Finding> examine(Needs needs, const std::string& faults = "[]") {
        REQUIRE(azure.load_faults(faults).has_value());
        Questions questions(transport, token, clock, log, metrics,
                            {.arm = *http::parse_origin("https://azure.test"), .deadline = std::chrono::seconds{15}});
        Checkup checkup(questions, token, clock,
                        {.endpoint = {.url = "https://azure.test", .ca_file = ""},
                         .sign_in = {},
                         .needs = std::move(needs),
                         .on_finding = on_finding});
        auto found = run_task(io, clock, checkup.run());
        REQUIRE(found.has_value());
        return std::move(*found);
    }
};

Needs many_galleries(int count) {
    Needs needs;
    SubscriptionNeeds& one = needs.subscriptions[subscription];
    for (int i = 0; i < count; ++i)
        one.rights.push_back({.scope = "/subscriptions/" + subscription +
                                       "/resourceGroups/rg/providers/Microsoft.Compute/galleries/g" + std::to_string(i),
                              .why = "gallery",
                              .location = "",
                              .actions = {{.action = "a/read", .role = "Reader"}}});
    return needs;
}

std::size_t count_of(const std::vector<Finding>& findings, std::string_view check, Verdict verdict) {
    return static_cast<std::size_t>(std::ranges::count_if(
        findings, [&](const Finding& one) { return one.check == check && one.verdict == verdict; }));
}

}  // namespace

TEST_CASE("an Azure whose every answer about rights hangs costs two minutes a subscription and hides nothing else") {
    Ward ward;
    const auto began = ward.clock.monotonic();
    const auto findings = ward.examine(many_galleries(100), "- {path: '*/permissions', delay: 3600s}\n");
    CHECK(ward.clock.monotonic() - began < std::chrono::minutes{4});
    CHECK(count_of(findings, "rights", Verdict::skipped) >= 4);
    CHECK(count_of(findings, "rights", Verdict::skipped) < 20);
    CHECK(count_of(findings, "rights", Verdict::failed) == 0);
    CHECK(count_of(findings, "subscription", Verdict::skipped) == 1);
    CHECK(count_of(findings, "subscription", Verdict::ok) == 1);
    CHECK(count_of(findings, "resource-graph", Verdict::ok) == 1);
}

TEST_CASE("half an answer is a skipped check and not a missing right") {
    Ward ward;
    const auto findings = ward.examine(many_galleries(1), "- {path: '*/permissions', cutAfterBytes: 20}\n");
    CHECK(count_of(findings, "rights", Verdict::failed) == 0);
    CHECK(count_of(findings, "rights", Verdict::skipped) == 1);
}

TEST_CASE("each finding is told when it is known, not when the last answer is there") {
    Ward ward;
    std::map<std::string, std::chrono::nanoseconds> told_after;
    std::size_t told = 0;
    const auto began = ward.clock.monotonic();
    ward.on_finding = [&](Finding& finding) {
        told_after.try_emplace(finding.check, ward.clock.monotonic() - began);
        finding.measured += "; seen";
        ++told;
    };
    const auto findings = ward.examine(many_galleries(1), "- {path: '*/permissions', delay: 3600s}\n");
    CHECK(told == findings.size());
    CHECK(std::ranges::all_of(findings, [](const Finding& one) { return one.measured.ends_with("; seen"); }));
    for (const char* early : {"endpoint", "clock", "sign-in", "subscription", "provider"}) {
        CAPTURE(early);
        REQUIRE(told_after.contains(early));
        CHECK(told_after[early] < std::chrono::seconds{10});
    }
    CHECK(told_after["rights"] >= std::chrono::seconds{15});  // it hung for its deadline
}

TEST_CASE("a subscription that cannot be read is one failure, whatever the documents need in it") {
    Ward ward;
    ward.azure.set_readable(subscription, false);
    Needs needs = many_galleries(14);
    for (NeededRights& one : needs.subscriptions[subscription].rights)
        one.actions.push_back({.action = "a/write", .role = "Publisher"});
    const auto findings = ward.examine(std::move(needs));
    CHECK(std::ranges::count(findings, Verdict::failed, &Finding::verdict) == 1);
    const auto closed = std::ranges::find(findings, Verdict::failed, &Finding::verdict);
    REQUIRE(closed != findings.end());
    CHECK(closed->check == "subscription");
    CHECK(closed->measured.contains("nor can the 14 scopes in it"));
    CHECK_FALSE(closed->measured.contains("az role"));  // that stands below it
    const std::string grant =
        "az role assignment create --assignee-object-id 00000000-0000-0000-0000-0000000000aa "
        "--assignee-principal-type ServicePrincipal --role ";  // whom Azure refused; the token does not say
    const std::string place = " --scope /subscriptions/" + subscription;
    CHECK(closed->fix == std::vector<std::string>{grant + "\"Reader\"" + place,
                                                  grant + "\"Publisher\"" + place + "/resourceGroups/rg"});
}

TEST_CASE("the doctor only reads") {
    Ward ward;
    ward.examine(many_galleries(3));
    ward.examine({});
    CHECK(ward.azure.history().empty());
}
