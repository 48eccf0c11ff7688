#include "controller/adapters/azure/decode_checkup.h"

#include <doctest/doctest.h>

#include "controller/adapters/azure/credential_jwt.h"

using namespace galleryd;
using namespace galleryd::azure;

namespace {

std::string token_of(const std::string& claims) {
    return encode_base64url(R"({"alg":"RS256"})") + "." + encode_base64url(claims) + "." +
           encode_base64url(std::string(256, 's'));
}

}  // namespace

TEST_CASE("what surrounds galleries is read as Azure prints it") {
    const auto subscription = decode_subscription(
        R"({"id":"/subscriptions/A","subscriptionId":"AB","tenantId":"T1","displayName":"Images","state":"Warned",
            "managedByTenants":[{"tenantId":"T2"}]})");
    REQUIRE(subscription.has_value());
    CHECK(subscription->id == "ab");
    CHECK(subscription->tenant == "t1");
    CHECK(subscription->state == "Warned");
    CHECK(subscription->managed_by_tenants == std::vector<std::string>{"t2"});

    const auto page =
        decode_subscription_page(R"({"value":[{"subscriptionId":"a","state":"Enabled"}],"nextLink":"x"})");
    REQUIRE(page.has_value());
    CHECK(page->items.size() == 1);
    CHECK(page->next_link == "x");

    const auto rights =
        decode_rights(R"({"value":[{"actions":["*"],"notActions":["a/b"],"dataActions":[]},{"actions":["c"]}]})");
    REQUIRE(rights.has_value());
    CHECK(rights->sets.size() == 2);
    CHECK(rights->sets[0].not_actions == std::vector<std::string>{"a/b"});
    CHECK(rights->complete);
    CHECK_FALSE(decode_rights(R"({"value":[],"nextLink":"https://x"})")->complete);

    const auto provider = decode_provider(
        R"({"namespace":"Microsoft.Compute","registrationState":"Registered","resourceTypes":[
            {"resourceType":"galleries/images","apiVersions":["2024-03-03"],"locations":["Canada Central"]}]})");
    REQUIRE(provider.has_value());
    REQUIRE(provider->find("GALLERIES/images") != nullptr);
    CHECK(provider->find("galleries/images")->regions == std::vector<std::string>{"canadacentral"});
    CHECK(provider->find("galleries") == nullptr);

    CHECK(*decode_feature_state(R"({"properties":{"state":"Registering"}})") == "Registering");
    const auto usages = decode_usages(
        R"({"value":[{"limit":100,"unit":"Count","currentValue":7,"name":{"value":"Gallery","localizedValue":"G"}},{"limit":"x"}]})");
    REQUIRE(usages.has_value());
    REQUIRE(usages->size() == 1);
    CHECK(usages->front().current == 7);
}

TEST_CASE("half and foreign answers are errors, never an empty list of rights or subscriptions") {
    for (const char* text : {"", "{", "[]", "{}", R"({"value":{}})", "<html>", R"({"value":[{)", "null"}) {
        CAPTURE(text);
        CHECK_FALSE(decode_subscription(text).has_value());
        CHECK_FALSE(decode_subscription_page(text).has_value());
        CHECK_FALSE(decode_rights(text).has_value());
        CHECK_FALSE(decode_provider(text).has_value());
        CHECK_FALSE(decode_feature_state(text).has_value());
        CHECK_FALSE(decode_usages(text).has_value());
        if (const auto rights = decode_rights(text); !rights) CHECK(rights.error().code.starts_with("GD300"));
    }
    CHECK_FALSE(decode_subscription_page(R"({"value":[{"subscriptionId":"a"},{}]})").has_value());
}

TEST_CASE("a token says who signed in, and an opaque one says nothing") {
    const auto application = find_token_identity(
        token_of(R"({"tid":"T","oid":"O","appid":"A","aud":"https://management.azure.com/","exp":1772323200})"));
    REQUIRE(application.has_value());
    CHECK(application->tenant == "T");
    CHECK(application->object_id == "O");
    CHECK(application->app_id == "A");
    CHECK_FALSE(application->is_user);
    CHECK(application->expires == parse_rfc3339("2026-03-01T00:00:00Z"));
    CHECK(find_token_identity(token_of(R"({"oid":"O","upn":"a@b","scp":"user_impersonation"})"))->is_user);
    CHECK(find_token_identity(token_of(R"({"oid":"O","idtyp":"user"})"))->is_user);
    CHECK_FALSE(find_token_identity(token_of(R"({"oid":"O","idtyp":"app","upn":"x"})"))->is_user);
    CHECK(find_token_identity(token_of(R"({"azp":"V2"})"))->app_id == "V2");
    for (const char* text : {"", "opaque", "a.b", "a.!.c", "a.b.c.d"})
        CHECK_FALSE(find_token_identity(text).has_value());
    const auto workload = find_workload(token_of(R"({"iss":"I","sub":"S","aud":["X","Y"]})"));
    REQUIRE(workload.has_value());
    CHECK(workload->issuer == "I");
    CHECK(workload->subject == "S");
    CHECK(workload->audience == "X");
    CHECK(find_workload(token_of(R"({"aud":"Z"})"))->audience == "Z");
}
