#include "controller/adapters/azure/budget_headers.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "controller/adapters/azure/arm_channel.h"
#include "tests/unit/azure/scripted_transport.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using std::chrono::seconds;
using Refuser = BudgetAnswer::Refuser;

namespace {

const TimePoint now = *parse_rfc3339("2026-03-01T00:00:00Z");

http::Response answer_of(int status, std::string body, http::Headers headers) {
    return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

}  // namespace

TEST_CASE("the remaining-headers as they were recorded") {
    const auto answer = answer_of(201, "{}",
                                  {{"x-ms-ratelimit-remaining-subscription-writes", "199"},
                                   {"X-MS-RateLimit-Remaining-Subscription-Global-Writes", " 2999"},
                                   {"x-ms-ratelimit-remaining-resource",
                                    "Microsoft.Compute/CreateUpdateGalleryImageVersion3Min;374,Microsoft.Compute/"
                                    "CreateUpdateGalleryImageVersion30Min;1199"}});
    const BudgetAnswer budgets = read_budgets(answer, RequestKind::write, now);
    CHECK(budgets.own_left == 199);
    CHECK(budgets.global_left == 2'999);
    REQUIRE(budgets.policies_left.size() == 2);
    CHECK(budgets.policies_left.at(0).policy == "CreateUpdateGalleryImageVersion3Min");
    CHECK(budgets.policies_left.at(0).left == 374);
    CHECK(budgets.policies_left.at(1).left == 1'199);
    CHECK(budgets.refuser == Refuser::nobody);
    // Counts of another kind of request are not ours.
    CHECK_FALSE(read_budgets(answer, RequestKind::read, now).own_left.has_value());
}

TEST_CASE("Resource Graph's quota and its end") {
    const auto answer =
        answer_of(200, "{}", {{"x-ms-user-quota-remaining", "14"}, {"x-ms-user-quota-resets-after", "00:00:05"}});
    const BudgetAnswer budgets = read_budgets(answer, RequestKind::write, now);
    CHECK(budgets.graph_left == 14);
    CHECK(budgets.graph_resets_in == BudgetTime(seconds{5}));
}

TEST_CASE("headers that make no sense say nothing") {
    const auto answer = answer_of(200, "{}",
                                  {{"x-ms-ratelimit-remaining-subscription-reads", "many"},
                                   {"x-ms-ratelimit-remaining-subscription-global-reads", "-3"},
                                   {"x-ms-ratelimit-remaining-resource", ";;,Microsoft.Compute/GetGallery3Min;1e9,x"},
                                   {"x-ms-user-quota-remaining", ""}});
    const BudgetAnswer budgets = read_budgets(answer, RequestKind::read, now);
    CHECK_FALSE(budgets.own_left.has_value());
    CHECK_FALSE(budgets.global_left.has_value());
    CHECK_FALSE(budgets.graph_left.has_value());
    CHECK(budgets.policies_left.empty());
    http::Headers many;
    for (int i = 0; i < 500; ++i) many.add("x-ms-ratelimit-remaining-b" + std::to_string(i), "1");
    CHECK(remaining_counts(many).size() == 64);
}

TEST_CASE("a 429 names the budget that refused, and its wait in any form") {
    struct Row {
        std::string code;
        http::Headers headers;
        Refuser refuser;
        seconds wait;
    };
    const http::Headers provider{{"x-ms-ratelimit-remaining-resource", "Microsoft.Compute/GetGallery30Min;0"},
                                 {"Retry-After", "1200"}};
    for (const Row& row : std::vector<Row>{
             {"SubscriptionRequestsThrottled", {{"Retry-After", "6"}}, Refuser::subscription, seconds{6}},
             {"TenantRequestsThrottled", {{"Retry-After", "0"}}, Refuser::tenant, seconds{1}},
             {"OperationNotAllowed", provider, Refuser::policy, seconds{1200}},
             {"OperationNotAllowed", {}, Refuser::policy, seconds{60}},
             {"TooManyRequests", provider, Refuser::policy, seconds{1200}},
             {"TooManyRequests", {{"Retry-After", "-5"}}, Refuser::unnamed, seconds{1}},
             {"", {{"Retry-After", "Sun, 01 Mar 2026 00:00:45 GMT"}}, Refuser::unnamed, seconds{45}},
             {"", {{"Retry-After", "1000000000"}}, Refuser::unnamed, seconds{3600}},
             {"ResourceCollectionRequestsThrottled", {}, Refuser::collection, seconds{120}},
             {"ResourceRequestsThrottled", {{"Retry-After", "372"}}, Refuser::policy, seconds{372}},
             {"RateLimiting", {{"x-ms-user-quota-resets-after", "00:00:04"}}, Refuser::resource_graph, seconds{4}}}) {
        CAPTURE(row.code);
        const auto answer = answer_of(429, row.code.empty() ? "" : error_body(row.code, "m"), row.headers);
        const BudgetAnswer budgets = read_budgets(answer, RequestKind::read, now);
        CHECK(static_cast<int>(budgets.refuser) == static_cast<int>(row.refuser));
        CHECK(budgets.wait == BudgetTime(row.wait));
    }
}

TEST_CASE("a call is charged to the policy and region that Azure charges it to") {
    const std::string gallery = sample_gallery.text();
    const auto budget = [](const std::string& method, const std::string& target, const std::string& type) {
        return budget_class({.method = method,
                             .target = target + "?api-version=2024-03-03&$expand=a/b",
                             .subscription = "S",
                             .resource_type = type,
                             .region = "East US 2"});
    };
    const auto get = budget("GET", gallery, "Microsoft.Compute/galleries");
    CHECK(get.policy == "GetGallery");
    CHECK(get.region == "eastus2");
    CHECK(get.kind == RequestKind::read);
    CHECK(budget("GET", gallery + "/images", "Microsoft.Compute/galleries/images").policy ==
          "ListGalleryImagesInGallery");
    CHECK(budget("GET", gallery + "/images/images", "Microsoft.Compute/galleries/images").policy == "GetGalleryImage");
    CHECK(budget("DELETE", sample_version.text(), "Microsoft.Compute/galleries/images/versions").policy ==
          "DeleteGalleryImageVersion");
    CHECK(budget("POST", gallery + "/share", "Microsoft.Compute/galleries").policy == "PostShareGallery");
    CHECK(
        budget("GET", "/subscriptions/S/providers/Microsoft.Compute/galleries", "Microsoft.Compute/galleries").policy ==
        "ListGallery");
    CHECK(budget("GET", "/subscriptions/S/resourceGroups/rg", "Microsoft.Resources/resourceGroups").policy == "");
    CHECK(budget("POST", "/providers/Microsoft.ResourceGraph/resources", "Microsoft.ResourceGraph/resources")
              .resource_graph);
}
