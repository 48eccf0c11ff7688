#include "controller/adapters/azure/token_cli.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "controller/adapters/azure/json_read.h"
#include "controller/adapters/azure/token_answer.h"

namespace galleryd::azure {
namespace {

using std::chrono::seconds;

constexpr std::size_t output_bytes_max = 64UL * 1024;

Error cli_error(ErrorKind kind, const std::string& message) {
    Error error = denied_sign_in("GD3028", message);
    error.kind = kind;
    return error;
}

// expires_on (seconds, from CLI 2.54 on), else expiresOn, "2026-03-01 10:20:30.000000" in the zone of the child's TZ,
// which is UTC because we say so.
std::optional<TimePoint> find_expiry(const Json& body) {
    const std::string number = text_member(body, "expires_on");
    std::int64_t end = 0;
    const auto [rest, failed] = std::from_chars(number.data(), number.data() + number.size(), end);
    if (!number.empty() && failed == std::errc{} && rest == number.data() + number.size() && end > 0 &&
        end < 32'503'680'000)
        return TimePoint{seconds{end}};
    std::string text = text_member(body, "expiresOn");
    if (text.size() < 19 || text[10] != ' ') return std::nullopt;
    text[10] = 'T';
    return parse_rfc3339(text.substr(0, 19) + "Z");
}

}  // namespace

Task<FetchedToken> AzureCliToken::fetch() {
    process::Command command{
        .program = options_.program,
        .arguments = {"account", "get-access-token", "--output", "json", "--scope", options_.scope},
        .environment = options_.environment,
        .deadline = options_.deadline,
        .output_bytes_max = output_bytes_max};
    if (!options_.tenant_id.empty()) {
        if (!is_plain_name(options_.tenant_id))
            co_return std::unexpected(
                denied_sign_in("GD3014", "the tenant is not a valid name. Check AZURE_TENANT_ID"));
        command.arguments.insert(command.arguments.end(), {"--tenant", options_.tenant_id});
    }
    command.environment.emplace_back("TZ=UTC0");
    command.environment.emplace_back("AZURE_CORE_COLLECT_TELEMETRY=no");
    command.environment.emplace_back("AZURE_CORE_ONLY_SHOW_ERRORS=yes");
    auto ended = co_await runner_->run(std::move(command));
    if (!ended) {
        const ErrorKind kind = ended.error().kind == ErrorKind::transient ? ErrorKind::transient : ErrorKind::denied;
        co_return std::unexpected(cli_error(kind, "the Azure CLI: " + ended.error().message));
    }
    auto fetched = read(*ended);
    Secret::wipe(ended->output);
    co_return fetched;
}

Result<FetchedToken> AzureCliToken::read(const process::Ended& ended) {
    is_signed_out_ = false;
    if (ended.exit_code != 0) return std::unexpected(describe_failure(ended));
    const auto body = parse_json(ended.output, "az");
    std::string token = body ? text_member(*body, "accessToken") : std::string{};
    const bool is_plain = std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; });
    if (token.empty() || !is_plain)
        return std::unexpected(
            cli_error(ErrorKind::denied,
                      "the Azure CLI printed no usable token. Try: az account get-access-token --output json"));
    constexpr seconds day{24 * 3600};
    const auto expiry = find_expiry(*body);
    const seconds left = expiry ? std::chrono::floor<seconds>(*expiry - clock_.now()) : seconds{300};
    if (left <= seconds{0}) {
        Error error = denied_sign_in(
            "GD3019", "the Azure CLI's token is over already. Set this machine's clock, or sign in again: az login");
        return std::unexpected(std::move(error));
    }
    return FetchedToken{.token = Secret(std::move(token)), .life = std::min(left, day)};
}

Error AzureCliToken::describe_failure(const process::Ended& ended) {
    if (ended.exit_code < 0)
        return cli_error(ErrorKind::transient, "the Azure CLI was ended by signal " + std::to_string(ended.signal));
    const std::vector<int> numbers = find_aadsts_numbers(ended.errors);
    is_signed_out_ = ended.errors.contains("az login") && numbers.empty();
    if (is_signed_out_)
        return cli_error(ErrorKind::denied, "nobody has signed in to the Azure CLI here. Run: az login");
    Error error = describe_sign_in_problem(numbers, SignInKind::azure_cli,
                                           "the Azure CLI failed with exit code " + std::to_string(ended.exit_code) +
                                               ". It says why when you run: az account get-access-token --output none");
    if (error.code == "GD3010") error.code = "GD3028";
    return error;
}

}  // namespace galleryd::azure
