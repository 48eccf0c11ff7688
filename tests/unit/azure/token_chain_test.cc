#include "controller/adapters/azure/token_chain.h"

#include <doctest/doctest.h>

#include "tests/unit/azure/credential_bench.h"

using namespace galleryd;
using namespace galleryd::azure;
using namespace galleryd::azure::test;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const std::string no_login = "ERROR: Please run 'az login' to setup account.\n";
const std::string asks_for_header = R"({"error":"invalid_request","error_description":"Required metadata header"})";
const std::string no_identity = R"({"error":"invalid_request","error_description":"Identity not found"})";

std::string cli_answer(const std::string& token, const std::string& expires) {
    return R"({"accessToken":")" + token + R"(",)" + expires + R"(,"tenant":"t","tokenType":"Bearer"})";
}

struct ChainBench : SignInBench {
    PlayedRunner* az = nullptr;

    std::unique_ptr<AzureCliToken> cli(const std::string& tenant = "") {
        auto runner = std::make_unique<PlayedRunner>();
        az = runner.get();
        AzureCliOptions options{.program = "/usr/bin/az",
                                .scope = "https://management.azure.com/.default",
                                .tenant_id = tenant,
                                .environment = {"HOME=/var/empty"}};
        return std::make_unique<AzureCliToken>(std::move(runner), clock, log, metrics, std::move(options));
    }
    DefaultToken chain(bool with_cli = true) {
        ChainMembers members{.skipped = {{"environment", "AZURE_CLIENT_SECRET is not set"},
                                         {"workload-identity", "AZURE_FEDERATED_TOKEN_FILE is not set"}}};
        ManagedIdentityOptions options{.resource = "https://management.azure.com/"};
        options.read_file = reader();
        auto identity = ManagedIdentityToken::make(transport, clock, log, metrics, std::move(options));
        members.managed_identity = std::move(*identity);
        if (with_cli) members.azure_cli = cli();
        else members.no_cli = "there is no program az on PATH";
        return {clock, log, std::move(members)};
    }
    void metadata_service_is_absent() {
        transport.fail_with({.kind = ErrorKind::transient, .reason = "NetworkError", .message = "no route"});
    }
};

}  // namespace

TEST_CASE("the Azure CLI is run with plain arguments and UTC, and its token kept to its end") {
    ChainBench bench;
    const auto provider = bench.cli("some-tenant");
    bench.az->prints(cli_answer("cli-token", R"("expiresOn":"2026-03-01 01:00:00.000000")"));
    bench.az->prints(cli_answer("newer", R"("expiresOn":"2026-03-01 03:00:00.000000","expires_on":1772335800)"));
    CHECK(bench.token(*provider).value_or("none") == "cli-token");
    const process::Command& command = bench.az->commands.at(0);
    CHECK(command.program == "/usr/bin/az");
    CHECK(command.arguments == std::vector<std::string>{"account", "get-access-token", "--output", "json", "--scope",
                                                        "https://management.azure.com/.default", "--tenant",
                                                        "some-tenant"});
    CHECK(command.environment == std::vector<std::string>{"HOME=/var/empty", "TZ=UTC0",
                                                          "AZURE_CORE_COLLECT_TELEMETRY=no",
                                                          "AZURE_CORE_ONLY_SHOW_ERRORS=yes"});
    CHECK(command.deadline == seconds{30});
    bench.clock.advance(minutes{54});
    CHECK(bench.token(*provider).value_or("none") == "cli-token");
    bench.clock.advance(minutes{2});
    CHECK(bench.token(*provider).value_or("none") == "newer");  // expires_on: 03:30 UTC
    bench.clock.advance(minutes{60});
    CHECK(bench.token(*provider).value_or("none") == "newer");
    CHECK(bench.az->commands.size() == 2);
}

TEST_CASE("what goes wrong with the Azure CLI is told without what it printed") {
    struct Row {
        int exit_code;
        std::string output, errors, code, says;
    };
    const std::vector<Row> rows{
        {1, "", no_login, "GD3028", "az login"},
        {1, "", "ERROR: AADSTS700082: The refresh token has expired: canary", "GD3028", "sign-in has expired"},
        {1, "", "ERROR: AADSTS50076: canary: you must use multi-factor", "GD3024", "second factor"},
        {1, "", "AADSTS90002: Tenant 'canary' not found.", "GD3014", "tenant"},
        {2, "", "Traceback canary", "GD3028", "exit code 2"},
        {0, "canary", "", "GD3028", "no usable token"},
        {0, "{}", "", "GD3028", "no usable token"},
        {0, R"({"accessToken":"two canary"})", "", "GD3028", "no usable token"},
        {0, R"({"accessToken":"canary","expiresOn":"2026-02-28 10:00:00.000000"})", "", "GD3019", "clock"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.errors + row.output);
        ChainBench bench;
        const auto provider = bench.cli();
        if (row.exit_code == 0) bench.az->prints(row.output);
        else bench.az->fails(row.exit_code, row.errors);
        const auto token = bench.token(*provider);
        REQUIRE_FALSE(token.has_value());
        CHECK(token.error().code == row.code);
        CHECK(token.error().kind == ErrorKind::denied);
        CHECK(token.error().message.contains(row.says));
        CHECK_FALSE(token.error().message.contains("canary"));
        CHECK_FALSE(bench.log.text.contains("canary"));
        CHECK(provider->is_signed_out() == (row.errors == no_login));
    }
    ChainBench bench;
    const auto late = bench.cli();
    bench.az->answers.emplace_back(fail(ErrorKind::transient, "DeadlineExceeded", "az did not end within 30 s"));
    CHECK(bench.token(*late).error().kind == ErrorKind::transient);
    const auto odd = bench.cli("--debug");
    CHECK(bench.token(*odd).error().code == "GD3014");
    CHECK(bench.az->commands.empty());
}

TEST_CASE("with an identity the chain ends at the machine, and its later failures are final") {
    ChainBench bench;
    auto chain = bench.chain();
    CHECK(chain.name() == "default");
    bench.transport.answer(400, asks_for_header);
    bench.transport.answer(200, token_answer("machine", 3600));
    CHECK(bench.token(chain).value_or("none") == "machine");
    CHECK(chain.name() == "managed-identity");
    CHECK(bench.log.text.contains("credential=managed-identity"));
    CHECK(bench.log.text.contains("environment: AZURE_CLIENT_SECRET is not set"));
    for (int i = 0; i < 5; ++i) bench.transport.answer(503, "");
    bench.clock.advance(minutes{60});
    CHECK(bench.token(chain).error().code == "GD3027");
    CHECK(bench.az->commands.empty());  // never signs in as somebody else because of that
    bench.transport.answer(200, token_answer("machine-again", 3600));
    bench.clock.advance(seconds{11});
    CHECK(bench.token(chain).value_or("none") == "machine-again");
    chain.invalidate("machine-again");
    bench.transport.answer(200, token_answer("third", 3600));
    CHECK(bench.token(chain).value_or("none") == "third");
}

TEST_CASE("an identity service that answers is configured, even if its first answer is a failure") {
    ChainBench bench;
    auto chain = bench.chain();
    bench.transport.answer(400, asks_for_header);
    bench.transport.answer(403, R"({"error":"forbidden"})");
    CHECK(bench.token(chain).error().code == "GD3027");
    CHECK(chain.name() == "managed-identity");
    CHECK(bench.az->commands.empty());
}

TEST_CASE("without metadata service or identity the Azure CLI is taken") {
    for (const bool machine_of_azure : {false, true}) {
        CAPTURE(machine_of_azure);
        ChainBench bench;
        auto chain = bench.chain();
        if (machine_of_azure) {
            bench.transport.answer(400, asks_for_header);
            bench.transport.answer(400, no_identity);
        } else {
            bench.metadata_service_is_absent();
        }
        bench.az->prints(cli_answer("mine", R"("expires_on":1772328600)"));
        CHECK(bench.token(chain).value_or("none") == "mine");
        CHECK(chain.name() == "azure-cli");
        CHECK(bench.log.text.contains(machine_of_azure ? "is given no identity" : "nothing answers"));
        CHECK(bench.token(chain).value_or("none") == "mine");
        CHECK(bench.az->commands.size() == 1);
    }
}

TEST_CASE("when none works, the error lists each member's reason and what to set, and looks again later") {
    ChainBench bench;
    auto chain = bench.chain();
    bench.metadata_service_is_absent();
    bench.az->fails(1, no_login);
    const auto token = bench.token(chain);
    REQUIRE_FALSE(token.has_value());
    CHECK(token.error().code == "GD5005");
    CHECK(token.error().kind == ErrorKind::denied);
    for (const char* part :
         {"environment: AZURE_CLIENT_SECRET is not set", "workload-identity: AZURE_FEDERATED_TOKEN_FILE is not set",
          "managed-identity: nothing answers at http://169.254.169.254", "azure-cli: nobody has signed in",
          "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET", "az login", "--credential none"}) {
        CAPTURE(part);
        CHECK(token.error().message.contains(part));
    }
    CHECK(bench.token(chain).error().message == token.error().message);
    CHECK(bench.transport.sent.size() == 1);  // not asked again at once
    CHECK(bench.az->commands.size() == 1);
    bench.clock.advance(seconds{11});
    bench.metadata_service_is_absent();
    bench.az->prints(cli_answer("signed in meanwhile", R"("expires_on":1772328600)"));
    bench.az->answers.back()->output = cli_answer("meanwhile", R"("expires_on":1772328600)");
    CHECK(bench.token(chain).value_or("none") == "meanwhile");
    ChainBench bare;
    auto short_chain = bare.chain(false);
    bare.metadata_service_is_absent();
    CHECK(bare.token(short_chain).error().message.contains("azure-cli: there is no program az on PATH"));
}
