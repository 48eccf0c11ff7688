#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#include "controller/core/error_catalogue.h"
#include "controller/program/credentials.h"
#include "controller/program/credentials_file.h"
#include "controller/simulator/simulator.h"
#include "tests/support/manual_clock.h"
#include "tests/support/recording_log.h"
#include "tests/support/recording_metrics.h"
#include "tests/support/run_task.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/azure/credential_bench.h"
#include "tests/unit/program/sign_in_environment.h"

using namespace galleryd;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

// Against the built-in Azure, which answers for every host: sign-in, identity endpoint and ARM.
struct Choice {
    boost::asio::io_context context;
    ManualClock clock{context};
    RecordingLog log;
    RecordingMetrics metrics;
    simulator::Simulator azure{clock, simulator::Options{}};
    simulator::InProcessTransport transport{azure, clock};
    TemporaryDirectory folder;
    azure::test::TestCertificate certificate =
        azure::test::make_test_certificate({.from = clock.now() - hours{1}, .until = clock.now() + hours{24}});

    Result<std::unique_ptr<azure::TokenProvider>> make(const std::string& credential,
                                                       const std::string& cloud_name = "public") {
        const auto cloud = find_cloud(cloud_name);
        REQUIRE(cloud.has_value());
        return make_credential(credential, *cloud, transport, clock, log, metrics);
    }
    // With real children: their end is waited for, and the clock stands still.
    std::string outcome_of_program(const std::string& credential) {
        const auto made = make(credential);
        if (!made) return made.error().code + " " + made.error().message;
        const auto token = run_task(context, (*made)->token());
        return token ? std::string((*made)->name()) : token.error().code + " " + token.error().message;
    }
    // Name of the credential that delivered, or code and message of what went wrong.
    std::string outcome(const std::string& credential) {
        const auto made = make(credential);
        if (!made) return made.error().code + " " + made.error().message;
        const auto token = run_task(context, clock, (*made)->token());
        if (!token) return token.error().code + " " + token.error().message;
        return std::string((*made)->name());
    }
    std::string logged() const {
        std::string text;
        for (const auto& line : log.lines) {
            text += line.message;
            for (const auto& [name, value] : line.fields) text += " " + name + "=" + value;
            text += "\n";
        }
        return text;
    }
    std::string program(const std::string& name, const std::string& text) const {
        folder.write(name, "#!/bin/sh\n" + text + "\n");
        ::chmod(folder.file(name).c_str(), 0700);
        return folder.file(name);
    }
};

std::string workload_token(TimePoint now, seconds life, const std::string& mark) {
    const auto at = std::chrono::duration_cast<seconds>(now.time_since_epoch());
    return azure::test::jwt(R"({"iss":"https://oidc","sub":")" + mark +
                            R"(","aud":"api://AzureADTokenExchange","exp":)" + std::to_string((at + life).count()) +
                            "}");
}

const std::map<std::string, std::string> application{{"AZURE_TENANT_ID", "some-tenant"}, {"AZURE_CLIENT_ID", "app"}};

std::map<std::string, std::string> with(std::map<std::string, std::string> more) {
    more.insert(application.begin(), application.end());
    return more;
}

}  // namespace

TEST_CASE("each credential signs in to the built-in Azure by the variables that are usual for it") {
    Choice choice;
    choice.folder.write("app.pem", choice.certificate.certificate_pem + choice.certificate.encrypted_key_pem);
    choice.folder.write("token", workload_token(choice.clock.now(), hours{1}, "me"));
    choice.program("az", R"(echo '{"accessToken":"from-az","expires_on":1772330400}')");
    const std::map<std::string, std::string> certificate =
        with({{"AZURE_CLIENT_CERTIFICATE_PATH", choice.folder.file("app.pem")},
              {"AZURE_CLIENT_CERTIFICATE_PASSWORD", "open sesame"}});
    const std::map<std::string, std::string> federated =
        with({{"AZURE_FEDERATED_TOKEN_FILE", choice.folder.file("token")}});
    const auto outcome = [&](const std::map<std::string, std::string>& variables, const std::string& credential) {
        const SignInEnvironment environment(variables);
        return choice.outcome(credential);
    };
    CHECK(outcome(with({{"AZURE_CLIENT_SECRET", "s"}}), "environment") == "client-secret");
    CHECK(outcome(certificate, "environment") == "client-certificate");
    CHECK(outcome(certificate, "client-certificate") == "client-certificate");
    CHECK(outcome(federated, "workload-identity") == "workload-identity");
    CHECK(outcome({}, "managed-identity") == "managed-identity");
    CHECK(outcome({{"IDENTITY_ENDPOINT", "http://127.0.0.1:41056/msi/token"}, {"IDENTITY_HEADER", "h"}},
                  "managed-identity") == "managed-identity");
    const SignInEnvironment environment({{"PATH", choice.folder.path() + ":/usr/bin:/bin"}});
    CHECK(choice.outcome_of_program("azure-cli") == "azure-cli");
}

TEST_CASE("default takes the first that is configured, in the order of the contract, and logs why not the others") {
    Choice choice;
    choice.folder.write("app.pem", choice.certificate.certificate_pem + choice.certificate.key_pem);
    choice.folder.write("token", workload_token(choice.clock.now(), hours{1}, "me"));
    const std::pair<std::string, std::string> secret{"AZURE_CLIENT_SECRET", "s"},
        certificate{"AZURE_CLIENT_CERTIFICATE_PATH", choice.folder.file("app.pem")},
        federated{"AZURE_FEDERATED_TOKEN_FILE", choice.folder.file("token")},
        endpoint{"IDENTITY_ENDPOINT", "http://127.0.0.1:41056/msi/token"}, header{"IDENTITY_HEADER", "h"};
    struct Row {
        std::map<std::string, std::string> variables;
        std::string credential, reason;
    };
    const std::vector<Row> rows{
        {with({secret, certificate, federated, endpoint, header}), "client-secret", ""},
        {with({certificate, federated, endpoint, header}), "client-certificate", ""},
        {with({federated, endpoint, header}), "workload-identity", "neither AZURE_CLIENT_SECRET nor"},
        {{endpoint, header}, "managed-identity", "AZURE_FEDERATED_TOKEN_FILE is not set"},
        {{}, "managed-identity", "AZURE_FEDERATED_TOKEN_FILE is not set"},  // found at the metadata service
    };
    for (const Row& row : rows) {
        CAPTURE(row.credential);
        const SignInEnvironment environment(row.variables);
        choice.log.lines.clear();
        CHECK(choice.outcome("default") == row.credential);
        REQUIRE(choice.log.has("azure sign-in"));
        CHECK(choice.log.lines.front().fields.at("credential") == row.credential);
        CHECK(choice.log.lines.front().fields.at("not_used").find(row.reason) != std::string::npos);
    }
}

TEST_CASE("half a configuration is an error, not a reason to sign in as somebody else") {
    Choice choice;
    const std::vector<std::pair<std::map<std::string, std::string>, std::string>> rows{
        {{{"AZURE_CLIENT_SECRET", "canary"}}, "AZURE_TENANT_ID AZURE_CLIENT_ID."},
        {{{"AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere"}, {"AZURE_TENANT_ID", "t"}}, "AZURE_CLIENT_ID."},
        {{{"AZURE_FEDERATED_TOKEN_FILE", "/nowhere"}, {"AZURE_CLIENT_ID", "c"}}, "AZURE_TENANT_ID."},
        {{{"IDENTITY_ENDPOINT", "http://127.0.0.1:1/x"}}, "IDENTITY_HEADER"},
    };
    for (const auto& [variables, names] : rows) {
        CAPTURE(names);
        const SignInEnvironment environment(variables);
        const auto made = choice.make("default");
        REQUIRE_FALSE(made.has_value());
        CHECK(made.error().code == "GD5005");
        CHECK(made.error().kind == ErrorKind::invalid);
        CHECK(made.error().message.find(names) != std::string::npos);
        CHECK(made.error().message.find("canary") == std::string::npos);
    }
    const SignInEnvironment unreadable(with({{"AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere/app.pem"}}));
    const auto missing = choice.make("default");
    REQUIRE_FALSE(missing.has_value());
    CHECK(missing.error().code == "GD3025");
    CHECK(missing.error().message.find("/nowhere/app.pem: No such file") != std::string::npos);
}

TEST_CASE("secrets go over https, and to the sign-in host of the cloud that is asked for") {
    Choice choice;
    const auto problem = [&](const std::string& authority, const std::string& cloud) -> std::string {
        const SignInEnvironment environment(with({{"AZURE_CLIENT_SECRET", "s"}, {"AZURE_AUTHORITY_HOST", authority}}));
        const auto made = choice.make("client-secret", cloud);
        if (made) return "";
        CHECK(made.error().code == "GD5005");
        return made.error().message;
    };
    CHECK(problem("https://login.microsoftonline.com/", "public").empty());
    CHECK(problem("https://login.microsoftonline.us", "usgovernment").empty());
    CHECK(problem("https://login.example.com", "public").empty());  // a private sign-in host
    CHECK(problem("http://127.0.0.1:4480", "public").empty());
    CHECK(problem("https://login.microsoftonline.com", "china").find("sign-in host of public, but --azure is china") !=
          std::string::npos);
    CHECK(problem("https://login.chinacloudapi.cn", "https://management.azure.com").find("--azure is public") !=
          std::string::npos);
    CHECK(problem("http://login.microsoftonline.com", "public").find("Write https") != std::string::npos);
    CHECK(problem("http://127.0.0.1.example.com", "public").find("Write https") != std::string::npos);
    const SignInEnvironment none({});
    const auto by_url = find_cloud("https://management.usgovcloudapi.net");
    REQUIRE(by_url.has_value());
    CHECK(http::to_string(by_url->login) == "https://login.microsoftonline.us");
}

TEST_CASE("each cloud has its sign-in host, scope and resource") {
    const SignInEnvironment environment(with({{"AZURE_CLIENT_SECRET", "s"}}));
    struct Row {
        const char *cloud, *login, *scope, *resource;
    };
    for (const Row& row :
         {Row{"public", "https://login.microsoftonline.com", "https%3A%2F%2Fmanagement.azure.com%2F.default",
              "https%3A%2F%2Fmanagement.azure.com%2F"},
          Row{"usgovernment", "https://login.microsoftonline.us",
              "https%3A%2F%2Fmanagement.usgovcloudapi.net%2F.default", "https%3A%2F%2Fmanagement.usgovcloudapi.net%2F"},
          Row{"china", "https://login.chinacloudapi.cn", "https%3A%2F%2Fmanagement.chinacloudapi.cn%2F.default",
              "https%3A%2F%2Fmanagement.chinacloudapi.cn%2F"}}) {
        CAPTURE(row.cloud);
        azure::test::SignInBench bench;
        const auto cloud = find_cloud(row.cloud);
        REQUIRE(cloud.has_value());
        const auto make = [&](const std::string& credential) {
            auto made = make_credential(credential, *cloud, bench.transport, bench.clock, bench.log, bench.metrics);
            REQUIRE(made.has_value());
            bench.transport.answer(200, azure::test::token_answer("t", 3600));
            CHECK(bench.token(**made).value_or("none") == "t");
        };
        make("client-secret");
        make("managed-identity");
        CHECK(http::to_string(bench.transport.sent.at(0).origin) == row.login);
        CHECK(bench.sent_body(0).ends_with("&scope=" + std::string(row.scope)));
        CHECK(bench.transport.sent.at(1).request.target.find("&resource=" + std::string(row.resource) + "&") !=
              std::string::npos);
    }
}

TEST_CASE("an identity endpoint elsewhere is refused before anything is sent to it") {
    Choice choice;
    const std::uint64_t before = choice.azure.requests();
    for (const auto& variables : std::vector<std::map<std::string, std::string>>{
             {{"IDENTITY_ENDPOINT", "http://metadata.example.com/token"}, {"IDENTITY_HEADER", "canary"}},
             {{"IDENTITY_ENDPOINT", "https://10.0.0.4/token"}, {"IDENTITY_HEADER", "canary"}},
             {{"AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://evil.example.com"}}}) {
        const SignInEnvironment environment(variables);
        for (const char* credential : {"default", "managed-identity"}) {
            const auto made = choice.make(credential);
            REQUIRE_FALSE(made.has_value());
            CHECK(made.error().code == "GD3027");
        }
    }
    CHECK(choice.azure.requests() == before);
}

TEST_CASE("the Azure CLI gets what it needs of the environment and none of our secrets") {
    Choice choice;
    choice.program("az", "env > " + choice.folder.file("seen") + "\nprintf '%s\\n' \"$*\" > " +
                             choice.folder.file("arguments") + "\necho 'ERROR: canary-of-az' >&2\nexit 1");
    const SignInEnvironment environment({{"PATH", choice.folder.path() + ":/usr/bin:/bin"},
                                         {"AZURE_TENANT_ID", "some-tenant"},
                                         {"AZURE_CLIENT_CERTIFICATE_PASSWORD", "canary-password"}});
    const ScopedVariable own("GALLERYD_SECRET", "canary-own"), home("HOME", choice.folder.path());
    const std::string outcome = choice.outcome_of_program("azure-cli");
    CHECK(outcome.starts_with("GD3028 "));
    CHECK(outcome.find("exit code 1") != std::string::npos);
    const std::string seen = choice.folder.read("seen");
    CHECK(seen.find("HOME=" + choice.folder.path()) != std::string::npos);
    CHECK(seen.find("TZ=UTC0") != std::string::npos);
    CHECK(seen.find("canary") == std::string::npos);
    CHECK(choice.folder.read("arguments") ==
          "account get-access-token --output json --scope https://management.azure.com/.default --tenant "
          "some-tenant\n");
    CHECK(choice.logged().find("canary") == std::string::npos);
    const SignInEnvironment nothing({{"PATH", "/nowhere"}});
    CHECK(choice.outcome("azure-cli").find("no program az on PATH") != std::string::npos);
}

TEST_CASE("after every failure neither log nor error holds secret, assertion or token") {
    Choice choice;
    REQUIRE(choice.azure.load_state(R"({"resources":[],"secrets":{"app":"right"},"tenants":["some-tenant"],
      "managedIdentities":["known"],"identityHeader":"header-right",
      "federatedCredentials":{"app":[{"issuer":"https://oidc","subject":"other","audience":"api://AzureADTokenExchange"}]},
      "certificates":{"app":[]}})"));
    const std::string token = workload_token(choice.clock.now(), hours{1}, "canary-subject");
    const std::string expired = workload_token(choice.clock.now() - hours{8}, hours{1}, "canary-subject");
    choice.folder.write("app.pem", choice.certificate.certificate_pem + choice.certificate.encrypted_key_pem);
    choice.folder.write("token", token);
    choice.folder.write("expired", expired);
    choice.folder.write("half", token.substr(0, 40));
    struct Row {
        std::map<std::string, std::string> variables;
        std::string code;
    };
    const std::vector<Row> rows{
        {with({{"AZURE_CLIENT_SECRET", "canary-secret"}}), "GD3011"},
        {{{"AZURE_CLIENT_SECRET", "canary-secret"}, {"AZURE_CLIENT_ID", "app"}, {"AZURE_TENANT_ID", "unknown"}},
         "GD3014"},
        {with({{"AZURE_CLIENT_CERTIFICATE_PATH", choice.folder.file("app.pem")},
               {"AZURE_CLIENT_CERTIFICATE_PASSWORD", "canary-password"}}),
         "GD3025"},
        {with({{"AZURE_CLIENT_CERTIFICATE_PATH", choice.folder.file("app.pem")},
               {"AZURE_CLIENT_CERTIFICATE_PASSWORD", "open sesame"}}),
         "GD3017"},
        {with({{"AZURE_FEDERATED_TOKEN_FILE", choice.folder.file("token")}}), "GD3018"},
        {with({{"AZURE_FEDERATED_TOKEN_FILE", choice.folder.file("expired")}}), "GD3019"},
        {with({{"AZURE_FEDERATED_TOKEN_FILE", choice.folder.file("half")}}), "GD3026"},
        {{{"IDENTITY_ENDPOINT", "http://127.0.0.1:41056/msi/token"}, {"IDENTITY_HEADER", "canary-header"}}, "GD3027"},
        {{{"PATH", "/nowhere"}}, "GD5005"},  // the machine has no identity, and there is no az
    };
    for (const Row& row : rows) {
        CAPTURE(row.code);
        const SignInEnvironment environment(row.variables);
        choice.log.lines.clear();
        const std::string outcome = choice.outcome("default");
        CHECK(outcome.substr(0, 6) == row.code);
        CHECK(find_error(row.code) != nullptr);
        const std::string everything = outcome + choice.logged();
        for (const std::string& secret : {std::string("canary"), token, expired, token.substr(0, 40),
                                          std::string("sesame"), std::string("PRIVATE KEY"), std::string("eyJ")})
            CHECK(everything.find(secret) == std::string::npos);
    }
}

TEST_CASE("small files are read whole or not at all: regular files, a limit, links only where they are allowed") {
    TemporaryDirectory folder;
    folder.write("file", "content");
    REQUIRE(::symlink("file", folder.file("link").c_str()) == 0);
    ::mkfifo(folder.file("fifo").c_str(), 0600);
    const auto read = [&](const std::string& name, std::size_t bytes, azure::Links links = azure::Links::follow) {
        const auto content = read_credential_file({.path = folder.file(name), .bytes_max = bytes, .links = links});
        return content ? content->reveal() : content.error().message;
    };
    CHECK(read("file", 7) == "content");
    CHECK(read("file", 6).ends_with("file: is longer than 6 bytes"));
    CHECK(read("link", 7) == "content");
    CHECK(read("link", 7, azure::Links::refuse).ends_with("link: is a link"));
    CHECK(read("fifo", 7).ends_with("fifo: is not a regular file"));
    CHECK(read("", 7).ends_with("is not a regular file"));
    CHECK(read("none", 7).ends_with("none: No such file or directory"));
    CHECK_FALSE(read_credential_file({.path = std::string("a\0b", 3)}).has_value());
}
