#include "controller/simulator/login.h"

#include <algorithm>

#include "controller/core/resource_id.h"
#include "controller/simulator/errors.h"
#include "controller/simulator/login_assertion.h"

namespace galleryd::simulator {
namespace {

constexpr std::chrono::seconds lifetime{3599};
constexpr std::string_view default_tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";

std::string form_value(const std::string& form, std::string_view name) { return parse_path("/?" + form).get(name); }

Answer entra_error(World& world, int status, std::string_view error, int code, const std::string& text, TimePoint now) {
    const std::string trace = world.id_random.guid();
    const std::string correlation = world.id_random.guid();
    std::string time = format_rfc3339(std::chrono::floor<std::chrono::seconds>(now));
    time[10] = ' ';
    Answer answer;
    answer.status = status;
    answer.compact = true;
    answer.body["error"] = error;
    answer.body["error_description"] = "AADSTS" + std::to_string(code) + ": " + text + "\r\nTrace ID: " + trace +
                                       "\r\nCorrelation ID: " + correlation + "\r\nTimestamp: " + time;
    answer.body["error_codes"] = Json::array({code});
    answer.body["timestamp"] = time;
    answer.body["trace_id"] = trace;
    answer.body["correlation_id"] = correlation;
    return answer;
}

Answer plain(Json body) {
    Answer answer;
    answer.compact = true;
    answer.body = std::move(body);
    return answer;
}

Json openid_configuration(const std::string& base, const std::string& tenant, bool adfs) {
    const std::string root = base + "/" + tenant;
    const std::string oauth = root + (adfs ? "/oauth2" : "/oauth2/v2.0");
    return Json{{"token_endpoint", oauth + "/token"},
                {"authorization_endpoint", oauth + "/authorize"},
                {"device_authorization_endpoint", oauth + "/devicecode"},
                {"issuer", root + (adfs ? "" : "/v2.0")},
                {"jwks_uri", root + "/discovery/keys"},
                {"tenant_region_scope", nullptr},
                {"token_endpoint_auth_methods_supported", Json::array({"client_secret_post", "private_key_jwt"})},
                {"response_types_supported", Json::array({"code", "id_token"})},
                {"subject_types_supported", Json::array({"pairwise"})},
                {"id_token_signing_alg_values_supported", Json::array({"RS256"})}};
}

Json metadata_endpoints(const std::string& base, const std::string& tenant, bool as_list) {
    const std::string host = base.substr(base.find("//") + 2);
    Json cloud{
        {"name", "galleryd-simulator"},
        {"portal", base},
        {"resourceManager", base},
        {"graphAudience", base},
        {"graph", base},
        {"authentication", Json{{"loginEndpoint", base},
                                {"audiences", Json::array({base, base + "/"})},
                                {"tenant", tenant},
                                {"identityProvider", "AAD"}}},
        {"suffixes",
         Json{{"storage", "core.windows.net"}, {"keyVaultDns", "vault.azure.net"}, {"acrLoginServer", "azurecr.io"}}},
        {"activeDirectoryDataLake", base},
        {"media", base},
        {"gallery", base},
        {"batch", base},
        {"sqlManagement", base},
        {"vmImageAliasDoc", base}};
    // Before 2019 the answer was one flat object.
    if (as_list) return Json::array({cloud});
    return Json{{"galleryEndpoint", base},
                {"graphEndpoint", base},
                {"portalEndpoint", base},
                {"authentication", Json{{"loginEndpoint", base}, {"audiences", Json::array({base, base + "/"})}}}};
}

Refusal bad_request(std::string error, int number, std::string text) {
    return {.status = 400, .error = std::move(error), .number = number, .text = std::move(text)};
}

// A tenant is a GUID or a domain; an estate that lists tenants knows no others.
std::optional<Refusal> refuse_tenant(const World& world, const std::string& tenant) {
    const bool named = std::ranges::all_of(tenant, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
    });
    if (!named)
        return bad_request(
            "invalid_request", 900023,
            "Specified tenant identifier '" + tenant + "' is neither a valid DNS name, nor a valid external domain.");
    const std::string folded = fold_case(tenant);
    const auto is_it = [&folded](const std::string& known) { return fold_case(known) == folded; };
    if (world.tenants.empty() || folded == "adfs" || folded == default_tenant ||
        std::ranges::any_of(world.tenants, is_it))
        return std::nullopt;
    return bad_request("invalid_request", 90002,
                       "Tenant '" + tenant +
                           "' not found. Check to make sure you have the correct tenant ID and are signing into the "
                           "correct cloud. Check with your subscription administrator, this may happen if there are no "
                           "active subscriptions for the tenant.");
}

std::optional<Refusal> refuse_secret(const World& world, const std::string& client, const std::string& secret) {
    const auto named = world.secrets.find(fold_case(client));
    const bool wrong = named != world.secrets.end() ? named->second != secret : secret == "wrong";
    if (!wrong) return std::nullopt;
    return Refusal{.number = 7000215,
                   .text =
                       "Invalid client secret provided. Ensure the secret being sent in the request is the client "
                       "secret value, not the client secret ID, for a secret added to app '" +
                       client + "'."};
}

std::optional<Refusal> refuse_sign_in(const World& world, const Call& call, const std::string& tenant) {
    const std::string& form = call.http.body;
    if (form_value(form, "grant_type") != "client_credentials")
        return bad_request("unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
    if (auto refused = refuse_tenant(world, tenant)) return refused;
    const std::string client = form_value(form, "client_id");
    if (client.empty())
        return bad_request("invalid_request", 900144,
                           "The request body must contain the following parameter: 'client_id'.");
    const std::string assertion = form_value(form, "client_assertion");
    const std::string secret = form_value(form, "client_secret");
    if (assertion.empty() && secret.empty())
        return Refusal{.number = 7000218,
                       .text =
                           "The request body must contain the following parameter: 'client_assertion' or "
                           "'client_secret'."};
    if (assertion.empty()) return refuse_secret(world, client, secret);
    const AssertionToCheck check{
        .text = assertion, .client = client, .tenant = tenant, .now = call.now, .times = world.options.time_scale == 1};
    return refuse_assertion(world.login, check);
}

}  // namespace

std::string Login::issue(World& world, const std::string& tenant, const std::string& client) {
    // A JWT as clients expect it (they read `tid`); the signature is random, since only this simulator ever checks one.
    const auto seconds = [](TimePoint time) {
        return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    };
    const Json header{{"typ", "JWT"}, {"alg", "RS256"}, {"kid", "galleryd-simulator"}};
    const Json claims{{"aud", "https://management.azure.com/"},
                      {"iss", "https://sts.windows.net/" + tenant + "/"},
                      {"iat", seconds(world.now)},
                      {"nbf", seconds(world.now)},
                      {"exp", seconds(world.now + lifetime)},
                      {"appid", client},
                      {"oid", "0581142e-ae8f-4bc0-9a0d-ffb7cbad05b2"},
                      {"tid", tenant},
                      {"ver", "1.0"},
                      {"uti", world.id_random.base64url(22)}};
    const std::string text = encode_base64url(header.dump(-1, ' ', false, Json::error_handler_t::replace)) + "." +
                             encode_base64url(claims.dump(-1, ' ', false, Json::error_handler_t::replace)) + "." +
                             world.id_random.base64url(342);
    // Clients count the hour on their own clocks, so a fast world must not end it early.
    const double scale = std::max(1.0, world.options.time_scale);
    const auto valid = std::chrono::duration_cast<Duration>(lifetime * scale);
    tokens_[text] = {.client = client, .expires = world.now + valid};
    if (tokens_.size() > 10'000)
        std::erase_if(tokens_, [&world](const auto& one) { return one.second.expires < world.now; });
    return text;
}

std::optional<std::string> Login::client_of(const std::string& authorization, TimePoint now) const {
    if (authorization.size() < 8 || fold_case(authorization.substr(0, 7)) != "bearer ") return std::nullopt;
    const auto found = tokens_.find(authorization.substr(7));
    if (found == tokens_.end() || found->second.expires <= now) return std::nullopt;
    return found->second.client;
}

Answer Login::token(World& world, const Call& call, const std::string& tenant) {
    const std::string& form = call.http.body;
    const std::string client = form_value(form, "client_id");
    const std::optional<Refusal> refused = refuse_sign_in(world, call, tenant);
    if (refused) return entra_error(world, refused->status, refused->error, refused->number, refused->text, call.now);
    const std::string shown_tenant = fold_case(tenant) == "adfs" ? std::string(default_tenant) : tenant;
    Json body{{"token_type", "Bearer"}, {"expires_in", lifetime.count()}, {"ext_expires_in", lifetime.count()}};
    const std::string resource = form_value(form, "resource");
    if (!resource.empty()) {  // the v1 form answers with text values
        const auto now = std::chrono::duration_cast<std::chrono::seconds>(call.now.time_since_epoch()).count();
        body = Json{{"token_type", "Bearer"},
                    {"expires_in", std::to_string(lifetime.count())},
                    {"expires_on", std::to_string(now + lifetime.count())},
                    {"not_before", std::to_string(now)},
                    {"resource", resource}};
    }
    body["access_token"] = issue(world, shown_tenant, client);
    return plain(std::move(body));
}

std::optional<Answer> Login::refuse(World& world, const Call& call, int number) {
    const std::vector<std::string>& at = call.path.folded;
    if (at.size() < 3 || at[1] != "oauth2" || at.back() != "token") return std::nullopt;
    return entra_error(world, 400, "invalid_client", number, "A fault from the faults file.", call.now);
}

// Three forms of one thing (azure-facts §13): the instance metadata service, App Service, and Azure Arc, whose first
// answer is a challenge that names a file.
Answer Login::managed_identity(World& world, const Call& call, bool app_service) {
    const auto refuse = [](int status, Json body) {
        Answer refused = plain(std::move(body));
        refused.status = status;
        return refused;
    };
    if (app_service) {
        const std::string header = call.http.headers.get("X-IDENTITY-HEADER");
        const bool wrong = !world.login.identity_header.empty() && header != world.login.identity_header;
        if (header.empty() || wrong)  // body unverified
            return refuse(401, Json{{"statusCode", 401}, {"message", "The identity header is missing or wrong."}});
    } else if (fold_case(call.http.headers.get("Metadata")) != "true") {
        return refuse(
            400, Json{{"error", "bad_request_102"}, {"error_description", "Required metadata header not specified"}});
    }
    const bool arc = !app_service && !world.login.arc_key_file.empty();
    if (arc && call.http.headers.get("Authorization") != "Basic " + world.login.arc_key) {
        Answer challenge = refuse(
            401, Json{{"error", "unauthorized_client"}, {"error_description", "Missing Basic Authorization header"}});
        challenge.headers.add("WWW-Authenticate", "Basic realm=" + world.login.arc_key_file);
        return challenge;
    }
    if (call.path.get("resource").empty())
        return refuse(400, Json{{"error", "invalid_request"}, {"error_description", "The resource is missing"}});
    const std::string named = call.path.get("client_id");
    const std::string client = named.empty() ? "managed-identity" : named;
    const std::string key = named.empty() ? "system" : fold_case(named);
    if (!world.login.identities.empty() && !world.login.identities.contains(key))
        return refuse(400, Json{{"error", "invalid_request"}, {"error_description", "Identity not found"}});
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(call.now.time_since_epoch()).count();
    Json body{{"access_token", issue(world, std::string(default_tenant), client)}};
    if (!app_service) {
        body["refresh_token"] = "";
        body["expires_in"] = std::to_string(lifetime.count());
        body["not_before"] = std::to_string(now);
    }
    body["expires_on"] = std::to_string(now + lifetime.count());
    body["resource"] = call.path.get("resource");
    body["token_type"] = "Bearer";
    if (!named.empty()) body["client_id"] = named;
    return plain(std::move(body));
}

std::optional<Answer> Login::handle(World& world, const Call& call) {
    const std::vector<std::string>& at = call.path.folded;
    if (at.empty() || at[0] == "subscriptions" || at[0] == "providers" || at[0] == "tenants") return std::nullopt;
    if (at[0] == "metadata") {
        if (at.size() == 2 && at[1] == "endpoints") {
            const std::string version = call.api_version();
            return plain(
                metadata_endpoints(call.base, std::string(default_tenant), version.empty() || version >= "2019"));
        }
        if (at.back() == "token") return managed_identity(world, call, false);
    }
    if (call.path.key == "/msi/token") return managed_identity(world, call, true);
    const std::string& tenant = call.path.segments[0];
    const bool adfs = at[0] == "adfs";
    if (call.path.key.ends_with("/.well-known/openid-configuration"))
        return plain(openid_configuration(call.base, tenant, adfs));
    if (call.path.key == "/common/discovery/instance") {
        const std::string host = call.base.substr(call.base.find("//") + 2);
        return plain(Json{{"tenant_discovery_endpoint",
                           call.base + "/" + std::string(default_tenant) + "/v2.0/.well-known/openid-configuration"},
                          {"api-version", "1.1"},
                          {"metadata", Json::array({Json{{"preferred_network", host},
                                                         {"preferred_cache", host},
                                                         {"aliases", Json::array({host})}}})}});
    }
    if (at.back() == "keys") return plain(Json{{"keys", Json::array()}});
    if (at.back() == "token" && at.size() >= 3 && at[1] == "oauth2") {
        if (call.method() != "POST") return error_answer(405, "MethodNotAllowed", "Only POST is allowed here.");
        return token(world, call, tenant);
    }
    return std::nullopt;
}

}  // namespace galleryd::simulator
