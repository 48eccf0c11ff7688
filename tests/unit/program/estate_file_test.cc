#include "controller/program/estate_file.h"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "controller/simulator/simulator.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_directory.h"

using namespace galleryd;

TEST_CASE("a key of an estate that nobody reads is refused with the nearest that is read") {
    for (const char* right : {R"({"resources": [], "rights": []})", R"({"value": [], "nextLink": null})", "[]",
                              R"({"id": "/subscriptions/1", "anything": 1})", "no JSON"}) {
        CAPTURE(right);
        CHECK(check_estate_keys("azure.json", right).has_value());
    }
    const auto wrong = check_estate_keys("azure.json", R"({"resources": [], "unreadableSubscription": ["1"]})");
    REQUIRE_FALSE(wrong.has_value());
    CHECK(wrong.error().code == "GD5028");
    CHECK(
        wrong.error().message.starts_with("azure.json: there is no key \"unreadableSubscription\" in an estate; did "
                                          "you mean \"unreadableSubscriptions\"?"));
    const TemporaryDirectory directory;
    CHECK(read_estate(directory.file("none.json")).error().code == "GD5014");
    directory.write("azure.json", R"({"resurces": []})");
    CHECK(read_estate(directory.file("azure.json")).error().message.contains("did you mean \"resources\"?"));
}

TEST_CASE("every key that the simulator writes is one that it knows") {
    boost::asio::io_context io;
    ManualClock clock(io);
    simulator::Simulator azure(clock, simulator::Options{});
    REQUIRE(azure
                .load_state(R"({"resources": [], "tenants": ["t"], "subscriptions": ["1"], "secrets": {"a": "b"},
                                "unknownPrincipals": ["p"], "unreadableSubscriptions": ["2"], "identityHeader": "h",
                                "subscriptionStates": {"1": "Warned"}, "subscriptionTenants": {"1": "t"},
                                "providers": {"Microsoft.Compute": "Registered"}, "features": {"a/b": "Registered"},
                                "apiVersions": {"a/b": ["2024-01-01"]}, "usageLimits": {"Gallery": 1},
                                "computeRegions": ["eastus"], "managedIdentities": ["system"],
                                "rights": [{"scope": "/subscriptions/1", "actions": ["*"]}],
                                "arc": {"keyFile": "f", "key": "k"}})")
                .has_value());
    const std::string saved = azure.save_state();
    CHECK(nlohmann::json::parse(saved).size() >= 15);
    CHECK(check_estate_keys("saved", saved).has_value());
}
