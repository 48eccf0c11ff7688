#include "controller/adapters/azure/token_managed_identity.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "controller/adapters/azure/json_read.h"
#include "controller/adapters/azure/retry_after.h"
#include "controller/adapters/azure/token_answer.h"

namespace galleryd::azure {
namespace {

using std::chrono::seconds;

constexpr std::array<seconds, 4> pauses{seconds{2}, seconds{6}, seconds{14}, seconds{30}};
constexpr std::size_t answer_bytes_max = 64UL * 1024;
constexpr std::size_t key_bytes_max = 4096;
constexpr std::string_view key_folder = "/var/opt/azcmagent/tokens/";

// Four numbers of at most 255; nothing that only begins like an address.
bool is_ipv4_in(const std::string& host, std::string_view prefix) {
    if (!host.starts_with(prefix) || host.find_first_not_of("0123456789.") != std::string::npos) return false;
    return std::ranges::count(host, '.') == 3 && host.back() != '.' && host.find("..") == std::string::npos;
}

bool is_identity_host(const std::string& host) {
    return host == "localhost" || host == "::1" || is_ipv4_in(host, "127.") || is_ipv4_in(host, "169.254.");
}

std::string_view api_version(IdentityService service) {
    switch (service) {
        case IdentityService::instance_metadata: return "2018-02-01";
        case IdentityService::app_service: return "2019-08-01";
        case IdentityService::arc: return "2019-11-01";
    }
    return "2018-02-01";
}

bool is_worth_repeating(int status) { return status == 404 || status == 410 || status == 429 || status >= 500; }

// 400 invalid_request "Identity not found" (azure-facts §13, text [U]).
bool says_no_identity(const http::Response& answer) {
    const auto body = parse_json(answer.body, "identity endpoint");
    if (!body) return false;
    const std::string text = text_member(*body, "error_description") + text_member(*body, "message");
    return answer.status == 400 && text.contains("dentity not found");
}

}  // namespace

Result<http::Url> parse_identity_endpoint(const std::string& url) {
    auto parsed = http::parse_url(url);
    if (!parsed)
        return std::unexpected(denied_sign_in("GD3027", "the identity endpoint is no URL: " + parsed.error().message));
    if (parsed->target.find('?') != std::string::npos)
        return std::unexpected(denied_sign_in("GD3027", "the identity endpoint must not have a query: " + url));
    if (parsed->origin.scheme == "http" && is_identity_host(parsed->origin.host)) return parsed;
    return std::unexpected(denied_sign_in(
        "GD3027", "the identity endpoint " + http::to_string(parsed->origin) +
                      " is refused: it must be plain http on this machine (127.0.0.1, ::1, localhost) or link-local "
                      "(169.254.0.0/16). Check IDENTITY_ENDPOINT and AZURE_POD_IDENTITY_AUTHORITY_HOST"));
}

Result<std::string> find_challenge_file(const std::string& www_authenticate) {
    const auto refused = [](const std::string& why) {
        return std::unexpected(denied_sign_in("GD3027", "Azure Arc's challenge is refused: " + why));
    };
    constexpr std::string_view scheme = "Basic realm=";
    if (!www_authenticate.starts_with(scheme)) return refused("it is not of the form Basic realm=FILE");
    std::string path = www_authenticate.substr(scheme.size());
    if (path.size() >= 2 && path.front() == '"' && path.back() == '"') path = path.substr(1, path.size() - 2);
    const std::string shown = printable(path, 200);
    if (!path.starts_with(key_folder)) return refused(shown + " is not in " + std::string(key_folder));
    const std::string name = path.substr(key_folder.size());
    if (name.find('/') != std::string::npos || name.find('\0') != std::string::npos || name.size() <= 4 ||
        name.front() == '.' || !name.ends_with(".key"))
        return refused(shown + " is not a *.key file directly in " + std::string(key_folder));
    return path;
}

Result<std::unique_ptr<ManagedIdentityToken>> ManagedIdentityToken::make(http::Transport& transport, Clock& clock,
                                                                         Log& log, Metrics& metrics,
                                                                         ManagedIdentityOptions options) {
    auto endpoint = parse_identity_endpoint(options.endpoint);
    if (!endpoint) return std::unexpected(endpoint.error());
    if (options.service == IdentityService::arc && !options.client_id.empty()) {
        return std::unexpected(denied_sign_in(
            "GD3027",
            "a machine of Azure Arc has its own identity only. Unset AZURE_CLIENT_ID, or sign in in another way"));
    }
    return std::unique_ptr<ManagedIdentityToken>(
        new ManagedIdentityToken(transport, clock, log, metrics, std::move(options), std::move(*endpoint)));
}

http::Request ManagedIdentityToken::request() const {
    http::Request made{.method = "GET",
                       .target = endpoint_.target + "?api-version=" + std::string(api_version(options_.service)) +
                                 "&resource=" + form_encode(options_.resource)};
    if (!options_.client_id.empty()) made.target += "&client_id=" + form_encode(options_.client_id);
    made.headers.add("Accept", "application/json");
    if (options_.service == IdentityService::app_service)
        made.headers.add("X-IDENTITY-HEADER", options_.header.reveal());
    else made.headers.add("Metadata", "true");
    return made;
}

Task<http::Response> ManagedIdentityToken::exchange(http::Request request, std::chrono::milliseconds deadline) {
    const http::CallLimits limits{.deadline = deadline, .body_bytes_max = answer_bytes_max};
    auto answer = co_await transport_.send(endpoint_.origin, std::move(request), limits);
    if (answer) co_return answer;
    Error error = std::move(answer.error());
    error.code = "GD3027";
    error.message = "sign-in to Azure: the identity endpoint of this machine: " + error.message;
    co_return std::unexpected(std::move(error));
}

Task<std::string> ManagedIdentityToken::find_obstacle() {
    http::Request probe = request();
    probe.headers = {{"Accept", "application/json"}};  // without Metadata: Azure's service refuses with 400, at once
    const auto answer = co_await exchange(std::move(probe), options_.probe_deadline);
    const std::string where = http::to_string(endpoint_.origin);
    if (!answer)
        co_return std::string("nothing answers at " + where + ", so this is no machine of Azure with an identity");
    const auto body = parse_json(answer->body, "identity endpoint");
    if (answer->status == 400 && body && body->is_object()) co_return std::string{};
    co_return std::string("what answers at " + where + " is not Azure's identity endpoint (HTTP " +
                          std::to_string(answer->status) + ")");
}

Result<std::string> ManagedIdentityToken::answer_challenge(const http::Response& challenge) const {
    const auto path = find_challenge_file(challenge.headers.get("WWW-Authenticate"));
    if (!path) return std::unexpected(path.error());
    const FileToRead file{.path = *path, .bytes_max = key_bytes_max, .links = Links::refuse};
    const auto key = options_.read_file(file);
    if (!key) {
        return std::unexpected(denied_sign_in("GD3027", "Azure Arc's key file cannot be read: " + key.error().message +
                                                            ". galleryd's user must be a member of the group himds"));
    }
    std::string text = key->reveal();
    const bool is_plain =
        std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; });  // it becomes a header
    if (text.empty() || !is_plain)
        return std::unexpected(denied_sign_in("GD3027", "Azure Arc's key file " + *path + " holds no key"));
    return "Basic " + text;
}

Task<http::Response> ManagedIdentityToken::ask() {
    auto answer = co_await exchange(request(), options_.deadline);
    if (!answer || options_.service != IdentityService::arc || answer->status != 401) co_return answer;
    auto proof = answer_challenge(*answer);
    if (!proof) co_return std::unexpected(proof.error());
    http::Request proven = request();
    proven.headers.add("Authorization", *proof);
    Secret::wipe(*proof);
    co_return co_await exchange(std::move(proven), options_.deadline);
}

Result<FetchedToken> ManagedIdentityToken::read(http::Response& answer) {
    has_no_identity_ = says_no_identity(answer);
    auto fetched = read_token_answer(answer, SignInKind::managed_identity, clock_.now());
    Secret::wipe(answer.body);
    if (fetched || fetched.error().code != "GD3010") return fetched;
    Error& error = fetched.error();
    error.code = "GD3027";
    if (has_no_identity_) {
        error.message =
            options_.client_id.empty()
                ? "sign-in to Azure: this machine has no managed identity. Assign one to it"
                : "sign-in to Azure: this machine has no managed identity with the client id of AZURE_CLIENT_ID. "
                  "Assign it to the machine, or unset AZURE_CLIENT_ID for the system-assigned one";
    } else if (is_worth_repeating(answer.status) && error.kind != ErrorKind::throttled) {
        error.kind = ErrorKind::transient;
    }
    return fetched;
}

Task<FetchedToken> ManagedIdentityToken::fetch() {
    for (std::size_t attempt = 0;; ++attempt) {
        auto answer = co_await ask();
        const bool last = attempt == pauses.size() || is_token_usable();
        if (!answer && (last || answer.error().kind != ErrorKind::transient)) co_return std::unexpected(answer.error());
        if (answer && (last || !is_worth_repeating(answer->status))) co_return read(*answer);
        seconds pause = pauses[attempt];
        if (answer) {
            const auto hint = find_retry_after(answer->headers, "", clock_.now());
            if (hint && *hint > pauses.back()) co_return read(*answer);  // too long to sit out here
            if (hint) pause = *hint;
        }
        co_await clock_.sleep_for(pause);
    }
}

}  // namespace galleryd::azure
