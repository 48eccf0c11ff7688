#include "tests/unit/simulator/box.h"

// What a gallery needs of the rest of Azure: sign-in, groups, roles, storage, sharing, soft deletion, limits, locks.
namespace galleryd::simulator {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("a secret buys a token; a wrong one is refused with Entra's body; unknown and missing tokens are 401") {
    Box box;
    box.token.clear();
    CHECK(box.ask("GET", box.galleries + "g").status == 401);
    const auto wrong = box.raw("POST", "/72f988bf-86f1-41af-91ab-2d7cd011db47/oauth2/v2.0/token",
                               "grant_type=client_credentials&client_id=c&client_secret=wrong&scope=x%2F.default");
    CHECK(wrong.status == 401);
    CHECK(wrong.body["error"] == "invalid_client");
    CHECK(wrong.body["error_codes"][0] == 7000215);
    CHECK(text_of(wrong.body, "error_description").starts_with("AADSTS7000215: "));
    const auto right = box.raw("POST", "/72f988bf-86f1-41af-91ab-2d7cd011db47/oauth2/v2.0/token",
                               "grant_type=client_credentials&client_id=c&client_secret=p%26q&scope=x%2F.default");
    REQUIRE(right.status == 200);
    CHECK(right.body["token_type"] == "Bearer");
    CHECK(right.body["expires_in"] == 3599);
    box.token = "Bearer " + text_of(right.body, "access_token");
    CHECK(box.ask("GET", box.galleries + "g").status == 404);
    box.clock.advance(hours(1));
    const auto expired = box.ask("GET", box.galleries + "g");
    CHECK(expired.status == 401);
    CHECK(expired.header("WWW-Authenticate").starts_with("Bearer authorization_uri="));
    box.token = "Bearer made.up.token";
    CHECK(box.ask("GET", box.galleries + "g").code() == "InvalidAuthenticationToken");
    REQUIRE(box.azure.load_state(R"({"resources":[],"secrets":{"c":"only"}})"));
    CHECK(
        box.raw("POST", "/t/oauth2/v2.0/token", "grant_type=client_credentials&client_id=c&client_secret=other&scope=x")
            .status == 401);
    CHECK(
        box.raw("POST", "/t/oauth2/v2.0/token", "grant_type=client_credentials&client_id=c&client_secret=only&scope=x")
            .status == 200);
    CHECK(box.raw("POST", "/t/oauth2/v2.0/token",
                  "grant_type=client_credentials&client_id=c&client_assertion=a.b.c&scope=x")
              .body["error_codes"][0] == 50027);
    CHECK(box.raw("GET", "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r").status == 400);
    CHECK(text_of(box.raw("GET", "/adfs/.well-known/openid-configuration").body, "token_endpoint") ==
          "https://azure.test/adfs/oauth2/token");
    CHECK(box.raw("GET", "/metadata/endpoints?api-version=2022-09-01").body[0]["resourceManager"] ==
          "https://azure.test");
}

TEST_CASE("resource groups are made, read, tagged and deleted with everything in them") {
    Box box;
    const std::string fresh = box.subscription + "/resourcegroups/fresh";
    CHECK(box.ask("HEAD", fresh).status == 404);
    CHECK(box.ask("GET", fresh).code() == "ResourceGroupNotFound");
    CHECK(box.ask("PUT", fresh, R"({"location":"East US 2","tags":{"a":"b"}})").status == 201);
    CHECK(box.ask("HEAD", fresh).status == 204);
    CHECK(box.ask("PATCH", fresh, R"({})").body["tags"]["a"] == "b");
    CHECK(box.ask("PUT", fresh, R"({"location":"eastus2"})").status == 200);
    CHECK(!box.ask("GET", fresh).body.contains("tags"));
    CHECK(box.ask("PUT", fresh, R"({"location":"westus"})").code() == "InvalidResourceGroupLocation");
    box.make_gallery();
    box.make_definition();
    const auto deleted = box.ask("DELETE", box.group);
    CHECK(deleted.status == 202);
    CHECK(box.follow(deleted, "Location").status == 202);
    box.pass(minutes(3));
    CHECK(box.follow(deleted, "Location").status == 200);
    CHECK(box.ask("GET", box.group).status == 404);
    CHECK(box.azure.resource_ids("Microsoft.Compute/galleries").empty());
}

TEST_CASE("a role assignment is idempotent under its own GUID only") {
    FullBox box;
    REQUIRE(box.azure.load_state(R"({"resources":[],"unknownPrincipals":["00000000-0000-0000-0000-00000000dead"]})"));
    const std::string scope = box.galleries + "g/providers/Microsoft.Authorization/roleAssignments/";
    const auto body = [](const std::string& principal) {
        return R"({"properties":{"roleDefinitionId":"/subscriptions/11111111-1111-1111-1111-111111111111/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7","principalId":")" +
               principal + R"(","principalType":"Group"}})";
    };
    const std::string who = "22222222-2222-2222-2222-222222222222";
    const auto first = box.ask("PUT", scope + "aaaaaaaa-0000-0000-0000-000000000001", body(who), "2022-04-01");
    CHECK(first.status == 201);
    CHECK(first.body["properties"]["createdBy"].is_null());
    CHECK(first.body["properties"]["scope"] == box.galleries + "g");
    CHECK(first.raw.body.find('\n') == std::string::npos);
    CHECK(box.ask("PUT", scope + "aaaaaaaa-0000-0000-0000-000000000001", body(who), "2022-04-01").status == 200);
    const auto twin = box.ask("PUT", scope + "aaaaaaaa-0000-0000-0000-000000000002", body(who), "2022-04-01");
    CHECK(twin.status == 409);
    CHECK(twin.code() == "RoleAssignmentExists");
    CHECK(box.ask("PUT", scope + "aaaaaaaa-0000-0000-0000-000000000003", body("00000000-0000-0000-0000-00000000dead"),
                  "2022-04-01")
              .code() == "PrincipalNotFound");
    const auto listed =
        box.ask("GET", box.galleries + "g/images/d/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()",
                "", "2022-04-01");
    REQUIRE(listed.body["value"].size() == 1);  // inherited from the gallery
    CHECK(box.ask("DELETE", scope + "aaaaaaaa-0000-0000-0000-000000000001", "", "2022-04-01").status == 200);
    CHECK(box.ask("DELETE", scope + "aaaaaaaa-0000-0000-0000-000000000001", "", "2022-04-01").status == 204);
    const auto role = box.ask(
        "GET", box.subscription + "/providers/Microsoft.Authorization/roleDefinitions?$filter=roleName%20eq%20'Reader'",
        "", "2022-04-01");
    REQUIRE(role.body["value"].size() == 1);
    CHECK(role.body["value"][0]["name"] == "acdd72a7-3385-48ef-bd42-f606fba81ae7");
}

TEST_CASE("a storage account answers 202 with Location alone and its body at the end") {
    Box box;
    const std::string check = box.subscription + "/providers/Microsoft.Storage/checkNameAvailability";
    CHECK(box.ask("POST", check, R"({"name":"staging1","type":"Microsoft.Storage/storageAccounts"})", "2023-05-01")
              .body["nameAvailable"] == true);
    CHECK(box.ask("POST", check, R"({"name":"No","type":"Microsoft.Storage/storageAccounts"})", "2023-05-01")
              .body["reason"] == "AccountNameInvalid");
    const std::string account = box.group + "/providers/Microsoft.Storage/storageAccounts/staging1";
    const std::string body =
        R"({"sku":{"name":"Standard_LRS"},"kind":"StorageV2","location":"eastus2","properties":{"minimumTlsVersion":"TLS1_2"}})";
    const auto made = box.ask("PUT", account, body, "2023-05-01");
    CHECK(made.status == 202);
    CHECK(made.raw.body.empty());
    CHECK(made.header("Azure-AsyncOperation").empty());
    CHECK(box.follow(made, "Location").status == 202);
    box.pass(seconds(30));
    const auto done = box.follow(made, "Location");
    CHECK(done.status == 200);
    CHECK(done.body["properties"]["minimumTlsVersion"] == "TLS1_2");
    CHECK(box.ask("PUT", account, body, "2023-05-01").status == 200);
    CHECK(box.ask("POST", check, R"({"name":"staging1","type":"Microsoft.Storage/storageAccounts"})", "2023-05-01")
              .body["reason"] == "AlreadyExists");
    CHECK(box.ask("DELETE", account, "", "2023-05-01").status == 200);
}

TEST_CASE("a lock makes deletion 409 and a read-only one makes writes 409") {
    FullBox box;
    const std::string lock = box.galleries + "g/providers/Microsoft.Authorization/locks/keep";
    REQUIRE(box.ask("PUT", lock, R"({"properties":{"level":"CanNotDelete"}})", "2020-05-01").status == 201);
    box.make_version();
    CHECK(box.ask("DELETE", box.version("1.0.0")).code() == "ScopeLocked");
    CHECK(box.ask("PUT", box.version("1.0.0"), box.version_text()).status == 200);
    REQUIRE(box.ask("PUT", lock, R"({"properties":{"level":"ReadOnly"}})", "2020-05-01").status == 200);
    box.pass(hours(1));
    CHECK(box.ask("PUT", box.version("1.0.0"), box.version_text()).code() == "ScopeLocked");
    REQUIRE(box.ask("DELETE", lock, "", "2020-05-01").status == 200);
    CHECK(box.ask("DELETE", box.version("1.0.0")).status == 202);
}

TEST_CASE("direct sharing keeps groups until Reset makes the gallery private for good") {
    Box box;
    REQUIRE(box.ask("PUT", box.galleries + "g",
                    R"({"location":"eastus2","properties":{"sharingProfile":{"permissions":"Groups"}}})")
                .status == 201);
    box.pass(seconds(1));
    const std::string add = R"({"operationType":"Add","groups":[{"type":"Subscriptions","ids":["a","b"]}]})";
    const auto shared = box.ask("POST", box.galleries + "g/share", add);
    CHECK(shared.status == 202);
    CHECK(!shared.header("Location").empty());
    CHECK(shared.header("x-ms-ratelimit-remaining-resource") ==
          "Microsoft.Compute/PostShareGallery3Min;9,Microsoft.Compute/PostShareGallery30Min;59");
    box.pass(seconds(10));
    const auto whole = box.ask("GET", box.galleries + "g?$select=Permissions");
    CHECK(whole.body["properties"]["sharingProfile"]["groups"].dump() ==
          R"([{"type":"Subscriptions","ids":["a","b"]}])");
    CHECK(!box.ask("GET", box.galleries + "g").body["properties"]["sharingProfile"].contains("groups"));
    REQUIRE(box.ask("POST", box.galleries + "g/share", R"({"operationType":"Reset"})").status == 202);
    box.pass(seconds(10));
    CHECK(box.ask("GET", box.galleries + "g").body["properties"]["sharingProfile"]["permissions"] == "Private");
    CHECK(box.ask("POST", box.galleries + "g/share", add).status == 409);
    CHECK(box.ask("PUT", box.galleries + "g",
                  R"({"location":"eastus2","properties":{"sharingProfile":{"permissions":"Groups"}}})")
              .code() == "PropertyChangeNotAllowed");
}

TEST_CASE("soft deletion keeps a version for its days, restores it by a bare PUT, and can be bypassed") {
    Box box;
    REQUIRE(
        box.ask(
               "PUT", box.galleries + "g",
               R"({"location":"eastus2","properties":{"softDeletePolicy":{"isSoftDeleteEnabled":true,"retentionPeriodInDays":31,"gracePeriodInDays":8}}})",
               "2026-03-03")
            .status == 201);
    box.pass(seconds(1));
    box.make_definition();
    box.make_version();
    box.make_version("2.0.0");
    REQUIRE(box.ask("DELETE", box.version("1.0.0"), "", "2026-03-03").status == 202);
    REQUIRE(box.ask("DELETE", box.version("2.0.0") + "?bypassSoftDelete=true", "", "2026-03-03").status == 202);
    box.pass(minutes(5));
    const std::string list = box.galleries + "g/softDeletedArtifactTypes/Images/artifacts/d/versions";
    const auto listed = box.ask("GET", list, "", "2026-03-03");
    REQUIRE(listed.body["value"].size() == 1);
    const Json properties = listed.body["value"][0]["properties"];
    const auto at = parse_rfc3339(text_of(properties, "softDeletedTime"));
    CHECK(parse_rfc3339(text_of(properties, "consumptionEndTime")) == *at + std::chrono::days(31));
    CHECK(parse_rfc3339(text_of(properties, "hardDeletionTargetTime")) == *at + std::chrono::days(39));
    CHECK(box.ask("GET", box.version("1.0.0")).status == 404);
    CHECK(box.ask("PUT", box.version("1.0.0"), box.version_text()).code() == "PropertyChangeNotAllowed");
    const auto restored = box.ask("PUT", box.version("1.0.0"), R"({"location":"eastus2","tags":{}})", "2026-03-03");
    CHECK(restored.status == 200);
    CHECK(restored.state() == "Updating");
    box.pass(minutes(5));
    CHECK(box.ask("GET", box.version("1.0.0")).body["properties"]["storageProfile"]["osDiskImage"]["sizeInGB"] == 30);
    REQUIRE(box.ask("DELETE", box.version("1.0.0"), "", "2026-03-03").status == 202);
    box.pass(hours(24 * 40));
    CHECK(box.ask("GET", list, "", "2026-03-03").body["value"].empty());
}

TEST_CASE("both provider windows are counted down, end in 429 and come back") {
    Box box;
    box.make_gallery();
    for (int i = 0; i < 99; ++i)
        REQUIRE(box.ask("GET", box.group + "/providers/Microsoft.Compute/galleries").status == 200);
    const auto last = box.ask("GET", box.group + "/providers/Microsoft.Compute/galleries");
    CHECK(last.header("x-ms-ratelimit-remaining-resource") ==
          "Microsoft.Compute/ListGalleryInResourceGroup3Min;0,Microsoft.Compute/ListGalleryInResourceGroup30Min;900");
    const auto refused = box.ask("GET", box.group + "/providers/Microsoft.Compute/galleries");
    CHECK(refused.status == 429);
    CHECK(refused.code() == "ResourceCollectionRequestsThrottled");
    CHECK(refused.header("Retry-After") == "180");
    box.pass(seconds(180));
    CHECK(box.ask("GET", box.group + "/providers/Microsoft.Compute/galleries").status == 200);
}

TEST_CASE("a single-resource policy answers the provider's own 429 body, wrapped or bare") {
    Box box;
    bool bare = false;
    bool wrapped = false;
    for (int round = 0; round < 12 && !(bare && wrapped); ++round) {
        for (int i = 0; i < 50; ++i) (void)box.ask("PUT", box.galleries + "bad-name", "{}");
        const auto refused = box.ask("PUT", box.galleries + "bad-name", "{}");
        REQUIRE(refused.status == 429);
        const Json& error = refused.body.contains("error") ? member(refused.body, "error") : refused.body;
        (refused.body.contains("error") ? wrapped : bare) = true;
        CHECK(text_of(error, "code") == "OperationNotAllowed");
        CHECK(text_of(member(error, "details").at(0), "code") == "TooManyRequests");
        CHECK(refused.header("x-ms-ratelimit-remaining-resource").ends_with(";0"));
        box.pass(round == 5 ? seconds(1800) : seconds(180));
    }
    CHECK(bare);
    CHECK(wrapped);
}

TEST_CASE("ARM's buckets empty at 250 reads, refill by 25 a second, and asking early restarts the wait") {
    Box box;
    const std::string target = box.subscription + "/resourceGroups/rg";
    CHECK(box.ask("GET", target).header("x-ms-ratelimit-remaining-subscription-reads") == "249");
    for (int i = 0; i < 249; ++i) REQUIRE(box.ask("GET", target).status == 200);
    const auto refused = box.ask("GET", target);
    CHECK(refused.status == 429);
    CHECK(refused.code() == "SubscriptionRequestsThrottled");
    const int wait = std::stoi(refused.header("Retry-After"));
    CHECK(wait >= 1);
    box.clock.advance(seconds(wait) - std::chrono::milliseconds(500));
    CHECK(box.ask("GET", target).status == 429);
    box.clock.advance(std::chrono::milliseconds(500));
    CHECK(box.ask("GET", target).status == 429);  // the wait began anew
    box.clock.advance(seconds(60));
    CHECK(box.ask("GET", target).status == 200);
    box.token = "Bearer " + box.azure.issue_token("somebody else");
    CHECK(box.ask("GET", target).header("x-ms-ratelimit-remaining-subscription-reads") == "249");  // its own bucket
    Options free;
    free.limits = false;
    Box unlimited(free);
    for (int i = 0; i < 400; ++i) REQUIRE(unlimited.ask("GET", target).status == 200);
}

}  // namespace galleryd::simulator
