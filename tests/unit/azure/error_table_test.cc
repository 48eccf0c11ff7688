#include "controller/adapters/azure/error_table.h"

#include <doctest/doctest.h>

#include <set>

#include "controller/adapters/azure/retry_after.h"
#include "controller/adapters/azure/role_table.h"
#include "controller/core/error_catalogue.h"
#include "controller/core/resource_id.h"
#include "tests/unit/azure/scripted_transport.h"

using namespace galleryd;
using namespace galleryd::azure;
using galleryd::azure::test::error_body;

namespace {

const TimePoint now = *parse_rfc3339("2026-03-01T00:00:00Z");

Error error_for(int status, const std::string& body, http::Headers headers = {}) {
    return error_from_answer({.what = "read gallery g"},
                             http::Response{.status = status, .headers = std::move(headers), .body = body}, now);
}

struct Expected {
    int status;
    std::string code, message;
    ErrorKind kind;
    std::string reason, catalogue;
};

}  // namespace

TEST_CASE("each known code leads to its kind, reason and catalogue entry") {
    using enum ErrorKind;
    const std::vector<Expected> cases{
        {409, "X", "Too many requests on source '/images/a'. Please reduce the number", not_ready, "Throttled",
         "GD3072"},
        {429, "SubscriptionRequestsThrottled", "m", throttled, "Throttled", "GD3030"},
        {429, "TenantRequestsThrottled", "m", throttled, "Throttled", "GD3030"},
        {429, "ResourceRequestsThrottled", "m", throttled, "Throttled", "GD3030"},
        {429, "ResourceCollectionRequestsThrottled", "m", throttled, "Throttled", "GD3030"},
        {429, "TooManyRequests", "m", throttled, "Throttled", "GD3030"},
        {429, "RateLimiting", "m", throttled, "Throttled", "GD3030"},
        {429, "OperationNotAllowed", "The server rejected the request", throttled, "Throttled", "GD3030"},
        {401, "InvalidAuthenticationTokenTenant", "m", denied, "AuthenticationFailed", "GD3016"},
        {401, "InvalidAuthenticationToken", "IDX10222: Lifetime validation failed. The token is not yet valid.", denied,
         "AuthenticationFailed", "GD3019"},
        {401, "InvalidAuthenticationToken", "m", denied, "AuthenticationFailed", "GD3015"},
        {401, "ExpiredAuthenticationToken", "m", denied, "AuthenticationFailed", "GD3015"},
        {401, "AuthenticationFailed", "m", denied, "AuthenticationFailed", "GD3015"},
        {401, "InvalidAuthenticationTokenTenantNotFound", "m", denied, "AuthenticationFailed", "GD3016"},
        {404, "TenantNotFound", "m", denied, "AuthenticationFailed", "GD3016"},
        {403, "LinkedAuthorizationFailed", "m", denied, "AuthorizationFailed", "GD3021"},
        {403, "AuthorizationFailed", "m", denied, "AuthorizationFailed", "GD3020"},
        {403, "RequestDisallowedByPolicy", "m", denied, "PolicyDenied", "GD3022"},
        {409, "ScopeLocked", "m", denied, "ResourceLocked", "GD3023"},
        {409, "QuotaExceeded", "m", denied, "QuotaExceeded", "GD3031"},
        {409, "OperationNotAllowed",
         "Operation could not be completed as it results in exceeding approved Gallery quota.", denied, "QuotaExceeded",
         "GD3031"},
        {400, "RoleAssignmentLimitExceeded", "m", denied, "QuotaExceeded", "GD3031"},
        {409, "GallerySourceResourceExceedsMaxSize", "m", invalid, "InvalidSpec", "GD3071"},
        {404, "SubscriptionNotFound", "m", denied, "AuthorizationFailed", "GD3043"},
        {400, "NoValidSubscriptionsInQueryRequest", "m", denied, "AuthorizationFailed", "GD3043"},
        {409, "ReadOnlyDisabledSubscription", "m", denied, "AzureError", "GD3044"},
        {403, "SubscriptionDisabled", "m", denied, "AzureError", "GD3044"},
        {404, "SubscriptionStateForbidden", "m", denied, "AzureError", "GD3044"},
        {404, "RoleAssignmentNotFound", "m", not_ready, "NotFoundInAzure", "GD3040"},
        {404, "FeatureNotFound", "m", not_ready, "NotFoundInAzure", "GD3040"},
        {400, "RoleDefinitionDoesNotExist", "m", invalid, "InvalidSpec", "GD3082"},
        {409, "RoleAssignmentUpdateNotPermitted", "m", invalid, "ImmutableFieldChanged", "GD3050"},
        {200, "OperationPreempted", "m", conflict, "AzureError", "GD3091"},
        {409, "StorageAccountOperationInProgress", "m", conflict, "AzureError", "GD3091"},
        {409, "StorageAccountBeingCreated", "m", not_ready, "DependencyNotReady", "GD3091"},
        {409, "StorageAccountIsNotProvisioned", "m", not_ready, "DependencyNotReady", "GD3091"},
        {409, "AlreadyExists", "m", invalid, "InvalidSpec", "GD3083"},
        {400, "AccountNameInvalid", "m", invalid, "InvalidSpec", "GD3060"},
        {400, "StorageAccountNameNotValid", "m", invalid, "InvalidSpec", "GD3060"},
        {400, "InvalidRequestContent", "m", invalid, "InvalidSpec", "GD3060"},
        {400, "InvalidTags", "m", invalid, "InvalidSpec", "GD3060"},
        {400, "InvalidTagNameOrValue", "m", invalid, "InvalidSpec", "GD3060"},
        {400, "LocationRequired", "m", invalid, "InvalidSpec", "GD3060"},
        {400, "InvalidRoleAssignmentId", "m", invalid, "InvalidSpec", "GD3060"},
        {400, "InvalidCreateRoleAssignmentRequest", "m", invalid, "InvalidSpec", "GD3060"},
        {400, "MissingApiVersionParameter", "m", bug, "AzureError", "GD3098"},
        {405, "MethodNotAllowed", "m", bug, "AzureError", "GD3098"},
        {400, "InvalidQuery", "m", bug, "AzureError", "GD3098"},
        {400, "ParserFailure", "m", bug, "AzureError", "GD3098"},
        {400, "NoValidColumns", "m", bug, "AzureError", "GD3098"},
        {400, "InvalidColumnNames", "m", bug, "AzureError", "GD3098"},
        {500, "InternalError", "m", transient, "AzureError", "GD3090"},
        {405, "Unheard", "m", bug, "AzureError", "GD3098"},
        {400, "InvalidSubscriptionId", "m", invalid, "InvalidSpec", "GD3043"},
        {404, "ResourceGroupNotFound", "m", not_ready, "DependencyNotReady", "GD3041"},
        {404, "ParentResourceNotFound", "m", not_ready, "DependencyNotReady", "GD3042"},
        {404, "ResourceNotFound", "m", not_ready, "NotFoundInAzure", "GD3040"},
        {404, "NotFound", "m", not_ready, "NotFoundInAzure", "GD3040"},
        {404, "GalleryImageNotFound", "m", not_ready, "SourceImageMissing", "GD3061"},
        {409, "PropertyChangeNotAllowed", "Changing property 'galleryImage.properties.eula' is not allowed.", invalid,
         "ImmutableFieldChanged", "GD3050"},
        {409, "CannotDeleteResource", "Cannot delete resource while nested resources exist.", not_ready,
         "DependencyNotReady", "GD3051"},
        {409, "OperationNotAllowed", "Operation 'Update' is not allowed on 'v' since it is marked for deletion.",
         not_ready, "DependencyNotReady", "GD3052"},
        {409, "DeleteGalleryImageVersionBlockedBeforeEndOfLife", "m", denied, "ResourceLocked", "GD3053"},
        {409, "Z", "set safetyProfile.allowDeletionOfReplicatedLocations to true", denied, "ResourceLocked", "GD3054"},
        {400, "Z", "set safetyProfile.allowDeletionOfReplicatedLocations to true", denied, "ResourceLocked", "GD3054"},
        {409, "InvalidResourceLocation", "m", invalid, "ImmutableFieldChanged", "GD3055"},
        {409, "InvalidResourceGroupLocation", "m", invalid, "ImmutableFieldChanged", "GD3055"},
        {409, "Z", "already exists. Choose a different publisher, offer, sku combination.", invalid, "InvalidSpec",
         "GD3056"},
        {409, "Z", "The gallery name g is not unique within the subscription s", invalid, "InvalidSpec", "GD3057"},
        {409, "ResourceGroupBeingDeleted", "m", not_ready, "DependencyNotReady", "GD3091"},
        {409, "AnotherOperationInProgress", "m", conflict, "AzureError", "GD3091"},
        {409, "Conflict", "m", conflict, "AzureError", "GD3091"},
        {400, "InvalidParameter", "Source x is not found. Please check source exists, and is in the same region",
         invalid, "SourceImageMissing", "GD3061"},
        {400, "LocationNotAvailableForResourceType", "m", invalid, "InvalidSpec", "GD3062"},
        {400, "NoRegisteredProviderFound", "m", denied, "AzureError", "GD3063"},
        {400, "InvalidApiVersionParameter", "m", denied, "AzureError", "GD3063"},
        {400, "InvalidResourceType", "m", denied, "AzureError", "GD3063"},
        {409, "MissingSubscriptionRegistration", "m", denied, "AuthorizationFailed", "GD3064"},
        {400, "PrincipalNotFound", "m", not_ready, "DependencyNotReady", "GD3080"},
        {409, "RoleAssignmentExists", "m", conflict, "AzureError", "GD3081"},
        {409, "StorageAccountAlreadyTaken", "m", invalid, "InvalidSpec", "GD3083"},
        {400, "InvalidParameter", "Duplicate regions are not allowed in target publishing regions.", invalid,
         "InvalidSpec", "GD3060"},
        {500, "InternalServerError", "m", transient, "AzureError", "GD3090"},
        {503, "ServiceUnavailable", "m", transient, "AzureError", "GD3090"},
        {504, "GatewayTimeout", "m", transient, "AzureError", "GD3090"},
        {503, "ServerTimeout", "m", transient, "AzureError", "GD3090"},
        {400, "Unheard", "m", invalid, "InvalidSpec", "GD3060"},
        {401, "Unheard", "m", denied, "AuthenticationFailed", "GD3015"},
        {403, "Unheard", "m", denied, "AuthorizationFailed", "GD3020"},
        {404, "Unheard", "m", not_ready, "NotFoundInAzure", "GD3040"},
        {408, "Unheard", "m", transient, "AzureError", "GD3090"},
        {409, "Unheard", "m", conflict, "AzureError", "GD3091"},
        {410, "Unheard", "m", not_ready, "NotFoundInAzure", "GD3040"},
        {412, "Unheard", "m", conflict, "AzureError", "GD3091"},
        {422, "Unheard", "m", invalid, "InvalidSpec", "GD3060"},
        {423, "Unheard", "m", denied, "ResourceLocked", "GD3023"},
        {429, "Unheard", "m", throttled, "Throttled", "GD3030"},
        {418, "Unheard", "m", invalid, "AzureError", "GD3099"},
        {507, "Unheard", "m", transient, "AzureError", "GD3090"},
    };
    std::set<const ErrorRow*> used;
    for (const Expected& expected : cases) {
        CAPTURE(expected.code);
        CAPTURE(expected.message);
        const Error error = error_for(expected.status, error_body(expected.code, expected.message));
        CHECK(error.kind == expected.kind);
        CHECK(error.reason == expected.reason);
        CHECK(error.code == expected.catalogue);
        CHECK(error.http_status == expected.status);
        used.insert(&find_error_row(
            expected.status,
            ErrorBody{.code = expected.code, .message = expected.message, .target = {}, .detail_codes = {}}));
    }
    const Error replication = error_from_operation({.what = "create image version v"}, "ValidationError",
                                                   "Gallery replication jobs failed in one or more regions.");
    CHECK(replication.reason == "ReplicationFailed");
    CHECK(replication.kind == ErrorKind::not_ready);
    CHECK(error_from_operation({.what = "w"}, "ReplicationJobFailed", "m").code == "GD3070");
    CHECK(error_from_operation({.what = "w"}, "NeverSeen", "m").kind == ErrorKind::transient);
    // A row that no case reaches is a row nobody tested.
    for (const ErrorRow& row : error_rows()) {
        CAPTURE(row.code);
        const bool is_operation_row = row.catalogue == "GD3070";
        CHECK((is_operation_row || used.contains(&row)));
        CHECK_FALSE(row.origin.empty());
        CHECK(find_error(row.catalogue) != nullptr);
    }
}

TEST_CASE("each documented text of a refused declaration waits for another declaration") {
    for (const char* text :
         {"Gallery image version publishing profile regions 'East US' must contain the location of image version "
          "'westus'.",
          "The value 101 of parameter regionalReplicaCount is out of range. The value must be between 1 and 100, "
          "inclusive.",
          "EndOfLifeDate must be set to a future date.",
          "The minimum value of vCPUs must not be greater than the maximum value.",
          "Asset name galleryImage.properties.identifier.offer is not valid.",
          "Duplicated lun numbers 0 are not allowed.", "ZRS storage account type is not supported in this region.",
          "Duplicate regions are not allowed in target publishing regions."}) {
        CAPTURE(text);
        const Error error = error_for(400, error_body("InvalidParameter", text));
        CHECK(error.kind == ErrorKind::invalid);
        CHECK(error.code == "GD3060");
        CHECK(error.message.contains(text));
    }
}

TEST_CASE("a provider that is not registered and an api-version that is not offered say what to do, with real ids") {
    const http::Response answer{
        .status = 409,
        .headers = {},
        .body = error_body("MissingSubscriptionRegistration",
                           "The subscription is not registered to use namespace 'Microsoft.Storage'. See x")};
    CHECK(error_from_answer({.what = "create storage account /subscriptions/s1/resourceGroups/rg/providers/x/y/z"},
                            answer, now)
              .message.ends_with("Register it: az provider register --namespace Microsoft.Storage --subscription s1"));
    CHECK(error_for(400, error_body("NoRegisteredProviderFound", "The supported api-versions are '2023-07-03'."))
              .message.contains("2023-07-03"));
}

TEST_CASE("the advice for a missing right is a command with Azure's object id, at the group") {
    const Error error = error_for(
        403, error_body("AuthorizationFailed",
                        "The client 'c' with object id '0581142e' does not have authorization to perform action "
                        "'Microsoft.Compute/galleries/read' over scope '/subscriptions/s/resourceGroups/rg/providers/"
                        "Microsoft.Compute/galleries/g' or the scope is invalid."));
    // Compute Gallery Image Reader holds images/read and images/versions/read only.
    CHECK(
        error.message.ends_with("az role assignment create --assignee-object-id 0581142e --assignee-principal-type "
                                "ServicePrincipal --role \"Reader\" --scope /subscriptions/s/resourceGroups/rg"));
}

TEST_CASE("codes are compared without case, and details are looked at after the code") {
    CHECK(error_for(403, error_body("AUTHORIZATIONFAILED", "m")).code == "GD3020");
    const Error detailed = error_for(
        400,
        R"({"error":{"code":"BadRequest","message":"m","details":[{"code":"RequestDisallowedByPolicy","message":"d"}]}})");
    CHECK(detailed.reason == "PolicyDenied");
}

TEST_CASE("a missing permission says which role and where, and reads the same every time") {
    const std::string message =
        "The client 'c' with object id 'o' does not have authorization to perform action "
        "'Microsoft.Compute/galleries/images/write' over scope "
        "'/subscriptions/s/resourceGroups/rg' or the scope is invalid.";
    const Error error =
        error_for(403, error_body("AuthorizationFailed", message), {{"x-ms-correlation-request-id", "6f1c"}});
    CHECK(error.message.contains("Compute Gallery Artifacts Publisher"));
    CHECK(error.message.contains("at /subscriptions/s/resourceGroups/rg"));
    CHECK(error.message.contains("Owner or User Access Administrator"));
    CHECK_FALSE(error.message.contains("6f1c"));
    CHECK(error.correlation_id == "6f1c");
    CHECK(error_for(403, error_body("AuthorizationFailed", "perform action 'Microsoft.Compute/galleries/share/action'"))
              .message.contains("Sharing Admin"));
}

TEST_CASE("a proxy's page is called a proxy's page and is never taken for an answer about the resource") {
    for (const int status : {400, 403, 404, 409, 502, 302}) {
        CAPTURE(status);
        const http::Response answer{.status = status,
                                    .headers = {{"Content-Type", "text/html"}},
                                    .body = "<html><h1>Blocked by\r\ncorporate proxy</h1></html>"};
        const Error error = error_from_answer({.what = "read gallery g"}, answer, now);
        CHECK(error.code == "GD3002");
        CHECK(error.reason == "AzureError");
        CHECK(error.kind == (status == 403 ? ErrorKind::denied : ErrorKind::transient));
        CHECK(error.message.contains("proxy or gateway"));
        CHECK(error.message.contains("text/html"));
        CHECK_FALSE(error.message.contains("\n"));
        CHECK_FALSE(says_absent(answer));
    }
}

TEST_CASE("absent means a NotFound code of Azure's, nothing else") {
    const auto absent = [](int status, const std::string& body) {
        return says_absent({.status = status, .headers = {}, .body = body});
    };
    CHECK(absent(404, error_body("ResourceNotFound", "m")));
    CHECK(absent(404, error_body("ResourceGroupNotFound", "m")));
    CHECK(absent(404, error_body("ParentResourceNotFound", "m")));
    CHECK_FALSE(absent(404, error_body("SubscriptionNotFound", "m")));
    CHECK_FALSE(absent(404, error_body("InvalidResourceType", "m")));
    CHECK_FALSE(absent(404, ""));
    CHECK_FALSE(absent(403, error_body("ResourceNotFound", "m")));
}

TEST_CASE("Z1: Retry-After in every form, with absurd values bounded") {
    using std::chrono::seconds;
    const auto hint = [](http::Headers headers, const std::string& message = "") {
        return find_retry_after(headers, message, now);
    };
    CHECK(hint({{"Retry-After", "17"}}) == seconds{17});
    CHECK(hint({{"retry-after", " 1200 "}}) == seconds{1200});
    CHECK(hint({{"Retry-After", "Sun, 01 Mar 2026 00:00:30 GMT"}}) == seconds{30});
    // The server's own clock counts, not ours.
    CHECK(hint({{"Retry-After", "Mon, 02 Mar 2026 00:00:30 GMT"}, {"Date", "Mon, 02 Mar 2026 00:00:00 GMT"}}) ==
          seconds{30});
    CHECK(hint({{"Retry-After", "Sun, 01 Mar 2020 00:00:30 GMT"}}) == seconds{1});
    CHECK(hint({{"Retry-After", "0"}}) == seconds{1});
    CHECK(hint({{"Retry-After", "-5"}}) == seconds{1});
    CHECK(hint({{"Retry-After", "1.5"}}) == seconds{1});
    CHECK(hint({{"Retry-After", "1000000000"}}) == seconds{3600});
    CHECK(hint({{"Retry-After", "99999999999999999999999999"}}) == seconds{3600});
    CHECK_FALSE(hint({{"Retry-After", "soon"}}).has_value());
    CHECK_FALSE(hint({{"Retry-After", ""}}).has_value());
    CHECK_FALSE(hint({}).has_value());
    CHECK(hint({{"x-ms-retry-after-ms", "1500"}}) == seconds{2});
    CHECK(hint({{"x-ms-user-quota-resets-after", "00:00:05"}}) == seconds{5});
    CHECK(hint({{"x-ms-user-quota-resets-after", "a:b:c"}}) == std::nullopt);
    CHECK(hint({}, "Please try again after '372' seconds.") == seconds{372});
    CHECK(hint({}, "Please try again after '0' seconds.") == seconds{1});
    CHECK(hint({}, "try again after 5 minutes") == seconds{300});
    CHECK_FALSE(hint({}, "try again after a while").has_value());
    CHECK(hint({{"Retry-After", "5"}}, "try again after '6' seconds") == seconds{6});
    CHECK(default_hold("ResourceCollectionRequestsThrottled") == seconds{120});
    CHECK(error_for(429, "").retry_after == seconds{60});
    CHECK_FALSE(error_for(503, "").retry_after.has_value());
}

TEST_CASE("roles by name, by GUID and by definition id") {
    CHECK(role_definition_guid("reader") == "acdd72a7-3385-48ef-bd42-f606fba81ae7");
    CHECK(role_definition_guid("Compute Gallery Sharing Admin") == "1ef6a3be-d0ac-425d-8c01-acb62866290b");
    CHECK(role_definition_guid("B24988AC-6180-42A0-AB88-20F7382DD24C") == "b24988ac-6180-42a0-ab88-20f7382dd24c");
    CHECK(role_definition_guid("/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/"
                               "b24988ac-6180-42a0-ab88-20f7382dd24c") == "b24988ac-6180-42a0-ab88-20f7382dd24c");
    CHECK_FALSE(role_definition_guid("Emperor").has_value());
    CHECK_FALSE(role_definition_guid("").has_value());
    CHECK_FALSE(is_guid("b24988ac-6180-42a0-ab88-20f7382dd24"));
    CHECK_FALSE(is_guid("b24988ac_6180_42a0_ab88_20f7382dd24c"));
}

TEST_CASE("the catalogue of Azure errors is sorted and every entry says what to do") {
    std::string before;
    for (const CatalogueEntry& entry : azure_errors()) {
        CAPTURE(entry.code);
        CHECK(std::string(entry.code) > before);
        CHECK_FALSE(entry.title.empty());
        CHECK_FALSE(entry.cause.empty());
        CHECK_FALSE(entry.remedy.empty());
        before = entry.code;
    }
}

TEST_CASE("a claims challenge is told apart from a token that is simply refused") {
    http::Response answer{
        .status = 401,
        .headers = {{"WWW-Authenticate",
                     "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/"
                     "oauth2/authorize\", error=\"insufficient_claims\", "
                     "claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\""}},
        .body = R"({"error":{"code":"InvalidAuthenticationToken","message":"The access token has been revoked."}})"};
    const Error challenged = error_from_answer({.what = "read gallery g"}, answer, TimePoint{});
    CHECK(challenged.code == "GD3024");
    CHECK(challenged.kind == ErrorKind::denied);
    CHECK(challenged.reason == "AuthenticationFailed");
    CHECK(challenged.message.contains("read gallery g"));
    CHECK(challenged.message.contains("claims challenge"));
    CHECK_FALSE(challenged.message.contains("eyJhY2"));
    answer.headers = {{"WWW-Authenticate", "Bearer error=\"invalid_token\""}};
    CHECK(error_from_answer({.what = "read gallery g"}, answer, TimePoint{}).code == "GD3015");
    answer.headers = {{"WWW-Authenticate", "Bearer claims=\"x\""}};
    answer.body.clear();
    CHECK(error_from_answer({.what = "read gallery g"}, answer, TimePoint{}).code == "GD3024");
}
